import numpy as np
import pytest

from assent.data.tracks import PersonTrack, of_person, pack_tracks, unpack_tracks
from assent.kit.errors import IntegrityError
from assent.kit.faces.mesh import POINTS, landmarks_of
from assent.kit.faces.packed import PackedMesh
from assent.kit.faces.tracks import Track, TrackPoint


def track(person: str, first: int, count: int = 3) -> PersonTrack:
    index = np.arange(first, first + count)
    marks = np.random.default_rng(first).normal(size=(count, 68, 2)).astype(np.float32)
    meshes = np.random.default_rng(first).uniform(-40, 400, (count, POINTS, 3)).astype(np.float32)
    return PersonTrack(
        person_id=person, index=index, pts=index * 512, seconds=index / 25, landmarks=marks,
        meshes=meshes,
    )  # fmt: skip


def test_tracks_come_back_as_they_were() -> None:
    tracks = (track("ada", 0), track("ben", 5, 1), track("ada", 9))
    again = unpack_tracks(pack_tracks(tracks))
    assert [t.person_id for t in again] == ["ada", "ben", "ada"]
    for old, new in zip(tracks, again, strict=True):
        for name in ("index", "pts", "seconds", "landmarks"):
            assert getattr(new, name).dtype == getattr(old, name).dtype
            assert np.array_equal(getattr(new, name), getattr(old, name))
        assert new.meshes.dtype == np.float32
        assert np.abs(new.meshes - old.meshes).max() < 0.01
    assert unpack_tracks(pack_tracks([])) == ()


def test_ones_own_tracks_in_order_of_time() -> None:
    tracks = [track("ada", 9), track("ben", 0), track("ada", 2)]
    assert [t.index[0] for t in of_person(tracks, "ada")] == [2, 9]
    assert of_person(tracks, "cleo") == ()


def test_a_followed_face_is_taken_over() -> None:
    mesh = np.random.default_rng(1).uniform(0, 99, (POINTS, 3)).astype(np.float32)
    points = tuple(
        TrackPoint(
            index=n, run=1, pts=n * 512, seconds=n / 25, box=(0, 0, 9, 9), score=1,
            packed=PackedMesh.of(mesh),
        )
        for n in (4, 5)
    )  # fmt: skip
    embedding = np.zeros((1, 128), np.float32)
    taken = PersonTrack.of(
        Track(id=0, points=points, embeddings=embedding, embedded_at=(0.2,)), "ada"
    )
    assert (taken.person_id, taken.pts.tolist()) == ("ada", [2048, 2560])
    np.testing.assert_allclose(taken.meshes, np.stack([mesh, mesh]), atol=0.002)
    assert np.array_equal(taken.landmarks[0], landmarks_of(taken.meshes[0]))


def test_other_bytes_are_no_tracks() -> None:
    data = pack_tracks([track("ada", 0)])
    for junk in (b"", b"PK\x03\x04", b"junk" * 9, data[:100], data[: len(data) // 2]):
        with pytest.raises(IntegrityError, match="not tracks"):
            unpack_tracks(junk)
    renamed = data.replace(b"pts_0", b"pts_9")
    with pytest.raises(IntegrityError, match="not tracks"):
        unpack_tracks(renamed)
