"""Statements short enough to be enrolled in a second."""

import io
from pathlib import Path

import av
import pytest


def cut(clip: Path, frames: int) -> bytes:
    """Return the first `frames` pictures of `clip` as MP4."""
    sink = io.BytesIO()
    with av.open(clip) as source, av.open(sink, "w", format="mp4") as target:
        pictures = source.streams.video[0]
        coded = target.add_stream("libx264", rate=pictures.average_rate)
        coded.width, coded.height, coded.pix_fmt = pictures.width, pictures.height, "yuv420p"
        for number, frame in enumerate(source.decode(pictures)):
            if number == frames:
                break
            target.mux(coded.encode(frame))
        target.mux(coded.encode())
    return sink.getvalue()


@pytest.fixture(scope="session")
def statement(samples: Path) -> bytes:
    """A moment of Cleo, alone."""
    return cut(samples / "cleo_statement.mp4", 1)
