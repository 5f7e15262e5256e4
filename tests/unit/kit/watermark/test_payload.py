import numpy as np
import pytest

from assent.kit.errors import InputError
from assent.kit.watermark.payload import PAYLOAD_BITS, identifier_of, payload_bits


@pytest.mark.parametrize("asset_id", [0, 1, 0x0123456789ABCDEF, (1 << 64) - 1])
def test_an_identifier_comes_back(asset_id: int) -> None:
    assert identifier_of(payload_bits(asset_id)) == asset_id


@pytest.mark.parametrize("asset_id", [-1, 1 << 64])
def test_identifiers_beyond_64_bits_are_refused(asset_id: int) -> None:
    with pytest.raises(InputError, match="64 bits"):
        payload_bits(asset_id)


@pytest.mark.parametrize("place", range(PAYLOAD_BITS))
def test_one_wrong_bit_is_noticed(place: int) -> None:
    bits = payload_bits(0xFEDCBA9876543210)
    bits[place] ^= 1
    assert identifier_of(bits) is None


def test_blank_bits_carry_no_identifier() -> None:
    assert identifier_of(np.zeros(PAYLOAD_BITS, np.uint8)) is None
    assert identifier_of(np.ones(PAYLOAD_BITS, np.uint8)) is None
