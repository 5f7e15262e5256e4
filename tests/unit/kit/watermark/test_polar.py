import numpy as np
import pytest

from assent.kit.watermark.payload import CODE, identifier_of, payload_bits

MESSAGE = payload_bits(0x0123456789ABCDEF)


def test_the_last_place_carries_information_and_the_first_never() -> None:
    places = CODE.information_places
    assert len(set(places.tolist())) == 64
    assert places[-1] == CODE.bits - 1
    assert 0 not in places


def test_the_code_is_linear() -> None:
    other = payload_bits(42)
    assert (CODE.encode(MESSAGE) ^ CODE.encode(other) == CODE.encode(MESSAGE ^ other)).all()


def test_a_single_bit_at_the_last_place_fills_the_word() -> None:
    message = np.zeros(64, np.uint8)
    message[-1] = 1
    assert CODE.encode(message).all()


@pytest.mark.parametrize("paths", [1, 4, 32])
def test_a_clean_word_is_the_first_guess(paths: int) -> None:
    guesses = CODE.decode(np.asarray(5.0 - 10.0 * CODE.encode(MESSAGE)), paths=paths)
    assert guesses.shape == (paths, 64)
    assert (guesses[0] == MESSAGE).all()


def test_a_word_is_decoded_at_minus_6_db_where_a_third_of_its_bits_are_wrong() -> None:
    rng = np.random.default_rng(5)
    decoded = 0
    for _ in range(10):
        seen = 1.0 - 2.0 * CODE.encode(MESSAGE) + rng.normal(size=CODE.bits) * 2
        guesses = CODE.decode(seen / 2, paths=32)
        decoded += any(identifier_of(guess) == 0x0123456789ABCDEF for guess in guesses)
    assert decoded >= 9


def test_a_longer_list_never_does_worse_than_chance_would_have_it() -> None:
    rng = np.random.default_rng(6)
    found = {1: 0, 32: 0}
    for _ in range(20):
        seen = 1.0 - 2.0 * CODE.encode(MESSAGE) + rng.normal(size=CODE.bits) * 2.4
        for paths in found:
            guesses = CODE.decode(seen, paths=paths)
            found[paths] += any((guess == MESSAGE).all() for guess in guesses)
    assert found[32] > found[1]
