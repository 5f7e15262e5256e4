"""A stream that remembers why it failed.

The c2pa library turns an exception inside a stream into a bare "-1"; the cause (a full disk,
a bug) would be lost without this.
"""

import io
from typing import BinaryIO

__all__ = ["Watched"]


class Watched(io.RawIOBase):
    """Pass everything on to `stream` (seekable, not owned) and keep the first `failure`."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__()
        self._stream = stream
        self.failure: Exception | None = None

    def readable(self) -> bool:
        """Return True: the library reads back what it has written."""
        return True

    def writable(self) -> bool:
        """Return what the stream itself says."""
        return self._stream.writable()

    def seekable(self) -> bool:
        """Return True: the library seeks."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override] # a narrower buffer
        """Fill `buffer` from the stream; return the number of bytes, 0 at its end."""
        with _Keep(self):
            piece = self._stream.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    def write(self, data: bytes) -> int:  # type: ignore[override] # the library passes bytes
        """Write all of `data`."""
        with _Keep(self):
            return self._stream.write(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to `offset`; return the new position."""
        with _Keep(self):
            return self._stream.seek(offset, whence)

    def flush(self) -> None:
        """Flush the stream, which stays open."""
        with _Keep(self):
            self._stream.flush()


class _Keep:
    def __init__(self, owner: Watched) -> None:
        self._owner = owner

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, Exception) and self._owner.failure is None:
            self._owner.failure = error
