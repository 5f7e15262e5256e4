"""Decodes what lies around the frames that people look at, in the order of the film, into prints.

Decoding in order costs a few milliseconds a frame; jumping to one costs all that lie between it and
its key frame. So once a second frame of a clip is looked at its neighbours are decoded in one go,
and the next jump finds them there. When several wait for frames of one clip, one decoder serves all
of them on its way, and the work ends once, instead of being done by each for themselves.
"""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from typing import BinaryIO

from assent.disclose.viewing.prints import Prints, Size
from assent.disclose.viewing.subject import Film
from assent.kit.errors import AssentError
from assent.kit.media.convert import scale
from assent.kit.media.picture import Picture
from assent.kit.media.seek import ClipIndex, Scrubber

__all__ = ["Filler", "Filling"]

_NAME = "footage"
_CLIPS_AT_ONCE = 2
# Frames ahead of who looks that are to be there.
_SOON = 24
_MOST_BYTES = 16 << 20
_ENOUGH_TO_BEGIN = 2
_PATIENCE_S = 0.02
_ASKS_AGAIN_S = 2.0
# Of the room for prints, what clips may fill; a picture of 4:2:0 has three halves of its pixels.
_PART = 0.75

Wanted = tuple[int, Size]


@dataclass(slots=True, kw_only=True, eq=False)
class Filling:
    """A clip that is looked at: who waits for which frame, and what was looked at last.

    `jump` is held by who decodes a single frame of it without waiting for the others. `waiting` is
    for which frames, and until when, in the order in which they were first asked for; who gives up
    soon asks again, so that each stays for a while.
    """

    of: str
    index: ClipIndex
    wanted: Wanted
    jump: threading.Lock = field(default_factory=threading.Lock)
    asked: set[int] = field(default_factory=set)
    sizes: set[Size] = field(default_factory=set)
    waiting: dict[Wanted, float] = field(default_factory=dict)
    running: bool = False
    failed: bool = False
    closed: bool = False


class Filler:
    """Fills `prints`; for any number of threads."""

    def __init__(self, prints: Prints) -> None:
        self._prints = prints
        self._clips: dict[str, Filling] = {}
        self._pool = ThreadPoolExecutor(_CLIPS_AT_ONCE, "filling")
        self._news = threading.Condition()

    def wish(
        self,
        film: Film,
        number: int,
        size: Size,
        read: Callable[[], BinaryIO],
        *,
        begin: bool = True,
    ) -> Filling:
        """Hear that somebody who is cleared looks at a frame; `read` opens the clip once more.

        It is filled only if it is to `begin`. Raises what `read` does.
        """
        (of,) = film.sources
        with self._news:
            clip = self._clips.setdefault(
                of, Filling(of=of, index=film.index, wanted=(number, size))
            )
            clip.asked.add(number)
            clip.sizes.add(size)
            clip.wanted = (number, size)
            if begin and self._is_due(clip):
                file = read()
                clip.running = True
                self._pool.submit(self._work, clip, file)
        return clip

    def _is_due(self, clip: Filling) -> bool:
        """Tell whether to begin: something is missing where somebody looks, or soon will."""
        if clip.running or clip.failed or len(clip.asked) < _ENOUGH_TO_BEGIN:
            return False
        number, size = clip.wanted
        soon = min(number + _SOON, len(clip.index) - 1)
        return not all(self._prints.has(clip.of, f"{n}", size) for n in (number, soon))

    def wait(self, clip: Filling, number: int, size: Size, *, seconds: float) -> Picture | None:
        """Return a frame once it has been decoded on the way; None if that takes longer."""
        ends = time.monotonic() + seconds
        with self._news:
            clip.waiting[number, size] = ends + _ASKS_AGAIN_S
            self._news.notify_all()
            while clip.running and not clip.closed:
                known = self._prints.get(clip.of, f"{number}", size)
                left = ends - time.monotonic()
                if known is not None or left <= 0:
                    return known
                self._news.wait(left)
        return self._prints.get(clip.of, f"{number}", size)

    def _waiting(self, clip: Filling) -> list[Wanted]:
        """Return what is still waited for; `_news` must be held."""
        now = time.monotonic()
        for each, until in list(clip.waiting.items()):
            if until < now or self._prints.has(clip.of, f"{each[0]}", each[1]):
                del clip.waiting[each]
        return list(clip.waiting)

    def forget(self, of: str) -> None:
        """Let go of a clip at which nobody looks any more; nothing of it is decoded after that."""
        with self._news:
            clip = self._clips.pop(of, None)
            if clip is None:
                return
            clip.closed = True
            self._news.notify_all()

    def close(self) -> None:
        """Let go of everything."""
        for of in list(self._clips):
            self.forget(of)
        self._pool.shutdown(wait=False)

    def _work(self, clip: Filling, file: BinaryIO) -> None:
        """Fill runs of frames until nothing is missing; nothing is held open after that."""
        try:
            with file, Scrubber(file, clip.index, name=_NAME, most_bytes=_MOST_BYTES) as scrubber:
                while self._fill(clip, scrubber):
                    pass
        except (AssentError, OSError):
            # Who looks is told when they come there themselves.
            clip.failed = True
        finally:
            with self._news:
                clip.running = False
                self._news.notify_all()

    def _fill(self, clip: Filling, scrubber: Scrubber) -> bool:
        """Decode the first run in which something is missing; tell whether to go on after it."""
        begun = number, size = self._next(clip)
        room = self._room(clip, size)
        for first, end in _runs(clip.index, number, room):
            missing = [n for n in range(first, end) if not self._prints.has(clip.of, f"{n}", size)]
            for n in missing:
                self._give_way(clip)
                if clip.closed or self._wanted_elsewhere(clip, begun, n, end):
                    return not clip.closed
                self._prints.put(clip.of, f"{n}", scale(scrubber.picture(n), *size))
                with self._news:
                    self._news.notify_all()
            if missing:
                return True
        return self._next(clip) != begun

    def _give_way(self, clip: Filling) -> None:
        """Wait while a single frame is decoded for the only one who looks."""
        with self._news:
            while clip.jump.locked() and not self._waiting(clip) and not clip.closed:
                self._news.wait(_PATIENCE_S)

    def _room(self, clip: Filling, size: Size) -> int:
        """Return how many frames are filled, so that what is filled at a time has room together."""
        with self._news:
            others = sum(each.running for each in self._clips.values() if each is not clip)
            parts = (1 + others) * len(clip.sizes)
        return int(_PART / parts * self._prints.most_bytes / (size[0] * size[1] * 1.5))

    def _next(self, clip: Filling) -> Wanted:
        """What to go to: what somebody waits for, or what was looked at last."""
        with self._news:
            return next(iter(self._waiting(clip)), clip.wanted)

    def _wanted_elsewhere(self, clip: Filling, begun: Wanted, here: int, end: int) -> bool:
        """Tell whether whoever waits, or else who looked last, is not on the way from `here`."""
        with self._news:
            waiting = self._waiting(clip)
            if waiting:
                return not any(here <= n < end and s == begun[1] for n, s in waiting)
            return clip.wanted != begun and not clip.wanted[0] < end


def _runs(index: ClipIndex, number: int, room: int) -> Iterator[tuple[int, int]]:
    """Yield runs of frames between key frames, the one with `number` first, then those behind it.

    At the end it begins anew. There are `room` frames in all of them, at most.
    """
    keys = [*index.keys.tolist(), len(index)]
    spans = list(pairwise(keys))
    here = next((at for at, (first, end) in enumerate(spans) if first <= number < end), 0)
    for first, end in (*spans[here:], *spans[:here]):
        # Of a long run what lies around the frame.
        begins = max(first, min(number - room // 2, end - room)) if first <= number < end else first
        ends = min(end, begins + room)
        if ends <= begins:
            return
        yield begins, ends
        room -= ends - begins
