"""Small copies of pictures that were decoded, shared by all viewings of the same thing.

Decoding a film's frame costs many times what labelling, marking and signing it does, and whoever
scrubs comes by the same frames again and again. Only who has been cleared for the thing that very
moment is given one; when nobody looks at the thing any more its prints are forgotten.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from assent.kit.media.picture import Picture

__all__ = ["Prints"]

_MOST_BYTES = 256 << 20

Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Key:
    of: str
    name: str
    size: Size


class Prints:
    """The latest prints, and which pictures the content gate has let pass; for any thread.

    Args:
        most_bytes: of all prints.
    """

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self.most_bytes = most_bytes
        self._kept: OrderedDict[_Key, Picture] = OrderedDict()
        self._bytes = 0
        self._passed: dict[str, set[str]] = {}
        self._users: Counter[str] = Counter()
        self._lock = Lock()

    @property
    def held(self) -> int:
        """Return how many bytes are kept."""
        with self._lock:
            return self._bytes

    def use(self, of: str) -> None:
        """Keep prints of a thing from now on, until `leave` was called as often."""
        with self._lock:
            self._users[of] += 1

    def leave(self, of: str) -> bool:
        """Forget the prints of a thing if this was the last who uses them; tells whether it was."""
        with self._lock:
            self._users[of] -= 1
            if self._users[of] > 0:
                return False
            del self._users[of]
            self._passed.pop(of, None)
            for key in [key for key in self._kept if key.of == of]:
                self._drop(key)
            return True

    def get(self, of: str, name: str, size: Size) -> Picture | None:
        """Return a picture of that size, if there is one."""
        key = _Key(of, name, size)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def has(self, of: str, name: str, size: Size) -> bool:
        """Tell whether there is a picture of that size."""
        with self._lock:
            return _Key(of, name, size) in self._kept

    def nearest(
        self, of: str, name: Callable[[int], str], number: int, size: Size, *, reach: int
    ) -> int | None:
        """Return the number of the nearest picture of that size, no further than `reach` away.

        `name` is given a number and returns what that picture is called.
        """
        with self._lock:
            for away in range(reach + 1):
                for near in (number - away, number + away):
                    if near >= 0 and _Key(of, name(near), size) in self._kept:
                        return near
        return None

    def put(self, of: str, name: str, picture: Picture) -> None:
        """Keep a picture of a thing that somebody uses; the ones not used for longest go."""
        key = _Key(of, name, (picture.width, picture.height))
        with self._lock:
            if not self._users[of] or _bytes(picture) > self.most_bytes:
                return
            if key in self._kept:
                self._drop(key)
            self._kept[key] = picture
            self._bytes += _bytes(picture)
            while self._bytes > self.most_bytes:
                self._drop(next(iter(self._kept)))

    def passed(self, of: str, name: str) -> bool:
        """Tell whether the gate has let this picture pass."""
        with self._lock:
            return name in self._passed.get(of, ())

    def note_passed(self, of: str, name: str) -> None:
        """Note that the gate has let this picture pass."""
        with self._lock:
            if self._users[of]:
                self._passed.setdefault(of, set()).add(name)

    def _drop(self, key: _Key) -> None:
        self._bytes -= _bytes(self._kept.pop(key))


def _bytes(picture: Picture) -> int:
    return int(picture.y.nbytes + picture.u.nbytes + picture.v.nbytes)
