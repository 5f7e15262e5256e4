"""The folder of anchors beside a log: each checkpoint that was anchored, with what proves it.

    anchors/<size>/checkpoint      the signed checkpoint, byte for byte as it was anchored
    anchors/<size>/<place>.tsr     a time stamp of it (RFC 3161)
    anchors/<size>/<place>.ots     a proof of OpenTimestamps
    anchors/<size>/<place>.json    where it stands on a chain

The files are for everyone; other programs read them too (`openssl ts -verify -data checkpoint`,
`ots verify -f checkpoint`).
"""

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from assent.kit.disk import Disk, naming, replace_file
from assent.kit.errors import InputError, IntegrityError, RewrittenError
from assent.kit.tlog.checkpoint import Checkpoint, open_checkpoint
from assent.kit.tlog.note import NoteVerifier

__all__ = ["KINDS", "AnchorFolder", "Kept", "Proof", "check_place", "text_of"]

KINDS = ("tsr", "ots", "json")
"""The endings of proofs: a time stamp, a proof of OpenTimestamps, a place on a chain."""

_PLACE = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_SIZE = re.compile(r"[1-9][0-9]{0,18}")
_LARGEST = 1 << 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A checkpoint that was kept, as its folder's name and file say; nothing is verified yet."""

    size: int
    path: Path
    note: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A proof about the checkpoint of `size`, from a `place`, of a `kind`."""

    size: int
    place: str
    kind: str
    data: bytes


def check_place(name: str) -> str:
    """Return `name` if it can name a place: lower-case letters, digits and hyphens."""
    if not _PLACE.fullmatch(name) or name == "checkpoint":
        raise InputError(
            f"{name[:40]!r} can't name a place",
            advice="Use 1 to 32 lower-case letters, digits and hyphens.",
        )
    return name


class AnchorFolder:
    """Reads and writes anchors; a stranger's copy is read the same way.

    Args:
        log_folder: the log's folder, or a copy of it.
        disk: what reads and writes.

    Every method raises `StorageError` when the disk fails, and `IntegrityError` for a file that is
    larger than any proof.
    """

    def __init__(self, log_folder: Path, *, disk: Disk | None = None) -> None:
        self._folder = log_folder / "anchors"
        self._disk = disk or Disk()

    def lock(self) -> AbstractContextManager[None]:
        """Hold the folder against other processes that anchor."""
        self._share(self._folder)
        return self._disk.lock(self._folder / ".lock")

    def sizes(self) -> list[int]:
        """Return the sizes at which the log was anchored, or was about to be, ascending."""
        names = self._disk.names(self._folder)
        return sorted(int(name) for name in names if _SIZE.fullmatch(name))

    def kept(self, size: int) -> Kept | None:
        """Return the checkpoint of a size, if it was kept."""
        path = self._folder / str(size) / "checkpoint"
        note = self._read(path)
        return None if note is None else Kept(size=size, path=path, note=note)

    def keep(self, note: str, verifier: NoteVerifier) -> tuple[bytes, Checkpoint]:
        """Keep a checkpoint to anchor; return what to anchor and the state in it.

        Of two notes of one state (one has more cosignatures) the one that came first stays.

        Raises:
            InputError: the log is empty.
            IntegrityError: the note isn't the log's.
            RewrittenError: another state of this size was kept.
        """
        state = open_checkpoint(note, verifier)
        if state.size == 0:
            raise InputError("the log holds nothing to anchor", advice="Anchor it later.")
        older = self.kept(state.size)
        if older is None:
            path = self._folder / str(state.size) / "checkpoint"
            self._share(path.parent)
            self._write(path, note.encode())
            return note.encode(), state
        known = open_checkpoint(text_of(older.note, older.path), verifier)
        if known != state:
            raise RewrittenError(
                f"the log was rewritten: {older.path} is of another history",
                advice="Run `assent log audit`; don't append to this log before you know why.",
            )
        return older.note, state

    def proof(self, size: int, place: str, kind: str) -> bytes | None:
        """Return a proof's content, if there is one."""
        return self._read(self._path(size, place, kind))

    def proofs(self, size: int) -> Iterator[Proof]:
        """Yield the proofs about the checkpoint of a size, by name."""
        for name in self._disk.names(self._folder / str(size)):
            place, _, kind = name.rpartition(".")
            if kind in KINDS and _PLACE.fullmatch(place):
                data = self._read(self._folder / str(size) / name)
                yield Proof(size=size, place=place, kind=kind, data=data or b"")

    def write(self, size: int, place: str, kind: str, data: bytes) -> None:
        """Put a proof in place of any older one; it's durable when this returns."""
        self._write(self._path(size, place, kind), data)

    def _path(self, size: int, place: str, kind: str) -> Path:
        return self._folder / str(size) / f"{check_place(place)}.{kind}"

    def _write(self, path: Path, data: bytes) -> None:
        replace_file(self._disk, path, data)
        self._disk.share(path)

    def _share(self, folder: Path) -> None:
        """Make a folder where missing, readable for everyone."""
        for each in (self._folder, folder):
            with naming(each):
                there = each.is_dir()
            if not there:
                self._disk.make_folder(each)
                self._disk.share_folder(each)

    def _read(self, path: Path) -> bytes | None:
        file = self._disk.reader(path)
        if file is None:
            return None
        with file, naming(path):
            data = file.read(_LARGEST + 1)
        if len(data) > _LARGEST:
            raise IntegrityError(f"{path} is larger than any anchor")
        return data


def text_of(note: bytes, path: Path) -> str:
    """Return a kept note's text; raises `IntegrityError` if it is none."""
    try:
        return note.decode()
    except UnicodeDecodeError as error:
        raise IntegrityError(f"{path} is not text") from error
