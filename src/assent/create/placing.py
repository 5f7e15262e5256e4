"""What speaks against each corner that a clip's label may lie in.

The label is always there and never smaller. This tells whether a corner puts it over a face, where
a platform's crop would cut it, and where players lay their own buttons over it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from assent.consent.clearance import Clearance
from assent.consent.locker import Locker
from assent.data.clips import ClearedClip
from assent.data.tracks import PersonTrack
from assent.kit.imaging.framing import frame_label
from assent.kit.imaging.label import Corner
from assent.kit.media.probe import probe

__all__ = ["Placing", "placings", "placings_in"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Placing:
    """A corner for the label of a clip.

    Attributes:
        corner: which.
        box: x0, y0, x1, y1 in pixels of the clip.
        over: the numbers of the frames in which it lies over somebody's face.
        cut: crops that leave less than the whole label.
        covered: crops in which players lay something over it.
    """

    corner: Corner
    box: tuple[int, int, int, int]
    over: tuple[int, ...]
    cut: tuple[str, ...]
    covered: tuple[str, ...]

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return what somebody who chooses it should know, a sentence each."""
        said = []
        if self.over:
            frames = "1 frame" if len(self.over) == 1 else f"{len(self.over)} frames"
            said.append(f"It lies over a face in {frames}, first in frame {self.over[0]}.")
        if self.cut:
            said.append(f"A crop to {_listed(self.cut)} cuts it.")
        if self.covered:
            said.append(f"In {_listed(self.covered)}, players lay their own buttons over it.")
        if self.corner is not Corner.TOP_RIGHT:
            said.append("The EU's Code of Practice asks for the top right.")
        return tuple(said)

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {
            "corner": self.corner.value,
            "box": list(self.box),
            "over_face": len(self.over),
            "first_over_face": self.over[0] if self.over else None,
            "cut": list(self.cut),
            "covered": list(self.covered),
            "warnings": list(self.warnings),
        }


def placings(tracks: Sequence[PersonTrack], width: int, height: int) -> tuple[Placing, ...]:
    """Return what there is to know of each corner of a `width` x `height` clip.

    `tracks` are everyone's in it, as they were found. Raises `InputError` for sizes that no film
    has, `MediaError` if no label would be legible.
    """
    return tuple(_placing(tracks, width, height, corner) for corner in Corner)


def placings_in(
    clip: ClearedClip, locker: Locker, clearances: Collection[Clearance]
) -> tuple[Placing, ...]:
    """Return the same of a clip; raises as that, and as `ClearedClip.open`."""
    with clip.open(locker, clearances) as footage:
        size = probe(footage, name=clip.name)
    return placings(clip.tracks(locker, clearances), size.width, size.height)


def _placing(tracks: Sequence[PersonTrack], width: int, height: int, corner: Corner) -> Placing:
    box, framings = frame_label(width, height, corner=corner)
    return Placing(
        corner=corner,
        box=box,
        over=_over(tracks, box),
        cut=tuple(each.ratio for each in framings if not each.whole),
        covered=tuple(each.ratio for each in framings if each.whole and not each.clear),
    )


def _over(tracks: Sequence[PersonTrack], box: tuple[int, int, int, int]) -> tuple[int, ...]:
    """Return the frames in which a box meets the box of a face."""
    x0, y0, x1, y1 = box
    found: set[int] = set()
    for track in tracks:
        left, top = np.moveaxis(track.meshes[..., :2].min(axis=1), -1, 0)
        right, bottom = np.moveaxis(track.meshes[..., :2].max(axis=1), -1, 0)
        met = (left < x1) & (x0 < right) & (top < y1) & (y0 < bottom)
        found.update(track.index[met].tolist())
    return tuple(sorted(found))


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
