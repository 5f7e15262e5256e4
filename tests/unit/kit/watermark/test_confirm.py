from collections.abc import Callable, Iterable

import numpy as np
import pytest
from numpy.typing import NDArray

from assent.kit.watermark.carriers import Carriers, first_variant
from assent.kit.watermark.confirm import trace
from assent.kit.watermark.embed import Embedder
from assent.kit.watermark.key import ReadingKey, SecretKey
from assent.kit.watermark.known import Known
from assent.kit.watermark.overlay import Overlay, Waves
from assent.kit.watermark.payload import CODE, payload_bits
from assent.kit.watermark.read import read_mark

Luma = NDArray[np.uint8]
Reencode = Callable[[Iterable[Luma], int], list[Luma]]
SECRET = SecretKey.from_bytes(bytes(32))


@pytest.fixture(scope="module")
def sealed(footage: list[Luma], key: ReadingKey, asset_id: int) -> list[Luma]:
    """Footage with both layers."""
    embedder = Embedder(width=384, height=384, bits=8, asset_id=asset_id, key=key, secret=SECRET)
    embedder.prepare(footage[::4])
    return [np.asarray(embedder.mark(plane), np.uint8) for plane in footage[::2]]


def confirmed(planes: Iterable[Luma], key: ReadingKey, secret: SecretKey = SECRET) -> float:
    mark = read_mark(planes, key=key, secret=secret).mark
    assert mark is not None
    assert mark.secret_nats is not None
    return mark.secret_nats


CHANGES: dict[str, Callable[[Luma], Luma]] = {
    "as it is": lambda p: p,
    "cropped": lambda p: p[40:-20, 30:-50],
    "mirrored": lambda p: p[:, ::-1],
    "upside down": lambda p: p[::-1, ::-1],
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_studio_knows_its_own_mark_again(
    sealed: list[Luma], reencode: Reencode, key: ReadingKey, name: str
) -> None:
    copies = reencode((CHANGES[name](plane) for plane in sealed), 24)
    assert confirmed(copies, key) > 30
    assert confirmed(copies, key, SecretKey.from_bytes(b"1" * 32)) < 3


def test_a_mark_that_somebody_else_put_there_is_not_confirmed(
    marked: list[Luma], key: ReadingKey
) -> None:
    assert confirmed(marked[:8], key) < 3


def test_who_does_not_ask_is_told_nothing(sealed: list[Luma], key: ReadingKey) -> None:
    mark = read_mark(sealed[:4], key=key).mark
    assert mark is not None
    assert mark.secret_nats is None


def test_a_still_is_confirmed(footage: list[Luma], key: ReadingKey) -> None:
    embedder = Embedder(width=384, height=384, bits=8, asset_id=3, key=key, secret=SECRET)
    embedder.prepare(footage[:1])
    assert confirmed([np.asarray(embedder.mark(footage[0]), np.uint8)], key) > 10


def test_the_layer_takes_nothing_more_of_the_picture(
    sealed: list[Luma], marked: list[Luma], footage: list[Luma]
) -> None:
    def error(planes: list[Luma], plain: list[Luma]) -> float:
        pairs = zip(planes, plain, strict=True)
        return float(np.mean([(a.astype(float) - b) ** 2 for a, b in pairs]))

    assert error(sealed, footage[::2]) == pytest.approx(error(marked, footage), rel=0.03)


def test_what_is_left_when_the_public_pattern_was_taken_off_is_traced(
    sealed: list[Luma], key: ReadingKey, asset_id: int
) -> None:
    carriers = Carriers.derive(key)
    word = CODE.encode(payload_bits(asset_id))
    against = -carriers.coefficients(word, first_variant(key, asset_id))
    remover = Overlay(
        Waves(2 * carriers.all, against), width=384, height=384, bits=8, psnr_db=40, loudness=0.6
    )
    planes = [np.asarray(remover.add(plane), np.uint8) for plane in sealed[:12]]
    known = Known([*range(40), asset_id])
    assert read_mark(planes, key=key, known=known).mark is None
    mark = read_mark(planes, key=key, known=known, secret=SECRET).mark
    assert mark is not None
    assert (mark.asset_id, mark.public, mark.listed, mark.segment) == (asset_id, False, 41, 0)
    search = read_mark(planes, key=key, known=Known(range(40)), secret=SECRET)
    assert search.mark is None
    assert "the secret layer in whole frames" in search.searched


def test_without_releases_there_is_nothing_to_trace() -> None:
    assert trace([], [np.zeros((512, 512), np.float32)], np.eye(2)) is None
