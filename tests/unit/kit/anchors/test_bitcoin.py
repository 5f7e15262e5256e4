"""Bitcoin's headers: the first of all, and ones with little work in them."""

import pytest
from anchoring import mine

from assent.kit.anchors.bitcoin import MAINNET_DIFFICULTY, parse_header, read_headers
from assent.kit.errors import InputError, IntegrityError

# The block with which Bitcoin began, as in its authors' source.
GENESIS = bytes.fromhex(
    "01000000" + "00" * 32 + "3ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a"
    "29ab5f49ffff001d1dac2b7c"
)


def test_the_first_header() -> None:
    header = parse_header(GENESIS)
    assert header.hash == "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"
    assert header.time.isoformat() == "2009-01-03T18:15:05+00:00"
    assert header.difficulty == 1.0 < MAINNET_DIFFICULTY
    assert header.merkle_root.hex().startswith("3ba3edfd")


@pytest.mark.parametrize("place", [0, 4, 36, 68, 76])
def test_a_changed_header_lacks_its_work(place: int) -> None:
    changed = bytearray(GENESIS)
    changed[place] ^= 1
    with pytest.raises(IntegrityError, match="lacks the work"):
        parse_header(bytes(changed))


@pytest.mark.parametrize(
    "bits", [0x207FFFFF, 0x1D80FFFF, 0x1D000000, 0x2100FFFF, 0xFF7FFFFF, 0, 0x01000001]
)
def test_work_that_no_chain_asks_for(bits: int) -> None:
    changed = GENESIS[:72] + bits.to_bytes(4, "little") + GENESIS[76:]
    with pytest.raises(IntegrityError, match=r"impossible amount of work|lacks the work"):
        parse_header(changed)


def test_easier_than_the_easiest() -> None:
    with pytest.raises(IntegrityError, match="impossible amount"):
        parse_header(mine(bytes(32)))


@pytest.mark.parametrize("size", [0, 79, 81])
def test_another_length(size: int) -> None:
    with pytest.raises(IntegrityError, match="has 80 bytes"):
        parse_header(bytes(size))


def test_lines_of_headers() -> None:
    text = f"# height, header\n\n0 {GENESIS.hex()}\n 000:{GENESIS.hex().upper()}\n"
    assert read_headers(text) == {0: parse_header(GENESIS)}
    assert read_headers("") == {}


@pytest.mark.parametrize("line", ["0", GENESIS.hex(), f"-1 {GENESIS.hex()}", "0 " + "g" * 160])
def test_a_line_that_is_none(line: str) -> None:
    with pytest.raises(InputError, match="not a height and a header"):
        read_headers(line)


def test_too_many_lines() -> None:
    with pytest.raises(InputError, match="more than 100000"):
        read_headers("x\n" * 100_001)
