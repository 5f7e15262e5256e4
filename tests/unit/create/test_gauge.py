"""Painted faces are measured against those that they replace."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from footage import footage

from assent.create.gauge import EVERY, Gauge
from assent.create.patches import Patch, cut
from assent.create.quality import Measures
from assent.data.tracks import PersonTrack
from assent.kit.faces.mesh import MeshFinder, MeshFit, landmarks_of
from assent.kit.media.convert import from_rgb
from assent.kit.media.picture import Picture


@pytest.fixture
def gauge(landmarks: np.ndarray) -> Gauge:
    count = 4 * EVERY
    track = PersonTrack(
        person_id="ada",
        index=np.arange(count),
        pts=np.arange(count),
        seconds=np.arange(count) / 25,
        landmarks=np.repeat(landmarks[None], count, 0),
        meshes=np.zeros((count, 478, 3), np.float32),
    )
    return Gauge([track])


def all_of(picture: Picture) -> Patch:
    return cut(picture, (0, 0, picture.width, picture.height))


def brightened(picture: Picture, grey: int) -> Patch:
    return all_of(replace(picture, y=picture.y + np.uint8(grey)))


def test_detail_is_compared(gauge: Gauge, picture: Picture) -> None:
    flat = replace(picture, y=(picture.y // 2 + 70).astype(np.uint8))
    measured = gauge.measure(0, picture, all_of(flat))
    assert measured.sharpness == pytest.approx(0.5, abs=0.05)
    assert measured.jitter is None
    assert gauge.measure(EVERY, flat, all_of(picture)).sharpness == pytest.approx(2, abs=0.2)


def test_a_face_without_detail_says_nothing(gauge: Gauge, picture: Picture) -> None:
    even = replace(picture, y=np.full_like(picture.y, 100))
    assert gauge.measure(0, even, all_of(picture)).sharpness is None


def test_jitter_is_how_much_the_change_changes(gauge: Gauge, picture: Picture) -> None:
    gauge.measure(0, picture, brightened(picture, 10))
    assert gauge.measure(1, picture, brightened(picture, 13)).jitter == pytest.approx(3)
    gauge.measure(EVERY, picture, brightened(picture, 10))
    assert gauge.measure(EVERY + 1, picture, brightened(picture, 10)).jitter == pytest.approx(0)


def test_only_neighbours_are_compared(gauge: Gauge, picture: Picture) -> None:
    gauge.measure(0, picture, brightened(picture, 10))
    assert gauge.measure(EVERY + 1, picture, brightened(picture, 13)).jitter is None


def test_most_frames_and_untouched_ones_are_passed_over(gauge: Gauge, picture: Picture) -> None:
    other = brightened(picture, 10)
    assert all(gauge.measure(n, picture, other) == Measures() for n in range(2, EVERY))
    assert gauge.measure(0, picture, Patch(pts=picture.pts)) == Measures()
    assert gauge.measure(8 * EVERY, picture, other) == Measures()


def test_a_face_is_recognised_by_the_pictures_that_it_is_painted_from(samples: Path) -> None:
    frames = footage(samples / "ben_train.mp4", first=0, count=7, step=9)
    stranger = footage(samples / "cleo_train.mp4", first=0, count=2, step=20)
    points = [landmarks_of(fit.points) for fit in fits(frames.frames)]
    exemplars = list(zip(frames.frames[:6], points[:6], strict=True))
    places = [points[6], landmarks_of(fits(stranger.frames[1:])[0].points)]
    known = PersonTrack(
        person_id="ben",
        index=np.array([0, 32]),
        pts=np.array([0, 32]),
        seconds=np.array([0, 1.28]),
        landmarks=np.stack(places).astype(np.float32),
        meshes=np.zeros((2, 478, 3), np.float32),
    )
    gauge = Gauge([known], exemplars)
    own, other = (from_rgb(each) for each in (frames.frames[6], stranger.frames[1]))
    assert (gauge.measure(0, own, all_of(own)).identity or 1) < 0.45
    assert (gauge.measure(32, other, all_of(other)).identity or 0) > 0.6
    assert Gauge([known]).measure(0, own, all_of(own)).identity is None


def fits(frames: list[np.ndarray]) -> list[MeshFit]:
    height, width = frames[0].shape[:2]
    box = (0.33 * width, 0.25 * height, 0.67 * width, 0.7 * height)
    return [MeshFinder().fit(frame, box) for frame in frames]
