"""Reading a log from its public files alone, with nothing trusted but its public key.

>>> reader = LogReader(folder, verifier=NoteVerifier.parse(vkey))  # doctest: +SKIP
>>> for index, entry in reader.entries(): ...  # doctest: +SKIP
"""

from collections.abc import Iterator
from pathlib import Path

from assent.kit.errors import IntegrityError, NotFoundError
from assent.kit.tlog._disk import Disk
from assent.kit.tlog.checkpoint import Checkpoint, open_checkpoint
from assent.kit.tlog.files import NOTE_LIMIT, Files, Folder
from assent.kit.tlog.merkle import consistency_ranges, inclusion_ranges, verify_consistency
from assent.kit.tlog.note import NoteVerifier
from assent.kit.tlog.tiles import WIDTH
from assent.kit.tlog.tree import TileTree

__all__ = ["LogReader", "read_note"]


def read_note(files: Files, name: str = "checkpoint") -> str:
    """Return the text of a log's checkpoint, unchecked.

    Raises:
        NotFoundError: there is none.
        IntegrityError: it is no text, or longer than any checkpoint.
    """
    data = files.read(name, NOTE_LIMIT)
    if data is None:
        raise NotFoundError(
            f"{files.name()} holds no log", advice="Name the folder or the address of a log."
        )
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise IntegrityError(f"{files.name(name)} is not text") from error


class LogReader:
    """A log at the state of its checkpoint when this was made; later appends don't show.

    Args:
        source: the log's folder or a copy of it, or whatever else holds its files.
        verifier: the log's public key; its name is the origin.
        disk: what reads the files of a folder.
        checkpoint: an older state to read the log at, instead of the newest.

    Raises:
        NotFoundError: there is no log.
        IntegrityError: the checkpoint isn't signed by the log. Every method raises it, naming the
            file, when one is missing, cut off or changed.
        StorageError: a file can't be read.
    """

    def __init__(
        self,
        source: Path | Files,
        *,
        verifier: NoteVerifier,
        disk: Disk | None = None,
        checkpoint: str | None = None,
    ) -> None:
        files = Folder(source, disk=disk) if isinstance(source, Path) else source
        self.checkpoint = read_note(files) if checkpoint is None else checkpoint
        self.verifier = verifier
        self.state: Checkpoint = open_checkpoint(self.checkpoint, verifier)
        self.tree = TileTree(files, size=self.state.size, root=self.state.root)

    @property
    def size(self) -> int:
        """How many entries there are."""
        return self.state.size

    def entries(self, start: int = 0) -> Iterator[tuple[int, bytes]]:
        """Yield `(index, entry)` from `start` on, each checked against the signed root."""
        for bundle in range(max(0, start) // WIDTH, -(-self.size // WIDTH)):
            for offset, entry in enumerate(self.tree.bundle(bundle)):
                index = bundle * WIDTH + offset
                if index >= start:
                    yield index, entry

    def entry(self, index: int) -> bytes:
        """Return one entry; `NotFoundError` if the log has none at `index`."""
        self._check_index(index)
        return self.tree.bundle(index // WIDTH)[index % WIDTH]

    def inclusion_proof(self, index: int) -> list[bytes]:
        """Return the hashes that prove entry `index`; `NotFoundError` if there is none."""
        self._check_index(index)
        return [self.tree.range_root(*each) for each in inclusion_ranges(index, self.size)]

    def consistency_proof(self, old_size: int) -> list[bytes]:
        """Return the hashes that prove that the log extends its state at `old_size` entries.

        Raises:
            IntegrityError: the log is smaller than that.
        """
        if not 0 <= old_size <= self.size:
            raise IntegrityError(f"the log shrank from {old_size} to {self.size} entries")
        return [self.tree.range_root(*each) for each in consistency_ranges(old_size, self.size)]

    def check_extends(self, older: str) -> Checkpoint:
        """Return the state in an `older` checkpoint note once it's proven to be a part of this log.

        Raises:
            IntegrityError: the log was rolled back or forked since, or `older` isn't the log's.
        """
        old = open_checkpoint(older, self.verifier)
        verify_consistency(
            old_size=old.size,
            old_root=old.root,
            new_size=self.size,
            new_root=self.state.root,
            proof=self.consistency_proof(old.size),
        )
        return old

    def _check_index(self, index: int) -> None:
        """Raise `NotFoundError` unless there is an entry at `index`."""
        if not 0 <= index < self.size:
            raise NotFoundError(
                f"the log has no entry {index}", advice=f"It has {self.size}, counted from 0."
            )
