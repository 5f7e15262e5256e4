import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.purpose.places import EU_MEMBERS, Places, overlap, read_places, within


@pytest.mark.parametrize(
    ("text", "codes", "unread"),
    [
        ("worldwide", {"*"}, ()),
        ("EU, US-CA", {"EU", "US-CA"}, ()),
        ("The European Union and the United Kingdom; INDIA", {"EU", "UK", "IN"}, ()),
        ("south  korea", {"KR"}, ()),
        ("Mars, DE", {"DE"}, ("Mars",)),
        (" , ;", set(), ()),
        ("*", {"*"}, ()),
    ],
)
def test_places_are_read(text: str, codes: set[str], unread: tuple[str, ...]) -> None:
    assert read_places(text) == Places(codes=frozenset(codes), unread=unread)


@pytest.mark.parametrize(
    ("one", "other", "common"),
    [
        ("EU", "DK", True),
        ("EU", "DE-BY", True),
        ("DE", "DE-BY", True),
        ("US", "US-CA", True),
        ("US-NY", "US-CA", False),
        ("EU", "UK", False),
        ("*", "CN", True),
        ("NZ", "NZ", True),
    ],
)
def test_places_overlap_both_ways(one: str, other: str, common: bool) -> None:
    assert overlap(one, other) == overlap(other, one) == common


def test_a_part_is_within_and_the_whole_is_not() -> None:
    assert within("US-CA", "US")
    assert not within("US", "US-CA")
    assert read_places("EU").cover("FR")
    assert not read_places("FR").cover("EU")
    assert read_places("worldwide").cover("EU")
    assert len(EU_MEMBERS) == 27


@given(st.text(max_size=60))
def test_whatever_is_written_is_read_or_named(text: str) -> None:
    read = read_places(text)
    assert all(code == code.upper() for code in read.codes)
    assert (
        bool(read.codes or read.unread)
        == bool(
            [p for p in text.replace(";", ",").split(",") if p.split() and p.split() != ["and"]]
        )
        or "and" in text
    )
