"""A face set survives storage and refuses what doesn't belong together."""

import io
from dataclasses import replace

import numpy as np
import pytest

from assent.kit.errors import IntegrityError
from assent.kit.faces.face_set import FaceSet


def some_faces() -> FaceSet:
    rng = np.random.default_rng(1)
    return FaceSet(
        faces=rng.integers(0, 256, (3, 32, 32, 3), np.uint8),
        masks=rng.integers(0, 256, (3, 32, 32), np.uint8),
        landmarks=rng.uniform(0, 32, (3, 68, 2)).astype(np.float32),
        meshes=rng.uniform(0, 32, (3, 478, 3)).astype(np.float32),
        seconds=np.array([0.0, 0.04, 0.5]),
    )


def test_bytes_bring_back_the_same_set() -> None:
    faces = some_faces()
    again = FaceSet.from_bytes(faces.to_bytes())
    for name in ("faces", "masks", "landmarks", "meshes", "seconds"):
        assert np.array_equal(getattr(faces, name), getattr(again, name))
    assert (len(again), again.size) == (3, 32)


@pytest.mark.parametrize(
    "change",
    [
        {"masks": np.zeros((2, 32, 32), np.uint8)},
        {"faces": np.zeros((3, 32, 30, 3), np.uint8)},
        {"faces": np.zeros((3, 32, 32, 3), np.float32)},
        {"faces": np.zeros((), np.uint8)},
        {"landmarks": np.full((3, 68, 2), np.nan, np.float32)},
        {"meshes": np.full((3, 478, 3), np.inf, np.float32)},
        {"meshes": np.zeros((3, 478, 2), np.float32)},
    ],
)
def test_arrays_that_do_not_fit_are_refused(change: dict[str, np.ndarray]) -> None:
    with pytest.raises(ValueError, match=r"expected|finite|at least"):
        replace(some_faces(), **change)


def test_an_empty_set_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        FaceSet(
            faces=np.zeros((0, 8, 8, 3), np.uint8),
            masks=np.zeros((0, 8, 8), np.uint8),
            landmarks=np.zeros((0, 68, 2), np.float32),
            meshes=np.zeros((0, 478, 3), np.float32),
            seconds=np.zeros(0),
        )


def pickled() -> bytes:
    sink = io.BytesIO()
    names = ("faces", "masks", "landmarks", "meshes", "seconds")
    np.savez(sink, **{name: np.array([{"a": 1}], object) for name in names})  # type: ignore[arg-type] # a stranger's archive
    return sink.getvalue()


@pytest.mark.parametrize(
    "data",
    [b"", b"PK not a zip", some_faces().to_bytes()[:-200], pickled()],
    ids=["empty", "noise", "cut off", "pickled"],
)
def test_other_bytes_are_an_integrity_error(data: bytes) -> None:
    with pytest.raises(IntegrityError, match="not a face set"):
        FaceSet.from_bytes(data)


def test_a_flipped_bit_is_an_integrity_error() -> None:
    data = bytearray(some_faces().to_bytes())
    data[len(data) // 3] ^= 16
    with pytest.raises(IntegrityError, match="not a face set"):
        FaceSet.from_bytes(bytes(data))
