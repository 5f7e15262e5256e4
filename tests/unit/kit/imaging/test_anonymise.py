"""What replaces a face is computed without looking at it."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from assent.kit.imaging.anonymise import Hidden, Oval, anonymise
from assent.kit.media.picture import Picture

HEAD = Oval(x=70.3, y=50.8, across=24.5, down=31.0, turn=0.3)


def picture(
    bits: int = 8, sampling: tuple[int, int] = (2, 2), size: tuple[int, int] = (112, 144)
) -> Picture:
    """Noise."""
    rng, top = np.random.default_rng(4), 1 << bits
    kind = np.uint8 if bits == 8 else np.uint16
    less = -(-size[0] // sampling[1]), -(-size[1] // sampling[0])
    return Picture(
        pts=3,
        y=rng.integers(0, top, size).astype(kind),
        u=rng.integers(0, top, less).astype(kind),
        v=rng.integers(0, top, less).astype(kind),
        bits=bits,
        full_range=False,
        matrix="bt709",
    )


def planes(shown: Picture) -> list[NDArray[np.integer]]:
    return [shown.y, shown.u, shown.v]


def inside(oval: Oval, shape: tuple[int, ...], across: int = 1, down: int = 1) -> NDArray[np.bool_]:
    rows = np.arange(shape[0], dtype=np.float32)[:, None] * down
    columns = np.arange(shape[1], dtype=np.float32)[None, :] * across
    return oval.covers(columns, rows)


def otherwise(shown: Picture, *ovals: Oval) -> Picture:
    """The same picture with something else in the ovals, chroma samples at their rim too."""
    rng, made = np.random.default_rng(99), []
    for plane in planes(shown):
        across, down = shown.width // plane.shape[1], shown.height // plane.shape[0]
        there = np.zeros(plane.shape, np.bool_)
        for oval in ovals:
            there |= inside(oval, plane.shape, across, down)
        noise = rng.integers(0, 1 << shown.bits, plane.shape).astype(plane.dtype)
        made.append(np.where(there, noise, plane))
    return replace(shown, y=made[0], u=made[1], v=made[2])


@pytest.mark.parametrize("bits", [8, 10])
@pytest.mark.parametrize("sampling", [(1, 1), (2, 1), (2, 2)])
@pytest.mark.parametrize("tight", [None, HEAD.grown(0.7)])
def test_nothing_of_what_was_inside_is_left(
    bits: int, sampling: tuple[int, int], tight: Oval | None
) -> None:
    shown = picture(bits, sampling)
    hidden = [Hidden(oval=HEAD, face=tight)]
    first, second = anonymise(shown, hidden), anonymise(otherwise(shown, HEAD), hidden)
    for one, other, before in zip(planes(first), planes(second), planes(shown), strict=True):
        assert np.array_equal(one, other)
        assert one.dtype == before.dtype
        assert not np.array_equal(one, before)


def test_two_that_touch_keep_nothing_of_each_other() -> None:
    other = replace(HEAD, x=HEAD.x + 40, turn=-0.4)
    shown, hidden = picture(), [Hidden(oval=HEAD), Hidden(oval=other)]
    first = anonymise(shown, hidden)
    second = anonymise(otherwise(shown, HEAD, other), hidden)
    assert all(np.array_equal(*pair) for pair in zip(planes(first), planes(second), strict=True))


def test_all_around_stays_bit_for_bit() -> None:
    shown = picture()
    made = anonymise(shown, [Hidden(oval=HEAD)])
    for before, after, less in zip(planes(shown), planes(made), (1, 2, 2), strict=True):
        beyond = ~inside(HEAD.grown(1.25), before.shape, less, less)
        assert np.array_equal(before[beyond], after[beyond])
    assert made.pts == shown.pts
    assert anonymise(shown, []) is shown


def test_the_edge_is_soft() -> None:
    flat = np.full((112, 144), 200, np.uint8)
    flat[inside(HEAD, flat.shape)] = 20
    shown = replace(picture(), y=flat)
    made = anonymise(shown, [Hidden(oval=HEAD)]).y.astype(int)
    # Nothing dark is left, and there is no step.
    assert made.min() > 170
    assert np.abs(np.diff(made, axis=0)).max() < 30


def test_who_may_be_seen_is_spared_but_not_the_face_behind() -> None:
    friend = Oval(x=HEAD.x + 16, y=HEAD.y, across=12, down=20)
    face = HEAD.grown(0.6)
    shown = picture()
    made = anonymise(shown, [Hidden(oval=HEAD, face=face)], [friend])
    own, of_friend = inside(face, shown.y.shape), inside(friend.grown(0.8), shown.y.shape)
    assert np.array_equal(made.y[of_friend & ~inside(face.grown(1.3), shown.y.shape)],
                          shown.y[of_friend & ~inside(face.grown(1.3), shown.y.shape)])  # fmt: skip
    changed = anonymise(otherwise(shown, face), [Hidden(oval=HEAD, face=face)], [friend])
    assert np.array_equal(made.y, changed.y)
    assert not np.array_equal(made.y[own], shown.y[own])
    # Where it is only guessed where the face is, nobody is spared.
    guessed = anonymise(shown, [Hidden(oval=HEAD)], [friend])
    again = anonymise(otherwise(shown, HEAD), [Hidden(oval=HEAD)], [friend])
    assert np.array_equal(guessed.y, again.y)


@pytest.mark.parametrize(
    "oval",
    [
        replace(HEAD, x=-2.0),
        replace(HEAD, x=143.0, y=111.0),
        replace(HEAD, x=70.0, y=-20.0),
        Oval(x=10, y=10, across=0.0, down=0.0),
    ],
)
def test_ovals_may_reach_beyond_the_frame(oval: Oval) -> None:
    shown = picture()
    made = anonymise(shown, [Hidden(oval=oval)])
    again = anonymise(otherwise(shown, oval), [Hidden(oval=oval)])
    assert np.array_equal(made.y, again.y)


def test_an_oval_outside_changes_nothing_and_one_over_all_leaves_nothing() -> None:
    shown = picture()
    made = anonymise(shown, [Hidden(oval=replace(HEAD, x=900.0))])
    assert all(np.array_equal(*pair) for pair in zip(planes(made), planes(shown), strict=True))
    everything = Oval(x=72, y=56, across=500, down=500)
    made = anonymise(shown, [Hidden(oval=everything)])
    assert np.ptp(made.y) < 40
    assert set(made.u.ravel().tolist()) == {128}
