"""The files that commands write for people: keys, offers, receipts, curves, dossiers.

Never pictures.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from assent.kit.disk import Disk, replace_file
from assent.kit.errors import InputError, NotFoundError, StorageError

__all__ = [
    "grown_document",
    "read_bytes",
    "read_text",
    "write_document",
    "write_printed",
    "write_secret",
]

# Nothing that a command reads whole is near this: briefs, keys, signed records.
_LARGEST = 4 << 20


def read_bytes(path: Path) -> bytes:
    """Return a small file's bytes; raises `NotFoundError`, `InputError`, `StorageError`."""
    if not path.is_file():
        raise NotFoundError(f"there is no file {path}", advice="Check the path.")
    try:
        if path.stat().st_size > _LARGEST:
            raise InputError(f"{path} is too large to be what is asked for")
        return path.read_bytes()
    except OSError as error:
        raise StorageError(f"{path} can't be read: {error.strerror}") from error


def read_text(path: Path) -> str:
    """Return a small UTF-8 file's text; raises as `read_bytes`."""
    try:
        return read_bytes(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not a text file") from error


def write_document(path: Path, text: str) -> None:
    """Write `text`, replacing what was there; raises `StorageError`."""
    _check_folder(path)
    replace_file(Disk(), path, text.encode())


@contextmanager
def grown_document(path: Path) -> Iterator[tuple[str, Callable[[str], None]]]:
    """Give the whole lines that a document has, and what adds a line to it.

    A last line that was cut off is removed. Each line is handed to the disk at once. Raises
    `StorageError`, and `InputError` if it is no text.
    """
    _check_folder(path)
    disk = Disk()
    try:
        text = (disk.read(path) or b"").decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not a text file") from error
    whole = text[: text.rfind("\n") + 1]
    with disk.patcher(path) if path.exists() else disk.writer(path) as file:
        disk.truncate(file, len(whole.encode()))
        file.seek(0, 2)
        yield whole, lambda line: disk.write(file, line.encode())
        disk.sync(file)


def write_printed(path: Path, data: bytes) -> None:
    """Write a document that is no text, replacing what was there; raises `StorageError`."""
    _check_folder(path)
    replace_file(Disk(), path, data)


def write_secret(path: Path, data: bytes) -> None:
    """Write a key for its owner alone; an existing file is never overwritten."""
    _check_folder(path)
    if path.exists():
        raise InputError(f"{path} is there already", advice="A key is never overwritten.")
    replace_file(Disk(), path, data)


def _check_folder(path: Path) -> None:
    if not path.parent.is_dir():
        raise InputError(f"there is no folder {path.parent}", advice="Make it first.")
