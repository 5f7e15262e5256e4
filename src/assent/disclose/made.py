"""What was made with a person's likeness, for that person: drafts, releases, sealed previews."""

import hashlib
from dataclasses import dataclass

from sqlalchemy import select

from assent.consent.people import Person
from assent.disclose.check import check_log
from assent.kit.errors import NotFoundError
from assent.kit.store.studio import Studio
from assent.kit.store.tables import DraftRow, FootageRow, ModelRow, PreviewRow, ReleaseRow
from assent.kit.tlog.receipt import SUFFIX

__all__ = ["Made", "Preview", "made_with", "read_preview", "read_sheet", "sheets_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A sealed sheet of a draft."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A complete draft that shows the person, and its release if there was one."""

    draft_id: str
    project_id: str
    digest: str
    created: str
    previews: tuple[Preview, ...]
    """The newest first."""
    asset_id: str | None
    file: str | None


def made_with(studio: Studio, person: Person) -> tuple[Made, ...]:
    """Return what was made with the person's face or performance, newest first."""
    with studio.database.session() as session:
        rows = session.execute(
            select(DraftRow, ModelRow, FootageRow, ReleaseRow)
            .join(ModelRow, ModelRow.id == DraftRow.model_id)
            .join(FootageRow, FootageRow.id == DraftRow.footage_id)
            .outerjoin(
                ReleaseRow,
                (ReleaseRow.draft_id == DraftRow.id) & (ReleaseRow.state == "released"),
            )
            .where(DraftRow.state == "complete")
            .order_by(DraftRow.created.desc(), DraftRow.id)
        ).all()
        shown: list[tuple[DraftRow, ReleaseRow | None]] = [
            (draft, release)
            for draft, model, footage, release in rows
            if person.id in (model.donor_id, *footage.people)
        ]
        previews = session.scalars(
            select(PreviewRow)
            .where(PreviewRow.draft_id.in_([draft.id for draft, _ in shown]))
            .order_by(PreviewRow.log_index.desc())
        ).all()
    return tuple(
        Made(
            draft_id=draft.id,
            project_id=draft.project_id,
            digest=str(draft.digest),
            created=draft.created,
            previews=tuple(
                Preview(name=each.name, sha256=each.sha256)
                for each in previews
                if each.draft_id == draft.id
            ),
            asset_id=None if release is None else release.asset_id,
            file=None if release is None else release.name,
        )
        for draft, release in shown
    )


def read_preview(studio: Studio, person: Person, name: str) -> bytes:
    """Return a sealed preview that shows the person, as it was sealed.

    Raises `NotFoundError` if there is none of that name, `SealError` if the bytes are not what the
    log tells of.
    """
    known = {preview.name for made in made_with(studio, person) for preview in made.previews}
    return _checked(studio, name if name in known else None)


def sheets_of(studio: Studio, draft_id: str) -> tuple[Preview, ...]:
    """Return the sealed sheets of a draft, the newest first."""
    with studio.database.session() as session:
        rows = session.scalars(
            select(PreviewRow)
            .where(PreviewRow.draft_id == draft_id)
            .order_by(PreviewRow.log_index.desc())
        ).all()
    return tuple(Preview(name=row.name, sha256=row.sha256) for row in rows)


def read_sheet(studio: Studio, draft_id: str, name: str) -> bytes:
    """Return a sealed sheet of a draft, for those at the studio who decide; raises likewise."""
    known = {each.name for each in sheets_of(studio, draft_id)}
    return _checked(studio, name if name in known else None)


def _checked(studio: Studio, name: str | None) -> bytes:
    path = studio.previews_folder / str(name)
    if name is None or not path.is_file():
        raise NotFoundError("no such preview", advice="The studio can make it again.")
    with studio.database.session() as session:
        row = session.scalars(select(PreviewRow).where(PreviewRow.name == name)).one()
    data = path.read_bytes()
    check_log(
        studio.log.reader().entry(row.log_index),
        path.with_suffix(SUFFIX).read_text("utf-8"),
        studio.log_verifier,
        sha256=hashlib.sha256(data).hexdigest(),
    )
    return data
