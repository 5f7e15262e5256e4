"""Frames of what is looked at, at the size at which they are shown: from prints, or decoded.

Only viewings import it.
"""

import math
from collections.abc import Callable, Iterable
from io import BufferedReader

from assent.consent.clearance import Clearance
from assent.disclose.viewing.filling import Filler
from assent.disclose.viewing.opened import Opened
from assent.disclose.viewing.prints import Prints
from assent.disclose.viewing.showing import GATE_SIDE, size_for
from assent.disclose.viewing.subject import Named, Side
from assent.disclose.viewing.timing import Time
from assent.kit.media.convert import scale
from assent.kit.media.picture import Picture
from assent.kit.media.seek import NotYetError

__all__ = ["Darkroom"]

_WAITS_S = 30.0
# Frames on either side among which one may stand in for another that isn't decoded yet.
_NEAR = 48

Ask = Callable[[Opened], tuple[Clearance, ...]]


class Darkroom:
    """Decodes for all viewings of one process; for any number of threads."""

    def __init__(self) -> None:
        self.prints = Prints()
        self._filler = Filler(self.prints)

    def use(self, sources: Iterable[str]) -> None:
        """Keep prints of these from now on."""
        for source in sources:
            self.prints.use(source)

    def leave(self, sources: Iterable[str]) -> None:
        """Forget all that is kept of these, unless somebody else looks at them."""
        for source in sources:
            if self.prints.leave(source):
                self._filler.forget(source)

    def close(self) -> None:
        """Decode nothing any more."""
        self._filler.close()

    def develop(
        self,
        found: Opened,
        ask: Ask,
        named: Named,
        number: int,
        side: Side,
        width: int,
        within: float,
    ) -> Picture | None:
        """Return a frame whose viewer has just been cleared, to be shown `width` pixels wide.

        What has to be decoded first is asked about once more. None if that takes longer than
        `within` seconds. Raises as `Shown.frame`.
        """
        size = size_for(found.told.width, found.told.height, width)
        film = named.film
        there = 0 <= number < found.told.frames
        time = Time(within if there else math.inf)
        if film is None or not there or not self._may_print(found, size):
            return self._decoded(found, ask, named, number, side, size, time)

        def read() -> BufferedReader:
            return film.read_again(ask(found))

        # Who looks alone is quicker without what is decoded ahead.
        clip = self._filler.wish(film, number, size, read, begin=False)
        known = self.prints.get(named.of, named.name, size)
        if known is None and (clip.jump.locked() or clip.running):
            # Others wait too: who decodes for all of them comes by.
            self._filler.wish(film, number, size, read)
            known = self._filler.wait(clip, number, size, seconds=min(_WAITS_S, time.left))
        if known is not None:
            return known
        with time.holding(clip.jump) as mine:
            if not mine:
                return None
            return self._decoded(found, ask, named, number, side, size, time)

    def nearest(self, found: Opened, named: Named, number: int, width: int) -> int | None:
        """Return the number of a frame that is there at once and near enough to stand in."""
        size = size_for(found.told.width, found.told.height, width)
        return self.prints.nearest(named.of, named.beside, number, size, reach=_NEAR)

    def _decoded(
        self,
        found: Opened,
        ask: Ask,
        named: Named,
        number: int,
        side: Side,
        size: tuple[int, int],
        time: Time,
    ) -> Picture | None:
        known = self.prints.get(named.of, named.name, size)
        if known is not None or not time.left:
            return known
        with time.holding(found.lock) as mine:
            if not mine:
                return None
            try:
                with time.given(named.scrubber):
                    whole = found.shown.frame(number, side, ask(found)).picture
            except NotYetError:
                return None
        if not self._may_print(found, size):
            return whole
        small = scale(whole, *size)
        self.prints.put(named.of, named.name, small)
        return small

    def _may_print(self, found: Opened, size: tuple[int, int]) -> bool:
        """Tell whether the gate would see as much of a print as of the whole."""
        return max(size) >= min(GATE_SIDE, max(found.told.width, found.told.height))
