"""Replace whole files so that any reader, now or after a crash, finds the old bytes or the new."""

import os
from collections.abc import Iterable
from pathlib import Path

from assent.kit.vault._disk import Disk, written_file

__all__ = ["Disk", "replace_file"]


def replace_file(disk: Disk, path: Path, chunks: Iterable[bytes]) -> None:
    """Write `chunks` as the new `path`; raises `StorageError` and leaves the old file."""
    temporary = path.with_name(f".{os.urandom(8).hex()}.tmp")
    with written_file(disk, temporary) as file:
        for chunk in chunks:
            disk.write(file, chunk)
    disk.rename(temporary, path)
    disk.sync_folder(path.parent)
