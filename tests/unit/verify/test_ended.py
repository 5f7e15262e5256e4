from typing import Any

import pytest

from assent.kit.errors import IntegrityError
from assent.verify.ended import Ended, ended_in, entry_of_end, entry_of_return

ASSET, OTHER = "ab" * 8, "cd" * 8
TIME = "2026-11-23T12:00:00Z"


def told(*entries: dict[str, Any]) -> dict[str, Ended]:
    return ended_in(list(enumerate(entries)))


def test_the_last_word_counts() -> None:
    end = entry_of_end(ASSET, "corrected", time=TIME, successor=OTHER)
    back = entry_of_return(ASSET, time=TIME)
    assert told({"kind": "seal"}, end) == {
        ASSET: Ended(how="corrected", time=TIME, index=1, successor=OTHER)
    }
    assert told(end, back) == {}
    assert told(back) == {}
    again = told(end, back, entry_of_end(ASSET, "revoked", time=TIME), end, back)
    assert (again[ASSET].how, again[ASSET].index, again[ASSET].successor) == ("revoked", 2, None)
    both = told(end, entry_of_end(ASSET, "suspended", time=TIME), end)
    assert (both[ASSET].how, both[ASSET].index) == ("suspended", 1)
    assert told(end, entry_of_return(OTHER, time=TIME)).keys() == {ASSET}


@pytest.mark.parametrize(
    "changes",
    [
        {"asset": None},
        {"asset": "<b>"},
        {"asset": ASSET.upper()},
        {"how": "burnt"},
        {"how": None},
        {"time": 3},
        {"successor": "../x"},
    ],
)
def test_an_entry_without_its_parts_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError, match="end of a release"):
        told({**entry_of_end(ASSET, "revoked", time=TIME), **changes})
