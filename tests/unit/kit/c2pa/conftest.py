"""Small media and signing chains for the credential tests."""

import io
import wave
from collections.abc import Callable
from datetime import UTC, date, datetime

import av
import cv2
import numpy as np
import pytest

from assent.kit.c2pa.certificates import Chain, make_chain
from assent.kit.c2pa.manifest import Action, ListEntry, Plan, Scope
from assent.kit.c2pa.sign import Ingredient, sign

YESTERDAY = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="session")
def chain() -> Chain:
    return make_chain(organisation="Studio Nord", not_before=YESTERDAY, days=3650)


@pytest.fixture(scope="session")
def other_chain() -> Chain:
    return make_chain(organisation="Studio Süd", not_before=YESTERDAY, days=3650)


@pytest.fixture(scope="session")
def media() -> dict[str, bytes]:
    """Return one file of each MIME type that can be signed."""
    rng = np.random.default_rng(7)
    picture = cv2.blur(rng.integers(0, 256, (96, 128, 3), dtype=np.uint8), (9, 9))
    return {
        "video/mp4": _encode_clip(picture),
        "image/jpeg": bytes(cv2.imencode(".jpg", picture)[1]),
        "image/png": bytes(cv2.imencode(".png", picture)[1]),
        "video/quicktime": _encode_clip(picture, "mov"),
        "audio/wav": _hum(),
        "video/webm": _encode_clip(picture, "webm", "libvpx"),
        "video/x-matroska": _encode_clip(picture, "matroska"),
    }


def _hum() -> bytes:
    sink = io.BytesIO()
    with wave.open(sink, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        samples = 8000 * np.sin(np.arange(8000) / 8)
        file.writeframes(samples.astype("<i2").tobytes())
    return sink.getvalue()


def _encode_clip(picture: np.ndarray, form: str = "mp4", codec: str = "libx264") -> bytes:
    sink = io.BytesIO()
    with av.open(sink, "w", format=form) as container:
        stream = container.add_stream(codec, rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.height, stream.width = picture.shape[:2]
        stream.pix_fmt = "yuv420p"
        for shift in range(10):
            rolled = np.ascontiguousarray(np.roll(picture, shift, axis=1))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(rolled, format="bgr24")))
        container.mux(stream.encode(None))
    return sink.getvalue()


@pytest.fixture
def plan() -> Plan:
    return Plan(
        title="advert.mp4",
        generator_name="Assent",
        generator_version="0.1.0",
        digital_source_type="compositeWithTrainedAlgorithmicMedia",
        actions=(
            Action(name="c2pa.opened"),
            Action(
                name="c2pa.edited", description="Face replaced", parameters={"model": "model-1"}
            ),
            Action(name="c2pa.watermarked.bound"),
        ),
        asset_id="00ff" * 4,
        receipts=("ab" * 32, "cd" * 32),
        fingerprint="ISCC:KMD73CA6R4XJLI5CKYOYF7CYSL5PSBGQO33FNHPQNNCY4KHZALJ54JA",
        scope=Scope(
            acts=("release", "portray"), modalities=("face",), places=("EU",), ends=date(2027, 1, 1)
        ),
        status=(
            ListEntry(id="urn:uuid:2", path="status/1.jwt", index=70),
            ListEntry(id="urn:uuid:2", path="status/1.jwt", index=4),
        ),
        log="studio.example/log",
        when=datetime(2026, 11, 2, 10, 30, tzinfo=UTC),
    )


@pytest.fixture
def signed(media: dict[str, bytes], plan: Plan, chain: Chain) -> Callable[[str], bytes]:
    """Return a function that gives a signed file of a MIME type."""

    def make(mime: str) -> bytes:
        sink = io.BytesIO()
        footage = Ingredient(title="footage", mime=mime, stream=io.BytesIO(media[mime]))
        source = io.BytesIO(media[mime])
        sign(source, sink, mime=mime, plan=plan, chain=chain, ingredient=footage, tsa_url=None)
        return sink.getvalue()

    return make
