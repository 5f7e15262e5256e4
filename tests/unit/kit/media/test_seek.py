"""Every picture that is sought is the one that a reading from the beginning gives."""

import io
import random
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from assent.kit.errors import InputError, MediaError
from assent.kit.media.picture import Picture
from assent.kit.media.read import read_pictures
from assent.kit.media.seek import NotYetError, Scrubber, index_clip

COUNT = 70
KINDS = {
    "long groups": ("libx264", "mp4", {"g": "250"}),
    "short groups": ("libx264", "mp4", {"g": "12"}),
    "open groups": ("libx264", "mp4", {"g": "20", "x264-params": "open-gop=1:bframes=3"}),
    "key frames alone": ("mjpeg", "mov", {}),
    "matroska": ("libx264", "mkv", {"g": "15"}),
    "transport stream": ("libx264", "ts", {"g": "15"}),
    "hevc": ("libx265", "mp4", {"x265-params": "keyint=15:log-level=none"}),
    "avi": ("mpeg4", "avi", {"g": "15", "bf": "0"}),
    "ten bits": ("libx264", "mp4", {"g": "15"}),
}


def film(path: Path, kind: str, *, uneven: bool = False) -> Path:
    codec, ending, options = KINDS[kind]
    path = path / f"clip.{ending}"
    noise = np.random.default_rng(7)
    ground = noise.integers(0, 255, (96, 128, 3), np.uint8)
    with av.open(str(path), "w") as new:
        video: Any = new.add_stream(codec, rate=25, options={"preset": "ultrafast", **options})
        video.width, video.height = 128, 96
        video.pix_fmt = {"ten bits": "yuv420p10le", "key frames alone": "yuvj420p"}.get(
            kind, "yuv420p"
        )
        for number in range(COUNT):
            rgb = np.roll(ground, (number, 2 * number), (0, 1)) // 2
            rgb[:, : number + 1] += 90
            frame = av.VideoFrame.from_ndarray(rgb, "rgb24")
            frame.pts = number * 2 + (number % 3 == 0) if uneven else number
            new.mux(video.encode(frame))
        new.mux(video.encode())
    return path


def orders() -> Iterator[tuple[str, list[int]]]:
    shuffled = list(range(COUNT)) * 2
    random.Random(3).shuffle(shuffled)  # noqa: S311 - an order, no secret
    yield "any", shuffled
    yield "forward", list(range(COUNT))
    yield "back", list(range(COUNT))[::-1]
    yield "leaps", [n for start in range(7) for n in range(start, COUNT, 7)]


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_in_any_order(tmp_path: Path, kind: str) -> None:
    path = film(tmp_path, kind)
    read = [*read_pictures(path, name="clip")]
    index = index_clip(path, name="clip", frames=len(read))
    assert index.stamps.tolist() == [picture.pts for picture in read]
    with path.open("rb") as file:
        for order, numbers in orders():
            with Scrubber(file, index, name="clip") as scrubber:
                for number in numbers:
                    got = scrubber.picture(number)
                    assert got.pts == read[number].pts
                    for name in ("y", "u", "v"):
                        same = np.array_equal(getattr(got, name), getattr(read[number], name))
                        assert same, (order, number)


@pytest.mark.parametrize("kind", KINDS)
def test_bit_by_bit_it_comes_to_the_same_pictures(tmp_path: Path, kind: str) -> None:
    path = film(tmp_path, kind)
    read = [*read_pictures(path, name="clip")]
    index = index_clip(path, name="clip", frames=len(read))
    with path.open("rb") as file, Scrubber(file, index, name="clip") as scrubber:
        waits = 0
        for number in (COUNT - 1, 40, 12, 41, 3):
            got: Picture | None = None
            while got is None:
                with suppress(NotYetError), scrubber.within(0.0):
                    got = scrubber.picture(number)
                waits += got is None
                assert waits < 10 * COUNT
            assert np.array_equal(got.y, read[number].y)
            assert got.pts == read[number].pts
        assert (waits > 0) == (kind != "key frames alone")
        # Whoever has time gets it at once again.
        assert np.array_equal(scrubber.picture(69).y, read[69].y)


def test_the_index_tells_when(tmp_path: Path) -> None:
    path = film(tmp_path, "short groups")
    index = index_clip(path, name="clip")
    assert index.seekable
    assert index.second(25) == pytest.approx(1.0)
    assert len(index.keys) == 6
    assert index.number_at(int(index.stamps[9])) == 9
    assert index.number_at(int(index.stamps[9]) + 1) is None
    assert index.number_at(int(index.stamps[-1]) + 1) is None


def test_an_uneven_rate(tmp_path: Path) -> None:
    path = film(tmp_path, "short groups", uneven=True)
    read = [*read_pictures(path, name="clip")]
    index = index_clip(path, name="clip")
    assert index.stamps.tolist() == [picture.pts for picture in read]
    with path.open("rb") as file, Scrubber(file, index, name="clip") as scrubber:
        for number in (50, 3, 51, 4, 69, 0):
            assert np.array_equal(scrubber.picture(number).y, read[number].y)


def test_a_count_that_the_container_does_not_know(tmp_path: Path) -> None:
    # Another count than its packets: then every picture is decoded and counted.
    path = film(tmp_path, "short groups")
    index = index_clip(path, name="clip", frames=COUNT + 1)
    assert len(index) == COUNT
    assert index.seekable
    assert index.keys.tolist() == index_clip(path, name="clip").keys.tolist()


@pytest.mark.parametrize("number", [-1, COUNT, 10**12])
def test_there_is_no_such_picture(tmp_path: Path, number: int) -> None:
    path = film(tmp_path, "short groups")
    with path.open("rb") as file, Scrubber(file, index_clip(file, name="a.mp4"), name="a.mp4") as s:
        with pytest.raises(InputError, match="has no frame"):
            s.picture(number)
        assert s.picture(COUNT - 1).width == 128


def test_few_pictures_are_kept(tmp_path: Path) -> None:
    path = film(tmp_path, "short groups")
    size = 128 * 96 * 3 // 2
    with path.open("rb") as file:
        index = index_clip(file, name="clip")
        with Scrubber(file, index, name="clip", most_bytes=4 * size) as scrubber:
            for number in (*range(40), 11, 60, 2):
                scrubber.picture(number)
                assert scrubber.held <= 4


def test_after_a_rest_it_goes_on(tmp_path: Path) -> None:
    path = film(tmp_path, "short groups")
    with path.open("rb") as file:
        index = index_clip(file, name="clip")
        scrubber = Scrubber(file, index, name="clip")
        first = scrubber.picture(33)
        scrubber.close()
        assert np.array_equal(scrubber.picture(33).y, first.y)
        scrubber.close()


def test_damage_is_told(tmp_path: Path) -> None:
    path = film(tmp_path, "short groups")
    data = bytearray(path.read_bytes())
    index = index_clip(path, name="clip")
    start = data.index(b"mdat") + 2000
    data[start : start + 30_000] = bytes(30_000)
    with Scrubber(io.BytesIO(bytes(data)), index, name="clip") as scrubber:
        told = 0
        for number in range(COUNT):
            try:
                scrubber.picture(number)
            except MediaError:
                told += 1
    assert 0 < told < COUNT


def test_an_index_of_another_clip(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    even, uneven = (
        film(tmp_path / "a", "short groups"),
        film(tmp_path / "b", "short groups", uneven=True),
    )
    index = index_clip(uneven, name="clip")
    with (
        even.open("rb") as file,
        Scrubber(file, index, name="clip") as scrubber,
        pytest.raises(MediaError, match="can't be decoded"),
    ):
        scrubber.picture(COUNT - 1)
