"""Seal a still: preview sheets and before/after sheets leave labelled, marked, signed and logged.

There is no function that takes just any picture: a sheet is made here from a model or a draft,
under the clearances that its making needs.
"""

import hashlib
import io
import secrets
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from assent.consent.clearance import Clearance
from assent.consent.desk import clear_all
from assent.consent.enrolment import statement_pictures
from assent.consent.locker import Locker
from assent.consent.people import person_by_id
from assent.create._frames import pairs_of
from assent.create.draft import Draft
from assent.data.clips import load_faces, sources
from assent.data.doubts import Doubt
from assent.data.look import clock_time
from assent.disclose.check import LABEL_SEEN, check_credential, check_log
from assent.disclose.credential import draw_up, put_tags, scope_of, sign_as_chosen
from assent.disclose.entry import SealEntry
from assent.kit.c2pa.manifest import Action, Plan, Scope
from assent.kit.clock import stamp
from assent.kit.content.gate import ContentGate, is_explicit
from assent.kit.disk import replace_file
from assent.kit.errors import ContentError, SealError
from assent.kit.imaging.label import burn, draw_label, label_present
from assent.kit.imaging.sheet import contact_sheet
from assent.kit.media._encode import encode_still
from assent.kit.media.convert import from_rgb
from assent.kit.media.picture import Picture, luma8, to_rgb, with_luma
from assent.kit.media.still import read_still
from assent.kit.store.studio import Studio
from assent.kit.store.tables import PreviewRow
from assent.kit.tlog.receipt import SUFFIX, make_receipt
from assent.kit.watermark.embed import Embedder, Profile
from assent.kit.watermark.read import read_mark
from assent.purpose.projects import Purpose
from assent.train.models import find_model, training_needs, unpack_sheet

__all__ = [
    "doubt_columns",
    "doubt_sheet",
    "seal_doubt_sheet",
    "seal_draft_sheet",
    "seal_model_sheet",
]

Columns: TypeAlias = list[tuple[str, list[NDArray[np.uint8]]]]
"""Pictures of faces, one above the other, with captions."""

_MIME = "image/jpeg"
_ROWS = 6
_FACE = 320
_REFERENCES = 4


def seal_model_sheet(studio: Studio, purpose: Purpose, name: str, *, gate: ContentGate) -> Path:
    """Seal the preview sheet of a model and return its path in the previews folder.

    Raises `NotClearedError` unless both people are cleared for training, `ContentError` if it shows
    anything explicit.
    """
    model = find_model(studio, purpose, name)
    clearances = clear_all(studio, purpose, training_needs(model.donor_id, model.performer_id))
    picture, _ = unpack_sheet(model.sheet(Locker(studio), clearances))
    _check_content([picture], gate)
    sheet = contact_sheet(
        [("top: as filmed, bottom: with the donor's face", [picture])], cell=max(picture.shape)
    )
    return _seal(studio, purpose, sheet, clearances, f"{purpose.slug}-{model.name}-preview")


def seal_draft_sheet(
    studio: Studio,
    purpose: Purpose,
    draft: Draft,
    *,
    gate: ContentGate,
    frames: Collection[int] = (),
) -> Path:
    """Seal a before/after sheet of a draft and return its path in the previews folder.

    It shows the frames with those numbers, or some that are evenly spread.

    Raises `NotClearedError` unless the donor and everyone in the frame are cleared, `ContentError`
    if it shows anything explicit.
    """
    needs = draft.needs(to_release=False)
    clearances = clear_all(studio, purpose, needs)
    step = max(1, draft.frames // _ROWS)
    shown = set(frames) or {step // 2 + n * step for n in range(_ROWS)}
    before: list[NDArray[np.uint8]] = []
    after: list[NDArray[np.uint8]] = []
    pairs = pairs_of(draft, Locker(studio), lambda: clear_all(studio, purpose, needs))
    for index, (shot, rendered) in enumerate(pairs):
        if index in shown:
            before.append(to_rgb(shot))
            after.append(to_rgb(rendered))
    _check_content([*before, *after], gate)
    half = -(-len(before) // 2)
    sheet = contact_sheet(
        [
            ("before", before[:half]),
            ("after", after[:half]),
            ("before", before[half:] or before[:1]),
            ("after", after[half:] or after[:1]),
        ]
    )
    kind = "worst" if frames else "before-after"
    name = f"{purpose.slug}-{draft.id[:8]}-{kind}"
    return _seal(studio, purpose, sheet, clearances, name, draft_id=draft.id)


def seal_doubt_sheet(studio: Studio, purpose: Purpose, doubt: Doubt, *, gate: ContentGate) -> Path:
    """Seal a sheet of faces that a person must decide about; returns its path in the previews.

    Beside each face it shows those who were named: in their recorded statement, or else in footage
    that was accepted before, or not at all.

    Raises `NotClearedError` unless everyone who was named is cleared, `ContentError` if it shows
    anything explicit.
    """
    clearances = clear_all(studio, purpose, doubt.needs())
    columns = doubt_columns(studio, purpose, doubt, clearances)
    _check_content([picture for _, pictures in columns for picture in pictures], gate)
    sheet = doubt_sheet(columns)
    name = f"{purpose.slug}-{doubt.id[:8]}-faces"
    return _seal(studio, purpose, sheet, clearances, name)


def doubt_columns(
    studio: Studio, purpose: Purpose, doubt: Doubt, clearances: Sequence[Clearance]
) -> Columns:
    """Return those who were named and each face that is in doubt, with captions; see above."""
    faces = doubt.pictures(Locker(studio), clearances)
    columns = _references(studio, purpose, doubt.people, clearances)
    for span, pictures in zip(doubt.spans, faces, strict=True):
        begins = clock_time(span.begins_ms / 1000)
        columns.append(
            (f"as filmed, from {begins}: {span.distance_milli / 1000:.2f}", list(pictures))
        )
    return columns


def doubt_sheet(columns: Columns) -> NDArray[np.uint8]:
    """Lay the columns of a doubt out: RGB uint8 [H, W, 3]."""
    # A mark needs a sheet that is broad as well as high.
    beside = [
        part
        for caption, pictures in columns
        for half in (-(-len(pictures) // 2),)
        for part in ((caption, pictures[:half]), ("", pictures[half:] or pictures[:half]))
    ]
    return contact_sheet(beside, cell=_FACE)


def _references(
    studio: Studio, purpose: Purpose, people: Sequence[str], clearances: Sequence[Clearance]
) -> Columns:
    """Pictures of people whose faces are known, each with a caption."""
    statements = statement_pictures(studio, clearances, count=_REFERENCES)
    found: Columns = []
    for person in people:
        handle = person_by_id(studio, person).handle
        if person in statements:
            found.append((f"statement of {handle}", statements[person]))
        elif sources(studio, purpose, [person]):
            sets = load_faces(studio, purpose, Locker(studio), person, clearances)
            steps = np.linspace(0, len(sets[0]) - 1, _REFERENCES).round().astype(int)
            found.append((f"footage of {handle}", list(sets[0].faces[steps])))
    return found


def _check_content(pictures: Sequence[NDArray[np.uint8]], gate: ContentGate) -> None:
    if any(is_explicit(gate.check(picture)) for picture in pictures):
        raise ContentError("the sheet would show explicit content")


def _seal(
    studio: Studio,
    purpose: Purpose,
    rgb: NDArray[np.uint8],
    clearances: Sequence[Clearance],
    name: str,
    *,
    draft_id: str | None = None,
) -> Path:
    """Label, mark, sign, check, log and write one still; one of a draft is noted as its preview."""
    asset_id = secrets.token_hex(8)
    receipts = tuple(sorted({clearance.receipt_hash for clearance in clearances}))
    scope = scope_of(purpose, clearances)
    signed = io.BytesIO()
    plan = _plan(studio, asset_id, receipts, scope)
    picture = _make(studio, rgb, asset_id)
    put_tags(studio, picture, mime=_MIME, plan=plan)
    sign_as_chosen(studio, picture, signed, mime=_MIME, plan=plan, ingredient=None)
    data = signed.getvalue()
    sha256 = hashlib.sha256(data).hexdigest()
    entry = SealEntry(
        media="still",
        asset_id=asset_id,
        sha256=sha256,
        fingerprint="",
        frames=1,
        receipts=receipts,
        time=stamp(studio.clock()),
    )
    check_credential(signed, mime=_MIME, chain=studio.chain, entry=entry)
    _check_picture(studio, data, asset_id)
    (index,) = studio.log.append([entry.to_bytes()])
    receipt = make_receipt(studio.log.reader(), index)
    check_log(entry.to_bytes(), receipt, studio.log_verifier, sha256=sha256)
    path = studio.previews_folder / f"{name}-{asset_id}.jpg"
    replace_file(studio.disk, path.with_suffix(SUFFIX), receipt.encode())
    replace_file(studio.disk, path, data)
    if draft_id is not None:
        with studio.database.session() as session:
            session.add(
                PreviewRow(
                    asset_id=asset_id,
                    draft_id=draft_id,
                    name=path.name,
                    sha256=sha256,
                    log_index=index,
                    created=entry.time,
                )
            )
    return path


def _make(studio: Studio, rgb: NDArray[np.uint8], asset_id: str) -> io.BytesIO:
    """Return a labelled and marked sheet as JPEG, marked more strongly if it must be."""
    height, width = rgb.shape[:2]
    picture = burn(from_rgb(rgb), draw_label(width, height))
    sink = _mark(studio, picture, asset_id, Profile())
    if _read_id(studio, _picture_of(sink.getvalue())) != int(asset_id, 16):
        sink = _mark(studio, picture, asset_id, Profile.stronger())
    return sink


def _mark(studio: Studio, picture: Picture, asset_id: str, profile: Profile) -> io.BytesIO:
    embedder = Embedder(
        width=picture.width,
        height=picture.height,
        bits=8,
        asset_id=int(asset_id, 16),
        key=studio.reading_key,
        secret=studio.secret_key,
        profile=profile,
    )
    embedder.prepare([picture.y])
    sink = io.BytesIO()
    encode_still(to_rgb(with_luma(picture, embedder.mark(picture.y))), sink, kind="jpeg")
    return sink


def _plan(studio: Studio, asset_id: str, receipts: Sequence[str], scope: Scope) -> Plan:
    return draw_up(
        studio,
        asset_id,
        receipts,
        (
            Action(name="c2pa.created", description="Contact sheet; labelled AI+MODIFIED"),
            Action(name="c2pa.watermarked.bound"),
        ),
        scope=scope,
    )


def _check_picture(studio: Studio, data: bytes, asset_id: str) -> None:
    """Read label and mark back from the bytes that will leave; raises `SealError`."""
    picture = _picture_of(data)
    if label_present(picture, draw_label(picture.width, picture.height)) < LABEL_SEEN:
        raise SealError("the label is missing on the sheet")
    if _read_id(studio, picture) != int(asset_id, 16):
        raise SealError("the watermark can't be read back from the sheet")


def _picture_of(data: bytes) -> Picture:
    return from_rgb(read_still(data, name="the sheet"))


def _read_id(studio: Studio, picture: Picture) -> int | None:
    """Return the identifier that anyone reads from a picture, if any."""
    mark = read_mark(iter([luma8(picture)]), key=studio.reading_key).mark
    return mark.asset_id if mark else None
