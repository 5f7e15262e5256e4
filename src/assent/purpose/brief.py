"""The brief: what the work is for, told before anything else is done.

>>> brief = Brief.from_mapping(EXAMPLE)
>>> brief.category.value, brief.term_days
('education', 364)
"""

import tomllib
from collections.abc import Mapping
from datetime import date, timedelta
from enum import Enum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic import model_validator as validates

from assent.kit.errors import BriefError

__all__ = ["EXAMPLE", "Brief", "Category", "Claim", "RiskAnswers", "describe_problems"]

# No Fakes Act (reported 2026): a licence of a likeness lasts at most ten years.
LONGEST_TERM = timedelta(days=3653)

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=4000)]
Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=80)]
Handle = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]

EXAMPLE: dict[str, object] = {
    "title": "A lesson in two faces",
    "purpose": "Show students how a face replacement is made and recognised.",
    "category": "education",
    "audience": "Secondary school classes",
    "channels": ["classroom"],
    "jurisdictions": ["EU"],
    "starts": "2026-11-01",
    "ends": "2027-10-31",
    "risk": {
        "realistic": True,
        "shows_real_event": False,
        "public_figure": False,
        "political": False,
        "advertising": False,
        "endorses_health_or_money": False,
        "deceased": False,
        "minors": False,
        "intimate": False,
        "meant_to_be_believed": False,
    },
}


class Category(Enum):
    """The kind of work."""

    FILM = "film"
    EDUCATION = "education"
    ART = "art"
    SATIRE = "satire"
    ADVERTISING = "advertising"
    NEWS = "news"
    ACCESSIBILITY = "accessibility"
    RESEARCH = "research"
    IDENTITY_PROTECTION = "identity-protection"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Claim(_Frozen):
    """Something that the video says of the real world, and where that is shown to be so."""

    text: Text
    source: Text


class RiskAnswers(_Frozen):
    """Yes-or-no answers that the rules are read against; each must be given."""

    realistic: bool = Field(description="Could a viewer take it for a recording?")
    shows_real_event: bool = Field(description="Does it show an event as having happened?")
    public_figure: bool = Field(description="Is anyone in it publicly known?")
    political: bool = Field(description="Is it about politics or an election?")
    advertising: bool = Field(description="Does it advertise something?")
    endorses_health_or_money: bool = Field(description="Medical or financial advice?")
    deceased: bool = Field(description="Is anyone in it no longer alive?")
    minors: bool = Field(description="Is anyone in it, or shown as, under 18?")
    intimate: bool = Field(description="Nudity or sexual content?")
    meant_to_be_believed: bool = Field(description="Should viewers take it for real?")


class Brief(_Frozen):
    """Purpose, audience, reach, term, claims and risk answers of a project."""

    title: Text
    purpose: Text
    category: Category
    audience: Text
    channels: tuple[Word, ...] = Field(min_length=1)
    jurisdictions: tuple[Word, ...] = Field(min_length=1)
    starts: date
    ends: date
    risk: RiskAnswers
    claims: tuple[Claim, ...] = ()
    languages: tuple[Word, ...] = ("en",)
    reviewer: Handle | None = None

    @validates(mode="after")
    def _check_term(self) -> "Brief":
        if self.ends <= self.starts:
            raise ValueError("ends must lie after starts")
        if self.ends - self.starts > LONGEST_TERM:
            raise ValueError("the term is longer than ten years")
        return self

    @property
    def term_days(self) -> int:
        """Length of the term in days."""
        return (self.ends - self.starts).days

    @classmethod
    def from_mapping(cls, fields: Mapping[str, object]) -> "Brief":
        """Validate `fields`; raises `BriefError` naming each field that is wrong."""
        try:
            return cls.model_validate(fields)
        except ValidationError as error:
            raise BriefError(f"the brief can't be used: {describe_problems(error)}") from error

    @staticmethod
    def parse_toml(text: str) -> dict[str, Any]:
        """Return the fields of a brief in TOML, not validated; raises `BriefError`."""
        try:
            return tomllib.loads(text)
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise BriefError(
                f"the brief is not valid TOML: {error}",
                advice="Compare it with `assent project example`.",
            ) from error

    def to_json(self) -> dict[str, Any]:
        """Return the brief as plain JSON values."""
        return self.model_dump(mode="json")


def describe_problems(error: ValidationError) -> str:
    """Return each problem of `error` as 'field: what is wrong', joined by semicolons."""
    return "; ".join(
        f"{'.'.join(str(part) for part in problem['loc']) or 'as a whole'}: {problem['msg']}"
        for problem in error.errors()
    )
