"""A viewing that is open, and what belongs to it while it is. Only viewings import it."""

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock

from assent.consent.clearance import AskAgain
from assent.disclose.viewing.noting import Kind
from assent.disclose.viewing.refusing import gone
from assent.disclose.viewing.showing import Screen, size_for
from assent.disclose.viewing.subject import Named, Shown
from assent.kit.media.picture import Picture

__all__ = ["NotYet", "Opened", "Turns", "Viewing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewing:
    """What was opened.

    Attributes:
        id: 16 hexadecimal digits; every picture is marked with them.
        kind: of what.
        of: the id of the draft, clip or model.
        project_id: whose it is.
        by: the account that opened it; nobody else gets its pictures.
        ends: when it ends by itself.
        frames: how many there are.
        width, height: of the pictures as they are.
    """

    id: str
    kind: Kind
    of: str
    project_id: str
    by: str
    ends: datetime
    frames: int
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NotYet:
    """A frame that takes longer than somebody waits.

    Attributes:
        near: the number of one that is there at once and can stand in for it, if there is one.
    """

    near: int | None


@dataclass(slots=True, kw_only=True, eq=False)
class Opened:
    """A viewing with what it shows.

    `lock` lets one thread at a time decode. `sources` is of what its prints are, its own id among
    them, until it lets go of them.
    """

    told: Viewing
    shown: Shown
    screen: Screen
    ask: AskAgain
    records: tuple[str, ...]
    sources: tuple[str, ...] = ()
    over: bool = False
    lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self.sources = (*self.shown.sources, self.told.id)

    def finish(self, named: Named, picture: Picture, width: int) -> bytes:
        """Return a picture as it leaves, about `width` pixels wide; raises as `Screen.show`.

        Raises `NotFoundError` if the viewing has ended meanwhile.
        """
        # Others' pictures are made meanwhile.
        self.screen.pass_gate(picture, named.of, named.name)
        with self.screen.lock:
            if self.over:
                raise gone()
            return self.screen.show(
                picture,
                made=named.made,
                corner=self.shown.label,
                size=size_for(picture.width, picture.height, width),
                of=named.of,
                name=named.name,
                fitted=self.told.kind in ("model", "doubt"),
            )


class Turns:
    """Lets one thread at a time do what has a name, and others what has another."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._taken: dict[Hashable, tuple[Lock, int]] = {}

    @contextmanager
    def turn(self, name: Hashable) -> Iterator[None]:
        """Wait until nobody else does what has this name."""
        with self._lock:
            own, waiting = self._taken.get(name, (Lock(), 0))
            self._taken[name] = (own, waiting + 1)
        try:
            with own:
                yield
        finally:
            with self._lock:
                own, waiting = self._taken.pop(name)
                if waiting > 1:
                    self._taken[name] = (own, waiting - 1)
