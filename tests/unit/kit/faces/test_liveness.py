import numpy as np
import pytest
from numpy.typing import NDArray

from assent.kit.faces.liveness import (
    blinks,
    jumps,
    longest_repeat,
    longest_standstill,
    mouth_openings,
)

Floats = NDArray[np.float64]
RATE = 15.0


def face() -> Floats:
    """A face [478, 2]; its eyes' outer corners are 100 pixels apart."""
    points = np.random.default_rng(1).uniform(0, 200, (478, 2))
    points[33], points[263] = (50, 80), (150, 80)
    points[133], points[362] = (80, 80), (120, 80)
    points[159], points[145], points[386], points[374] = (65, 75), (65, 85), (135, 75), (135, 85)
    points[13], points[14] = (100, 150), (100, 152)
    return points


def held(seconds: float) -> tuple[Floats, Floats]:
    """Times and the same face again and again."""
    times = np.arange(0, seconds, 1 / RATE)
    return times, np.repeat(face()[None], len(times), axis=0)


def wandering(times: Floats, seed: int = 2) -> Floats:
    """A face that moves about as a living one does, never the same way."""
    random = np.random.default_rng(seed)
    path = np.zeros((len(times), 2))
    for _ in range(5):
        speed, phase = random.uniform(0.5, 3.0), random.uniform(0, 6, 2)
        path += 4 * np.sin(speed * times[:, None] + phase)
    return face() + path[:, None, :]


def test_a_mouth_that_speaks_is_counted_and_a_still_one_is_not() -> None:
    times, meshes = held(4.0)
    assert mouth_openings(meshes) == 0
    meshes[:, 14, 1] += 8 + 6 * np.sin(2 * np.pi * 2.0 * times)
    assert 14 <= mouth_openings(meshes) <= 17


def test_noise_of_the_network_is_no_speech() -> None:
    _, meshes = held(4.0)
    meshes += np.random.default_rng(3).normal(0, 0.3, meshes.shape)
    assert mouth_openings(meshes) == 0


def test_frames_without_a_face_are_passed_over() -> None:
    times, meshes = held(4.0)
    meshes[:, 14, 1] += 8 + 6 * np.sin(2 * np.pi * 2.0 * times)
    meshes[10:14] = np.nan
    assert mouth_openings(meshes) > 10
    assert mouth_openings(np.full((5, 478, 2), np.nan)) == 0


def test_blinks_are_counted() -> None:
    _, meshes = held(3.0)
    assert blinks(meshes) == 0
    for shut in (10, 11, 30):
        meshes[shut, [159, 386], 1] += 8
    assert blinks(meshes) == 2
    assert blinks(meshes[:0]) == 0


def test_movement_is_no_jump_and_a_cut_is_one() -> None:
    times = np.arange(0, 6, 1 / RATE)
    moving = wandering(times)
    assert jumps(times, moving).max() < 0.02
    cut = moving.copy()
    cut[40:] += 30
    found = jumps(times, cut)
    assert int(found.argmax()) == 40
    assert found[40] > 0.18


def test_a_head_that_is_thrown_round_is_no_jump() -> None:
    times, meshes = held(3.0)
    swing = 40 / (1 + np.exp(-(times - 1.5) * 12))
    assert jumps(times, meshes + swing[:, None, None]).max() < 0.1


def test_a_lost_frame_in_a_movement_is_no_jump() -> None:
    times = np.arange(0, 4, 1 / RATE)
    meshes = face() + (60 * times)[:, None, None] * np.array([1.0, 0.0])
    kept = np.ones(len(times), bool)
    kept[[20, 21, 22]] = False
    assert jumps(times[kept], meshes[kept]).max() < 0.05


def test_few_frames_have_no_jumps() -> None:
    times, meshes = held(1.0)
    meshes[4:] = np.nan
    meshes[:1] = np.nan
    assert jumps(times, meshes).max() == 0
    assert longest_repeat(times, meshes) == 0


def test_a_picture_that_stands_is_timed() -> None:
    times = np.arange(0, 4, 0.1)
    changes = np.ones(len(times))
    assert longest_standstill(times, changes, under=0.02) == pytest.approx(0.0)
    changes[5:26] = 0.0
    assert longest_standstill(times, changes, under=0.02) == pytest.approx(2.1)


def test_a_loop_is_found_whatever_its_length() -> None:
    times = np.arange(0, 12, 1 / RATE)
    assert longest_repeat(times, wandering(times)) == 0
    for period in (2.0, 4.1):
        assert longest_repeat(times, wandering(times % period)) > 1.5


def test_a_piece_that_comes_again_once_is_found_despite_noise_and_lost_frames() -> None:
    random = np.random.default_rng(4)
    times = np.arange(0, 12, 1 / RATE)
    shown = np.where((times > 8) & (times < 10.5), times - 6.23, times)
    meshes = wandering(shown) + random.normal(0, 0.2, (len(times), 478, 2))
    kept = random.random(len(times)) > 0.05
    assert longest_repeat(times[kept], meshes[kept]) > 1.5


def test_who_sits_still_repeats_nothing() -> None:
    times, meshes = held(8.0)
    meshes += np.random.default_rng(5).normal(0, 0.2, meshes.shape)
    assert longest_repeat(times, meshes) == 0
