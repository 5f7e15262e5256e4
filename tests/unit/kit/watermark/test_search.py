import numpy as np
import pytest
from numpy.typing import NDArray

from assent.kit.watermark.carriers import TILE, Carriers
from assent.kit.watermark.geometry import rotation
from assent.kit.watermark.lines import Lines
from assent.kit.watermark.search import SimilarityFinder, StretchFinder, refine

MIRROR = np.diag([-1.0, 1.0])


def picture(carriers: Carriers, matrix: NDArray[np.float64]) -> NDArray[np.float32]:
    """Draw the pattern under `matrix` with noise of about three times its power."""
    y, x = np.mgrid[0:400, 0:512] + 0.5
    points = np.stack([x.ravel(), y.ravel()]) * 1.0
    k = carriers.pilots @ np.linalg.inv(matrix)
    drawn = np.zeros(points.shape[1])
    for frequency, value in zip(k / TILE, carriers.pilot_values[0] * 2, strict=True):
        phase = 2 * np.pi * (frequency @ points)
        drawn += value.real * np.cos(phase) - value.imag * np.sin(phase)
    noisy = drawn.reshape(400, 512) + np.random.default_rng(3).normal(size=(400, 512))
    return noisy.astype(np.float32)


@pytest.mark.parametrize(
    "matrix",
    [
        1.25 * np.eye(2),
        0.5 * rotation(np.radians(17)),
        1.1 * rotation(np.radians(-89.9)),
        0.8 * rotation(np.radians(-40)) @ MIRROR,
    ],
    ids=["scaled", "turned", "upended", "mirrored"],
)
def test_similarities_are_found_and_refined(
    carriers: Carriers, matrix: NDArray[np.float64]
) -> None:
    lines = Lines.of(picture(carriers, matrix))
    best = SimilarityFinder(carriers).find(lines, 3)[0]
    found = refine(lines, carriers, best.matrix)
    # The spectrum doesn't know the pattern from the pattern turned by half a turn.
    error = min(np.abs(found - matrix).max(), np.abs(found + matrix).max())
    assert error < 0.004
    assert best.score > 8


@pytest.mark.parametrize(
    "matrix",
    [np.diag([1.3, 0.9]), np.diag([-0.7, 1.1])],
    ids=["stretched", "stretched and mirrored"],
)
def test_stretches_are_found_and_refined(carriers: Carriers, matrix: NDArray[np.float64]) -> None:
    lines = Lines.of(picture(carriers, matrix))
    found = refine(lines, carriers, StretchFinder(carriers).find(lines, 3)[0].matrix)
    assert np.abs(found - matrix).max() < 0.004


def test_candidates_come_best_first(carriers: Carriers) -> None:
    noise = np.random.default_rng(4).normal(size=(400, 512)).astype(np.float32)
    scores = [c.score for c in SimilarityFinder(carriers).find(Lines.of(noise), 6)]
    assert scores == sorted(scores, reverse=True)
    assert len(scores) == 6
    assert scores[0] < 8
