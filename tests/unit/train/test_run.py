"""A run stops when it was told to, saves as it goes, and goes on where it stopped."""

import subprocess
import sys

import pytest

from assent.train.run import Losses, Progress, Run


class Counting(Run):
    """Learns nothing, and takes a second for it."""

    def __init__(self, total: int | None = None) -> None:
        self.now = 0.0
        super().__init__(lambda: self.now)
        self.total = total

    @property
    def learned(self) -> bool:
        return self.total is not None and self.iteration >= self.total

    def step(self, share: float = 0.0) -> Losses:
        self.now += 1
        self.iteration += 1
        self.history.append(1 - share)
        return Losses(1 - share, {})

    def state(self) -> bytes:
        return bytes([self.iteration])


def test_without_a_goal_only_what_comes_to_an_end_is_begun() -> None:
    assert Counting().run() is None
    reached = Counting(total=3).run()
    assert reached is not None
    assert (reached.iteration, reached.total) == (3, 3)


def test_the_first_goal_reached_ends_it() -> None:
    first, second = Counting(), Counting()
    first.run(seconds=5, iterations=2)
    second.run(seconds=2, iterations=5)
    assert (first.iteration, second.iteration) == (2, 2)


def test_time_had_before_counts() -> None:
    run = Counting()
    run.run(iterations=2)
    assert run.run(iterations=2) is None
    reached = run.run(iterations=3)
    assert reached is not None
    assert reached.iteration == 3


def test_saved_now_and_then_and_at_the_end() -> None:
    saved: list[bytes] = []
    Counting().run(iterations=5, checkpoint_every_s=2, save=saved.append)
    assert saved == [bytes([2]), bytes([4]), bytes([5])]


def test_stopped_between_steps_what_was_learned_is_saved() -> None:
    run, saved = Counting(), list[bytes]()
    run.run(iterations=9, should_stop=lambda: run.iteration == 4, save=saved.append)
    assert saved == [bytes([4])]


def test_told_after_each_step_how_far_it_is() -> None:
    told: list[Progress] = []
    Counting().run(iterations=4, on_progress=told.append)
    assert [step.share for step in told] == [0.25, 0.5, 0.75, 1.0]


@pytest.mark.parametrize("goal", [{"seconds": 0.0}, {"iterations": 0}])
def test_no_time_is_enough_for_nothing(goal: dict[str, float]) -> None:
    assert Counting(total=3).run(**goal) is None  # type: ignore[arg-type] # either of the two


def test_portraits_are_learned_without_pytorch() -> None:
    modules = "assent.story, assent.train.fit, assent.train.portraits, assent.apps.cli.main"
    missing = "import sys; sys.modules.update(torch=None, onnx=None, safetensors=None); import "
    done = subprocess.run([sys.executable, "-c", missing + modules], capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
