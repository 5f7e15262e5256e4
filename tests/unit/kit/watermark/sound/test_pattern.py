import numpy as np

from assent.kit.watermark.key import ReadingKey
from assent.kit.watermark.sound.code import CODE, message_of
from assent.kit.watermark.sound.pattern import (
    BANDS,
    COLUMNS,
    PILOT,
    QUARTER_COLUMNS,
    Pattern,
    band_centres,
    band_edges,
)


def test_bands_rise_from_350_to_7300_hz() -> None:
    edges = band_edges()
    assert np.allclose(edges[[0, -1]], [350, 7300])
    assert (np.diff(np.diff(edges)) > 0).all()
    assert ((edges[:-1] < band_centres()) & (band_centres() < edges[1:])).all()


def test_every_quarter_has_64_pilots_and_five_tiles_of_each_of_its_64_bits(
    pattern: Pattern,
) -> None:
    seen: set[int] = set()
    for quarter in pattern.bits.reshape(-1, QUARTER_COLUMNS, BANDS):
        bits, counts = np.unique(quarter, return_counts=True)
        assert bits[0] == PILOT
        assert counts.tolist() == [64] + [5] * 64
        seen.update(bits[1:].tolist())
    assert seen == set(range(CODE.bits))


def test_another_key_has_another_pattern(pattern: Pattern) -> None:
    other = Pattern.derive(ReadingKey.from_bytes(bytes(32)))
    assert 0.4 < (pattern.signs == other.signs).mean() < 0.6
    assert (pattern.bits == other.bits).mean() < 0.1


def test_gathering_undoes_spelling(pattern: Pattern) -> None:
    codeword = CODE.encode(message_of(77))
    sums = pattern.gather(pattern.spell(codeword).astype(float))
    assert (sums == 5 * (1.0 - 2.0 * codeword)).all()


def test_pilots_are_the_same_in_every_codeword(pattern: Pattern) -> None:
    pilots = pattern.pilots()
    assert np.abs(pilots).sum() == COLUMNS * BANDS - 5 * CODE.bits
    for number in (0, 5):
        spelled = pattern.spell(CODE.encode(message_of(number)))
        assert (spelled[pilots != 0] == pilots[pilots != 0]).all()
