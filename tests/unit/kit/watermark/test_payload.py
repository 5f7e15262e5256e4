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


def test_the_most_significant_bit_comes_first() -> None:
    bits = payload_bits(1 << 63)
    assert len(bits) == PAYLOAD_BITS
    assert np.flatnonzero(bits).tolist() == [0]
