"""Between keyframes: exact at them, monotone between, constant beyond."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.create.repair.between import between, strength_at
from assent.create.repair.document import Blend, Span

KEYS = st.lists(st.integers(0, 500), min_size=1, max_size=8, unique=True).map(sorted)
BLENDS = st.sampled_from(Blend)


def value(keys: list[int], values: list[float], frame: int, blend: Blend) -> float:
    before, after, share = between(keys, frame, blend)
    return (1 - share) * values[before] + share * values[after]


@given(KEYS, BLENDS)
def test_at_a_key_it_counts_alone(keys: list[int], blend: Blend) -> None:
    values = [float(n) for n in range(len(keys))]
    assert [value(keys, values, key, blend) for key in keys] == values


@given(KEYS, BLENDS, st.integers(-50, 600))
def test_it_never_leaves_what_is_around(keys: list[int], blend: Blend, frame: int) -> None:
    before, after, share = between(keys, frame, blend)
    assert 0 <= share < 1
    assert after in (before, before + 1)
    if share > 0:
        assert keys[before] < frame < keys[after]


@given(KEYS, BLENDS)
def test_rising_keys_give_rising_values(keys: list[int], blend: Blend) -> None:
    values = [float(n) for n in range(len(keys))]
    found = [value(keys, values, frame, blend) for frame in range(keys[0] - 3, keys[-1] + 4)]
    assert found == sorted(found)
    assert (found[0], found[-1]) == (values[0], values[-1])


def test_hold_jumps_and_smooth_starts_slowly() -> None:
    assert value([0, 10], [0, 1], 9, Blend.HOLD) == 0
    assert value([0, 10], [0, 1], 1, Blend.SMOOTH) < value([0, 10], [0, 1], 1, Blend.LINEAR)
    assert value([0, 10], [0, 1], 5, Blend.SMOOTH) == pytest.approx(0.5)


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 20), st.integers(-5, 120))
def test_strength_is_nothing_outside_and_even_on_both_sides(
    first: int, length: int, ease: int, frame: int
) -> None:
    span = Span(first=first, last=first + length)
    strength = strength_at(span, ease, frame)
    assert 0 <= strength <= 1
    assert (strength == 0) == (not span.covers(frame))
    assert strength == strength_at(span, ease, 2 * first + length - frame)
    if ease == 0 and span.covers(frame):
        assert strength == 1
