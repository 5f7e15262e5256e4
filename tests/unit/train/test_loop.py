"""Training learns, ends when it should, and goes on bit by bit from a saved state."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import torch

from assent.kit.errors import IntegrityError
from assent.kit.faces.face_set import FaceSet
from assent.train.config import TrainConfig
from assent.train.loop import Trainer
from assent.train.run import Progress

Sets = dict[str, FaceSet]
CPU = torch.device("cpu")


def ticking(step: float) -> Callable[[], float]:
    """A clock that is `step` seconds later each time it is read."""
    times: Iterator[float] = (step * n for n in range(10**9))
    return lambda: next(times)


def same(a: Trainer, b: Trainer) -> bool:
    pairs = ((a.network, b.network), (a.painting, b.painting))
    states = [(ours.state_dict(), theirs.state_dict()) for ours, theirs in pairs]
    return all(torch.equal(ours[name], theirs[name]) for ours, theirs in states for name in ours)


@pytest.mark.parametrize("half", [False, True])
def test_two_and_two_steps_are_four(sets: Sets, small: TrainConfig, half: bool) -> None:
    config = replace(small, half=half, average=0.9)
    whole = Trainer(sets, config, 3, device=CPU)
    whole.run(iterations=4)
    left = iter([False, False, True])
    first = Trainer(sets, config, 3, device=CPU)
    first.run(iterations=4, should_stop=lambda: next(left))
    assert first.iteration == 2
    second = Trainer.resume(first.state(), sets, device=CPU)
    second.run(iterations=4)
    assert same(whole, second)
    assert whole.history == second.history
    assert second.iteration == 4


def test_a_step_learns_from_all_that_is_accumulated(sets: Sets, small: TrainConfig) -> None:
    still = replace(small, rate=0.0)
    one, two = (Trainer(sets, replace(still, accumulate=n), 1, device=CPU) for n in (1, 2))
    first = {name: each.clone() for name, each in gradients(one).items()}
    expected = {name: (first[name] + each) / 2 for name, each in gradients(one).items()}
    found = gradients(two)
    assert two.iteration == 1
    for name, each in expected.items():
        torch.testing.assert_close(found[name], each)
    assert two.history == pytest.approx([sum(one.history) / 2])


def gradients(trainer: Trainer) -> dict[str, torch.Tensor]:
    trainer.step()
    named = trainer.network.named_parameters()
    return {name: part.grad for name, part in named if part.grad is not None}


def test_the_weights_that_paint_are_the_mean_of_the_latest(sets: Sets, small: TrainConfig) -> None:
    trainer = Trainer(sets, replace(small, average=0.5), 1, device=CPU)
    mean = trainer.network.encoder.code.weight.detach().clone()
    for number in range(1, 15):
        trainer.step()
        kept = min(0.5, (1 + number) / (10 + number))
        mean = kept * mean + (1 - kept) * trainer.network.encoder.code.weight.detach()
    torch.testing.assert_close(trainer.painting.encoder.code.weight, mean)
    assert not torch.equal(trainer.network.encoder.code.weight, mean)


def test_not_averaged_the_weights_that_learn_paint(sets: Sets, small: TrainConfig) -> None:
    trainer = Trainer(sets, replace(small, average=0.0), 1, device=CPU)
    assert trainer.painting is trainer.network
    assert same(trainer, Trainer.resume(trainer.state(), sets, device=CPU))


def test_other_seeds_give_other_models(sets: Sets, small: TrainConfig) -> None:
    trainers = [Trainer(sets, small, seed, device=CPU) for seed in (1, 1, 2)]
    assert same(trainers[0], trainers[1])
    assert not same(trainers[0], trainers[2])


def test_it_learns(sets: Sets, small: TrainConfig) -> None:
    trainer = Trainer(sets, replace(small, rate=5e-3), 1, device=CPU)
    trainer.run(iterations=100)
    assert sum(trainer.history[-10:]) < 0.75 * sum(trainer.history[:10])


def test_the_global_random_state_is_left_alone(sets: Sets, small: TrainConfig) -> None:
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    Trainer(sets, small, 1, device=CPU).step()
    assert torch.equal(torch.rand(3), expected)


def test_a_run_ends_with_its_time(sets: Sets, small: TrainConfig) -> None:
    trainer = Trainer(sets, small, 1, device=CPU, clock=ticking(0.5))
    told: list[Progress] = []
    last = trainer.run(seconds=2, on_progress=told.append)
    assert [progress.iteration for progress in told] == [1, 2, 3, 4]
    assert [progress.share for progress in told] == [0.25, 0.5, 0.75, 1.0]
    assert last == told[-1]
    assert set(told[0].losses.people) == {"ada", "ben"}


def test_earlier_time_counts(sets: Sets, small: TrainConfig) -> None:
    trainer = Trainer(sets, small, 1, device=CPU, clock=ticking(0.5))
    trainer.run(seconds=1)
    again = Trainer.resume(trainer.state(), sets, device=CPU, clock=ticking(0.5))
    again.run(seconds=2)
    assert (again.iteration, again.seconds) == (4, 2.0)
    assert again.run(seconds=2) is None


def test_what_ends_first_ends_the_run(sets: Sets, small: TrainConfig) -> None:
    trainer = Trainer(sets, small, 1, device=CPU, clock=ticking(1))
    trainer.run(seconds=100, iterations=2)
    assert trainer.iteration == 2
    assert trainer.run() is None


def test_the_state_is_saved_now_and_then_and_at_the_end(sets: Sets, small: TrainConfig) -> None:
    trainer = Trainer(sets, small, 1, device=CPU, clock=ticking(1))
    saved: list[bytes] = []
    trainer.run(iterations=5, checkpoint_every_s=2, save=saved.append)
    steps = [Trainer.resume(state, sets, device=CPU).iteration for state in saved]
    assert steps == [2, 4, 5]


def test_a_stopped_run_is_saved(sets: Sets, small: TrainConfig) -> None:
    left = iter([False, True])
    saved: list[bytes] = []
    trainer = Trainer(sets, small, 1, device=CPU)
    trainer.run(iterations=5, should_stop=lambda: next(left), save=saved.append)
    assert Trainer.resume(saved[-1], sets, device=CPU).iteration == 1


def test_other_people_are_refused(sets: Sets, small: TrainConfig) -> None:
    state = Trainer(sets, small, 1, device=CPU).state()
    with pytest.raises(IntegrityError, match="ada, ben"):
        Trainer.resume(state, {"ada": sets["ada"], "cleo": sets["ben"]}, device=CPU)


def test_the_order_of_people_is_the_models_own(sets: Sets, small: TrainConfig) -> None:
    trainer = Trainer(sets, small, 1, device=CPU)
    swapped = {"ben": sets["ben"], "ada": sets["ada"]}
    assert Trainer.resume(trainer.state(), swapped, device=CPU).people == ("ada", "ben")


def test_masks_of_the_set_decide_what_is_learned(sets: Sets, small: TrainConfig) -> None:
    empty = replace(sets["ben"], masks=sets["ben"].masks * 0)
    trainer = Trainer({"ada": sets["ada"], "ben": empty}, small, 1, device=CPU)
    losses = trainer.step()
    assert losses.people["ben"] < 0.5 * losses.people["ada"]
