"""What can be looked at, frame by frame: a draft, a clip, a model's preview.

Each opens what it shows under clearances that are given with every frame. Only viewings import it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from io import BufferedReader
from threading import Lock
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from assent.consent.clearance import Clearance
from assent.consent.locker import Locker
from assent.create._reel import Reel, mask_of
from assent.create.draft import Draft
from assent.data.clips import ClearedClip
from assent.data.doubts import Doubt
from assent.disclose._showing import Made
from assent.disclose.still import doubt_columns, doubt_sheet
from assent.kit.errors import InputError
from assent.kit.imaging.label import Corner
from assent.kit.media.convert import from_rgb
from assent.kit.media.picture import Picture
from assent.kit.media.seek import ClipIndex, Scrubber, index_clip
from assent.kit.store.openings import COVERS
from assent.kit.store.studio import Studio
from assent.kit.store.tables import ModelRow
from assent.purpose.projects import Purpose
from assent.train.models import preview_of, unpack_sheet

__all__ = [
    "Frame",
    "Indices",
    "Named",
    "OfClip",
    "OfDoubt",
    "OfDraft",
    "OfModel",
    "Shown",
    "Side",
]

_INDICES_KEPT = 64
_GROUND = 235
_PREVIEW_RATE = 5


class Side(Enum):
    """Which of a frame's pictures."""

    BEFORE = "before"
    """As it was filmed."""
    AFTER = "after"
    """As it was rendered."""
    MASK = "mask"
    """What of it was changed, and how much."""

    @classmethod
    def of(cls, kind: str) -> "Side":
        """Return which there is to see of a kind of thing, if nobody says which."""
        return cls.AFTER if kind in ("draft", "model") else cls.BEFORE


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A picture, whether a model had a part in it, and a name of its content."""

    picture: Picture
    made: Made
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What a frame is called wherever it is shown, without the frame itself.

    `of` says what it is a frame of; prints are kept by that and its name, which ends with its
    number where prints are kept. `scrubber` is what decodes it. `film` is what it is one of as it
    was filmed, if it is.
    """

    of: str
    name: str
    made: Made
    scrubber: Scrubber | None = None
    film: "OfClip | None" = None

    def beside(self, number: int) -> str:
        """Return the name of another frame of the same."""
        return self.name.rstrip("0123456789") + str(number)


class Shown(Protocol):
    """Gives frames; for one thread at a time."""

    @property
    def frames(self) -> int:
        """Return how many there are."""

    @property
    def footage(self) -> str | None:
        """Return the SHA-256 of the clip that was filmed, if it is of one."""

    @property
    def sources(self) -> tuple[str, ...]:
        """Return of what its frames are, of which prints are kept."""

    @property
    def label(self) -> Corner:
        """Return where the label of what a model changed lies."""

    def named(self, number: int, side: Side, clearances: Sequence[Clearance]) -> Named | None:
        """Return what a frame is called, for any thread; None if no prints are kept of it.

        Whoever gets a print of it has been held to who is cleared now as by `frame`, and raises as
        that.
        """

    def frame(self, number: int, side: Side, clearances: Sequence[Clearance]) -> Frame:
        """Return a frame; raises `InputError` if there is none, `NotClearedError`."""

    def seconds(self) -> tuple[float, ...]:
        """Return when each frame is shown."""

    def rest(self) -> None:
        """Let go of decoder and pictures; the next frame opens them again."""

    def close(self) -> None:
        """Let go of everything for good."""


class Indices:
    """Where the pictures of clips are, found out once for each."""

    def __init__(self) -> None:
        self._known: dict[str, ClipIndex] = {}

    def of(self, clip: ClearedClip, file: BufferedReader) -> ClipIndex:
        """Return the index of a clip, which `file` holds."""
        found = self._known.get(clip.blob)
        if found is None:
            found = index_clip(file, name=clip.name, frames=clip.frames)
            while len(self._known) >= _INDICES_KEPT:
                self._known.pop(next(iter(self._known)))
            self._known[clip.blob] = found
        return found


class OfClip:
    """A clip as it was filmed; raises as `ClearedClip.open`."""

    label = Corner.TOP_RIGHT

    def __init__(
        self, clip: ClearedClip, locker: Locker, clearances: Sequence[Clearance], indices: Indices
    ) -> None:
        self.clip = clip
        self._locker = locker
        self._file = clip.open(locker, clearances)
        try:
            self.index = indices.of(clip, self._file)
        except BaseException:
            self._file.close()
            raise
        self.scrubber = Scrubber(self._file, self.index, name=clip.name)

    @property
    def closed(self) -> bool:
        """Tell whether its footage can't be read any more."""
        return self._file.closed

    @property
    def frames(self) -> int:
        """Return how many there are."""
        return len(self.index)

    @property
    def footage(self) -> str:
        """Return the clip's SHA-256."""
        return self.clip.sha256

    @property
    def sources(self) -> tuple[str, ...]:
        """Return the clip."""
        return (self.clip.blob,)

    def named(self, number: int, side: Side, clearances: Sequence[Clearance]) -> Named:
        """Return what a frame is called."""
        if side is not Side.BEFORE:
            raise InputError("footage is shown as it was filmed")
        self.hold(clearances)
        self._locker.announce([self.clip.blob], clearances)
        return Named(
            of=self.clip.blob,
            name=f"{number}",
            made="filmed",
            scrubber=self.scrubber,
            film=self,
        )

    def frame(self, number: int, side: Side, clearances: Sequence[Clearance]) -> Frame:
        """Return a frame as filmed."""
        named = self.named(number, side, clearances)
        picture = self.scrubber.picture(number)
        return Frame(picture=picture, made=named.made, name=named.name)

    def read_again(self, clearances: Sequence[Clearance]) -> BufferedReader:
        """Open the clip once more, for another decoder; raises as `ClearedClip.open`."""
        return self.clip.open(self._locker, clearances)

    def hold(self, clearances: Sequence[Clearance]) -> None:
        """Raise `NotClearedError` unless everyone is cleared for the very clip.

        Who is cleared now may be so under another record than it was taken in under.
        """
        self._locker.hold(self.clip.bound, clearances)

    def seconds(self) -> tuple[float, ...]:
        """Return when each frame is shown."""
        return tuple(self.index.second(number) for number in range(len(self.index)))

    def rest(self) -> None:
        """Let go of decoder and pictures."""
        self.scrubber.close()

    def close(self) -> None:
        """Let go of everything."""
        self.scrubber.close()
        self._file.close()


class OfDraft:
    """A draft: before, after, and what was changed; raises as `OfClip`."""

    def __init__(
        self,
        studio: Studio,
        draft: Draft,
        locker: Locker,
        clearances: Sequence[Clearance],
        indices: Indices,
    ) -> None:
        self._studio = studio
        self._draft = draft
        self.label = draft.label
        self._footage = OfClip(draft.clip, locker, clearances, indices)
        self.scrubber = self._footage.scrubber
        self._reel = Reel(studio, draft, locker, self.scrubber)
        self._announced: datetime | None = None
        self._announcing = Lock()

    @property
    def frames(self) -> int:
        """Return how many there are."""
        return self._draft.frames

    @property
    def sources(self) -> tuple[str, ...]:
        """Return the clip and what was made of it."""
        return (*self._footage.sources, self._of)

    @property
    def _of(self) -> str:
        # A draft that is rendered on has another digest.
        return f"{self._draft.id} {self._draft.digest}"

    @property
    def footage(self) -> str:
        """Return the clip's SHA-256."""
        return self._draft.clip.sha256

    def named(self, number: int, side: Side, clearances: Sequence[Clearance]) -> Named:
        """Return what a frame of that side is called."""
        if side is Side.BEFORE:
            return self._footage.named(number, side, clearances)
        # What is decoded already is held to who is cleared now as well.
        self._footage.hold(clearances)
        now = self._studio.clock()
        with self._announcing:
            if self._announced is None or now - self._announced >= COVERS:
                self._reel.announce(clearances)
                self._announced = now
        return Named(
            of=self._of, name=f"{side.value} {number}", made="changed", scrubber=self.scrubber
        )

    def frame(self, number: int, side: Side, clearances: Sequence[Clearance]) -> Frame:
        """Return a frame of that side."""
        if side is Side.BEFORE:
            return self._footage.frame(number, side, clearances)
        named = self.named(number, side, clearances)
        shot, rendered = self._reel.pair(number, clearances)
        picture = rendered if side is Side.AFTER else mask_of(shot, rendered)
        return Frame(picture=picture, made=named.made, name=named.name)

    def seconds(self) -> tuple[float, ...]:
        """Return when each frame is shown."""
        return self._footage.seconds()

    def rest(self) -> None:
        """Let go of decoder, segments and pictures."""
        self._reel.close()

    def close(self) -> None:
        """Let go of everything."""
        self._reel.close()
        self._footage.close()


class OfModel:
    """A model's preview sheet, the newest there is: while it is trained, the picture moves."""

    label = Corner.TOP_RIGHT

    def __init__(self, studio: Studio, model_id: str, locker: Locker) -> None:
        self._studio = studio
        self._model_id = model_id
        self._locker = locker
        self._frames = 1

    @property
    def frames(self) -> int:
        """Return how many there are: the sheet, and each of its columns by itself."""
        return self._frames

    @property
    def footage(self) -> None:
        """A sheet is of faces from many clips."""
        return

    @property
    def sources(self) -> tuple[str, ...]:
        """No prints are kept of it."""
        return ()

    def named(self, number: int, side: Side, clearances: Sequence[Clearance]) -> None:
        """No prints are kept of it."""
        return

    def frame(self, number: int, side: Side, clearances: Sequence[Clearance]) -> Frame:
        """Return the sheet, or one of its columns: a face, and beside it the donor in its place."""
        if side is not Side.AFTER:
            raise InputError("a model has one sheet", advice="Ask for what comes after.")
        with self._studio.database.session() as session:
            model = preview_of(session.get_one(ModelRow, self._model_id))
        sheet, count = unpack_sheet(model.sheet(self._locker, clearances))
        columns = _columns(sheet, count)
        self._frames = 1 + len(columns)
        if number > len(columns):
            raise InputError("the sheet has no such column", advice="Name one that there is.")
        name = f"{model.sheet_blob}:{number}"
        shown = _stacked(sheet) if number == 0 else _squared(columns[number - 1])
        return Frame(picture=from_rgb(shown), made="changed", name=name)

    def seconds(self) -> tuple[float, ...]:
        """Return when each is shown."""
        return tuple(number / _PREVIEW_RATE for number in range(self._frames))

    def rest(self) -> None:
        """There is nothing to let go of."""

    def close(self) -> None:
        """There is nothing to let go of."""


class OfDoubt:
    """The faces of a clip that somebody must decide about, beside those of whom they may be."""

    label = Corner.TOP_RIGHT
    footage: str

    def __init__(self, studio: Studio, purpose: Purpose, doubt: Doubt) -> None:
        self._studio = studio
        self._purpose = purpose
        self._doubt = doubt
        self.footage = doubt.sha256

    @property
    def sources(self) -> tuple[str, ...]:
        """No prints are kept of it."""
        return ()

    def named(self, number: int, side: Side, clearances: Sequence[Clearance]) -> None:
        """No prints are kept of it."""
        return

    @property
    def frames(self) -> int:
        """Return how many there are."""
        return 1

    def frame(self, number: int, side: Side, clearances: Sequence[Clearance]) -> Frame:
        """Return the sheet."""
        if number != 0 or side is not Side.BEFORE:
            raise InputError("a doubt has one sheet", advice="Name frame 0, before.")
        columns = doubt_columns(self._studio, self._purpose, self._doubt, clearances)
        picture = from_rgb(doubt_sheet(columns))
        return Frame(picture=picture, made="filmed", name=self._doubt.id)

    def seconds(self) -> tuple[float, ...]:
        """Return when it is shown."""
        return (0.0,)

    def rest(self) -> None:
        """There is nothing to let go of."""

    def close(self) -> None:
        """There is nothing to let go of."""


def _stacked(sheet: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a sheet with its right half below its left, in a square with room for the label above.

    A mark needs a picture that is high as well as broad, and a phone too.
    """
    half = sheet.shape[1] // 2
    return _squared(np.concatenate([sheet[:, :half], sheet[:, half : 2 * half]]))


def _columns(sheet: NDArray[np.uint8], count: int) -> list[NDArray[np.uint8]]:
    """Return each column's first and last cell, side by side, twice as large; cells are square."""
    side = sheet.shape[1] // count
    pairs = [
        np.concatenate([sheet[:side, x : x + side], sheet[-side:, x : x + side]], axis=1)
        for x in range(0, side * count, side)
    ]
    return [pair.repeat(2, axis=0).repeat(2, axis=1) for pair in pairs]


def _squared(shown: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture at the foot of a square, with room for the label above."""
    high, wide = shown.shape[:2]
    side = max(high * 8 // 7, wide)
    square = np.full((side, side, 3), _GROUND, np.uint8)
    left = (side - wide) // 2
    square[side - high :, left : left + wide] = shown
    return square
