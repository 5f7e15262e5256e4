"""Other open marks, under the same conditions: 64 bits in every picture, read by majority.

They are no part of Assent's requirements, and ask for another build of OpenCV than Assent's, which
is why their own requirements are left out:

    pip install --no-deps invisible-watermark==0.2.0 blind-watermark==0.4.4 PyWavelets pillow

They know no detection statistic: they report bits of every film, marked or not. A picture of
another size than the marked one is read as it is, the best that each offers by itself.
"""

import contextlib
import io
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from marks.marking import RELEASE_CRF, Embedded, Reading

__all__ = ["PEERS", "Peer"]

Bgr = NDArray[np.uint8]
Bits = NDArray[np.float64]
_BITS = 64
_LOOKS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """One scheme: `mark` a picture with 64 bits, `bits_of` a picture as 64 values 0..1."""

    module: str
    mark: Callable[[Bgr, list[int]], Bgr]
    bits_of: Callable[[Bgr], Bits]

    def installed(self) -> bool:
        """Tell whether it can be imported."""
        return find_spec(self.module) is not None and find_spec("pywt") is not None

    def embed(self, source: Path, target: Path, *, asset_id: int) -> Embedded:
        """Mark every picture of a film and encode it as a release is."""
        bits = [asset_id >> (63 - place) & 1 for place in range(_BITS)]
        squares, frames = 0.0, 0
        with av.open(str(target), "w") as made:
            options = {"crf": str(RELEASE_CRF), "preset": "veryfast"}
            video: Any = None
            for bgr, rate in _pictures(source):
                marked = np.asarray(self.mark(bgr, bits), np.uint8)
                squares += float(np.mean((_luma(marked) - _luma(bgr)) ** 2))
                frames += 1
                if video is None:
                    video = made.add_stream("libx264", rate=rate, options=options)
                    video.height, video.width = (side // 2 * 2 for side in bgr.shape[:2])
                    video.pix_fmt = "yuv420p"
                even = np.ascontiguousarray(marked[: video.height, : video.width])
                made.mux(video.encode(av.VideoFrame.from_ndarray(even, "bgr24")))
            made.mux(video.encode(None))
        psnr = 10 * math.log10(255**2 / max(squares / frames, 1e-9))
        return Embedded(frames=frames, psnr_y=psnr)

    def read(self, path: Path) -> Reading:
        """Read pictures spread over the film, and take each bit's mean."""
        began = time.perf_counter()
        pictures = [bgr for bgr, _ in _pictures(path)]
        step = max(1, len(pictures) // _LOOKS)
        total, count = np.zeros(_BITS), 0
        for bgr in pictures[::step]:
            # Each fails in its own way on pictures that it finds too small.
            with contextlib.suppress(Exception):
                total, count = total + self.bits_of(bgr), count + 1
        bits = (total / max(count, 1)) > 0.5
        asset_id = int("".join(str(int(bit)) for bit in bits), 2) if count else None
        seconds = time.perf_counter() - began
        return Reading(asset_id=asset_id, confidence=0, statistic=0, seconds=seconds, says="")


def _invisible(method: str) -> Peer:
    def mark(bgr: Bgr, bits: list[int]) -> Bgr:
        encoder = import_module("imwatermark").WatermarkEncoder()
        encoder.set_watermark("bits", bits)
        return np.asarray(encoder.encode(bgr, method), np.uint8)

    def bits_of(bgr: Bgr) -> Bits:
        decoder = import_module("imwatermark").WatermarkDecoder("bits", _BITS)
        return np.asarray(decoder.decode(bgr, method), np.float64)

    return Peer(module="imwatermark", mark=mark, bits_of=bits_of)


def _blind() -> Peer:
    def mark(bgr: Bgr, bits: list[int]) -> Bgr:
        with contextlib.redirect_stdout(io.StringIO()):
            tool = import_module("blind_watermark").WaterMark(password_img=1, password_wm=1)
            tool.read_img(img=bgr)
            tool.read_wm(np.array(bits, bool), mode="bit")
            marked = tool.embed()
        return np.asarray(np.clip(np.round(marked), 0, 255), np.uint8)

    def bits_of(bgr: Bgr) -> Bits:
        with contextlib.redirect_stdout(io.StringIO()):
            tool = import_module("blind_watermark").WaterMark(password_img=1, password_wm=1)
            found = tool.extract(embed_img=bgr, wm_shape=_BITS, mode="bit")
        return np.asarray(found, np.float64)

    return Peer(module="blind_watermark", mark=mark, bits_of=bits_of)


PEERS: dict[str, Peer] = {
    "invisible-watermark dwtDct": _invisible("dwtDct"),
    "invisible-watermark dwtDctSvd": _invisible("dwtDctSvd"),
    "blind-watermark": _blind(),
}


def _pictures(path: Path) -> Iterator[tuple[Bgr, Fraction]]:
    if path.suffix in (".jpg", ".png"):
        yield np.asarray(cv2.imread(str(path)), np.uint8), Fraction(25)
        return
    with av.open(str(path)) as film:
        rate = film.streams.video[0].average_rate or Fraction(25)
        for frame in film.decode(video=0):
            yield np.asarray(frame.to_ndarray(format="bgr24"), np.uint8), rate


def _luma(bgr: Bgr) -> NDArray[np.float32]:
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), np.float32)
