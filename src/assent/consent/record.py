"""The consent record that a subject signs (ISO/IEC TS 27560:2023 as base, likeness terms besides).

The record is a document, not a setting: what the subject signed is what the desk reads.
"""

from datetime import date, timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic import model_validator as validates

from assent.consent.clearance import Act, Modality
from assent.kit.canonical import digest
from assent.kit.errors import BriefError
from assent.purpose.brief import LONGEST_TERM, describe_problems
from assent.purpose.places import read_places

__all__ = [
    "Authority",
    "Biometrics",
    "ConsentRecord",
    "Controller",
    "Evidence",
    "Forbidden",
    "Handling",
    "Notice",
    "Principal",
    "ProjectReference",
    "Scope",
    "Withdrawal",
    "parse_record",
]

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=8000)]
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ProjectReference(_Frozen):
    """The one project that the record speaks of."""

    id: Text
    name: Text
    title: Text
    brief_sha256: Hash


class Authority(_Frozen):
    """By what somebody answers for the subject: never for a minor."""

    kind: Literal["estate", "guardian"]
    """Of somebody who has died; or of an adult who can't sign themselves."""
    relation: Text
    """What they are to the subject: executor, court-appointed guardian."""
    document_sha256: Hash
    """Of the document that says so."""


class Principal(_Frozen):
    """The subject; named by handle and key, so that the record itself needs no civil name."""

    id: Text
    handle: Text
    key_thumbprint: Text
    adult: Literal[True]
    """Attested; minors can't be asked, and no guardian can agree for them."""
    authority: Authority | None = None
    """None, unless somebody answers for the subject; the key is theirs then."""


class Controller(_Frozen):
    """Who is answerable: the studio."""

    id: Text
    name: Text
    contact: Text


class Notice(_Frozen):
    """The words that the subject was shown."""

    language: Text
    text: Text


class Scope(_Frozen):
    """What may be done, with what, where and how long."""

    use: Text
    modalities: frozenset[Modality] = Field(min_length=1)
    acts: frozenset[Act] = Field(min_length=1)
    channels: frozenset[Text] = Field(min_length=1)
    territory: Text
    starts: date
    ends: date
    most_releases: int = Field(ge=1, le=10_000)
    sublicence: Literal[False] = False
    compensation: Text

    @validates(mode="after")
    def _check_territory(self) -> "Scope":
        places = read_places(self.territory)
        # What can't be read can't be held to.
        if places.unread or not places.codes:
            raise ValueError(
                f"the territory '{self.territory}' can't be read: write 'worldwide', or codes of "
                "places, for example EU, US-CA"
            )
        return self

    @validates(mode="after")
    def _check_term(self) -> "Scope":
        if self.ends <= self.starts:
            raise ValueError("ends must lie after starts")
        if self.ends - self.starts > LONGEST_TERM + timedelta(days=1):
            raise ValueError("the term is longer than ten years")
        return self


Forbidden = Literal["political", "advertising", "health-or-money", "satire", "news"]


class Handling(_Frozen):
    """How the data are kept."""

    kinds: tuple[Text, ...]
    storage: Text
    retention: Text
    recipients: Text


class Biometrics(_Frozen):
    """Matching the face is biometric processing, agreed to for itself."""

    face_matching: Literal[True]
    purpose: Text
    retention: Text


class Withdrawal(_Frozen):
    """How the subject ends it, and what that does."""

    contact: Text
    effect: Text


class Evidence(_Frozen):
    """A file that belongs to the record, by hash."""

    kind: Literal["statement", "recording", "likeness"]
    """A file that the studio was given; a recording made in the ceremony; or, if somebody else
    than the subject made that, a clip of the subject."""
    sha256: Hash


class ConsentRecord(_Frozen):
    """One version of one person's consent for one project."""

    schema_version: Literal["assent-consent/1 (ISO/IEC TS 27560:2023)"] = (
        "assent-consent/1 (ISO/IEC TS 27560:2023)"
    )
    record_id: Text
    version: int = Field(ge=1)
    nonce: Hash
    project: ProjectReference
    principal: Principal
    controller: Controller
    notice: Notice
    scope: Scope
    forbidden: frozenset[Forbidden]
    final_approval: bool = False
    """The subject keeps the last word on each result before it is released."""
    handling: Handling
    biometrics: Biometrics
    withdrawal: Withdrawal
    evidence: tuple[Evidence, ...] = Field(min_length=1, max_length=2)

    @property
    def likeness_sha256(self) -> str | None:
        """Of the clip that shows the subject, if who recorded the statement is somebody else."""
        return next((each.sha256 for each in self.evidence if each.kind == "likeness"), None)

    def to_json(self) -> dict[str, Any]:
        """Return the record as plain JSON values, sets sorted."""
        document = self.model_dump(mode="json")
        for part in ("modalities", "acts", "channels"):
            document["scope"][part] = sorted(document["scope"][part])
        document["forbidden"] = sorted(document["forbidden"])
        return document

    def digest(self) -> str:
        """Return the SHA-256 of the record's canonical JSON."""
        return digest(self.to_json())


def parse_record(document: object) -> ConsentRecord:
    """Validate a record; raises `BriefError` naming each field that is wrong."""
    try:
        return ConsentRecord.model_validate(document)
    except ValidationError as error:
        raise BriefError(f"the consent record can't be used: {describe_problems(error)}") from error
