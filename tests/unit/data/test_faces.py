from collections import Counter

import numpy as np
import pytest
from numpy.typing import NDArray

from assent.data.faces import CROP_SIZE, FaceCutter
from assent.kit.faces.align import MEAN_FACE
from assent.kit.faces.mesh import POINTS, landmarks_of
from assent.kit.faces.packed import PackedMesh
from assent.kit.faces.tracks import Track, TrackPoint

PLACES = landmarks_of(np.repeat(np.arange(POINTS)[:, None], 3, axis=1))[:, 0].astype(int)


def point(index: int, *, run: int = 1, left: float = 30) -> TrackPoint:
    """A mean face of 40 pixels; z is 1 pixel at the landmarks and 0 elsewhere."""
    mesh = np.tile(np.array([left, 35, 0], np.float32), (POINTS, 1))
    mesh[PLACES, :2] = MEAN_FACE * 40 + (left, 35)
    mesh[PLACES, 2] = 1
    return TrackPoint(
        index=index, run=run, pts=index, seconds=index / 25, box=(left, 0, left + 1, 1), score=1,
        packed=PackedMesh.of(mesh),
    )  # fmt: skip


def track(*points: TrackPoint) -> Track:
    return Track(id=0, points=points, embeddings=np.zeros((1, 128), np.float32), embedded_at=(0.0,))


def frame(level: int = 0) -> NDArray[np.uint8]:
    return np.full((70, 120, 3), level, np.uint8)


def test_each_person_has_a_set_of_aligned_crops() -> None:
    cutter = FaceCutter()
    ada = [point(n) for n in range(4)]
    ben = [point(n, run=2, left=80) for n in (2, 3)]
    for index in range(4):
        here = [each for each in ada + ben if each.index == index]
        cutter.add(frame(40 * index), here)
    # Ada's run broke in two, and the last of Ben's faces turned out to be nobody's.
    named = [("ada", track(*ada[:3])), ("ben", track(ben[0])), ("ada", track(ada[3]))]
    sets = cutter.face_sets(named)
    assert {name: len(faces) for name, faces in sets.items()} == {"ada": 4, "ben": 1}
    faces = sets["ada"]
    assert faces.size == CROP_SIZE
    assert faces.seconds.tolist() == [0, 0.04, 0.08, 0.12]
    assert faces.faces[:, 9, 9, 0].tolist() == [0, 40, 80, 120]
    # Landmarks lie in the crop as the mean face does, the mask covers them, z is on their scale.
    assert np.ptp(faces.landmarks[0], axis=0).max() == pytest.approx(CROP_SIZE * 0.8, rel=0.35)
    x, y = faces.landmarks[0][30].round().astype(int)
    assert faces.masks[0][y, x] == 255
    assert faces.masks[0][0, 0] == 0
    assert np.array_equal(faces.landmarks[0], landmarks_of(faces.meshes[0]))
    assert faces.meshes[0][PLACES, 2] == pytest.approx(CROP_SIZE * 0.8 / 40, rel=0.01)


def test_a_long_clip_is_thinned_evenly() -> None:
    cutter = FaceCutter(most=40)
    points = [point(n) for n in range(300)]
    for each in points:
        cutter.add(frame(), [each])
    faces = cutter.face_sets([("ada", track(*points))])["ada"]
    assert 20 <= len(faces) <= 40
    gaps = np.diff(faces.seconds * 25).round()
    assert set(Counter(gaps.tolist())) == {gaps[0]}


def test_who_is_seen_for_a_moment_only_is_not_thinned_out() -> None:
    cutter = FaceCutter(most=40)
    ada, ben = [point(n) for n in range(300)], [point(n, run=2, left=80) for n in range(100, 110)]
    for each in ada:
        cutter.add(frame(), [each, *(other for other in ben if other.index == each.index)])
    sets = cutter.face_sets([("ada", track(*ada)), ("ben", track(*ben))])
    assert len(sets["ben"]) == 10
    assert 15 <= len(sets["ada"]) <= 30


def test_somebody_never_cut_has_no_set() -> None:
    assert FaceCutter().face_sets([("ada", track(point(1)))]) == {}


def test_many_short_runs_come_to_an_end() -> None:
    """As when every frame of a shaken or flashing clip is a cut."""
    cutter = FaceCutter(most=3)
    points = [point(n, run=n) for n in range(8)]
    for each in points:
        cutter.add(frame(), [each])
    faces = cutter.face_sets([("ada", track(each)) for each in points])["ada"]
    assert 1 <= len(faces) <= 3
