import io
import re
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame
from clips import Clips, Recipe

from assent.kit.errors import MediaError
from assent.kit.media.stamps import Stamps, read_stamps


def test_an_even_clip(clips: Clips) -> None:
    stamps = read_stamps(clips.plain(), name="plain.mp4", most=1000)
    assert (stamps.pictures, stamps.missing, stamps.repeated, stamps.backward) == (25, 0, 0, 0)
    assert stamps.seconds == pytest.approx(0.96)
    assert stamps.rate == pytest.approx(25.0)
    assert stamps.longest_gap == pytest.approx(0.04, abs=0.001)


@pytest.mark.parametrize("name", ["gaps.mp4", "gaps.webm"])
def test_gaps_and_an_uneven_rate(clips: Clips, name: str) -> None:
    times = [0, 1, 2, 3, 5, 6, 31, 32, 33, 34]
    codec = "libx264" if name.endswith("mp4") else "libvpx"
    options = {"g": "10"} if codec == "libvpx" else {"bf": "0"}
    recipe = Recipe(frames=len(times), times=times, codec=codec, sound=None, options=options)
    path = clips.make(name, recipe)
    stamps = read_stamps(path, name=name, most=1000)
    assert stamps.pictures == 10
    assert stamps.longest_gap == pytest.approx(1.0, abs=0.002)
    assert stamps.backward == stamps.missing == stamps.repeated == 0


def test_too_many_pictures_are_refused(clips: Clips) -> None:
    with pytest.raises(MediaError, match="more than 20 pictures"):
        read_stamps(clips.plain(), name="plain.mp4", most=20)


def test_what_is_no_film_is_refused(clips: Clips) -> None:
    for path in (clips.empty(), clips.text(), clips.truncated()):
        with pytest.raises(MediaError):
            read_stamps(path, name=path.name, most=20)


def test_pictures_without_or_with_odd_stamps_are_counted(tmp_path: Path) -> None:
    stamps = read_stamps(odd(tmp_path / "odd.mkv"), name="odd.mkv", most=1000)
    assert (stamps.pictures, stamps.repeated, stamps.backward) == (12, 1, 1)


def test_a_single_picture_has_no_rate() -> None:
    one = Stamps(pictures=1, seconds=0.0, missing=0, repeated=0, backward=0, longest_gap=0.0)
    assert one.rate == 0.0


def odd(path: Path) -> Path:
    """A Matroska file of which one block repeats a time and another goes back."""
    sink = io.BytesIO()
    with av.open(sink, "w", format="matroska") as target:
        stream = target.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        for number in range(12):
            frame = VideoFrame.from_ndarray(np.full((48, 64, 3), 9 * number, np.uint8))
            frame.pts = number
            target.mux(stream.encode(frame))
        target.mux(stream.encode())
    data = sink.getvalue()
    for was, becomes in ((120, 80), (240, 100)):
        # A simple block: its length, track, time in the cluster, and flags (RFC 9559, 10).
        block = re.compile(rb"(\xa3[\x40-\x7f].\x81)" + was.to_bytes(2) + rb"(?=\x80)", re.DOTALL)
        found = block.search(data)
        assert found is not None
        data = data[: found.end(1)] + becomes.to_bytes(2) + data[found.end() :]
    path.write_bytes(data)
    return path
