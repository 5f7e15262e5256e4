"""A draft's frames in any order. Only `disclose.viewing` may import this."""

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import replace
from itertools import accumulate

import numpy as np
from sqlalchemy import select

from assent.consent.clearance import Clearance
from assent.consent.locker import Locker
from assent.create.draft import Draft
from assent.create.looks import is_look_of
from assent.create.patches import Patch, apply, unpack
from assent.kit.errors import InputError, IntegrityError
from assent.kit.media.convert import scaled_plane
from assent.kit.media.picture import Picture
from assent.kit.media.seek import Scrubber
from assent.kit.store.studio import Studio
from assent.kit.store.tables import SegmentRow

__all__ = ["Reel", "mask_of"]

_SEGMENTS_KEPT = 2
# Of a mask: grey levels of change that count as all, how bright the rest is, and the colour.
_ALL, _DIM, _TINT = 24, np.float32(0.5), (np.float32(-54), np.float32(60))


class Reel:
    """Opens a draft's frames one by one; for one thread at a time.

    Args:
        studio: whose vault the draft lies in.
        draft: a complete one.
        locker: opens the vault.
        footage: the draft's footage; frames are asked of it by their number.
    """

    def __init__(self, studio: Studio, draft: Draft, locker: Locker, footage: Scrubber) -> None:
        self._draft = draft
        self._locker = locker
        self._footage = footage
        self._blobs = draft._segments  # noqa: SLF001 - one of the two doors to them
        with studio.database.session() as session:
            counts = session.scalars(
                select(SegmentRow.frames)
                .where(SegmentRow.draft_id == draft.id)
                .order_by(SegmentRow.number)
            ).all()
        self._ends = tuple(accumulate(counts))
        self._kept: OrderedDict[int, tuple[Patch, ...]] = OrderedDict()

    def announce(self, clearances: Collection[Clearance]) -> None:
        """Note in the log that all of the draft is opened; raises as `Locker.open`."""
        self._locker.announce(self._blobs, clearances)

    def pair(self, number: int, clearances: Collection[Clearance]) -> tuple[Picture, Picture]:
        """Return a frame as shot and as rendered.

        Raises `InputError` if there is no such frame, `NotClearedError` unless all are cleared,
        `IntegrityError` if the draft was altered.
        """
        patch = self._patch(number, clearances)
        shot = self._footage.picture(number)
        rendered = apply(patch, shot)
        if patch.look is not None and not is_look_of(patch.look, rendered):
            raise IntegrityError("the draft's looks are not those of its frames")
        return shot, rendered

    def close(self) -> None:
        """Forget what was opened."""
        self._kept.clear()
        self._footage.close()

    def _patch(self, number: int, clearances: Collection[Clearance]) -> Patch:
        if not 0 <= number < self._draft.frames:
            raise InputError(
                f"the draft has no frame {number}",
                advice=f"Name one from 0 to {self._draft.frames - 1}.",
            )
        segment = int(np.searchsorted(self._ends, number, side="right"))
        start = self._ends[segment - 1] if segment else 0
        patches = self._segment(segment, clearances)
        if len(patches) != self._ends[segment] - start:
            raise IntegrityError("a segment of the draft holds another number of frames")
        return patches[number - start]

    def _segment(self, number: int, clearances: Collection[Clearance]) -> tuple[Patch, ...]:
        if number not in self._kept:
            data = self._locker.read(self._blobs[number], clearances)
            self._kept[number] = tuple(unpack(data))
            if len(self._kept) > _SEGMENTS_KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(number)
        return self._kept[number]


def mask_of(shot: Picture, rendered: Picture) -> Picture:
    """Return the frame as shot, dim and grey, and what was changed in colour, the more the more."""
    one = 1 << (shot.bits - 8)
    moved = np.abs(rendered.y.astype(np.int32) - shot.y) / (_ALL * one)
    share = np.minimum(moved, 1).astype(np.float32)
    neutral = np.float32(128 * one)
    sx, sy = shot.subsampling
    size = (shot.u.shape[1], shot.u.shape[0])
    thin = scaled_plane(share, size) if (sx, sy) != (1, 1) else share
    dark = np.float32((0 if shot.full_range else 16) * one)
    luma = dark + (shot.y - dark) * (_DIM + (1 - _DIM) * share) + 40 * one * share
    planes = (luma, neutral + _TINT[0] * one * thin, neutral + _TINT[1] * one * thin)
    y, u, v = (np.clip(plane, 0, 256 * one - 1).astype(shot.y.dtype) for plane in planes)
    return replace(shot, y=y, u=u, v=v)
