"""What somebody reports: the fields of DSA Art. 16(2) and of the TAKE IT DOWN Act together.

    Notice(kind="mislabelled", reasons="The label is cut off at the top.",
           places=("https://example.org/clip",), good_faith=True)

Everything is bounded and taken as plain text: nothing in it is ever a link, markup or a header.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic import model_validator as validates

from assent.kit.errors import InputError
from assent.kit.mail import check_address
from assent.monitor.cases.rules import kind_of

__all__ = ["LANGUAGES", "LONGEST", "Notice", "clean", "read_notice"]

LANGUAGES = ("en", "de", "es")
LONGEST = 8000
"""Characters of the longest field."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_ASSET = re.compile(r"[0-9a-f]{16}")
_MOST_COMBINED = 4


def clean(text: str) -> str:
    """Return text without control characters, direction marks and heaps of combining marks.

    >>> clean("a" + chr(0) + "b" + chr(0x202E) + "c")
    'abc'
    """
    kept: list[str] = []
    marks = 0
    for each in unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")):
        category = unicodedata.category(each)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if (category[0] != "C" or each == "\n") and marks <= _MOST_COMBINED:
            kept.append(each)
    return "".join(kept).strip()


def _line(text: str) -> str:
    return " ".join(clean(text).split())


def _hash(text: str) -> str:
    found = text.strip().lower()
    if not _SHA256.fullmatch(found):
        raise ValueError("a file's hash is 64 hexadecimal digits")
    return found


def _asset(text: str) -> str:
    found = text.strip().lower()
    if not _ASSET.fullmatch(found):
        raise ValueError("a release's number is 16 hexadecimal digits")
    return found


def _email(text: str) -> str:
    try:
        return check_address(text.strip())
    except InputError as error:
        raise ValueError(str(error)) from error


Line = Annotated[str, Field(max_length=300), AfterValidator(_line)]
Place = Annotated[str, Field(max_length=2000), AfterValidator(_line)]
Sha256 = Annotated[str, AfterValidator(_hash)]
AssetId = Annotated[str, AfterValidator(_asset)]
Email = Annotated[str, Field(max_length=254), AfterValidator(_email)]


class Notice(BaseModel):
    """One report.

    Attributes:
        kind: as in the business rules.
        reasons: why, in the reporter's words.
        places: where it is to be found: addresses, or a place described.
        asset_id: the release's number, if it is known.
        sha256: hashes of files that the reporter has; the files stay with them.
        relation: whether they are the person shown, act for them, or neither.
        shown: who is shown, in words by which they can be told.
        law: the law or right that is broken, if they know.
        name: of the reporter.
        email: where an answer goes.
        good_faith: that they believe in good faith that this is accurate and complete.
        signature: their name, typed as a signature.
        language: in which they are answered.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Annotated[str, Field(max_length=40)]
    reasons: Annotated[str, Field(min_length=10, max_length=LONGEST), AfterValidator(clean)]
    places: tuple[Place, ...] = Field(default=(), max_length=30)
    asset_id: AssetId | None = None
    sha256: tuple[Sha256, ...] = Field(default=(), max_length=20)
    relation: Literal["self", "representative", "other"] = "other"
    shown: Line | None = None
    law: Line | None = None
    name: Line | None = None
    email: Email | None = None
    good_faith: bool = False
    signature: Line | None = None
    language: Literal["en", "de", "es"] = "en"

    @validates(mode="after")
    def _check(self) -> "Notice":
        kind_of(self.kind)
        if len(self.reasons) < 10:
            raise ValueError("reasons: say in a sentence what is wrong")
        if not any((*self.places, self.asset_id, *self.sha256)):
            raise ValueError("places: say where it is, or give a release's number or a hash")
        return self

    def check_complete(self) -> None:
        """Raise `InputError` if a person's notice lacks what its kind of case needs."""
        kind = kind_of(self.kind)
        missing = [] if self.good_faith else ["good_faith"]
        if kind.contact == "required":
            missing += [name for name in ("name", "email") if not getattr(self, name)]
        if kind.signature and not self.signature:
            missing.append("signature")
        if missing:
            raise InputError(
                f"a report of this kind needs: {', '.join(missing)}",
                advice="Fill these in; the law asks for them in such a report.",
            )

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return self.model_dump(mode="json", exclude_none=True)


def read_notice(fields: Mapping[str, Any]) -> Notice:
    """Return the notice that `fields` make; raises `InputError` naming each that is wrong."""
    try:
        return Notice.model_validate(dict(fields))
    except ValidationError as error:
        told = [
            f"{'.'.join(str(part) for part in each['loc'][:1]) or 'report'}: {each['msg']}"
            for each in error.errors(include_url=False, include_input=False)
        ]
        raise InputError(
            f"this report can't be taken: {'; '.join(told)[:500]}",
            advice="Correct the fields that are named.",
        ) from error
