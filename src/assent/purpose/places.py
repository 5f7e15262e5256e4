"""Where work is shown: codes of places, which of them lie in which, and how people write them.

A code is ISO 3166 (`DE`, `US-CA`), besides `EU` for the Union, `UK` for GB, and `*` for the world.

>>> sorted(read_places("European Union, US-CA").codes)
['EU', 'US-CA']
>>> overlap("EU", "DK"), overlap("US-NY", "US-CA")
(True, False)
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

__all__ = ["EU_MEMBERS", "WORLD", "Places", "overlap", "read_places", "within"]

WORLD = "*"
EU_MEMBERS = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split()  # noqa: SIM905 - easier to read than a list
)

_NAMES = {
    "california": "US-CA",
    "china": "CN",
    "denmark": "DK",
    "european union": "EU",
    "everywhere": WORLD,
    "france": "FR",
    "gb": "UK",
    "germany": "DE",
    "great britain": "UK",
    "india": "IN",
    "new york": "US-NY",
    "republic of korea": "KR",
    "south korea": "KR",
    "tennessee": "US-TN",
    "the european union": "EU",
    "the united kingdom": "UK",
    "the united states": "US",
    "the world": WORLD,
    "united kingdom": "UK",
    "united states": "US",
    "usa": "US",
    "world": WORLD,
    "worldwide": WORLD,
}
_CODE = re.compile(r"[a-z][a-z0-9](-[a-z0-9]{1,3})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """What somebody wrote of places: the codes in it, and what can't be read as one."""

    codes: frozenset[str]
    unread: tuple[str, ...]

    def cover(self, place: str) -> bool:
        """Tell whether all of `place`, a code, lies in these."""
        return any(within(place, code) for code in self.codes)


def read_places(text: str) -> Places:
    """Read codes and names of places, separated by commas, semicolons or 'and'."""
    codes, unread = set(), []
    for part in re.split(r"[,;]|\band\b", text):
        name = " ".join(part.split()).casefold()
        if name in _NAMES:
            codes.add(_NAMES[name])
        elif name == WORLD or _CODE.fullmatch(name):
            codes.add(name.upper())
        elif name:
            unread.append(" ".join(part.split()))
    return Places(codes=frozenset(codes), unread=tuple(unread))


def within(place: str, outer: str) -> bool:
    """Tell whether the place of code `place` lies in that of code `outer`, or is it."""
    return outer in _around(place)


@lru_cache(maxsize=4096)
def overlap(one: str, other: str) -> bool:
    """Tell whether two places have a part in common."""
    return within(one, other) or within(other, one)


@lru_cache(maxsize=1024)
def _around(place: str) -> Collection[str]:
    country = place.partition("-")[0]
    return frozenset({place, country, WORLD, *(("EU",) if country in EU_MEMBERS else ())})
