"""Listen to a clip or a sound file: its sound as mono blocks, nothing of its pictures.

for block in listen(Path("speech.mp3"), name="speech.mp3", rate=16000):
    ...                                   # float32 [n], full scale 1
"""

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
from av.stream import Disposition
from numpy.typing import NDArray

from assent.kit.errors import MediaError
from assent.kit.media import _sound
from assent.kit.media._container import Opened, Source, open_sound

__all__ = ["holds_only_sound", "listen"]


def listen(source: Source, *, name: str, rate: int) -> Iterator[NDArray[np.float32]]:
    """Decode the main sound track, mixed down to mono, float32 blocks [n] at `rate` a second.

    Time 0 is where the file begins; a late start and gaps are silence, and so is what can't be
    decoded. Nothing comes from a clip without sound.

    Raises:
        MediaError: No such file, no film or sound, or a damaged container.
        StorageError: The file can't be read.
    """
    with open_sound(source, name=name) as opened:
        track = _sound.pick_sound(opened)
        if track is None:
            return
        blocks = _sound.decode_blocks(
            opened, track, rate=rate, layout="mono", origin=_begin(opened)
        )
        try:
            yield from (block[0] for block in blocks)
        except ValueError as error:
            raise MediaError(
                f"{name}: its sound changes its format midway",
                advice="Convert it to WAV and try again.",
            ) from error


def holds_only_sound(source: Source, *, name: str) -> bool:
    """Tell whether a file holds sound and no picture (a cover picture is none).

    Raises:
        MediaError: No such file, or neither a film nor sound.
        StorageError: The file can't be read.
    """
    with open_sound(source, name=name) as opened:
        films = [
            track
            for track in opened.container.streams.video
            if not track.disposition & Disposition.attached_pic
        ]
        return not films and _sound.pick_sound(opened) is not None


def _begin(opened: Opened) -> Fraction:
    """When the file begins, in seconds on its own clock."""
    return Fraction(opened.container.start_time or 0, 1_000_000)
