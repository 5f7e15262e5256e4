"""Colours move towards the other picture's, as far as asked."""

import numpy as np
import pytest

from assent.kit.imaging.colour import match_colour


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
