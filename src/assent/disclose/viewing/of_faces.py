"""Sheets of faces: a model's preview, and faces in doubt. Only viewings import it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from assent.consent.clearance import Clearance
from assent.consent.locker import Locker
from assent.data.doubts import Doubt
from assent.disclose.still import doubt_columns, doubt_sheet
from assent.disclose.viewing.subject import Frame, Side
from assent.kit.errors import InputError
from assent.kit.imaging.label import Corner
from assent.kit.media.convert import from_rgb
from assent.kit.store.studio import Studio
from assent.kit.store.tables import ModelRow
from assent.purpose.projects import Purpose
from assent.train.models import preview_of, unpack_sheet

__all__ = ["OfDoubt", "OfModel"]

_GROUND = 235
_PREVIEW_RATE = 5


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
