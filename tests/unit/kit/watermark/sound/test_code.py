import numpy as np
import pytest

from assent.kit.errors import InputError
from assent.kit.watermark.sound.code import (
    CODE,
    message_of,
    number_of,
    short_number,
)

MESSAGE = message_of(0x12345678)


def test_numbers_are_spelled_big_end_first() -> None:
    assert message_of(1).tolist() == [0] * 31 + [1]
    assert number_of(message_of(0xFFFF0001)) == 0xFFFF0001


@pytest.mark.parametrize("number", [-1, 1 << 32])
def test_a_number_that_does_not_fit_is_refused(number: int) -> None:
    with pytest.raises(InputError, match="32 bits"):
        message_of(number)


def test_the_last_place_carries_information_and_the_first_never() -> None:
    places = CODE.information_places
    assert len(set(places.tolist())) == 32
    assert places[-1] == CODE.bits - 1
    assert 0 not in places


def test_the_code_is_linear() -> None:
    other = message_of(42)
    assert (CODE.encode(MESSAGE) ^ CODE.encode(other) == CODE.encode(MESSAGE ^ other)).all()


@pytest.mark.parametrize("paths", [1, 16])
def test_a_clean_word_is_the_first_guess(paths: int) -> None:
    guesses = CODE.decode(np.asarray(5.0 - 10.0 * CODE.encode(MESSAGE)), paths=paths)
    assert guesses.shape == (paths, 32)
    assert (guesses[0] == MESSAGE).all()


def test_a_word_is_decoded_where_a_quarter_of_its_bits_are_wrong() -> None:
    rng = np.random.default_rng(5)
    right = 0
    for _ in range(20):
        seen = 1.0 - 2.0 * CODE.encode(MESSAGE) + rng.normal(size=CODE.bits) * 1.45
        right += any((guess == MESSAGE).all() for guess in CODE.decode(seen, paths=16))
    assert right >= 19


def test_a_lost_half_is_made_up_for() -> None:
    seen = np.asarray(1.0 - 2.0 * CODE.encode(MESSAGE), np.float64)
    seen[np.random.default_rng(6).permutation(CODE.bits)[: CODE.bits // 2]] = 0
    assert (CODE.decode(seen, paths=16)[0] == MESSAGE).all()


def test_the_sound_says_the_low_half_of_an_identifier() -> None:
    assert short_number(0x1122334455667788) == 0x55667788
