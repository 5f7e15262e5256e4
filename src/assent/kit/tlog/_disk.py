"""The only module of the log that writes to disk, one primitive a method.

`Disk` does the plain steps (write, sync, rename, lock); `replace_file` puts them in the order that
survives a power cut. Tests pass a `Disk` that fails at a chosen step.

>>> replace_file(Disk(), folder / "checkpoint", b"...")  # doctest: +SKIP
"""

import fcntl
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from assent.kit.disk import naming
from assent.kit.errors import IntegrityError

__all__ = ["Disk", "replace_file", "replace_files", "temporary_name"]

# A file system answers syncs that wait together with one write of its journal.
_SYNCING_THREADS = 8
_FEW = 16


class Disk:
    """Plain steps on the file system; every method raises `StorageError` when the disk fails."""

    def read(self, path: Path, limit: int) -> bytes | None:
        """Return what the file holds, or None if there is no such file.

        Raises:
            IntegrityError: it holds more than `limit` bytes.
        """
        with naming(path):
            try:
                with path.open("rb") as file:
                    data = file.read(limit + 1)
            except FileNotFoundError:
                return None
        if len(data) > limit:
            raise IntegrityError(f"{path} is longer than such a file can be")
        return data

    def make_folder(self, folder: Path) -> None:
        """Make `folder` and its parents where missing, each made durable in its parent."""
        with naming(folder):
            missing = [each for each in (folder, *folder.parents) if not each.exists()]
        for each in reversed(missing):
            with naming(each):
                each.mkdir(exist_ok=True)
            self.sync(each.parent)

    def write(self, path: Path, data: bytes) -> None:
        """Create or overwrite the file; nothing is durable before `sync`."""
        with naming(path):
            path.write_bytes(data)

    def sync(self, path: Path) -> None:
        """Wait until the file or the folder's list of names is on the disk."""
        with naming(path):
            file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(file)
            finally:
                os.close(file)

    def sync_all(self, paths: Sequence[Path]) -> None:
        """Wait until all of these files or folders are on the disk."""
        if len(paths) <= _FEW:
            for path in paths:
                self.sync(path)
            return
        with ThreadPoolExecutor(_SYNCING_THREADS) as threads:
            for _ in threads.map(self.sync, paths):
                pass

    def rename(self, old: Path, new: Path) -> None:
        """Give `old` the name `new` in one step, replacing what was there."""
        with naming(new):
            old.replace(new)

    def remove(self, path: Path) -> None:
        """Remove the file, if it is there."""
        with naming(path):
            path.unlink(missing_ok=True)

    def remove_folder(self, folder: Path) -> None:
        """Remove a folder of plain files, if it is there."""
        with naming(folder):
            if folder.exists():
                for file in folder.iterdir():
                    file.unlink()
                folder.rmdir()

    @contextmanager
    def lock(self, path: Path) -> Iterator[None]:
        """Hold `path` locked against other threads and processes (flock), waiting for it."""
        with naming(path):
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            with naming(path):
                fcntl.flock(file, fcntl.LOCK_EX)
            yield
        finally:
            os.close(file)


def temporary_name(path: Path) -> Path:
    """Return the name beside `path` under which its successor is written.

    The caller holds the log's lock, so one such name is enough, and a left one is overwritten.
    """
    return path.with_name(f".{path.name}.tmp")


def replace_file(disk: Disk, path: Path, data: bytes) -> None:
    """Replace `path` so that any reader, now or after a crash, finds the old bytes or the new."""
    replace_files(disk, {path: data})


def replace_files(disk: Disk, files: Mapping[Path, bytes]) -> None:
    """Replace each of `files`, and return when all of them are durable."""
    for path, data in files.items():
        disk.write(temporary_name(path), data)
    disk.sync_all([temporary_name(path) for path in files])
    for path in files:
        disk.rename(temporary_name(path), path)
    disk.sync_all(sorted({path.parent for path in files}))
