from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from assent.kit.faces.shots import Change, ShotWatch

Frames = list[NDArray[np.uint8]]


def test_a_performance_holds_no_cut(sample: Callable[[str], Frames]) -> None:
    watch = ShotWatch()
    changes = [watch.see(frame) for frame in sample("scene1_ada")]
    assert changes[0] is Change.CUT
    assert Change.CUT not in changes[1:]


def test_another_scene_is_a_cut(sample: Callable[[str], Frames]) -> None:
    ada, ben = sample("ada_train")[:5], sample("ben_train")[:5]
    watch = ShotWatch()
    changes = [watch.see(frame) for frame in ada + ben]
    assert [i for i, change in enumerate(changes) if change is Change.CUT] == [0, 5]


def test_a_fast_pan_is_no_string_of_cuts() -> None:
    rough = np.random.default_rng(3).integers(0, 255, (3, 40, 3), np.uint8)
    wall = np.asarray(cv2.resize(rough, (1200, 90), interpolation=cv2.INTER_CUBIC), np.uint8)
    watch = ShotWatch()
    frames = [wall[:, x : x + 160] for x in range(0, 1000, 3)]
    changes = [watch.see(frame) for frame in frames]
    assert Change.CUT not in changes[1:]


def test_a_sudden_small_change_is_a_jump() -> None:
    still = np.full((90, 160, 3), 100, np.uint8)
    changed = still.copy()
    changed[20:70, 60:110] += 40
    watch = ShotWatch()
    changes = [watch.see(frame) for frame in (still, still, still, changed, changed)]
    assert changes[1:] == [Change.STEADY, Change.STEADY, Change.JUMP, Change.STEADY]
