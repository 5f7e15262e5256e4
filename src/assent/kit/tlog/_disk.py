"""The only module of the log that writes to disk, one primitive a method.

`Disk` does the plain steps (write, sync, rename, lock); `replace_file` puts them in the order that
survives a power cut. Tests pass a `Disk` that fails at a chosen step.

>>> replace_file(Disk(), folder / "checkpoint", b"...")  # doctest: +SKIP
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from assent.kit.disk import naming

__all__ = ["Disk", "replace_file"]


class Disk:
    """Plain steps on the file system; every method raises `StorageError` when the disk fails."""

    def read(self, path: Path) -> bytes | None:
        """Return what the file holds, or None if there is no such file."""
        with naming(path):
            try:
                return path.read_bytes()
            except FileNotFoundError:
                return None

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

    def rename(self, old: Path, new: Path) -> None:
        """Give `old` the name `new` in one step, replacing what was there."""
        with naming(new):
            old.replace(new)

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


def replace_file(disk: Disk, path: Path, data: bytes, *, sync_folder: bool = True) -> None:
    """Replace `path` so that any reader, now or after a crash, finds the old bytes or the new.

    The caller holds the log's lock, so one temporary name beside the file is enough and a left
    one is overwritten. With `sync_folder=False` the caller syncs the folder itself, once for many
    files.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    disk.write(temporary, data)
    disk.sync(temporary)
    disk.rename(temporary, path)
    if sync_folder:
        disk.sync(path.parent)
