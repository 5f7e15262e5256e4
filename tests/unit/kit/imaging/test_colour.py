"""Colours move towards the other picture's, as far as asked."""

import numpy as np
import pytest

from assent.kit.imaging.colour import Colour, ColourMap, map_colours, match_colour


def two_faces() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    dark = rng.normal((0.4, 0.3, 0.25), 0.03, (40, 40, 3)).clip(0, 1).astype(np.float32)
    pale = rng.normal((0.75, 0.65, 0.6), 0.04, (40, 40, 3)).clip(0, 1).astype(np.float32)
    weights = np.zeros((40, 40), np.float32)
    weights[8:32, 8:32] = 1
    return dark, pale, weights


def test_full_strength_takes_mean_and_contrast_over() -> None:
    dark, pale, weights = two_faces()
    matched = match_colour(dark, pale, weights, 1)
    inside = weights > 0
    assert np.allclose(matched[inside].mean(0), pale[inside].mean(0), atol=0.01)
    assert np.allclose(matched[inside].std(0), pale[inside].std(0), atol=0.015)
    assert matched.dtype == np.float32


def test_half_strength_goes_half_the_way() -> None:
    dark, pale, weights = two_faces()
    means = [match_colour(dark, pale, weights, s)[weights > 0].mean() for s in (0, 0.5, 1)]
    assert means[1] == pytest.approx((means[0] + means[2]) / 2, abs=0.02)


def test_what_has_no_weight_does_not_count() -> None:
    dark, pale, weights = two_faces()
    spoilt = pale.copy()
    spoilt[weights == 0] = (0, 1, 0)
    assert np.array_equal(
        match_colour(dark, pale, weights, 1), match_colour(dark, spoilt, weights, 1)
    )


def test_nothing_to_go_by_changes_nothing() -> None:
    dark, pale, weights = two_faces()
    assert np.array_equal(match_colour(dark, pale, weights, 0), dark)
    assert np.array_equal(match_colour(dark, pale, weights * 0, 1), dark)


def test_a_flat_face_is_not_blown_up() -> None:
    _, pale, weights = two_faces()
    flat = np.full((40, 40, 3), 0.5, np.float32)
    flat[20, 20] = 0.51
    matched = match_colour(flat, pale, weights, 1)
    assert np.isfinite(matched).all()
    assert matched.max() <= 1


def two_skins() -> tuple[np.ndarray, np.ndarray]:
    """Colours of spots of two faces, 0..255, whose channels go together."""
    rng = np.random.default_rng(5)
    own, theirs = (
        mean + rng.normal(size=(400, 1)) * along + rng.normal(size=(400, 3)) * aside
        for mean, along, aside in (
            ((150.0, 110, 90), (20, 18, 15), 3),
            ((190.0, 150, 130), (22, 16, 20), 4),
        )
    )
    return own, theirs


def mapped(colours: np.ndarray, found: ColourMap) -> np.ndarray:
    return np.asarray(found.apply(colours[None].astype(np.float32))[0])


def test_a_face_may_keep_its_own_colours() -> None:
    own, theirs = two_skins()
    assert np.allclose(mapped(own, map_colours(own, theirs, Colour.OWN)), own, atol=1e-3)


@pytest.mark.parametrize(("method", "share"), [(Colour.TOUCH, 0.15), (Colour.TONE, 1.0)])
def test_a_tone_is_taken_over_as_far_as_asked(method: Colour, share: float) -> None:
    own, theirs = two_skins()
    found = np.median(mapped(own, map_colours(own, theirs, method)), 0)
    ratio = np.median(theirs, 0) / np.median(own, 0)
    assert np.allclose(found / np.median(own, 0), ratio**share, rtol=1e-3)


@pytest.mark.parametrize("method", [Colour.REINHARD, Colour.MKL])
def test_mean_and_deviation_are_taken_over(method: Colour) -> None:
    own, theirs = two_skins()
    found = mapped(own, map_colours(own, theirs, method))
    assert np.allclose(found.mean(0), theirs.mean(0), atol=0.1)
    assert np.allclose(found.std(0), theirs.std(0), rtol=0.1)
    together = np.abs(np.corrcoef(found.T) - np.corrcoef(theirs.T)).max()
    assert (together < 0.02) == (method is Colour.MKL)


@pytest.mark.parametrize("method", list(Colour))
def test_a_face_of_one_colour_and_one_of_no_spot_stay_within_bounds(method: Colour) -> None:
    own, theirs = two_skins()
    flat = np.full((50, 3), 100.0)
    for pair in ((flat, theirs), (own, flat), (own[:0], theirs[:0])):
        found = mapped(own, map_colours(*pair, method))
        assert np.isfinite(found).all()
        assert np.linalg.norm(map_colours(*pair, method).matrix, 2) < 3
