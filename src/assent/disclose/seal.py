"""Label, mark, sign and log an approved draft: all of it, or nothing.

What is being sealed lies in encrypted scratch files without a name. A process that is killed here
leaves ciphertext that nobody has the key of, and a draft that can be sealed again.
"""

import io
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import tee
from math import ceil
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from assent.consent.clearance import Act, AskAgain, Clearance, require_all
from assent.consent.locker import Locker
from assent.consent.spent import check_unspent
from assent.create._frames import frames_of, looks_of
from assent.create.draft import Draft
from assent.disclose._key import KEY
from assent.disclose.check import MIME, check_media
from assent.disclose.credential import (
    draw_up,
    may_show_history,
    put_tags,
    readable_chain,
    scope_of,
    sign_as_chosen,
    thumbnail_of,
)
from assent.disclose.entry import SealEntry
from assent.disclose.sealed import SealedVideo
from assent.disclose.standing import reserve_place
from assent.disclose.witnessing import require_witnesses, witnessed_receipt
from assent.disclose.wording import BYSTANDERS_HIDDEN
from assent.kit.ahead import ahead
from assent.kit.c2pa.manifest import Action, Plan, Scope
from assent.kit.c2pa.read import BESIDE, type_of
from assent.kit.c2pa.sign import Ingredient
from assent.kit.clock import stamp
from assent.kit.fingerprint.video import Fingerprint, VideoFingerprint
from assent.kit.hashing import hash_file
from assent.kit.imaging.label import Corner, burn, draw_label
from assent.kit.media._encode import encode
from assent.kit.media.convert import fit_shortest_side, scale
from assent.kit.media.notice import Speech
from assent.kit.media.picture import Picture, luma8, with_luma
from assent.kit.media.probe import probe
from assent.kit.media.read import sample_pictures
from assent.kit.progress import Progress, nothing
from assent.kit.store.studio import Studio
from assent.kit.store.tables import ReleaseRow
from assent.kit.tlog.asking import Send
from assent.kit.tlog.wire import post
from assent.kit.vault.scratch import Scratch
from assent.kit.watermark.carriers import SEGMENT_S
from assent.kit.watermark.embed import Embedder, Profile
from assent.kit.watermark.key import ReadingKey
from assent.kit.watermark.sound.code import short_number
from assent.kit.watermark.sound.embed import SoundMarker
from assent.kit.watermark.sound.pattern import Pattern
from assent.purpose.projects import Purpose
from assent.safeguard.approved import Approved

__all__ = ["plan_credential", "seal"]

_BUFFER = 1 << 20
# The mark is fitted to this many of the draft's looks in each of its segments.
_FITTED_ON = 12
# Frames that wait, decoded, for label and mark, and marked, for the encoder.
_AHEAD = 4
# Seconds between the pictures of which one becomes the thumbnail.
_LOOKS_APART = 0.5


@dataclass(slots=True)
class _Layers:
    """What each frame passes on its way to the encoder."""

    size: tuple[int, int]
    time_base: Fraction
    embedder: Embedder
    fingerprint: VideoFingerprint


@dataclass(frozen=True, slots=True, kw_only=True)
class _SoundMark:
    """Marks the sound on its way to the encoder."""

    number: int
    key: ReadingKey

    def __call__(
        self, blocks: Iterator[NDArray[np.float32]], *, rate: int
    ) -> Iterator[NDArray[np.float32]]:
        pattern = Pattern.derive(self.key)
        return SoundMarker(rate=rate, number=self.number, pattern=pattern).mark(blocks)


def seal(
    studio: Studio,
    purpose: Purpose,
    approved: Approved,
    clearances: Sequence[Clearance],
    *,
    ask_again: AskAgain,
    notice: Speech | None = None,
    tsa_url: str | None = None,
    send: Send = post,
    progress: Progress = nothing,
) -> SealedVideo:
    """Seal an approved draft; `send` asks the witnesses of the studio's log, if it has any.

    Raises `NotClearedError` unless the donor and everyone in the frame are cleared for release,
    `SealError` if a safeguard could not be put in or read back, or not enough witnesses can be
    asked; nothing readable is left then.
    """
    draft = approved.draft
    require_all(
        clearances,
        {draft.donor_id, *draft.clip.people},
        Act.RELEASE,
        project_id=purpose.project_id,
        now=studio.clock(),
    )
    # Before the work: it would be in vain.
    require_witnesses(studio, send=send)
    asset_id = _reserve(studio, draft)
    check_unspent(studio, clearances, asset_id=asset_id)
    receipts = tuple(sorted({clearance.receipt_hash for clearance in clearances}))
    with ExitStack() as undo:
        media = undo.enter_context(_scratch(studio))
        with _scratch(studio) as marked:
            fingerprint = _make(
                studio, approved, ask_again, marked, asset_id, notice=notice, progress=progress
            )
            progress("signing", 0, 1)
            hidden = draft.clip.hidden > 0
            plan = plan_credential(
                asset_id, receipts, fingerprint.iscc, studio,
                scope=scope_of(purpose, clearances), hidden=hidden, sound=draft.clip.sound,
            )  # fmt: skip
            _sign(
                studio, draft, marked, media, plan, tsa_url=tsa_url, ask_again=ask_again,
                history=may_show_history(purpose, hidden=hidden),
            )  # fmt: skip
        # A disk that fails now says so itself, not through the checks.
        media.flush()
        video = _conclude(studio, draft, media, asset_id, receipts, fingerprint, ask_again, send)
        undo.pop_all()
    return video


def plan_credential(
    asset_id: str,
    receipts: Sequence[str],
    fingerprint: str,
    studio: Studio,
    *,
    scope: Scope | None = None,
    hidden: bool = False,
    sound: bool = False,
) -> Plan:
    """Return what the credential of a face replaced in footage says; no names, no file names."""
    hiding = [Action(name="c2pa.edited", description=BYSTANDERS_HIDDEN)] if hidden else []
    replaced = "Face replaced with a trained model; labelled AI+MODIFIED"
    return draw_up(
        studio,
        asset_id,
        receipts,
        (
            Action(name="c2pa.opened"),
            *hiding,
            Action(name="c2pa.edited", description=replaced),
            Action(name="c2pa.watermarked.bound"),
            Action(name="c2pa.published"),
        ),
        scope=scope,
        fingerprint=fingerprint or None,
        sound_mark=f"{short_number(int(asset_id, 16)):08x}" if sound else None,
    )


def _sign(
    studio: Studio,
    draft: Draft,
    marked: BinaryIO,
    media: BinaryIO,
    plan: Plan,
    *,
    history: bool,
    tsa_url: str | None,
    ask_again: AskAgain,
) -> None:
    """Write tags and credential; the footage's own chain comes along if it may."""
    put_tags(studio, marked, mime=MIME, plan=plan)
    looks = sample_pictures(marked, name="the video", seconds=_LOOKS_APART)
    thumbnail = thumbnail_of(looks, corner=draft.label)
    named = Ingredient(title="source footage", mime=MIME, sha256=draft.clip.sha256)
    with draft.clip.open(Locker(studio), ask_again()) as footage:
        kind = type_of(footage.read(16)) if history else None
        kind = None if kind in BESIDE else kind
        whole = replace(named, mime=kind, stream=footage) if kind else named
        with_credentials = readable_chain(whole)
        sign_as_chosen(
            studio, marked, media, mime=MIME, plan=plan, ingredient=with_credentials,
            tsa_url=tsa_url, thumbnail=thumbnail,
        )  # fmt: skip


def _scratch(studio: Studio) -> io.BufferedRandom:
    return io.BufferedRandom(Scratch(studio.vault_folder, disk=studio.disk), _BUFFER)


def _reserve(studio: Studio, draft: Draft) -> str:
    """Return the draft's asset id: sealing the same draft again keeps it."""
    with studio.database.session() as session:
        row = session.scalar(select(ReleaseRow).where(ReleaseRow.draft_id == draft.id))
        if row is None:
            row = ReleaseRow(
                asset_id=secrets.token_hex(8),
                draft_id=draft.id,
                state="sealing",
                created=stamp(studio.clock()),
            )
            session.add(row)
        reserve_place(studio, session, row.asset_id)
        return row.asset_id


def _make(
    studio: Studio,
    approved: Approved,
    ask_again: AskAgain,
    sink: BinaryIO,
    asset_id: str,
    *,
    notice: Speech | None,
    progress: Progress,
) -> Fingerprint:
    """Write the labelled and marked video to `sink`; return its fingerprint."""
    draft = approved.draft
    locker = Locker(studio)
    with draft.clip.open(locker, ask_again()) as footage:
        clip = probe(footage, name=draft.clip.name)
    size = fit_shortest_side(clip.width, clip.height, approved.shortest_side)
    layers = _Layers(
        size=size,
        time_base=clip.time_base,
        embedder=Embedder(
            width=size[0],
            height=size[1],
            bits=clip.bits,
            asset_id=int(asset_id, 16),
            key=studio.reading_key,
            secret=studio.secret_key,
            profile=Profile.stronger() if approved.strong_mark else Profile(),
        ),
        fingerprint=VideoFingerprint(),
    )
    looks, times = tee(_fitted_to(draft, locker, ask_again, size, clip.frame_rate))
    layers.embedder.prepare((luma for luma, _ in looks), seconds=(seconds for _, seconds in times))
    decoded = frames_of(draft, locker, ask_again)
    with (
        draft.clip.open(locker, ask_again()) as sound,
        ahead(decoded, depth=_AHEAD) as frames,
        # The encoder waits for nobody: what comes next is labelled and marked meanwhile.
        ahead(_marked(_labelled(frames, size, draft.label), layers), depth=_AHEAD) as marked,
    ):
        encode(
            marked,
            sink,
            like=clip,
            sound_from=sound if clip.sound else None,
            notice=notice,
            mark=_SoundMark(number=short_number(int(asset_id, 16)), key=studio.reading_key),
            on_frame=lambda done: progress("labelling, marking, encoding", done, draft.frames),
        )
    return layers.fingerprint.finish()


def _fitted_to(
    draft: Draft,
    locker: Locker,
    ask_again: AskAgain,
    size: tuple[int, int],
    frame_rate: Fraction,
) -> Iterator[tuple[NDArray[np.uint8], float]]:
    """Yield the labelled luma of some of the draft's looks, and about when they are shown."""
    step = ceil(min(draft.frames, SEGMENT_S * frame_rate) / _FITTED_ON)
    following = 0
    for number, (_, look) in enumerate(looks_of(draft, locker, ask_again)):
        if look is not None and number >= following:
            smaller = min(size, (look.width, look.height))
            for picture in _labelled([look], smaller, draft.label):
                yield luma8(picture), float(number / frame_rate)
            following = number + step


def _labelled(
    pictures: Iterable[Picture], size: tuple[int, int], corner: Corner
) -> Iterator[Picture]:
    label = draw_label(*size, corner=corner)
    for picture in pictures:
        yield burn(scale(picture, *size), label)


def _marked(pictures: Iterable[Picture], layers: _Layers) -> Iterator[Picture]:
    for picture in pictures:
        shown = picture.pts * layers.time_base
        marked = with_luma(picture, layers.embedder.mark(picture.y, seconds=float(shown)))
        layers.fingerprint.add(luma8(marked), shown)
        yield marked


def _conclude(
    studio: Studio,
    draft: Draft,
    media: BinaryIO,
    asset_id: str,
    receipts: tuple[str, ...],
    fingerprint: Fingerprint,
    ask_again: AskAgain,
    send: Send,
) -> SealedVideo:
    """Check the signed bytes, ask the desk a last time, and only then log them."""
    entry = SealEntry(
        media="video",
        asset_id=asset_id,
        sha256=hash_file(media),
        fingerprint=fingerprint.iscc,
        frames=draft.frames,
        receipts=receipts,
        time=stamp(studio.clock()),
    )
    check_media(media, entry, chain=studio.chain, key=studio.reading_key, corner=draft.label)
    # Signing and checking take time: whoever withdrew meanwhile is heard before the log is.
    ask_again()
    (index,) = studio.log.append([entry.to_bytes()])
    return SealedVideo(
        asset_id=asset_id,
        draft_id=draft.id,
        corner=draft.label,
        media=media,
        sha256=entry.sha256,
        entry=entry.to_bytes(),
        log_index=index,
        receipt=witnessed_receipt(studio, index, send=send),
        key=KEY,
    )
