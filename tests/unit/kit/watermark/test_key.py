import hashlib
import hmac

import pytest

from assent.kit.errors import InputError
from assent.kit.watermark.key import ReadingKey


def test_words_are_hmac_sha256_in_counter_mode() -> None:
    key = bytes(range(32))
    numbers = ReadingKey.from_bytes(key).stream("example")
    blocks = b"".join(
        hmac.new(
            key, b"assent-watermark-2/example\x00" + i.to_bytes(8, "big"), hashlib.sha256
        ).digest()
        for i in range(2)
    )
    # 2**32 divides evenly by 2**16, so that nothing is rejected.
    expected = [int.from_bytes(blocks[i : i + 4], "big") % 65536 for i in range(0, 64, 4)]
    assert [numbers.below(65536) for _ in range(16)] == expected


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_other_lengths_are_refused(length: int) -> None:
    with pytest.raises(InputError, match=f"32 bytes, not {length}"):
        ReadingKey.from_bytes(bytes(length))


def test_a_permutation_holds_each_number_once(key: ReadingKey) -> None:
    assert sorted(key.stream("a").permutation(100)) == list(range(100))


def test_labels_and_keys_make_different_streams(key: ReadingKey) -> None:
    def first(key: ReadingKey, label: str) -> list[int]:
        numbers = key.stream(label)
        return [numbers.below(1000) for _ in range(8)]

    other = ReadingKey.from_bytes(bytes(32))
    assert first(key, "a") == first(key, "a")
    assert first(key, "a") != first(key, "b")
    assert first(key, "a") != first(other, "a")


def test_draws_are_even_even_where_the_range_does_not_divide_32_bits(key: ReadingKey) -> None:
    # Without rejection the lowest third would come up in half of all draws.
    numbers, n = key.stream("even"), 3 << 30
    low = sum(numbers.below(n) < n // 3 for _ in range(3000))
    assert 900 < low < 1100


def test_bits_are_those_of_the_words_from_the_top(key: ReadingKey) -> None:
    words = [key.stream("a").below(1 << 32)]
    bits = key.stream("a").bits(40)
    assert len(bits) == 40
    assert int("".join(map(str, bits[:32])), 2) == words[0]
