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
from assent.purpose.places import read_places

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
        "intimate": False,
        "minors": False,
        "realistic": True,
        "meant_to_be_believed": False,
        "public_figure": False,
        "private_person": False,
        "deceased": False,
        "political": False,
        "election": False,
        "news": False,
        "shows_real_event": False,
        "real_world_claims": False,
        "finance": False,
        "health": False,
        "crime": False,
        "satire": False,
        "advertising": False,
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

    intimate: bool = Field(description="Nudity or sexual content?")
    minors: bool = Field(description="Is anyone in it, or shown as, under 18?")
    realistic: bool = Field(description="Could a viewer take it for a recording?")
    meant_to_be_believed: bool = Field(description="Should viewers take it for real?")
    public_figure: bool = Field(description="Is anyone in it publicly known?")
    private_person: bool = Field(description="Is it about a private person outside the cast?")
    deceased: bool = Field(description="Is anyone in it no longer alive?")
    political: bool = Field(description="Is it about politics?")
    election: bool = Field(description="Is it about an election, a vote or a candidate?")
    news: bool = Field(description="Will it be shown as news or beside news?")
    shows_real_event: bool = Field(description="Does it show an event as having happened?")
    real_world_claims: bool = Field(description="Does it say anything as a fact of the world?")
    finance: bool = Field(description="Does it advise on money, or promise any?")
    health: bool = Field(description="Does it advise on health?")
    crime: bool = Field(description="Is anyone shown committing or suffering a crime?")
    satire: bool = Field(description="Does it mock somebody?")
    advertising: bool = Field(description="Does it advertise something?")


class Brief(_Frozen):
    """Purpose, audience, reach, term, claims and risk answers of a project."""

    title: Text
    purpose: Text
    category: Category
    audience: Text
    channels: tuple[Word, ...] = Field(min_length=1, max_length=50)
    jurisdictions: tuple[Word, ...] = Field(min_length=1, max_length=50)
    starts: date
    ends: date
    risk: RiskAnswers
    claims: tuple[Claim, ...] = Field(default=(), max_length=200)
    languages: tuple[Word, ...] = Field(default=("en",), max_length=50)
    reviewer: Handle | None = None
    second_reviewer: Handle | None = None

    @validates(mode="after")
    def _check_term(self) -> "Brief":
        if self.ends <= self.starts:
            raise ValueError("ends must lie after starts")
        if self.ends - self.starts > LONGEST_TERM:
            raise ValueError("the term is longer than ten years")
        return self

    @validates(mode="after")
    def _check_reviewers(self) -> "Brief":
        if self.reviewer is not None and self.second_reviewer == self.reviewer:
            raise ValueError("the second reviewer must be another person than the first")
        return self

    @property
    def places(self) -> frozenset[str]:
        """Codes of the places where it will be shown; one that nobody knows stands for itself."""
        read = read_places(", ".join(self.jurisdictions))
        return read.codes | {name.upper() for name in read.unread}

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
