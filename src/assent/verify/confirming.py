"""For whoever looks for copies: what a file is looked up by, and the mark in a part of it."""

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assent.kit.errors import InputError
from assent.kit.fingerprint.taking import take
from assent.kit.media.convert import from_rgb
from assent.kit.media.picture import luma8
from assent.kit.media.probe import probe
from assent.kit.media.read import read_shown
from assent.kit.media.still import LARGEST_FILE, read_still, still_type
from assent.kit.progress import Progress, nothing
from assent.kit.watermark.known import Known
from assent.kit.watermark.read import STRETCH_S, read_mark
from assent.verify.public import PublicLog

__all__ = ["codes_of", "confirm_part"]

_LOOKS = 48
_SMALLEST = 96  # pixels: in less there is no room for a mark
_BUDGET_S = 10.0


def codes_of(path: Path, *, name: str, progress: Progress = nothing) -> dict[str, Any]:
    """Return the probes of the file at `path` as JSON; raises `MediaError` if it is no media."""
    taken = take(path, name=name, keep=False, progress=progress)
    return {
        "seconds": taken.seconds,
        "probes": [each.to_json() for each in taken.probes],
        "sound": [each.to_json() for each in taken.sound_probes],
    }


def confirm_part(
    path: Path, log: PublicLog, *, name: str, part: Mapping[str, Any]
) -> dict[str, Any]:
    """Look for the mark of one of the log's releases in a part of the picture and of the time.

    `part` has `window` (x, y, width, height in shares) and `begin` in seconds. The identifiers that
    the log lists are all that is tried. Returns `asset_id` or None, and `confidence`.
    """
    try:
        x, y, width, height = (float(value) for value in part["window"])
        begin = float(part["begin"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError("the part to look at can't be read") from error
    known = Known(int(record.entry.asset_id, 16) for record in log.records)
    planes = _planes(path, name, begin)
    cut = (_cut(plane, x, y, width, height) for plane in planes)
    large = [plane for plane in islice(cut, _LOOKS) if min(plane.shape) >= _SMALLEST]
    if not large:
        return {"asset_id": None, "confidence": 0.0}
    search = read_mark(iter(large), key=log.reading_key, known=known, budget_s=_BUDGET_S)
    if search.mark is None:
        return {"asset_id": None, "confidence": 0.0}
    return {"asset_id": f"{search.mark.asset_id:016x}", "confidence": search.mark.confidence}


def _planes(path: Path, name: str, begin: float) -> Iterator[NDArray[np.uint8]]:
    """Yield luma planes of one stretch, evenly over it."""
    with path.open("rb") as file:
        head = file.read(16)
    if still_type(head):
        with path.open("rb") as file:
            yield luma8(from_rgb(read_still(file.read(LARGEST_FILE + 1), name=name)))
        return
    clip = probe(path, name=name)
    step = max(1, round(STRETCH_S * float(clip.frame_rate) / _LOOKS))
    number = 0
    for shown in read_shown(path, name=name):
        at = float(shown.pts * clip.time_base)
        if at > begin + STRETCH_S:
            return
        if at >= begin:
            if number % step == 0:
                yield luma8(shown.take())
            number += 1


def _cut(
    plane: NDArray[np.uint8], x: float, y: float, width: float, height: float
) -> NDArray[np.uint8]:
    tall, wide = plane.shape
    top, left = round(max(0.0, y) * tall), round(max(0.0, x) * wide)
    bottom, right = round(min(1.0, y + height) * tall), round(min(1.0, x + width) * wide)
    return np.ascontiguousarray(plane[top:bottom, left:right])
