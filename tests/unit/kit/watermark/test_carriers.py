import numpy as np

from assent.kit.watermark.carriers import TILE, VARIANTS, Carriers, first_variant
from assent.kit.watermark.key import ReadingKey
from assent.kit.watermark.payload import CODE, payload_bits


def test_carriers_lie_in_the_band_off_the_axes_and_are_all_different(carriers: Carriers) -> None:
    k = carriers.all
    radius = np.hypot(k[:, 0], k[:, 1])
    assert radius.min() >= 6
    assert radius.max() <= 44
    assert (np.abs(k) >= 2).all()
    both = {tuple(row) for row in np.concatenate([k, -k]).tolist()}
    assert len(both) == 2 * len(k)


def test_every_code_bit_has_about_as_many_components(carriers: Carriers) -> None:
    uses = np.bincount(carriers.bit_of, minlength=CODE.bits)
    assert len(uses) == CODE.bits
    assert set(uses.tolist()) == {10, 11}


def test_the_pattern_has_power_one_whatever_it_carries(carriers: Carriers) -> None:
    for asset_id in (0, 12345):
        power = np.abs(carriers.coefficients(CODE.encode(payload_bits(asset_id)), 3)) ** 2 / 2
        assert np.isclose(power.sum(), 1)


def test_pilots_do_not_depend_on_the_identifier_but_data_do(carriers: Carriers) -> None:
    one, two = (carriers.coefficients(CODE.encode(payload_bits(i)), 0) for i in (1, 2))
    pilots = len(carriers.pilots)
    assert (one[:pilots] == two[:pilots]).all()
    assert (one[pilots:] != two[pilots:]).any()


def test_another_key_has_other_pilots(carriers: Carriers) -> None:
    other = Carriers.derive(ReadingKey.from_bytes(bytes(32)))
    assert (other.pilots != carriers.pilots).any()


def test_the_highest_carrier_fits_the_tile(carriers: Carriers) -> None:
    assert np.abs(carriers.all).max() < TILE / 2


def test_variants_share_frequencies_but_not_phases_or_signs(carriers: Carriers) -> None:
    codeword = CODE.encode(payload_bits(5))
    patterns = np.array([carriers.coefficients(codeword, v) for v in range(VARIANTS)])
    size = np.linalg.norm(patterns, axis=1)
    alike = np.abs((patterns.conj() @ patterns.T) / np.outer(size, size))
    assert alike[~np.eye(VARIANTS, dtype=bool)].max() < 0.25


def test_without_a_variants_own_signs_all_variants_look_the_same(carriers: Carriers) -> None:
    codeword = CODE.encode(payload_bits(5))
    plain = [carriers.unsigned(carriers.coefficients(codeword, v), v) for v in (0, 6)]
    assert np.allclose(plain[0], plain[1])
    pilots = plain[0][: len(carriers.pilots)]
    assert np.allclose(np.angle(pilots), np.pi / 4)


def test_the_variant_that_a_film_begins_with_depends_on_key_and_identifier(
    key: ReadingKey,
) -> None:
    firsts = [first_variant(key, asset_id) for asset_id in range(200)]
    assert set(firsts) == set(range(VARIANTS))
    other = ReadingKey.from_bytes(bytes(32))
    assert firsts != [first_variant(other, asset_id) for asset_id in range(200)]
