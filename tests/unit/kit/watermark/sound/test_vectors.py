"""The published vectors agree with the product and with an independent computation."""

import hashlib
import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from assent.kit.watermark.key import ReadingKey
from assent.kit.watermark.sound.code import CODE, message_of, short_number
from assent.kit.watermark.sound.pattern import Pattern, band_edges
from assent.kit.watermark.sound.statistics import log10_chance

SPECS = Path(__file__).parents[5] / "docs" / "specs"


@pytest.fixture(scope="module")
def published() -> dict[str, Any]:
    vectors: dict[str, Any] = json.loads((SPECS / "watermark-sound-vectors.json").read_text())
    return vectors


@pytest.fixture(scope="module")
def codeword(published: dict[str, Any]) -> NDArray[np.uint8]:
    return CODE.encode(message_of(short_number(int(published["asset_id"], 16))))


def digest(numbers: NDArray[Any]) -> str:
    text = ",".join(str(int(number)) for number in numbers.ravel())
    return hashlib.sha256(text.encode()).hexdigest()


def test_the_generator_still_computes_the_published_vectors(published: dict[str, Any]) -> None:
    path = SPECS / "make_watermark_sound_vectors.py"
    spec = importlib.util.spec_from_file_location("make_watermark_sound_vectors", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert json.loads(json.dumps(module.vectors())) == published


def test_code(published: dict[str, Any], codeword: NDArray[np.uint8]) -> None:
    assert np.packbits(codeword).tobytes().hex() == published["codeword"]


def test_pattern(published: dict[str, Any], codeword: NDArray[np.uint8]) -> None:
    pattern = Pattern.derive(ReadingKey.from_bytes(bytes.fromhex(published["key"])))
    assert pattern.bits.ravel()[:16].tolist() == published["first_tiles"]
    assert pattern.signs.ravel()[:16].tolist() == published["first_signs"]
    assert digest(pattern.bits) == published["tiles_sha256"]
    assert digest(pattern.signs) == published["signs_sha256"]
    assert digest(pattern.spell(codeword)) == published["directions_sha256"]


def test_bands(published: dict[str, Any]) -> None:
    places = [0, 1, 2, 32, 63, 64]
    assert np.allclose(band_edges()[places], published["band_edges"], atol=1e-5)


def test_bounds(published: dict[str, Any]) -> None:
    sizes = 1 + np.arange(512) * 37 % 101 / 50
    for total, expected in published["bounds"]["log10"]:
        assert log10_chance(sizes, total) == pytest.approx(expected, abs=0.01)
