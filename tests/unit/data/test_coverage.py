"""What footage covers, in figures that tell what to film next."""

import numpy as np
import pytest
from numpy.typing import NDArray

from assent.data.accounting import read_spans, spans
from assent.data.coverage import (
    Look,
    coverage_of,
    lanes_of,
    look_of,
    merge_looks,
)
from assent.data.tracks import PersonTrack
from assent.kit.faces.face_set import FaceSet
from assent.kit.faces.mesh import landmarks_of


def head() -> NDArray[np.float64]:
    """A face that looks at the camera: an ellipsoid with its points where a mesh has them."""
    noise = np.random.default_rng(2)
    mesh = noise.normal(0, 40, (478, 3))
    # Eyes, sides, top and chin decide where it looks.
    for vertex, place in {
        33: (-45, -20, 0), 263: (45, -20, 0), 234: (-70, 0, 40), 454: (70, 0, 40),
        10: (0, -90, 0), 152: (0, 90, 0),
    }.items():  # fmt: skip
        mesh[vertex] = place
    return mesh


def turned(yaw: float, pitch: float) -> NDArray[np.float32]:
    """The head turned to the picture's right and lowered, by degrees."""
    a, b = np.radians([-yaw, pitch])
    across = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    down = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    return np.asarray(head() @ (across @ down).T + 200, np.float32)


def track(person: str, begins: float, poses: list[tuple[float, float]]) -> PersonTrack:
    meshes = np.stack([turned(*pose) for pose in poses])
    count = len(poses)
    first = round(begins * 25)
    return PersonTrack(
        person_id=person,
        index=np.arange(first, first + count),
        pts=np.arange(first, first + count),
        seconds=begins + np.arange(count) / 25,
        landmarks=np.stack([landmarks_of(mesh) for mesh in meshes]),
        meshes=meshes,
    )


def faces(level: int, count: int = 6) -> FaceSet:
    noise = np.random.default_rng(4).integers(-20, 20, (count, 64, 64, 3))
    return FaceSet(
        faces=np.clip(level + noise, 0, 255).astype(np.uint8),
        masks=np.full((count, 64, 64), 255, np.uint8),
        landmarks=np.full((count, 68, 2), 32, np.float32),
        meshes=np.full((count, 478, 3), 32, np.float32),
        seconds=np.arange(count, dtype=np.float64),
    )


@pytest.mark.parametrize(("yaw", "pitch"), [(0, 0), (25, 0), (-30, 0), (0, 15), (0, -20), (20, 10)])
def test_poses_are_read_off_the_mesh(yaw: float, pitch: float) -> None:
    look = look_of("ada", [track("ada", 0, [(yaw, pitch)])], None)
    assert look.poses[0] == pytest.approx((yaw, pitch), abs=4)


def test_lanes_join_what_is_hardly_apart() -> None:
    still = [(0.0, 0.0)] * 10
    lanes = lanes_of(
        [track("ben", 0, still), track("ada", 2, still), track("ada", 0, still),
         track("ada", 0.6, still)]
    )  # fmt: skip
    told = [(lane.person_id, lane.begins, lane.first, lane.last) for lane in lanes]
    assert told == [("ada", 0, 0, 24), ("ada", 2, 50, 59), ("ben", 0, 0, 9)]


def test_what_is_missing_is_told() -> None:
    ahead = [(0.0, 0.0), (2.0, 1.0)] * 60
    cover = coverage_of(look_of("ada", [track("ada", 0, ahead)], faces(120)))
    assert len(cover.advice) == 4
    assert any("right of the picture" in each for each in cover.advice)
    assert cover.is_wanted(2, 0)
    assert not cover.is_wanted(0, 0)
    assert cover.most > 20
    assert not any("dark" in each or "overexposed" in each for each in cover.warnings)
    every = [(y, p) for y in (-25.0, 0.0, 25.0) for p in (-14.0, 0.0, 14.0)] * 20
    assert coverage_of(look_of("ada", [track("ada", 0, every)], faces(120))).advice == ()


@pytest.mark.parametrize(("level", "word"), [(25, "dark"), (240, "overexposed")])
def test_light(level: int, word: str) -> None:
    look = look_of("ada", [track("ada", 0, [(0.0, 0.0)] * 120)], faces(level))
    assert any(word in each for each in coverage_of(look).warnings)


def test_small_soft_and_few() -> None:
    look = Look(person_id="ada", faces=20, poses=((0, 0),), across=40, fineness=-2.0, light=120)
    told = " ".join(coverage_of(look).warnings)
    assert "Few frames" in told
    assert "40 pixels" in told
    assert "soft" in told


def test_looks_of_several_clips_are_one() -> None:
    first = Look(person_id="ada", faces=100, poses=((0, 0),), across=80, fineness=-1.0, light=100)
    second = Look(person_id="ada", faces=300, poses=((9, 9),), across=150, light=200)
    both = merge_looks([first, second])
    assert (both.faces, both.across, both.fineness, both.light) == (400, 150, -1.0, 175)
    assert both.poses == ((0, 0), (9, 9))


def test_nobody() -> None:
    cover = coverage_of(look_of("ada", [], None))
    assert (cover.yaw, cover.advice, cover.most) == ((0, 0), (), 1)


def test_runs_are_read_back() -> None:
    runs = [(0.0, 3.5), (61.0, 63.2)]
    assert read_spans(f"shows a stranger, at {spans(runs)}; near: 0.7") == tuple(runs)
    assert read_spans("no film at all") == ()
