"""The published vectors agree with the product and with an independent computation."""

import hashlib
import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assent.kit.watermark.carriers import Carriers, first_variant
from assent.kit.watermark.embed import Embedder
from assent.kit.watermark.key import ReadingKey
from assent.kit.watermark.payload import CODE, payload_bits

SPECS = Path(__file__).parents[4] / "docs" / "specs"


@pytest.fixture(scope="module")
def published() -> dict[str, Any]:
    vectors: dict[str, Any] = json.loads((SPECS / "watermark-vectors.json").read_text())
    return vectors


@pytest.fixture(scope="module")
def mine(published: dict[str, Any]) -> Carriers:
    return Carriers.derive(ReadingKey.from_bytes(bytes.fromhex(published["key"])))


@pytest.fixture(scope="module")
def codeword(published: dict[str, Any]) -> np.ndarray:
    return CODE.encode(payload_bits(int(published["asset_id"], 16)))


def digest(numbers: np.ndarray) -> str:
    text = ",".join(str(int(number)) for number in numbers.ravel())
    return hashlib.sha256(text.encode()).hexdigest()


def pairs(values: np.ndarray) -> np.ndarray:
    return np.stack([values.real, values.imag], axis=1)


def test_the_generator_still_computes_the_published_vectors(published: dict[str, Any]) -> None:
    path = SPECS / "make_watermark_vectors.py"
    spec = importlib.util.spec_from_file_location("make_watermark_vectors", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert json.loads(json.dumps(module.vectors())) == published


def test_streams(published: dict[str, Any]) -> None:
    key = ReadingKey.from_bytes(bytes.fromhex(published["key"]))
    for label, words in published["streams"].items():
        numbers = key.stream(label)
        assert [numbers.below(1 << 32) for _ in words] == words
    order = key.stream("place").permutation(10)
    assert order == published["permutation_of_10_in_stream_place"]
    assert key.stream("sign/3").bits(40) == published["bits_of_stream_sign_3"]
    assert first_variant(key, int(published["asset_id"], 16)) == published["first_variant"]


def test_payload_and_code(published: dict[str, Any], codeword: np.ndarray) -> None:
    payload = np.packbits(payload_bits(int(published["asset_id"], 16))).tobytes()
    assert payload.hex() == published["asset_id"]
    assert CODE.information_places.tolist() == published["information_places"]
    assert np.packbits(codeword).tobytes().hex() == published["codeword"]


def test_carriers(published: dict[str, Any], mine: Carriers, codeword: np.ndarray) -> None:
    assert len(mine.all) == published["carriers"]
    assert mine.all[:8].tolist() == published["first_carriers"]
    assert digest(mine.all) == published["carriers_sha256"]
    assert digest(mine.bit_of) == published["places_sha256"]
    assert digest(mine.sign[published["variant"]]) == published["signs_sha256"]
    values = mine.coefficients(codeword, published["variant"])
    assert np.allclose(pairs(values[:4]), published["first_coefficients"], atol=2e-9)
    assert np.allclose(pairs(values[128:132]), published["coefficients_128_to_131"], atol=2e-9)


def test_pattern(published: dict[str, Any], mine: Carriers, codeword: np.ndarray) -> None:
    values = mine.coefficients(codeword, published["variant"])
    for x, y, expected in published["pattern"]:
        phase = 2 * np.pi / 256 * (mine.all @ np.array([x, y]))
        assert np.isclose((values * np.exp(1j * phase)).real.sum(), expected, atol=1e-8)


def test_pictures_show_the_pattern_at_their_pixel_centres(
    published: dict[str, Any], mine: Carriers, codeword: np.ndarray
) -> None:
    key = ReadingKey.from_bytes(bytes.fromhex(published["key"]))
    asset_id = int(published["asset_id"], 16)
    embedder = Embedder(width=640, height=320, bits=10, asset_id=asset_id, key=key)
    plane = np.full((320, 640), 512, np.uint16)
    change = embedder.mark(plane).astype(float) - plane
    # Every fourth pixel is enough.
    change = change[::4, ::4]
    y, x = (np.mgrid[0:320:4, 0:640:4] + 0.5) * (512 / 320)
    values, pattern = (
        mine.coefficients(codeword, published["first_variant"]),
        np.zeros(change.shape),
    )
    for (kx, ky), value in zip(mine.all, values, strict=True):
        phase = 2 * np.pi / 256 * (kx * x + ky * y)
        pattern += value.real * np.cos(phase) - value.imag * np.sin(phase)
    # What is left over is dither and rounding.
    # A pattern off by half a pixel would correlate by three quarters.
    assert np.corrcoef(change.ravel(), pattern.ravel())[0, 1] > 0.88
