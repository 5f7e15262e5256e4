"""Where a log's public files are read from: a folder, or a web server that publishes one.

>>> Folder(Path("log")).name("tile/0/000")
'log/tile/0/000'
"""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from assent.kit.tlog._disk import Disk

__all__ = ["NOTE_LIMIT", "Files", "Folder", "Site"]

NOTE_LIMIT = 128 << 10
"""Bytes in the longest checkpoint or receipt that is read: 16 witnesses with the largest keys."""

Get = Callable[[str, int], bytes | None]
"""Fetches an address, at most so many bytes; None if the server has no such file."""


class Files(Protocol):
    """The public files of a log."""

    def read(self, path: str, limit: int) -> bytes | None:
        """Return what `path` holds, at most `limit` bytes, or None if there is no such file."""

    def name(self, path: str = "") -> str:
        """Return what to call `path`, or the whole log, in a message."""


class Folder:
    """A log's folder, or a copy of it."""

    def __init__(self, folder: Path, *, disk: Disk | None = None) -> None:
        self._folder = folder
        self._disk = disk or Disk()

    def read(self, path: str, limit: int) -> bytes | None:
        """Return what the file holds, or None.

        Raises:
            IntegrityError: it is longer than `limit`.
            StorageError: it can't be read.
        """
        return self._disk.read(self._folder / path, limit)

    def name(self, path: str = "") -> str:
        """Return the path below the folder."""
        return str(self._folder / path)


class Site:
    """A log as a web server publishes it below the address `prefix`.

    `get` makes the request; it must refuse an answer longer than the limit.
    """

    def __init__(self, prefix: str, get: Get) -> None:
        self._prefix = prefix.rstrip("/")
        self._get = get

    def read(self, path: str, limit: int) -> bytes | None:
        """Return what the server answers, or None if it has no such file.

        Raises what `get` does.
        """
        return self._get(self.name(path), limit)

    def name(self, path: str = "") -> str:
        """Return the address of a file."""
        return f"{self._prefix}/{path}" if path else self._prefix
