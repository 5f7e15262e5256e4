"""Recognise a video by what it shows: the ISCC Video-Code, 256 bits.

Five pictures a second are described by their MPEG-7 frame signatures; the sum of the distinct
signatures is reduced to 256 comparisons. Copies that were re-encoded, scaled, graded or labelled
keep nearly all bits, so the Hamming distance tells them from other videos.

Source: ISO 24138:2024, section on the Video-Code. Codes agree with iscc-core's for signatures of
`ffmpeg -vf fps=5,signature`.

>>> grey = [np.full((64, 64), 90, np.uint8)] * 3
>>> fingerprint_of(grey).iscc[:8]
'ISCC:EMD'
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from hashlib import blake2b
from math import floor

import iscc_core
import numpy as np
from numpy.typing import NDArray

from assent.kit.errors import MediaError
from assent.kit.fingerprint.frame import DIGITS, frame_signature

__all__ = ["RELATED", "SAME", "Fingerprint", "VideoFingerprint", "distance", "fingerprint_of"]

SAME = 32
"""Distances up to here: the same video, re-encoded, scaled, graded, labelled or trimmed a bit.

Measured on the samples: at most 24 for such copies, while other performers or places are 72 away
and more. A face replaced in the same scene is only 12 away: the code tells scenes, not faces.
"""

RELATED = 64
"""Distances up to here: perhaps the same video, cropped; or another one shot in the same place.

Measured: 14 to 54 for crops of 10 %, 49 to 57 for another scene with the same person and place.
Crops of 20 % (28 to 92) and mirrored copies (29 to 91, found by the mirrored code) are missed.
"""

_BITS = 256
_SAMPLES_A_SECOND = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """What a video looks like: 32 bytes, and the same as an ISCC with its prefix."""

    bits: bytes
    iscc: str


class VideoFingerprint:
    """Gathers a video's pictures, given in order of presentation, into its fingerprint.

    Memory grows by about 100 bytes for each distinct picture sampled (2 MB an hour).
    """

    def __init__(self) -> None:
        self._sum = np.zeros(DIGITS, np.int64)
        self._seen: set[bytes] = set()
        self._waiting: Callable[[], NDArray[np.uint8]] | None = None
        self._time: Fraction | None = None
        self._gap = Fraction(0)

    def add(self, luma: NDArray[np.uint8], at: Fraction | float | None = None) -> None:
        """Take the next picture's `luma` (uint8 `[H, W]`; of 10 bits give the upper 8).

        With its time `at` in seconds, five pictures a second are chosen as the standard's
        reference does; without, every picture counts. Raises MediaError when a side is under 32
        or over 8192 pixels.
        """
        if at is None:
            self._count(luma)
            return
        held = luma.copy()
        self.add_later(lambda: held, at)

    def add_later(self, take: Callable[[], NDArray[np.uint8]], at: Fraction | float) -> None:
        """Take the next picture by what gives its luma, which is called if it is chosen.

        It is kept no longer than until the next picture comes.
        """
        time = Fraction(at)
        if self._time is not None:
            self._gap = time - self._time
            # The last picture of each fifth of a second stands for it.
            if self._waiting is not None and _slot(time) != _slot(self._time):
                self._count(self._waiting())
        self._waiting, self._time = take, time

    def finish(self) -> Fingerprint:
        """Return the fingerprint. Raises MediaError when no picture was given."""
        self._count_last()
        if not self._seen:
            raise MediaError("there is no picture to take a fingerprint of")
        bits: bytes = iscc_core.alg_wtahash(self._sum.tolist(), _BITS)
        code: str = iscc_core.encode_component(
            mtype=iscc_core.MT.CONTENT,
            stype=iscc_core.ST_CC.VIDEO,
            version=iscc_core.VS.V0,
            bit_length=_BITS,
            digest=bits,
        )
        return Fingerprint(bits=bits, iscc="ISCC:" + code)

    def _count_last(self) -> None:
        if self._waiting is None or self._time is None:
            return
        # A fifth of a second that the video doesn't fill to its middle has no picture.
        begun = _slot(self._time) >= _slot(self._time + self._gap)
        if not begun or not self._seen:
            self._count(self._waiting())
        self._waiting = None

    def _count(self, luma: NDArray[np.uint8]) -> None:
        signature = frame_signature(luma)
        name = blake2b(signature.tobytes(), digest_size=16).digest()
        if name not in self._seen:
            self._seen.add(name)
            self._sum += signature


def _slot(time: Fraction) -> int:
    return floor(time * _SAMPLES_A_SECOND + Fraction(1, 2))


def fingerprint_of(
    luma_iter: Iterable[NDArray[np.uint8]],
    *,
    rate: Fraction | float | None = None,
    mirrored: bool = False,
) -> Fingerprint:
    """Return the fingerprint of the pictures `luma_iter`, flipped left to right if `mirrored`.

    `rate` is their constant number a second; without it every picture counts. To find mirrored
    copies, search with both fingerprints of a video. Raises MediaError as VideoFingerprint does.
    """
    gathered = VideoFingerprint()
    for index, luma in enumerate(luma_iter):
        at = None if rate is None else index / Fraction(rate)
        gathered.add(np.ascontiguousarray(luma[:, ::-1]) if mirrored else luma, at)
    return gathered.finish()


def distance(a: Fingerprint, b: Fingerprint) -> int:
    """Return how many of the 256 bits of `a` and `b` differ."""
    return (int.from_bytes(a.bits) ^ int.from_bytes(b.bits)).bit_count()
