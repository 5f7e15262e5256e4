"""What a studio tells everybody of a release: signed, in public words, and naming nobody.

    token = sign_record(studio, asset_id)
    record = open_record(token, asset_id, key=public_of(studio.signing_key))

That a release stands is never in it: that is read from the log whenever somebody asks.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import select

from assent.consent.people import list_people
from assent.kit.clock import stamp
from assent.kit.errors import InputError, IntegrityError, NotFoundError
from assent.kit.signing import VerifyKey, sign, verify
from assent.kit.store.public_tables import PublicWordsRow
from assent.kit.store.studio import Studio
from assent.kit.store.tables import DraftRow, ProjectRow, ReleaseRow
from assent.purpose.projects import look_up

__all__ = ["PublicRecord", "describe", "described", "open_record", "sign_record"]

_KIND = "assent-release-record+jwt"
_FORMAT, _VERSION = "assent-release-record", 1
_LABEL = "AI + MODIFIED"
_LONGEST = 600
_LANGUAGE = re.compile(r"[a-z]{2,3}")
# Shorter parts of a name (de, la, Li) are words too.
_SHORTEST_NAME = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicRecord:
    """A release's kind of work, the words of its label, and its purpose by language."""

    asset_id: str
    category: str
    label: str
    words: Mapping[str, str] = field(default_factory=dict)


def describe(studio: Studio, project: str, language: str, words: str) -> None:
    """Keep a sentence or two that tell everybody what a project is for; empty ones remove them.

    Raises `NotFoundError`, and `InputError` if they are too long or name somebody whom the studio
    knows: what is public stays so after a consent has ended.
    """
    found = look_up(studio, project)
    text = " ".join(words.split())
    _check_words(studio, language, text)
    with studio.database.session() as session:
        row = session.get(PublicWordsRow, (found.id, language))
        if row is not None:
            session.delete(row)
            session.flush()
        if text:
            now = stamp(studio.clock())
            session.add(
                PublicWordsRow(project_id=found.id, language=language, words=text, created=now)
            )


def described(studio: Studio, project_id: str) -> dict[str, str]:
    """Return a project's public words by language."""
    with studio.database.session() as session:
        rows = session.scalars(
            select(PublicWordsRow).where(PublicWordsRow.project_id == project_id)
        ).all()
    return {row.language: row.words for row in rows}


def sign_record(studio: Studio, asset_id: str) -> str:
    """Return the record of a release as a compact JWS; `NotFoundError` if it was never released."""
    with studio.database.session() as session:
        release = session.get(ReleaseRow, asset_id)
        if release is None or release.state != "released":
            raise NotFoundError(f"no release {asset_id}", advice="See `assent monitor list`.")
        draft = session.get_one(DraftRow, release.draft_id)
        category = str(session.get_one(ProjectRow, draft.project_id).brief["category"])
        project_id = draft.project_id
    payload = {
        "format": _FORMAT,
        "version": _VERSION,
        "asset": asset_id,
        "category": category,
        "label": _LABEL,
        "words": described(studio, project_id),
    }
    return sign(payload, studio.signing_key, kind=_KIND)


def open_record(token: str, asset_id: str, *, key: VerifyKey) -> PublicRecord:
    """Return what a record says of `asset_id`; `IntegrityError` if it isn't the studio's of it."""
    fields = verify(token.strip(), key, kind=_KIND)
    if (fields.get("format"), fields.get("version")) != (_FORMAT, _VERSION):
        raise IntegrityError("the release's record is of another version")
    if fields.get("asset") != asset_id:
        raise IntegrityError("the record is of another release")
    words = fields.get("words")
    return PublicRecord(
        asset_id=asset_id,
        category=str(fields.get("category")),
        label=str(fields.get("label")),
        words={str(k): str(v) for k, v in words.items()} if isinstance(words, dict) else {},
    )


def _check_words(studio: Studio, language: str, text: str) -> None:
    if not _LANGUAGE.fullmatch(language):
        raise InputError(
            f"'{language[:20]}' names no language", advice="Use a code such as en, de or es."
        )
    if len(text) > _LONGEST:
        raise InputError(
            f"the words have {len(text)} characters", advice=f"Use at most {_LONGEST}."
        )
    parts = {part for person in list_people(studio) for part in re.findall(r"\w+", person.name)}
    named = {part.casefold() for part in parts if len(part) >= _SHORTEST_NAME}
    found = sorted(named & {word.casefold() for word in re.findall(r"\w+", text)})
    if found:
        raise InputError(
            f"the words name somebody: {', '.join(found)}",
            advice="Public words name nobody: say what the work is for, not who is in it.",
        )
