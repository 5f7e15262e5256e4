"""Looking for the secret layer: where a public mark was read, and where none is left.

`confirm` says how much of a release's layer shows where the reader found the public pattern.
`trace` goes through a studio's releases and looks for each one's layer in whole frames.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assent.kit.watermark.carriers import VARIANTS
from assent.kit.watermark.geometry import fold
from assent.kit.watermark.secret import SECRET_TILE, SecretLayer
from assent.kit.watermark.tile import Alignment, Timeline

__all__ = ["Trace", "confirm", "trace"]

Detail = NDArray[np.float32]
Floats = NDArray[np.float64]
Complexes = NDArray[np.complex128]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """The release whose layer shows best: `variant` and `nats` of evidence, trials taken off."""

    place: int
    variant: int
    nats: float


def confirm(
    layer: SecretLayer,
    parts: Sequence[Detail],
    matrix: Floats,
    *,
    aligned: Alignment,
    timeline: Timeline,
) -> float:
    """Return how many nats speak for `layer` in each group's detail, where the public mark lies.

    In a picture without it they are c or more with a chance of at most exp(-c): place and time are
    known from a pattern that has nothing to do with this one.
    """
    turn = np.exp(2j * np.pi * (layer.waves @ np.array(aligned.shift)) / SECRET_TILE)
    seen = [layer.gains(_spectrum(part, matrix)) for part in parts]
    upright = [(np.conj(one) if aligned.turned else one) * turn for one in seen]
    variants = [
        (timeline.variant + (number >= timeline.before)) % VARIANTS for number in range(len(seen))
    ]
    return layer.evidence(upright, variants)


def trace(layers: Sequence[SecretLayer], parts: Sequence[Detail], matrix: Floats) -> Trace | None:
    """Look for each of `layers` in whole frames; None if there are no layers.

    `parts` are the groups' detail in time's order, `matrix` maps the whole frame's plane to it. The
    evidence stands for all layers, variants and changes that were tried together.
    """
    spectra = [_spectrum(part, matrix) for part in parts]
    trials = np.log(len(layers) * VARIANTS * len(parts)) if layers else 0.0
    found = []
    for place, layer in enumerate(layers):
        seen = [layer.gains(spectrum) for spectrum in spectra]
        variants = _likeliest(layer, np.array(seen))
        nats = max(0.0, layer.evidence(seen, variants) - float(trials))
        found.append(Trace(place=place, variant=variants[0], nats=nats))
    return max(found, key=lambda one: one.nats, default=None)


def _spectrum(part: Detail, matrix: Floats) -> Complexes:
    return np.asarray(np.fft.fft2(fold(part, matrix, tile=SECRET_TILE)), np.complex128)


def _likeliest(layer: SecretLayer, seen: Complexes) -> list[int]:
    """Return each group's variant, with one change to the next at most, as it agrees best.

    `seen` is complex [groups, 1024]; it may agree with either sign, see `SecretLayer.evidence`.
    """
    votes = (seen @ layer.values.conj().T).real
    until = np.vstack([np.zeros(VARIANTS), votes.cumsum(0)])
    after = np.roll(until[-1] - until, -1, axis=1)
    # No change at all is the last row.
    agreement = np.abs((until + after)[1:])
    before, variant = (int(i) for i in np.unravel_index(int(agreement.argmax()), agreement.shape))
    return [(variant + (n > before)) % VARIANTS for n in range(len(seen))]
