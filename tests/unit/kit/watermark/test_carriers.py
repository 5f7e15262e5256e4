import numpy as np

from assent.kit.watermark.carriers import TILE, Carriers
from assent.kit.watermark.key import ReadingKey
from assent.kit.watermark.payload import payload_bits
from assent.kit.watermark.polar import CODE_BITS, encode


def test_carriers_lie_in_the_band_off_the_axes_and_are_all_different(carriers: Carriers) -> None:
    k = carriers.all
    radius = np.hypot(k[:, 0], k[:, 1])
    assert radius.min() >= 4
    assert radius.max() <= 23
    assert (np.abs(k) >= 2).all()
    both = {tuple(row) for row in np.concatenate([k, -k]).tolist()}
    assert len(both) == 2 * len(k)


def test_every_code_bit_has_a_component_and_none_more_than_two(carriers: Carriers) -> None:
    uses = np.bincount(carriers.bit_of, minlength=CODE_BITS)
    assert len(uses) == CODE_BITS
    assert set(uses.tolist()) == {1, 2}


def test_the_pattern_has_power_one_whatever_it_carries(carriers: Carriers) -> None:
    for asset_id in (0, 12345):
        power = np.abs(carriers.coefficients(encode(payload_bits(asset_id)))) ** 2 / 2
        assert np.isclose(power.sum(), 1)


def test_pilots_do_not_depend_on_the_identifier_but_data_do(carriers: Carriers) -> None:
    one, two = (carriers.coefficients(encode(payload_bits(i))) for i in (1, 2))
    pilots = len(carriers.pilots)
    assert (one[:pilots] == two[:pilots]).all()
    assert (one[pilots:] != two[pilots:]).any()


def test_another_key_has_other_pilots(carriers: Carriers) -> None:
    other = Carriers.derive(ReadingKey.from_bytes(bytes(32)))
    assert (other.pilots != carriers.pilots).any()


def test_the_highest_carrier_fits_the_tile(carriers: Carriers) -> None:
    assert np.abs(carriers.all).max() < TILE / 2
