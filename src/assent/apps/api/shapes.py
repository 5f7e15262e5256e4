"""What goes over the wire, shared by all resources; each says what it holds, and takes no more."""

from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

__all__ = [
    "Asset",
    "Day",
    "Handle",
    "Id",
    "Line",
    "Problem",
    "Received",
    "Told",
    "Words",
    "example",
]


class Received(BaseModel):
    """What is sent: fields that aren't named are refused, and nothing is guessed."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_enum_values=False)


class Told(BaseModel):
    """What is answered; there may come to be more in it."""

    model_config = ConfigDict(extra="ignore", frozen=True)


def example(**fields: Any) -> ConfigDict:  # noqa: ANN401 - any JSON
    """Return the configuration of a model with an example."""
    return ConfigDict(json_schema_extra={"examples": [fields]})


def _written(value: object) -> object:
    if isinstance(value, (str, date)):
        return value
    raise ValueError("a day is written as YYYY-MM-DD")


Day = Annotated[
    date,
    BeforeValidator(_written),
    Field(json_schema_extra={"pattern": r"^\d{4}-\d{2}-\d{2}$"}),
]
Handle = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
Id = Annotated[str, StringConstraints(pattern=r"^[0-9a-f-]{8,36}$")]
Asset = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=4000)]
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=200)]


class Wrong(Told):
    """What is wrong with one field."""

    field: str
    message: str


class Problem(Told):
    """What went wrong (RFC 9457): `code` is stable, `advice` says what to do next."""

    type: str
    title: str
    status: int
    detail: str
    advice: str
    code: str
    request_id: str
    problems: list[Wrong] | None = None
