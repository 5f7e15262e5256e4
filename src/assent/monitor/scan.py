"""Look through a folder for copies of the studio's releases."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from assent.kit.errors import InputError, MediaError
from assent.kit.progress import Progress, nothing
from assent.verify.examine import examine
from assent.verify.findings import Findings
from assent.verify.public import PublicLog

__all__ = ["Sighting", "scan"]

_ENDINGS = {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".ts", ".jpg", ".jpeg", ".png"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One file that was looked at; `findings` is None if it could not be read."""

    path: Path
    findings: Findings | None
    problem: str | None


def scan(folder: Path, log: PublicLog, *, progress: Progress = nothing) -> Iterator[Sighting]:
    """Yield a sighting for each video and still below `folder`; links are not followed."""
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder", advice="Name the folder to look through.")
    files = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in _ENDINGS and path.is_file() and not path.is_symlink()
    )
    for number, path in enumerate(files, start=1):
        progress("scanning", number, len(files))
        try:
            yield Sighting(path=path, findings=examine(path, log), problem=None)
        except MediaError as error:
            yield Sighting(path=path, findings=None, problem=str(error))
