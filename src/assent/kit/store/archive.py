"""A tar archive as a stream: written from pieces, and taken apart as pieces arrive.

Plain files only (POSIX tar, GNU's form for long sizes), names of at most 100 bytes, no times or
owners: `tar` unpacks it too.

>>> data = b"".join([*frame("a", 3, [b"abc"]), *END])
>>> Unpacker(print_member).feed(data)  # doctest: +SKIP
"""

import tarfile
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from assent.kit.errors import IntegrityError

__all__ = ["END", "Member", "Unpacker", "frame"]

_BLOCK = tarfile.BLOCKSIZE

END: tuple[bytes, ...] = (bytes(2 * _BLOCK),)
"""What closes an archive."""


def frame(name: str, size: int, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield a member's bytes; `IntegrityError` if the chunks aren't `size` bytes together."""
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o600
    yield info.tobuf(tarfile.GNU_FORMAT, "ascii", "strict")
    written = 0
    for chunk in chunks:
        written += len(chunk)
        yield chunk
    if written != size:
        raise IntegrityError(f"{name} changed while it was read", advice="Run the command again.")
    yield bytes(-size % _BLOCK)


class Member(Protocol):
    """Takes a member's content."""

    def write(self, data: bytes) -> None:
        """Take a piece."""
        ...

    def close(self) -> None:
        """Take note that it is complete."""
        ...


class Unpacker:
    """Takes an archive apart; `begin` is called with each member's name and size.

    Raises `IntegrityError` when fed anything but plain files.
    """

    def __init__(self, begin: Callable[[str, int], Member]) -> None:
        self._begin = begin
        self._pending = b""
        self._member: Member | None = None
        self._left = 0
        self._padding = 0
        self.complete = False

    def feed(self, data: bytes) -> None:
        """Take the next piece of the archive."""
        rest = memoryview(self._pending + data)
        self._pending = b""
        while rest and not self.complete:
            if self._member is not None:
                rest = self._fill(self._member, rest)
            elif self._padding:
                skipped = min(self._padding, len(rest))
                self._padding -= skipped
                rest = rest[skipped:]
            elif len(rest) < _BLOCK:
                self._pending = bytes(rest)
                return
            else:
                self._start(bytes(rest[:_BLOCK]))
                rest = rest[_BLOCK:]

    def _start(self, block: bytes) -> None:
        """Read a member's header."""
        if block == bytes(_BLOCK):
            self.complete = True
            return
        try:
            info = tarfile.TarInfo.frombuf(block, "ascii", "strict")
        except (tarfile.HeaderError, ValueError) as error:
            raise IntegrityError("the backup is not in the form that Assent writes") from error
        if info.type != tarfile.REGTYPE or info.size < 0:
            raise IntegrityError("the backup holds something that is no plain file")
        self._member = self._begin(info.name, info.size)
        self._left, self._padding = info.size, -info.size % _BLOCK
        self._finish_member(self._member)

    def _fill(self, member: Member, rest: memoryview) -> memoryview:
        part = rest[: self._left]
        member.write(bytes(part))
        self._left -= len(part)
        self._finish_member(member)
        return rest[len(part) :]

    def _finish_member(self, member: Member) -> None:
        if self._left == 0:
            member.close()
            self._member = None
