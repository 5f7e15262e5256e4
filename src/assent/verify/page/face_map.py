"""Draw where on a face a forensic detector saw something: cells over an outline, no picture.

    drawing_of({"facts": {"where": [[0, 90], [10, 0]]}})   # Markup of a figure, or of nothing

What is drawn is the outline of the mean face: no one's face is shown, and nothing of the film.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from markupsafe import Markup

from assent.kit.faces.align import MEAN_FACE
from assent.kit.forensics.crops import COVERAGE

__all__ = ["drawing_of"]

_TOLD: Final = (
    "Where the signs are: the redder, the more. "
    "An outline of any face, not a picture from the film."
)
_SIDE: Final = 160
_FAINTEST: Final = 5  # hundredths
_LINES: Final = (
    slice(0, 17), slice(17, 22), slice(22, 27), slice(27, 31), slice(31, 36), slice(36, 42),
    slice(42, 48), slice(48, 60),
)  # fmt: skip
_CLOSED: Final = (slice(36, 42), slice(42, 48), slice(48, 60))


def drawing_of(layer: Mapping[str, Any], told: str = _TOLD) -> Markup:
    """Return the drawing for a layer of a result, with the words that go with it.

    Nothing if the layer tells no place.
    """
    where = layer["facts"].get("where")
    if not where:
        return Markup("")
    cells = np.clip(np.asarray(where, np.int64), 0, 100)
    high, wide = _SIDE / cells.shape[0], _SIDE / cells.shape[1]
    drawn = [
        f'<rect x="{column * wide:g}" y="{row * high:g}" width="{wide:g}" height="{high:g}" '
        f'fill="#c8322b" fill-opacity="{cells[row, column] / 100:g}"/>'
        for row, column in np.argwhere(cells >= _FAINTEST)
    ]
    drawn += [_line(part) for part in _LINES]
    shape = Markup("".join(drawn))  # noqa: S704 - numbers alone
    return Markup(
        '<figure class="face-map"><svg aria-hidden="true" viewBox="0 0 {side} {side}" '
        'width="{side}" height="{side}">{shape}</svg><figcaption>{told}</figcaption></figure>'
    ).format(side=_SIDE, shape=shape, told=told)


def _line(part: slice) -> str:
    points = (MEAN_FACE[part] * COVERAGE + 0.5) * _SIDE
    kind = "polygon" if part in _CLOSED else "polyline"
    at = " ".join(f"{x:.0f},{y:.0f}" for x, y in points)
    return f'<{kind} points="{at}" fill="none" stroke="currentColor" stroke-opacity="0.7"/>'
