"""Strokes on the face's chart: bounded, and moved or faded between keyframes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.create.repair.brush import corrected, drawn, field_at
from assent.create.repair.document import MaskKey, MaskRepair, Mode, Stroke

SIZE = 64
PLACE = st.lists(st.integers(-2000, 12000), min_size=2, max_size=2)
STROKE = st.builds(
    Stroke,
    mode=st.sampled_from(Mode),
    points=st.lists(PLACE, min_size=1, max_size=6),
    size=st.integers(1, 500),
    soft=st.integers(0, 1000),
    fill=st.booleans(),
)


def dot(x: int, mode: Mode = Mode.ERASE) -> Stroke:
    return Stroke(mode=mode, points=[[x, 5000]], size=80, soft=0)


def middle(field: np.ndarray) -> float:
    weights = np.abs(field)
    return float((weights * np.arange(SIZE)).sum() / weights.sum())


@given(st.lists(STROKE, max_size=5))
def test_a_field_stays_within_its_bounds(strokes: list[Stroke]) -> None:
    field = drawn(strokes, SIZE)
    assert np.abs(field).max(initial=0) <= 1
    assert np.isfinite(field).all()


@given(st.lists(STROKE, max_size=3))
def test_what_is_shown_stays_within_what_may_be(strokes: list[Stroke]) -> None:
    rng = np.random.default_rng(1)
    most = rng.random((SIZE, SIZE), np.float32)
    share = most * rng.random((SIZE, SIZE), np.float32)
    shown = corrected(share, most, drawn(strokes, SIZE))
    assert (shown >= 0).all()
    assert (shown <= most + 1e-6).all()


def test_strokes_that_correspond_move_between_keys() -> None:
    keys = [MaskKey(frame=0, strokes=[dot(2000)]), MaskKey(frame=10, strokes=[dot(8000)])]
    repair = MaskRepair(first=0, last=10, keys=keys)
    fields = [field_at(repair, n, SIZE) for n in (0, 5, 10)]
    places = [middle(field) for field in fields if field is not None]
    assert places == pytest.approx([0.2 * 63, 0.5 * 63, 0.8 * 63], abs=0.6)
    assert fields[1] is not None
    assert fields[1].min() == -1


def test_others_fade_and_clear_takes_back() -> None:
    keys = [MaskKey(frame=0, strokes=[dot(5000)]), MaskKey(frame=10)]
    repair = MaskRepair(first=0, last=10, keys=keys)
    half = field_at(repair, 5, SIZE)
    assert half is not None
    assert half.min() == pytest.approx(-0.5)
    assert field_at(repair, 10, SIZE) is None
    assert field_at(repair, 11, SIZE) is None
    wider = Stroke(mode=Mode.CLEAR, points=[[5000, 5000]], size=160, soft=0)
    assert not drawn([dot(5000), wider], SIZE).any()


def test_an_area_is_filled() -> None:
    around = [[2000, 2000], [8000, 2000], [8000, 8000], [2000, 8000]]
    filled = drawn([Stroke(mode=Mode.PAINT, points=around, size=5, fill=True)], SIZE)
    line = drawn([Stroke(mode=Mode.PAINT, points=around, size=5)], SIZE)
    assert (filled[32, 32], line[32, 32]) == (1, 0)
