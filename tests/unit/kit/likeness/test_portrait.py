import io

import numpy as np
import pytest

from assent.kit.errors import IntegrityError
from assent.kit.likeness.portrait import Portrait


def test_a_portrait_comes_back_as_it_was(portrait: Portrait) -> None:
    again = Portrait.from_bytes(portrait.to_bytes())
    assert np.array_equal(again.shape, portrait.shape)
    assert np.array_equal(again.layout.triangles, portrait.layout.triangles)
    for name in ("mean", "ways", "spread", "deviation"):
        before, after = getattr(portrait.look, name), getattr(again.look, name)
        assert np.abs(after - before).max() < 0.01 * np.abs(before).max()
    assert np.array_equal(again.performer.looks, portrait.performer.looks)
    assert np.abs(again.offsets - portrait.offsets).max() < 1e-3
    assert np.abs(again.shades - portrait.shades).max() < 5e-3
    assert (again.coverage, again.finer) == (portrait.coverage, portrait.finer)
    worn = again.textures[:, portrait.layout.mask].astype(int)
    assert np.abs(worn - portrait.textures[:, portrait.layout.mask]).mean() < 3


def test_the_donor_is_brought_onto_the_performer(portrait: Portrait) -> None:
    apart = np.linalg.norm(portrait.shape - portrait.performer.shape, axis=1)
    assert 0.01 < apart.mean() < 0.15


@pytest.mark.parametrize("cut", [0, 10, 5000, -3000])
def test_half_a_portrait_is_refused(portrait: Portrait, cut: int) -> None:
    with pytest.raises(IntegrityError):
        Portrait.from_bytes(portrait.to_bytes()[:cut])


def test_flipped_bytes_are_refused(portrait: Portrait) -> None:
    data = bytearray(portrait.to_bytes())
    data[len(data) // 2] ^= 0xFF
    with pytest.raises(IntegrityError):
        Portrait.from_bytes(bytes(data))


def test_another_archive_is_refused() -> None:
    sink = io.BytesIO()
    np.savez(sink, format=np.array("something else"))
    with pytest.raises(IntegrityError, match="another version"):
        Portrait.from_bytes(sink.getvalue())


def test_nothing_pickled_is_read() -> None:
    sink = io.BytesIO()
    np.savez(sink, format=np.array([{"a": 1}], dtype=object))
    with pytest.raises(IntegrityError):
        Portrait.from_bytes(sink.getvalue())
