import itertools
import math

import numpy as np
import pytest

from assent.kit.watermark.sound.code import CODE, TILES_PER_BIT, message_of
from assent.kit.watermark.sound.statistics import (
    FALSE_PER_FILE,
    MISREAD,
    log10_chance,
    log10_misread,
    log10_trials,
)


def test_the_bound_lies_above_the_exact_chance_and_below_hoeffdings() -> None:
    sizes = np.random.default_rng(2).uniform(0.2, 2, 16)
    signs = np.array(list(itertools.product([-1, 1], repeat=16)))
    totals = signs @ sizes
    for share in (0.3, 0.6, 0.9):
        total = share * sizes.sum()
        exact = math.log10((totals >= total).mean())
        hoeffding = -(total**2) / (2 * sizes @ sizes) / math.log(10)
        assert exact <= log10_chance(sizes, total) <= hoeffding + 1e-6


@pytest.mark.parametrize("total", [0.0, -3.0])
def test_nothing_is_said_by_a_total_of_nothing(total: float) -> None:
    assert log10_chance(np.ones(10), total) == 0
    assert log10_chance(np.zeros(10), 1.0) == 0


def test_even_a_perfect_fit_is_no_surer_than_all_signs_right() -> None:
    bound = log10_chance(np.ones(100), 100.0)
    assert bound == pytest.approx(-100 * math.log10(2), rel=1e-3)


def test_the_shares_of_all_stretches_add_up_to_one() -> None:
    places = 192
    codewords = 32 * math.log10(2) + math.log10(places)
    shares = [10 ** (codewords - log10_trials(n, places)) for n in range(100_000)]
    # Each stretch is looked at in two ways.
    assert 2 * sum(shares) == pytest.approx(1, abs=1e-4)
    assert 2 * sum(shares) < 1


def test_a_false_report_is_rarer_than_promised_in_random_signs() -> None:
    # Scaled down: chances above 1e-3 must not come up more often than they say.
    rng = np.random.default_rng(9)
    sizes = np.abs(rng.normal(size=64))
    totals = (rng.choice([-1.0, 1.0], size=(20_000, 64)) * sizes).sum(axis=1)
    for chance in (0.1, 0.01, 0.001):
        seen = np.mean([log10_chance(sizes, t) <= math.log10(chance) for t in totals[:4000]])
        assert seen <= chance
    assert FALSE_PER_FILE == 1e-9


def told(rng: np.random.Generator, size: float) -> tuple[bool, float]:
    """Decode one period of a mark of `size` in noise: whether rightly, and how sure that is."""
    word = 1.0 - 2.0 * CODE.encode(message_of(int(rng.integers(2**32))))
    sums = size * word + rng.normal(size=CODE.bits)
    pilots = (size + rng.normal(size=256) * math.sqrt(TILES_PER_BIT)) / TILES_PER_BIT
    words = np.array([1.0 - 2.0 * CODE.encode(each) for each in CODE.decode(sums, paths=16)])
    totals = words @ sums
    best = int(np.argmax(totals))
    leads = totals[best] - np.delete(totals, best)
    return bool((words[best] == word).all()), log10_misread(sums * words[best], pilots, leads)


def test_a_number_is_misread_more_rarely_than_promised() -> None:
    rng = np.random.default_rng(4)
    for size in (0.45, 0.55, 0.7):
        tries = [told(rng, size) for _ in range(300)]
        right = np.array([right for right, _ in tries])
        sure = np.array([chance for _, chance in tries])
        assert not right.all() or size == 0.7
        # Of those said to be wrong once in ten, hundred, ... times, no more are.
        for level in (0.1, 0.01, MISREAD):
            passed = right[sure <= math.log10(level)]
            assert (~passed).sum() <= 3 * level * len(passed)
        assert size < 0.7 or sure[right].min() < math.log10(MISREAD)


def test_nothing_is_sure_without_a_mark_or_a_rival() -> None:
    assert log10_misread(np.full(256, -1.0), np.ones(256), np.array([9.0])) == 0
    assert log10_misread(np.ones(256), np.full(256, -1.0), np.array([9.0])) == 0
    assert log10_misread(np.ones(256), np.ones(256), np.zeros(0)) == 0
