"""Reading a folded tile: does it hold the pattern, and if so, which identifier?

`align` finds where the pattern's origin lies by the pilots, and in which variant it is; `follow`
finds where in time one variant gives way to the next. `read_plain` turns what is left to
log-likelihoods, decodes them, and says what the agreement with the best codeword proves; `pick`
compares them with words that are known instead.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assent.kit.watermark.carriers import TILE, VARIANTS, Carriers, gain
from assent.kit.watermark.evidence import nats
from assent.kit.watermark.known import Known
from assent.kit.watermark.payload import CODE, PAYLOAD_BITS, identifier_of

__all__ = [
    "Alignment",
    "Reading",
    "Timeline",
    "align",
    "follow",
    "gains",
    "pick",
    "prove",
    "read_plain",
]

_GRID = 2  # units: the first look at all origins
_STEP = 0.125  # units
_SCALES = 512  # more than a search compares by the pilots' phases, mirrored ones included
_LOUDEST_LLR = 40.0
_PATHS = 32  # of the list decoder
_EULER = 0.5772  # E log of a unit exponential variable is minus this
# Degrees in |k| of the fits of the pilots' gain and of the log of their noise.
_MODELS = ((1, 1), (2, 1))
# Radii between the rings, within which levels are taken to be even.
_RINGS = (0, 8, 10, 12, 15, 18, 22, 27, 34, 99)
_TRUSTS = (0.0, 0.5, 1.0)  # powers of the carriers' own gain that components are weighed with
_WAYS = 2 * len(_TRUSTS) + len(_MODELS)  # of weighing the same components

Floats = NDArray[np.float64]
Complexes = NDArray[np.complex128]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alignment:
    """Where the pattern lies: `shift` (x, y) units from the tile's corner.

    `z` is by how many deviations the pilots at that place stand out, `variant` which of the
    eight patterns it is, `turned` whether it is upside down (turned by 180 degrees), `places` how
    many places and variants were compared.
    """

    z: float
    shift: tuple[float, float]
    variant: int
    turned: bool
    places: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The first `before` groups of frames are in `variant`, the others in the one after it.

    `plain` complex [128 + n] is the sum of all, with shift and the variants' signs taken out.
    """

    variant: int
    before: int
    places: int
    plain: Complexes


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The identifier that fits best.

    `log_chance` is the log of the bound on a picture without this key's mark fitting as well;
    `log_other` of how likely, given a mark, the runner-up is beside it; `share` is how much of the
    mark that the pilots show speaks for this one, about 1 if all does.
    """

    asset_id: int
    log_chance: float
    log_other: float
    share: float


def gains(tile: Floats, carriers: Carriers) -> Complexes:
    """Return the tile's coefficient on each of `carriers.all`, on the pattern's own scale."""
    k = carriers.all
    # Sample j stands for the point j + 1/2.
    centre = np.exp(-2j * np.pi * k.sum(1) / (2 * TILE))
    spectrum: Complexes = np.fft.fft2(tile)[k[:, 1] % TILE, k[:, 0] % TILE] * centre
    return spectrum * (2 / TILE**2)


def align(seen: Complexes, carriers: Carriers, *, reach: float | None) -> Alignment:
    """Find the pattern's origin in `gains`, anywhere or within `reach` units of the tile's corner.

    A tile without any detail has z = 0.
    """
    weight = _weights(seen, carriers)
    found = []
    for turned in (False,) if reach is not None else (False, True):
        votes = _votes(np.conj(seen) if turned else seen, weight, carriers)
        place = np.zeros(2) if reach is not None else _peak(votes, carriers)
        around = _GRID / 2 if reach is None else reach
        found.append((*_sharpen(place, around, votes, carriers), turned))
    top, variant, shift, turned = max(found, key=lambda one: one[0])
    return Alignment(
        z=top / (_deviation(seen, weight) or np.inf),
        shift=(float(shift[0]), float(shift[1])),
        variant=variant,
        turned=turned,
        places=_places(reach),
    )


def follow(groups: Sequence[Complexes], aligned: Alignment, carriers: Carriers) -> Timeline:
    """Find after which of `groups` (`gains` each, in time's order) a variant gives way.

    One change is looked for at most: a look at a film lasts no longer than a segment.
    """
    turn = np.exp(2j * np.pi * (carriers.all @ np.array(aligned.shift)) / TILE)
    upright = np.array([np.conj(group) if aligned.turned else group for group in groups]) * turn
    weight = _weights(upright.sum(0), carriers)
    votes = np.array([_votes(group, weight, carriers).sum(1).real for group in upright])
    until = np.vstack([np.zeros(VARIANTS), votes.cumsum(0)])
    after = np.roll(until[-1] - until, -1, axis=1)
    # No change at all is the last row.
    agreement = (until + after)[1:]
    before, variant = (int(i) for i in np.unravel_index(int(agreement.argmax()), agreement.shape))
    before += 1
    plain = carriers.unsigned(upright[:before].sum(0), variant)
    if before < len(groups):
        plain = plain + carriers.unsigned(upright[before:].sum(0), (variant + 1) % VARIANTS)
    return Timeline(
        variant=variant, before=before, places=aligned.places * len(groups), plain=plain
    )


def read_plain(timeline: Timeline, carriers: Carriers) -> Reading:
    """Decode to the identifier that agrees best, whatever that is worth."""
    best = Reading(asset_id=0, log_chance=0.0, log_other=0.0, share=0.0)
    for components, expected in _likelihoods(timeline.plain, carriers):
        llr = _by_bit(components, carriers)
        messages = CODE.decode(np.clip(llr, -_LOUDEST_LLR, _LOUDEST_LLR), paths=_PATHS)
        codewords = CODE.encode(messages)
        likelihood = (0.5 - codewords) @ llr
        first, second = np.argsort(-likelihood)[:2]
        proof = _evidence(timeline, carriers, codewords[first][None], components)[0]
        # Any of 2**64 words might have fitted by chance, under any weighing.
        chance = PAYLOAD_BITS * np.log(2.0) + np.log(_WAYS) - proof
        if chance < best.log_chance:
            best = Reading(
                asset_id=identifier_of(messages[first]),
                log_chance=float(chance),
                log_other=float(likelihood[second] - likelihood[first]),
                share=_share(components, expected, codewords[first], carriers),
            )
    return best


def pick(timeline: Timeline, carriers: Carriers, known: Known) -> Reading:
    """Return which of `known` (not empty) agrees best, whatever that is worth."""
    best = Reading(asset_id=0, log_chance=0.0, log_other=0.0, share=0.0)
    for components, expected in _likelihoods(timeline.plain, carriers):
        llr = np.clip(_by_bit(components, carriers), -_LOUDEST_LLR, _LOUDEST_LLR)
        place, margin = known.likeliest(llr)
        proof = _evidence(timeline, carriers, known.word(place)[None], components)[0]
        chance = np.log(len(known)) + np.log(_WAYS) - proof
        if chance < best.log_chance:
            best = Reading(
                asset_id=known.asset_ids[place],
                log_chance=float(chance),
                log_other=-margin,
                share=_share(components, expected, known.word(place), carriers),
            )
    return best


def prove(timeline: Timeline, carriers: Carriers, codeword: NDArray[np.uint8]) -> float:
    """Return how many nats speak for one codeword chosen beforehand, whatever was decoded.

    In a picture without this key's mark that is c or more with a chance of at most 8 exp(-c).
    """
    models = _likelihoods(timeline.plain, carriers)
    return max(float(_evidence(timeline, carriers, codeword[None], m)[0]) for m, _ in models)


def _share(
    components: Floats, expected: Floats, codeword: NDArray[np.uint8], carriers: Carriers
) -> float:
    """Return how much of the mark that the pilots show speaks for `codeword`: about 1 if all does.

    Copies with several marks share the pilots; the words divide the rest among them.
    """
    words = 1.0 - 2.0 * codeword[carriers.bit_of]
    return float(words @ components / expected.sum())


def _by_bit(components: Floats, carriers: Carriers) -> Floats:
    """Add the components' log-likelihood ratios up by the code bits that they hold, [512]."""
    llr = np.zeros(CODE.bits)
    np.add.at(llr, carriers.bit_of, components)
    return llr


def _weights(seen: Complexes, carriers: Carriers) -> Floats:
    """Return what the pilots' votes count: by their own gain, saturating.

    So a few strong host frequencies can't carry the vote.
    """
    count = len(carriers.pilots)
    level = np.hypot(np.abs(seen[:count]), _levels(seen, carriers)[:count])
    size = np.abs(carriers.pilot_values[0])
    weight: Floats = np.divide(size, level, out=np.zeros_like(level), where=level > 0)
    return weight


def _votes(seen: Complexes, weight: Floats, carriers: Carriers) -> Complexes:
    """Return each pilot's agreement with each variant, complex [8, 128]."""
    expected = carriers.pilot_values / np.abs(carriers.pilot_values)
    votes: Complexes = seen[: len(weight)] * weight * expected.conj()
    return votes


def _deviation(seen: Complexes, weight: Floats) -> float:
    return float(np.sqrt(np.sum((weight * np.abs(seen[: len(weight)])) ** 2) / 2))


def _evidence(
    timeline: Timeline, carriers: Carriers, codewords: NDArray[np.uint8], likely: Floats
) -> Floats:
    """Return how many nats speak for each codeword: by the data alone, or by the pilots too.

    The place was found by the pilots, so with them every place that was compared counts. `likely`
    are the data components' log-likelihood ratios; they were weighed by the pilots, so they can
    speak only without them.
    """
    received = _components(timeline.plain / (_levels(timeline.plain, carriers) + 1e-12))
    pilots = 2 * len(carriers.pilots)
    soft = np.repeat(gain(carriers.all) / gain(carriers.all).max(), 2)
    words = np.ones((len(codewords), len(received)), np.float32)
    words[:, pilots:] = 1.0 - 2.0 * codewords[:, carriers.bit_of]
    proof = nats(np.abs(likely) / 2, words[:, pilots:] @ likely / 2)
    for trust in _TRUSTS:
        weighed = received * soft**trust
        size = np.abs(weighed)
        by_pilots = float(weighed[:pilots].sum())
        by_data = words[:, pilots:] @ weighed[pilots:]
        both = nats(size, by_data + by_pilots) - np.log(timeline.places)
        proof = np.maximum(proof, np.maximum(both, nats(size[pilots:], by_data)))
    return proof


def _components(values: Complexes) -> Floats:
    """Return real and imaginary parts in turn, [2 n]."""
    return np.stack([values.real, values.imag], axis=-1).reshape(-1)


def _places(reach: float | None) -> int:
    """Return how many origins, variants and, in a search, scales were compared."""
    if reach is None:
        return _SCALES * 2 * VARIANTS * round(TILE / _STEP) ** 2
    return VARIANTS * (2 * round(reach / _STEP) + 1) ** 2


def _peak(votes: Complexes, carriers: Carriers) -> Floats:
    """Return the shift (x, y) on a coarse grid where some variant's votes agree best."""
    cells = TILE // _GRID
    plane = np.zeros((VARIANTS, cells, cells), np.complex64)
    plane[:, carriers.pilots[:, 1] % cells, carriers.pilots[:, 0] % cells] = votes
    score = np.fft.ifft2(plane).real
    _, row, column = np.unravel_index(int(score.argmax()), score.shape)
    return np.array([column, row], np.float64) * _GRID


def _sharpen(
    shift: Floats, reach: float, votes: Complexes, carriers: Carriers
) -> tuple[float, int, Floats]:
    """Find where within `reach` units the pilots' votes agree best, and in which variant."""
    fine = np.arange(-reach, reach + _STEP / 2, _STEP)
    x, y = shift[0] + fine, shift[1] + fine
    across = np.exp(2j * np.pi / TILE * np.outer(x, carriers.pilots[:, 0]))
    down = np.exp(2j * np.pi / TILE * np.outer(y, carriers.pilots[:, 1]))
    agreement = ((down[None] * votes[:, None]) @ across.T).real
    variant, row, column = np.unravel_index(int(agreement.argmax()), agreement.shape)
    return float(agreement.max()), int(variant), np.array([x[column], y[row]])


def _likelihoods(plain: Complexes, carriers: Carriers) -> Iterator[tuple[Floats, Floats]]:
    """Yield the data components' log-likelihood ratios, [2 n], under models of gain and noise.

    Beside each their size as it would be on average if all that the pilots show were one mark.
    """
    count = len(carriers.pilots)
    pilots, data = plain[:count], plain[count:]
    size = np.abs(carriers.pilot_values[0])
    radius, data_radius = _radius(carriers.pilots), _radius(carriers.data)
    # What the noise lets through above the highest pilot is taken to be as there.
    reach = np.minimum(data_radius, radius.max())
    ratio = pilots * np.exp(-0.25j * np.pi) / size
    mean_gain = max(float(np.average(ratio.real, weights=size**2)), 1e-9)
    fall = _levels(plain, carriers)[count:]
    for gain_degree, noise_degree in _MODELS:
        fit = np.polyfit(radius, ratio.real, gain_degree, w=size)
        residue = (ratio - np.polyval(fit, radius)) * size
        noise_fit = np.polyfit(radius, np.log(np.abs(residue) ** 2 + 1e-12), noise_degree)
        deviation = np.exp((np.polyval(noise_fit, reach) + _EULER) / 2) / np.sqrt(2)
        # Beyond the pilots, noise and gain fall as everything does that was received there.
        beyond = np.where(
            data_radius > radius.max(), fall / _level_at(fall, data_radius, radius), 1
        )
        strength = np.clip(np.polyval(fit, reach), 0.05 * mean_gain, 4 * mean_gain)
        strength = strength * carriers.data_gain * np.minimum(beyond, 1)
        precision = 2 / (deviation * np.minimum(beyond, 1)) ** 2
        yield (
            _components(strength * data * precision),
            np.repeat(strength**2 * precision, 2),
        )


def _level_at(level: Floats, radius: Floats, pilots: Floats) -> float:
    """Return the level just below the highest pilot."""
    return float(level[radius <= pilots.max()][-1]) + 1e-12


def _levels(spectrum: Complexes, carriers: Carriers) -> Floats:
    """Return the root mean square of what was received in each carrier's ring, [128 + n]."""
    power = np.abs(spectrum) ** 2
    ring = np.digitize(_radius(carriers.all), _RINGS)
    count = np.maximum(np.bincount(ring), 1)
    level: Floats = np.sqrt(np.bincount(ring, power) / count)[ring]
    return level


def _radius(k: NDArray[np.int64]) -> Floats:
    length: Floats = np.hypot(k[:, 0], k[:, 1])
    return length
