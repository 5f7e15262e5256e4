"""The door through which the studio's own files are written, one primitive a method.

`Disk` does the plain steps (write, sync, rename, remove, lock); the functions below put them in
the order that survives a power cut. Tests pass a `Disk` that fails at a chosen step.

Files are for their owner alone (0600, folders 0700).
"""

import errno
import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from io import BufferedReader, FileIO
from pathlib import Path
from typing import BinaryIO

from assent.kit.errors import StorageError

__all__ = ["Disk", "naming", "replace_file", "written_file"]

_ADVICE = {
    errno.ENOSPC: "Free some space on that disk, then run the command again.",
    errno.EDQUOT: "Free some space in your quota, then run the command again.",
    errno.EACCES: "Give this user the right to write there, then run the command again.",
    errno.EPERM: "Give this user the right to write there, then run the command again.",
    errno.EROFS: "The disk is mounted read-only: mount it for writing or move the studio.",
}


@contextmanager
def naming(path: object) -> Iterator[None]:
    """Turn an `OSError` into a `StorageError` that names `path` and says what to do."""
    try:
        yield
    except OSError as error:
        advice = _ADVICE.get(error.errno or 0)
        raise StorageError(f"{path}: {error.strerror or error}", advice=advice) from error


def _open_private(path: str, flags: int) -> int:
    """Open a file that, if new, is for its owner alone."""
    return os.open(path, flags, 0o600)


class Disk:
    """Plain steps on the file system; every method raises `StorageError` when the disk fails."""

    def read(self, path: Path) -> bytes | None:
        """Return what the file holds, or None if there is no such file."""
        file = self.reader(path)
        if file is None:
            return None
        with file, naming(path):
            return file.read()

    def reader(self, path: Path) -> BufferedReader | None:
        """Return the file opened for reading, or None if there is no such file."""
        with naming(path):
            try:
                return path.open("rb")
            except FileNotFoundError:
                return None

    def writer(self, path: Path) -> BinaryIO:
        """Return a new, unbuffered file for its owner alone; one that exists is refused."""
        with naming(path):
            return FileIO(str(path), "x", opener=_open_private)

    def patcher(self, path: Path) -> BinaryIO:
        """Return an existing file, unbuffered, to be overwritten in place."""
        with naming(path):
            return path.open("r+b", buffering=0)

    def scratch(self, folder: Path) -> BinaryIO:
        """Return an unbuffered file in `folder` that has no name and vanishes when closed."""
        path = folder / f".{os.urandom(8).hex()}.tmp"
        with naming(path), ExitStack() as undo:
            file = undo.enter_context(FileIO(str(path), "x+", opener=_open_private))
            path.unlink()
            undo.pop_all()
            return file

    def write(self, file: BinaryIO, data: bytes | memoryview) -> None:
        """Write all of `data` at the file's position; nothing is durable before `sync`."""
        rest = memoryview(data)
        with naming(file.name):
            while rest:
                rest = rest[file.write(rest) :]

    def read_at(self, file: BinaryIO, offset: int, length: int) -> bytes:
        """Return up to `length` bytes from `offset` on; fewer only at the end of the file."""
        with naming(file.name):
            return os.pread(file.fileno(), length, offset)

    def write_at(self, file: BinaryIO, offset: int, data: bytes) -> None:
        """Write all of `data` at `offset`."""
        rest = memoryview(data)
        with naming(file.name):
            while rest:
                done = os.pwrite(file.fileno(), rest, offset)
                rest, offset = rest[done:], offset + done

    def truncate(self, file: BinaryIO, size: int) -> None:
        """Cut or extend the file to `size` bytes."""
        with naming(file.name):
            os.ftruncate(file.fileno(), size)

    def sync(self, file: BinaryIO) -> None:
        """Wait until what was written to the file is on the disk."""
        with naming(file.name):
            os.fsync(file.fileno())

    def sync_folder(self, folder: Path) -> None:
        """Wait until the folder's list of names is on the disk."""
        with naming(folder):
            file = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(file)
            finally:
                os.close(file)

    def rename(self, old: Path, new: Path) -> None:
        """Give `old` the name `new` in one step, replacing what was there."""
        with naming(new):
            old.replace(new)

    def remove(self, path: Path) -> None:
        """Remove the file, if it is there."""
        with naming(path):
            path.unlink(missing_ok=True)

    def make_folder(self, folder: Path) -> None:
        """Make `folder` where missing, durable in its parent and closed to other users."""
        with naming(folder):
            missing = [each for each in (folder, *folder.parents) if not each.exists()]
        for each in reversed(missing):
            with naming(each):
                each.mkdir(mode=0o700, exist_ok=True)
            self.sync_folder(each.parent)
        with naming(folder):
            folder.chmod(0o700)

    def names(self, folder: Path) -> list[str]:
        """Return the names in a folder, sorted; none if there is no such folder."""
        with naming(folder):
            try:
                return sorted(each.name for each in folder.iterdir())
            except FileNotFoundError:
                return []

    def written(self, path: Path) -> datetime | None:
        """Return when the file was last written, in UTC, or None if there is no such file."""
        with naming(path):
            try:
                return datetime.fromtimestamp(path.stat().st_mtime, UTC)
            except FileNotFoundError:
                return None

    def free(self, folder: Path) -> int:
        """Return how many bytes may still be written to the disk of a folder."""
        with naming(folder):
            figures = os.statvfs(folder)
        return figures.f_bavail * figures.f_frsize

    def appender(self, path: Path) -> BinaryIO:
        """Return a file for its owner alone, unbuffered, to be read and extended; new if missing.

        Its position is at its end.
        """
        with naming(path), ExitStack() as undo:
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
            file = undo.enter_context(FileIO(_open_private(str(path), flags), "r+"))
            file.seek(0, os.SEEK_END)
            undo.pop_all()
            return file

    def share(self, path: Path) -> None:
        """Let other users read the file: what is meant for everyone, such as a release."""
        with naming(path):
            path.chmod(0o644)

    def share_folder(self, folder: Path) -> None:
        """Let other users read a folder's list of names."""
        with naming(folder):
            folder.chmod(0o755)

    @contextmanager
    def lock(self, path: Path) -> Iterator[None]:
        """Hold `path` locked against other threads and processes (flock), waiting for it."""
        with naming(path):
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            with naming(path):
                fcntl.flock(file, fcntl.LOCK_EX)
            yield
        finally:
            os.close(file)

    @contextmanager
    def try_lock(self, path: Path) -> Iterator[bool]:
        """Yield whether `path` is locked by us now; False at once if somebody else has it."""
        with naming(path):
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
        finally:
            os.close(file)


@contextmanager
def written_file(disk: Disk, temporary: Path) -> Iterator[BinaryIO]:
    """Give a new file to write; it's durable when the block ends and removed if the block fails."""
    file = disk.writer(temporary)
    try:
        with file:
            yield file
            disk.sync(file)
    except BaseException:
        # The first failure is the one to report.
        with suppress(StorageError):
            disk.remove(temporary)
        raise


def replace_file(disk: Disk, path: Path, data: bytes | Iterable[bytes]) -> None:
    """Replace `path` so that any reader, now or after a crash, finds the old bytes or the new."""
    temporary = path.with_name(f".{os.urandom(8).hex()}.tmp")
    with written_file(disk, temporary) as file:
        for chunk in [data] if isinstance(data, bytes) else data:
            disk.write(file, chunk)
    try:
        disk.rename(temporary, path)
    except BaseException:
        with suppress(StorageError):
            disk.remove(temporary)
        raise
    disk.sync_folder(path.parent)
