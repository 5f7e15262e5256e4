import io
import json
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import iscc_core
import numpy as np
import pytest
from numpy.typing import NDArray

from assent.kit.errors import MediaError
from assent.kit.fingerprint.frame import frame_signature
from assent.kit.fingerprint.video import (
    RELATED,
    SAME,
    Fingerprint,
    VideoFingerprint,
    distance,
    fingerprint_of,
)

Luma = NDArray[np.uint8]
# Made by make_vectors.py with ffmpeg and iscc-core.
VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text())["clips"]


def planes(clip: Path | io.BytesIO) -> Iterator[tuple[Luma, Fraction]]:
    with av.open(clip, "r") as container:
        for frame in container.decode(video=0):
            assert frame.pts is not None
            assert frame.time_base is not None
            plane = frame.planes[0]
            luma = np.frombuffer(bytes(plane), np.uint8).reshape(frame.height, plane.line_size)
            yield luma[:, : frame.width], frame.pts * frame.time_base


def take(clip: Path | io.BytesIO) -> Fingerprint:
    gathered = VideoFingerprint()
    for luma, at in planes(clip):
        gathered.add(luma, at)
    return gathered.finish()


def encode(pictures: list[Luma], crf: int) -> io.BytesIO:
    sink = io.BytesIO()
    with av.open(sink, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": str(crf)})
        stream.height, stream.width = pictures[0].shape
        stream.pix_fmt = "yuv420p"
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="gray8")))
        container.mux(stream.encode(None))
    sink.seek(0)
    return sink


@pytest.mark.parametrize("name", sorted(VECTORS))
def test_codes_are_those_of_other_implementations(name: str, samples: Path) -> None:
    assert take(samples / name).iscc == VECTORS[name]


def test_code_follows_from_the_distinct_signatures() -> None:
    rng = np.random.default_rng(3)
    pictures = list(rng.integers(0, 256, (6, 40, 60), dtype=np.uint8))
    made = fingerprint_of([*pictures, *pictures[:1] * 9])
    signatures = [tuple(frame_signature(picture).tolist()) for picture in pictures]
    assert made.iscc == iscc_core.gen_video_code_v0(signatures, 256)["iscc"]
    assert made.bits == iscc_core.soft_hash_video_v0(signatures, 256)


def halve(picture: Luma) -> Luma:
    return np.asarray(cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))


def label(picture: Luma) -> Luma:
    marked = picture.copy()
    marked[10:50, -170:-20] = 30
    return marked


def brighten(picture: Luma) -> Luma:
    graded: Luma = np.clip(picture * 1.2 + 5, 0, 255).astype(np.uint8)
    return graded


@pytest.mark.parametrize("change", [halve, label, brighten], ids=lambda change: change.__name__)
def test_copies_are_recognised(change: Callable[[Luma], Luma], samples: Path) -> None:
    pictures = [luma for luma, _ in planes(samples / "two_people.mp4")][:50]
    original = fingerprint_of(pictures, rate=25)
    copy = take(encode([np.ascontiguousarray(change(picture)) for picture in pictures], crf=28))
    assert distance(original, copy) <= SAME


def test_crops_are_related_and_others_are_not(samples: Path) -> None:
    pictures = [luma for luma, _ in planes(samples / "two_people.mp4")]
    height, width = pictures[0].shape
    y, x = height // 20, width // 20
    cropped = [picture[y : height - y, x : width - x] for picture in pictures]
    original = fingerprint_of(pictures)
    assert SAME < distance(original, fingerprint_of(cropped)) <= RELATED
    assert distance(original, take(samples / "no_face.mp4")) > RELATED


def test_mirrored_copies_are_found_by_the_mirrored_code(samples: Path) -> None:
    pictures = [luma for luma, _ in planes(samples / "two_people.mp4")][:20]
    copy = fingerprint_of([np.ascontiguousarray(picture[:, ::-1]) for picture in pictures])
    assert distance(fingerprint_of(pictures), copy) > 0
    assert distance(fingerprint_of(pictures, mirrored=True), copy) == 0


def test_five_pictures_a_second_count() -> None:
    rng = np.random.default_rng(5)
    pictures = list(rng.integers(0, 256, (60, 32, 32), dtype=np.uint8))
    # At 25 a second pictures 2, 7, 12 ... are the last that round to their fifth of a second.
    assert fingerprint_of(pictures, rate=25) == fingerprint_of(pictures[2:58:5])
    assert fingerprint_of(pictures, rate=5) == fingerprint_of(pictures)


def test_the_callers_buffer_may_be_used_again() -> None:
    rng = np.random.default_rng(9)
    pictures = list(rng.integers(0, 256, (10, 32, 32), dtype=np.uint8))
    gathered = VideoFingerprint()
    buffer = np.empty((32, 32), np.uint8)
    for index, picture in enumerate(pictures):
        buffer[:] = picture
        gathered.add(buffer, Fraction(index, 5))
    assert gathered.finish() == fingerprint_of(pictures)


def test_a_single_picture_has_a_fingerprint() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (32, 32), dtype=np.uint8)
    assert fingerprint_of([picture], rate=25) == fingerprint_of([picture])


def test_nothing_has_no_fingerprint() -> None:
    with pytest.raises(MediaError, match="no picture"):
        fingerprint_of([])


def test_distance_counts_bits() -> None:
    none = Fingerprint(bits=bytes(32), iscc="")
    assert distance(none, Fingerprint(bits=bytes([255] * 32), iscc="")) == 256
    assert distance(none, Fingerprint(bits=bytes(31) + b"\x05", iscc="")) == 2
    assert distance(none, none) == 0
