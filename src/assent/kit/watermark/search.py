"""Finding how a picture was scaled, turned, mirrored or stretched since it was marked.

The pilots' frequencies are known up to that geometry. On a log-polar map of the spectrum a
change of scale or angle is a shift of the pilots' constellation, and on a log-log map a change
of width or height is; so one correlation, done by FFT, tries them all at once.

Source of the idea: Fourier-Mellin registration (Reddy and Chatterji, IEEE Trans. Image
Processing 5, 1996), here against a sparse known constellation instead of a second picture.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assent.kit.watermark.carriers import TILE, Carriers, gain
from assent.kit.watermark.geometry import rotation
from assent.kit.watermark.lines import Lines, in_band

__all__ = ["Candidate", "SimilarityFinder", "StretchFinder", "refine"]

_SMALLEST, _LARGEST = 0.28, 2.7  # scales looked at, pattern units to working pixels
_LOG_STEP = 0.005
_ANGLES = 512  # over half a turn
_STRETCH_STEP = 0.005
_MOST_STRETCH = 0.75  # log of the aspect ratio
_FEWEST = 20.0  # pilots in band below which a score isn't helped by dividing by fewer
_APART = 4  # cells: nearer peaks are one
_STEPS = (4e-3, 2e-3, 1e-3, 5e-4, 2.5e-4)
_WALK = 24
_CLIMBED = 700  # carriers: the lowest, with the pilots

Floats = NDArray[np.float64]
Map = NDArray[np.float32]
Spectrum = NDArray[np.complex128]  # complex64 at run time: numpy's annotations are coarser


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A geometry worth trying: `matrix` [2, 2] and its score in deviations from the median."""

    score: float
    matrix: Floats


class SimilarityFinder:
    """Looks for scales x rotations (within 90 degrees) x mirroring."""

    def __init__(self, carriers: Carriers) -> None:
        pilots = carriers.pilots.astype(np.float64)
        log_radius = np.log(np.hypot(pilots[:, 0], pilots[:, 1]))
        low = float(log_radius.min())
        rows = _map_rows(float(np.ptp(log_radius)), _LOG_STEP)
        radius = np.exp(low - np.log(TILE * _LARGEST) + np.arange(rows) * _LOG_STEP)[:, None]
        angle = ((np.arange(_ANGLES) / _ANGLES - 0.5) * np.pi)[None, :]
        self._fx, self._fy = radius * np.cos(angle), radius * np.sin(angle)
        band = np.fft.rfft2(in_band(self._fx, self._fy).astype(np.float32))
        self._kept = (_lags(_LOG_STEP), _ANGLES)
        self._sides = []
        for side in (1.0, -1.0):
            turns = np.arctan2(pilots[:, 1], side * pilots[:, 0]) / np.pi * _ANGLES
            stars = _constellation((log_radius - low) / _LOG_STEP, turns, self._fx.shape)
            chance = _chance(_correlate(band, stars, self._kept))
            self._sides.append((side, stars, chance))

    def find(self, lines: Lines, most: int) -> list[Candidate]:
        """List the `most` best candidates, best first."""
        power = np.fft.rfft2(lines.sample(self._fx, self._fy))
        found = []
        for side, stars, chance in self._sides:
            score = _standard(_correlate(power, stars, self._kept) / chance)
            for value, lag, turn in _peaks(score, most):
                scale = _LARGEST * float(np.exp(-lag * _LOG_STEP))
                # Column 0 of the map is -90 degrees, so a shift by 0 is a turn by -90 (or 90).
                turned = rotation((turn / _ANGLES - 0.5) * np.pi)
                matrix = turned @ np.diag([side * scale, scale])
                found.append(Candidate(score=value, matrix=matrix))
        return _best(found, most)


class StretchFinder:
    """Looks for upright scalings, of width and height apart, x mirroring."""

    def __init__(self, carriers: Carriers) -> None:
        pilots = carriers.pilots.astype(np.float64)
        log_x, log_y = np.log(np.abs(pilots[:, 0])), np.log(pilots[:, 1])
        low = float(min(log_x.min(), log_y.min()))
        size = _map_rows(float(max(log_x.max(), log_y.max())) - low, _STRETCH_STEP)
        frequency = np.exp(low - np.log(TILE * _LARGEST) + np.arange(size) * _STRETCH_STEP)
        self._fx, self._fy = np.meshgrid(frequency, frequency)
        band = np.fft.rfft2(in_band(self._fx, self._fy).astype(np.float32))
        lags = np.arange(_lags(_STRETCH_STEP))
        self._kept = (len(lags), len(lags))
        self._far = np.abs(np.subtract.outer(lags, lags)) * _STRETCH_STEP > _MOST_STRETCH
        self._sides = []
        for side in (1.0, -1.0):
            quadrants = []
            for sign in (1.0, -1.0):
                mine = side * pilots[:, 0] * sign > 0
                rows = (log_y[mine] - low) / _STRETCH_STEP
                columns = (log_x[mine] - low) / _STRETCH_STEP
                quadrants.append(_constellation(rows, columns, self._fx.shape))
            count = sum(_correlate(band, stars, self._kept) for stars in quadrants)
            self._sides.append((side, quadrants, _chance(np.asarray(count))))

    def find(self, lines: Lines, most: int) -> list[Candidate]:
        """List the `most` best candidates, best first."""
        powers = [np.fft.rfft2(lines.sample(self._fx, sign * self._fy)) for sign in (1.0, -1.0)]
        found = []
        for side, quadrants, chance in self._sides:
            power = np.zeros(self._kept)
            for transformed, stars in zip(powers, quadrants, strict=True):
                power += _correlate(transformed, stars, self._kept)
            score = _standard(power / chance)
            score[self._far] = -np.inf
            for value, down, across in _peaks(score, most):
                scales = _LARGEST * np.exp(-np.array([across, down]) * _STRETCH_STEP)
                found.append(Candidate(score=value, matrix=np.diag(scales * [side, 1.0])))
        return _best(found, most)


def refine(lines: Lines, carriers: Carriers, matrix: Floats) -> Floats:
    """Climb from `matrix` to the nearby one that all carriers fit best."""
    # Between the shares that a faint mark (power) and a strong one (none) would call for.
    weights = np.sqrt(gain(carriers.all[:_CLIMBED]))
    weights[: len(carriers.pilots)] *= 2.0
    moves = np.array([np.eye(2), [[0, -1], [1, 0]], [[1, 0], [0, -1]], [[0, 1], [1, 0]]])
    moves = np.concatenate([moves, -moves])
    best = float(lines.score(matrix[None], carriers.all[:_CLIMBED], weights)[0])
    for step in _STEPS:
        for _ in range(_WALK):
            around = matrix + step * moves @ matrix
            scores = lines.score(around, carriers.all[:_CLIMBED], weights)
            top = int(scores.argmax())
            if scores[top] <= best:
                break
            best, matrix = float(scores[top]), around[top]
    return matrix


def _lags(step: float) -> int:
    return int(np.log(_LARGEST / _SMALLEST) / step)


def _map_rows(span: float, step: float) -> int:
    """Return rows enough that no shift looked at wraps around, a multiple of 8."""
    return -(-(int(span / step) + _lags(step) + 2) // 8) * 8


def _constellation(rows: Floats, columns: Floats, shape: tuple[int, ...]) -> Spectrum:
    """Spread unit stars at fractional places over their four cells (columns wrap).

    Returns the conjugate of their transform, ready to correlate with.
    """
    stars = np.zeros(shape, np.float32)
    row, column = np.floor(rows).astype(int), np.floor(columns).astype(int)
    down, right = rows - row, columns - column
    for dy, dx in ((0, 0), (0, 1), (1, 0), (1, 1)):
        share = np.abs(1 - dy - down) * np.abs(1 - dx - right)
        np.add.at(stars, ((row + dy) % shape[0], (column + dx) % shape[1]), share)
    return np.conj(np.fft.rfft2(stars))


def _correlate(transformed: Spectrum, stars: Spectrum, kept: tuple[int, int]) -> Map:
    """Correlate a map with stars, both transformed, and keep the first shifts (rows, columns).

    All maps have an even number of columns.
    """
    correlation = np.fft.irfft2(transformed * stars)[: kept[0], : kept[1]]
    return np.asarray(correlation, np.float32)


def _chance(count: Map) -> Map:
    """Return the deviation by chance of a sum over `count` pilots."""
    return np.sqrt(np.maximum(count, np.float32(_FEWEST)))


def _standard(score: NDArray[np.floating]) -> Floats:
    """Return the score in deviations from its median, both taken from a sparse sample."""
    sample = score[::5, ::3]
    middle = float(np.median(sample))
    deviation = 1.4826 * float(np.median(np.abs(sample - middle)))
    standard: Floats = (score.astype(np.float64) - middle) / (deviation + 1e-9)
    return standard


def _peaks(score: Floats, most: int) -> list[tuple[float, int, int]]:
    """List (value, row, column) of the highest places, blotting out what lies around each."""
    found = []
    for _ in range(most):
        row, column = (int(i) for i in np.unravel_index(int(score.argmax()), score.shape))
        found.append((float(score[row, column]), row, column))
        rows = slice(max(0, row - _APART), row + _APART + 1)
        columns = slice(max(0, column - _APART), column + _APART + 1)
        score[rows, columns] = -np.inf
    return found


def _best(found: list[Candidate], most: int) -> list[Candidate]:
    return sorted(found, key=lambda candidate: -candidate.score)[:most]
