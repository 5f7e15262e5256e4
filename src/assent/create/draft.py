"""A rendered video that may not leave yet."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from sqlalchemy import select

from assent.consent.binding import Bound, check
from assent.consent.clearance import Act, Modality
from assent.consent.desk import Need
from assent.data.clips import ClearedClip, clip_of
from assent.kit.canonical import digest
from assent.kit.errors import InputError, IntegrityError, NotFoundError
from assent.kit.imaging.label import Corner
from assent.kit.store.studio import Studio
from assent.kit.store.tables import DraftRow, FootageRow, ModelRow, SegmentRow
from assent.purpose.projects import Purpose

__all__ = [
    "Draft",
    "bound_draft",
    "bound_segment",
    "digest_of",
    "find_draft",
    "label_of",
    "list_drafts",
    "load",
]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A complete render in the vault; its frames open only through `create._frames`."""

    id: str
    project_id: str
    digest: str
    donor_id: str
    performer_id: str
    clip: ClearedClip
    frames: int
    replaced: int
    repairs: str
    """The hash of what was corrected by hand; empty if nothing was."""
    label: Corner
    """The corner that its label lies in."""
    _segments: tuple[str, ...]

    def needs(self, *, to_release: bool) -> tuple[Need, ...]:
        """Return what must be asked of the donor and of everyone in the frame.

        To look at the draft, what its making asked; to release it, that as well.
        """
        release = (Act.RELEASE,) if to_release else ()
        donor = Need(
            person_id=self.donor_id,
            acts=frozenset({Act.PORTRAY, *release}),
            modalities=frozenset({Modality.FACE}),
        )
        return donor, *self.clip.needs(Act.PERFORM, *release)


def find_draft(studio: Studio, purpose: Purpose, draft_id: str) -> Draft:
    """Return the project's complete draft whose id begins with `draft_id`.

    Raises `NotFoundError`, or `InputError` if it is not complete yet.
    """
    rows = [row for row in list_drafts(studio, purpose) if row.id.startswith(draft_id)]
    if len(rows) != 1 or not draft_id:
        raise NotFoundError(
            f"no draft '{draft_id}' in '{purpose.slug}'", advice="See `assent draft list`."
        )
    return load(studio, rows[0])


def list_drafts(studio: Studio, purpose: Purpose) -> tuple[DraftRow, ...]:
    """Return the project's drafts, oldest first."""
    with studio.database.session() as session:
        return tuple(
            session.scalars(
                select(DraftRow)
                .where(DraftRow.project_id == purpose.project_id)
                .order_by(DraftRow.created, DraftRow.id)
            )
        )


def load(studio: Studio, row: DraftRow) -> Draft:
    """Return the draft that `row` stands for.

    Raises `InputError` if it is not complete, `IntegrityError` if it is not what was rendered.
    """
    if row.state != "complete" or row.digest is None:
        raise InputError(
            f"draft {row.id[:8]} is not complete", advice="Run the render again; it goes on."
        )
    with studio.database.session() as session:
        footage = session.get_one(FootageRow, row.footage_id)
        model = session.get_one(ModelRow, row.model_id)
        segments = session.scalars(
            select(SegmentRow.blob).where(SegmentRow.draft_id == row.id).order_by(SegmentRow.number)
        ).all()
    clip = clip_of(footage)
    if row.digest != digest_of(row, model.donor_id, clip, segments):
        raise IntegrityError(f"draft {row.id[:8]} is not what was rendered")
    # Who is cleared now is asked where the frames are opened.
    check(studio, bound_draft(row))
    return Draft(
        id=row.id,
        project_id=row.project_id,
        digest=row.digest,
        donor_id=model.donor_id,
        performer_id=model.performer_id,
        clip=clip,
        frames=row.frames,
        replaced=row.replaced,
        repairs=row.repairs,
        label=Corner(row.label),
        _segments=tuple(segments),
    )


def label_of(studio: Studio, draft_id: str) -> Corner:
    """Return the corner that a draft's label lies in, without opening the draft.

    Raises `IntegrityError` if there is no such corner.
    """
    with studio.database.session() as session:
        row = session.get_one(DraftRow, draft_id)
    try:
        return Corner(row.label)
    except ValueError as error:
        raise IntegrityError(f"draft {row.id[:8]} is not what was rendered") from error


def digest_of(row: DraftRow, donor_id: str, clip: ClearedClip, segments: Sequence[str]) -> str:
    """Return the hash that stands for a draft in reviews: whose, of what, and every segment."""
    return digest(
        {
            "project": row.project_id,
            "model": row.model_id,
            "donor": donor_id,
            "footage": [clip.sha256, clip.blob],
            "segments": list(segments),
            "repairs": row.repairs,
            "label": row.label,
        }
    )


def bound_draft(row: DraftRow) -> Bound:
    """Return what `row` says of its draft, and what was signed of it."""
    facts: list[object] = [
        row.id,
        row.project_id,
        row.footage_id,
        row.model_id,
        row.model_blob,
        row.colour,
    ]
    facts += [row.repairs, row.repair_id or "", row.label]
    return Bound(
        kind="draft",
        name=f"draft {row.id[:8]}",
        facts={"of": facts, "digest": row.digest, "frames": [row.frames, row.replaced]},
        token=row.binding,
    )


def bound_segment(row: SegmentRow) -> Bound:
    """Return what `row` says of a run of frames, and what was signed of it."""
    return Bound(
        kind="segment",
        name=f"segment {row.number} of draft {row.draft_id[:8]}",
        facts={
            "draft": row.draft_id,
            "number": row.number,
            "blob": row.blob,
            "frames": [row.frames, row.replaced, row.last_pts],
        },
        token=row.binding,
    )
