"""Levels of risk, and what each demands before anything leaves.

They are code: no rule pack can lower what a level asks.

>>> highest(["medium", "low"]).name
'medium'
"""

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["LEVELS", "Level", "highest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """What a level of risk asks.

    Attributes:
        name: how it's called.
        shortest_side: of the picture, pixels, at most.
        sign_off: a reviewer signs the draft.
        second_reviewer: another reviewer signs it too.
        ticks: a reviewer has ticked each claim off.
        persistent_label: the label stays for the whole length.
        strong_mark: the watermark is louder than usual, at the price of being seen on flat ground.
    """

    name: str
    shortest_side: int
    sign_off: bool
    second_reviewer: bool = False
    ticks: bool = False
    persistent_label: bool = True
    strong_mark: bool = False

    def demands(self) -> tuple[str, ...]:
        """Say what it asks, a phrase each."""
        asked = (
            (True, f"a picture of at most {self.shortest_side} lines"),
            (self.persistent_label, "the label for the whole length"),
            (self.sign_off, "a reviewer's signature"),
            (self.second_reviewer, "a second reviewer's signature"),
            (self.ticks, "a reviewer's tick at each claim"),
            (self.strong_mark, "a stronger watermark"),
        )
        return tuple(words for holds, words in asked if holds)


LEVELS = {
    level.name: level
    for level in (
        Level(name="low", shortest_side=2160, sign_off=False, persistent_label=False),
        Level(name="medium", shortest_side=1080, sign_off=False),
        Level(name="high", shortest_side=720, sign_off=True, ticks=True, strong_mark=True),
        Level(
            name="severe",
            shortest_side=540,
            sign_off=True,
            second_reviewer=True,
            ticks=True,
            strong_mark=True,
        ),
    )
}
"""Each level by name, the lowest first."""


def highest(names: Iterable[str]) -> Level:
    """Return the highest of the levels called `names`; the lowest there is if there are none."""
    order = list(LEVELS)
    return LEVELS[order[max((order.index(name) for name in names), default=0)]]
