"""A key, an identifier, sample footage and an encoder for the tests of the mark."""

import io
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from assent.kit.watermark.carriers import Carriers
from assent.kit.watermark.embed import Embedder
from assent.kit.watermark.key import ReadingKey

SAMPLES = Path(__file__).parents[4] / "samples"
ASSET_ID = 0x1122334455667788

Luma = NDArray[np.uint8]
Reencode = Callable[[Iterable[Luma], int], list[Luma]]


@pytest.fixture(scope="session")
def key() -> ReadingKey:
    return ReadingKey.from_bytes(bytes(range(32)))


@pytest.fixture(scope="session")
def carriers(key: ReadingKey) -> Carriers:
    return Carriers.derive(key)


@pytest.fixture(scope="session")
def asset_id() -> int:
    return ASSET_ID


@pytest.fixture(scope="session")
def sample_luma() -> Callable[[str, int], list[Luma]]:
    """Return a function that decodes every nth luma plane of a sample clip."""
    return lambda name, every: list(_decode(SAMPLES / name))[::every]


@pytest.fixture(scope="session")
def footage() -> list[Luma]:
    """The first 48 luma planes of a talking head, 384x384."""
    return list(_decode(SAMPLES / "scene1_ada.mp4"))[:48]


@pytest.fixture(scope="session")
def marked(footage: list[Luma], key: ReadingKey) -> list[Luma]:
    embedder = Embedder(width=384, height=384, bits=8, asset_id=ASSET_ID, key=key)
    embedder.prepare(footage[::4])
    return [np.asarray(embedder.mark(plane), np.uint8) for plane in footage]


@pytest.fixture(scope="session")
def reencode() -> Reencode:
    """Return a function that sends luma planes through H.264 at a constant rate factor."""
    return lambda planes, crf: list(_decode(_encode(planes, crf)))


def _encode(planes: Iterable[Luma], crf: int) -> io.BytesIO:
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": str(crf)})
        for number, plane in enumerate(planes):
            height, width = (side // 2 * 2 for side in plane.shape)
            if number == 0:
                stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            grey = np.full((height * 3 // 2, width), 128, np.uint8)
            grey[:height] = plane[:height, :width]
            frame = av.VideoFrame.from_ndarray(grey, format="yuv420p")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    file.seek(0)
    return file


def _decode(source: Path | io.BytesIO) -> Iterator[Luma]:
    with av.open(str(source) if isinstance(source, Path) else source, "r") as container:
        for frame in container.decode(video=0):
            plane = frame.planes[0]
            rows = np.frombuffer(bytes(plane), np.uint8).reshape(plane.height, plane.line_size)
            yield rows[: frame.height, : frame.width]
