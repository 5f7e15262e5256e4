import numpy as np
import pytest

from assent.kit.errors import InputError
from assent.kit.watermark.known import Known
from assent.kit.watermark.payload import CODE, payload_bits


def test_a_list_keeps_its_order_and_names_each_once() -> None:
    known = Known([9, 2, 9, 5])
    assert known.asset_ids == (9, 2, 5)
    assert len(known) == 3
    assert (known.word(2) == CODE.encode(payload_bits(5))).all()


def test_an_empty_list_is_no_list() -> None:
    assert not Known([])


def test_what_is_no_identifier_is_refused() -> None:
    with pytest.raises(InputError, match="64 bits"):
        Known([1 << 64])


def test_a_word_in_much_noise_is_picked_from_thousands() -> None:
    rng = np.random.default_rng(3)
    numbers = [int(n) for n in rng.integers(0, 1 << 63, 20_000)]
    known = Known(numbers)
    seen = 1.0 - 2.0 * CODE.encode(payload_bits(numbers[7])) + rng.normal(size=CODE.bits) * 3
    place, margin = known.likeliest(2 * seen / 9)
    assert known.asset_ids[place] == numbers[7]
    assert margin > 1


def test_of_one_there_is_no_next() -> None:
    assert Known([4]).likeliest(np.ones(CODE.bits)) == (0, float("inf"))


def test_words_between_which_nothing_decides_leave_no_margin() -> None:
    assert Known([4, 5, 6]).likeliest(np.zeros(CODE.bits))[1] == 0
