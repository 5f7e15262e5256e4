"""What can be looked at, frame by frame.

Each opens what it shows under clearances that are given with every frame. Only viewings import it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from io import BufferedReader
from typing import Protocol

from assent.consent.clearance import Clearance
from assent.disclose.viewing.showing import Made
from assent.kit.imaging.label import Corner
from assent.kit.media.picture import Picture
from assent.kit.media.seek import ClipIndex, Scrubber

__all__ = ["Film", "Frame", "Named", "Shown", "Side"]


class Side(Enum):
    """Which of a frame's pictures."""

    BEFORE = "before"
    """As it was filmed."""
    AFTER = "after"
    """As it was rendered."""
    MASK = "mask"
    """What of it was changed, and how much."""

    @classmethod
    def of(cls, kind: str) -> "Side":
        """Return which there is to see of a kind of thing, if nobody says which."""
        return cls.AFTER if kind in ("draft", "model") else cls.BEFORE


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A picture, whether a model had a part in it, and a name of its content."""

    picture: Picture
    made: Made
    name: str


class Film(Protocol):
    """What was filmed, and can be decoded ahead."""

    index: ClipIndex

    @property
    def sources(self) -> tuple[str, ...]:
        """Return the one blob that it is in."""

    def read_again(self, clearances: Sequence[Clearance]) -> BufferedReader:
        """Open it once more, for another decoder; raises as `ClearedClip.open`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What a frame is called wherever it is shown, without the frame itself.

    `of` says what it is a frame of; prints are kept by that and its name, which ends with its
    number where prints are kept. `scrubber` is what decodes it. `film` is what it is one of as it
    was filmed, if it is.
    """

    of: str
    name: str
    made: Made
    scrubber: Scrubber | None = None
    film: Film | None = None

    def beside(self, number: int) -> str:
        """Return the name of another frame of the same."""
        return self.name.rstrip("0123456789") + str(number)


class Shown(Protocol):
    """Gives frames; for one thread at a time."""

    @property
    def frames(self) -> int:
        """Return how many there are."""

    @property
    def footage(self) -> str | None:
        """Return the SHA-256 of the clip that was filmed, if it is of one."""

    @property
    def sources(self) -> tuple[str, ...]:
        """Return of what its frames are, of which prints are kept."""

    @property
    def label(self) -> Corner:
        """Return where the label of what a model changed lies."""

    def named(self, number: int, side: Side, clearances: Sequence[Clearance]) -> Named | None:
        """Return what a frame is called, for any thread; None if no prints are kept of it.

        Whoever gets a print of it has been held to who is cleared now as by `frame`, and raises as
        that.
        """

    def frame(self, number: int, side: Side, clearances: Sequence[Clearance]) -> Frame:
        """Return a frame; raises `InputError` if there is none, `NotClearedError`."""

    def seconds(self) -> tuple[float, ...]:
        """Return when each frame is shown."""

    def rest(self) -> None:
        """Let go of decoder and pictures; the next frame opens them again."""

    def close(self) -> None:
        """Let go of everything for good."""
