"""What still leads from a copy to its record, and what the layers cost.

    python benchmarks/layers.py

A sample clip is labelled, marked and encoded as a release is, then handled as the internet handles
files. Printed for each handling: whether the watermark is read, and how far the fingerprint is from
the release's (the limit stands beside it). Then what each layer costs a frame, against encoding.
"""

import io
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from assent.kit.fingerprint.video import RELATED, Fingerprint, VideoFingerprint, distance
from assent.kit.imaging.label import burn, draw_label
from assent.kit.media._encode import encode
from assent.kit.media.picture import Picture, luma8, with_luma
from assent.kit.media.probe import probe
from assent.kit.media.read import read_pictures
from assent.kit.watermark.embed import Embedder
from assent.kit.watermark.key import ReadingKey
from assent.kit.watermark.read import read_mark

CLIP = Path(__file__).parents[1] / "samples" / "scene1_ada.mp4"
ASSET = 0x0123456789ABCDEF
KEY = ReadingKey.from_bytes(bytes(range(32)))
Frame = NDArray[np.uint8]


def main() -> None:
    """Print the two tables."""
    sealed = seal()
    print(f"{'handling':<34}{'mark read':>10}{'fingerprint':>13}   limit {RELATED}")
    original = look(sealed)[1]
    for name, crf, change in HANDLINGS:
        read, fingerprint = look(reencode(sealed, crf, change))
        print(f"{name:<34}{'yes' if read else 'NO':>10}{distance(original, fingerprint):>13}")
    read, _ = look(CLIP.read_bytes())
    print(f"{'the untouched clip':<34}{'WRONGLY' if read else 'no':>10}")
    print()
    for name, milliseconds in costs().items():
        print(f"{name:<34}{milliseconds:>10.2f} ms a frame of 384x384")


def pictures() -> Iterator[Picture]:
    """Yield the sample's pictures with the label."""
    label = None
    for picture in read_pictures(CLIP, name=CLIP.name):
        label = label or draw_label(picture.width, picture.height)
        yield burn(picture, label)


def seal() -> bytes:
    """Return the sample labelled, marked and encoded as a release is."""
    clip = probe(CLIP, name=CLIP.name)
    embedder = Embedder(width=clip.width, height=clip.height, bits=8, asset_id=ASSET, key=KEY)
    embedder.prepare(picture.y for n, picture in enumerate(pictures()) if n % 5 == 0)
    sink = io.BytesIO()
    marked = (with_luma(picture, embedder.mark(picture.y)) for picture in pictures())
    encode(marked, sink, like=clip, sound_from=None)
    return sink.getvalue()


def look(data: bytes) -> tuple[bool, Fingerprint]:
    """Return whether the mark is read, and the fingerprint."""
    clip = probe(io.BytesIO(data), name="copy")
    fingerprint = VideoFingerprint()
    planes = []
    for picture in read_pictures(io.BytesIO(data), name="copy"):
        planes.append(luma8(picture))
        fingerprint.add(planes[-1], picture.pts * clip.time_base)
    search = read_mark(iter(planes[::2]), key=KEY)
    return search.mark is not None and search.mark.asset_id == ASSET, fingerprint.finish()


def reencode(data: bytes, crf: int, change: Callable[[Frame], Frame]) -> bytes:
    """Decode, change every frame, and encode with H.264 at `crf`."""
    sink = io.BytesIO()
    with av.open(io.BytesIO(data), "r") as old, av.open(sink, "w", format="mp4") as new:
        out: Any = None
        for frame in old.decode(video=0):
            rgb = np.ascontiguousarray(
                change(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8))
            )
            if out is None:
                out = new.add_stream("libx264", rate=25, options={"crf": str(crf)})
                out.height, out.width = rgb.shape[:2]
                out.pix_fmt = "yuv420p"
            new.mux(out.encode(av.VideoFrame.from_ndarray(rgb, "rgb24")))
        new.mux(out.encode(None))
    return sink.getvalue()


def scaled(ratio: float) -> Callable[[Frame], Frame]:
    """Return a function that scales a frame to an even size."""

    def change(rgb: Frame) -> Frame:
        size = [round(side * ratio / 2) * 2 for side in rgb.shape[1::-1]]
        return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)

    return change


def cropped(share: float) -> Callable[[Frame], Frame]:
    """Return a function that cuts `share` of the sides away, half of it on each."""

    def change(rgb: Frame) -> Frame:
        height, width = rgb.shape[:2]
        y, x = (round(side * share / 4) * 2 for side in (height, width))
        return rgb[y : height - y, x : width - x]

    return change


HANDLINGS: list[tuple[str, int, Callable[[Frame], Frame]]] = [
    ("H.264 CRF 23", 23, lambda rgb: rgb),
    ("H.264 CRF 28", 28, lambda rgb: rgb),
    ("H.264 CRF 33", 33, lambda rgb: rgb),
    ("half size, CRF 23", 23, scaled(0.5)),
    ("half size, CRF 28", 28, scaled(0.5)),
    ("1.5 times the size, CRF 23", 23, scaled(1.5)),
    ("cropped by 10 %, CRF 23", 23, cropped(0.1)),
    ("cropped by 25 %, CRF 23", 23, cropped(0.25)),
    ("mirrored, CRF 23", 23, lambda rgb: rgb[:, ::-1]),
    ("darker by a third, CRF 23", 23, lambda rgb: (rgb * 0.67).astype(np.uint8)),
    ("grey, CRF 23", 23, lambda rgb: rgb[..., 1:2].repeat(3, axis=-1)),
]


def look_all(pictures: list[Picture], time_base: Fraction) -> Fingerprint:
    """Return the fingerprint of pictures."""
    fingerprint = VideoFingerprint()
    for picture in pictures:
        fingerprint.add(picture.y, picture.pts * time_base)
    return fingerprint.finish()


def costs() -> dict[str, float]:
    """Return what each layer takes of the processor, in milliseconds a frame."""
    clip = probe(CLIP, name=CLIP.name)
    plain = list(read_pictures(CLIP, name=CLIP.name))
    label = draw_label(clip.width, clip.height)
    embedder = Embedder(width=clip.width, height=clip.height, bits=8, asset_id=ASSET, key=KEY)
    steps: dict[str, Callable[[], object]] = {
        "decoding": lambda: list(read_pictures(CLIP, name=CLIP.name)),
        "label": lambda: [burn(picture, label) for picture in plain],
        "watermark": lambda: [embedder.mark(picture.y) for picture in plain],
        "fingerprint": lambda: look_all(plain, clip.time_base),
        "encoding (H.264, as released)": lambda: encode(
            iter(plain), io.BytesIO(), like=clip, sound_from=None
        ),
    }
    taken = {}
    for name, step in steps.items():
        began = time.process_time()
        step()
        taken[name] = (time.process_time() - began) / len(plain) * 1000
    return taken


if __name__ == "__main__":
    main()
