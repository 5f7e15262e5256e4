"""The studio's transparency log: append-only, on disk, one signed checkpoint for all of it.

Entries, hashes and checkpoint are files that any web server can publish (c2sp.org/tlog-tiles).
An append writes entries and tiles first, then puts the new checkpoint beside the old one, durably,
and then replaces the old one in one step. Until the checkpoint lies there nothing has happened, and
what a torn append left is overwritten by the next one. Once it lies there somebody may see it: a
process that finds it goes on from it, so that a power cut never makes the log sign two histories.

>>> log = Log.create(folder, signer=NoteSigner("assent.local/studio/1", key))  # doctest: +SKIP
>>> log.append([b"first", b"second"])  # doctest: +SKIP
(0, 1)
"""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from assent.kit.errors import InputError, IntegrityError, StorageError
from assent.kit.tlog._disk import Disk, replace_file, replace_files, temporary_name
from assent.kit.tlog.checkpoint import Checkpoint, open_checkpoint
from assent.kit.tlog.files import NOTE_LIMIT, Folder
from assent.kit.tlog.merkle import EMPTY_ROOT, leaf_hash
from assent.kit.tlog.note import NoteSigner, add_signatures, split_note
from assent.kit.tlog.reader import LogReader, read_note
from assent.kit.tlog.tiles import WIDTH, Tile, edge_root, encode_bundle, grow, tile_path

__all__ = ["COSIGNED", "Log"]

COSIGNED = "cosigned"
"""The newest checkpoint that witnesses have cosigned, beside `checkpoint`."""


class Log:
    """A log that this process may append to; make one with `create` or `open`.

    It keeps no state of its own: every append starts from the files, under a lock, so that any
    number of processes can append to one log.
    """

    def __init__(self, folder: Path, *, signer: NoteSigner, disk: Disk) -> None:
        self._folder = folder
        self._signer = signer
        self._disk = disk

    @classmethod
    def create(cls, folder: Path, *, signer: NoteSigner, disk: Disk | None = None) -> "Log":
        """Start a log without entries in `folder`; the signer's name is its origin.

        Raises:
            InputError: there is a log already.
            StorageError: the disk failed; nothing but an empty folder is left.
        """
        log = cls(folder, signer=signer, disk=disk or Disk())
        log._disk.make_folder(folder)
        with log._disk.lock(folder / ".lock"):
            if log._disk.read(folder / "checkpoint", NOTE_LIMIT) is not None:
                raise InputError(f"{folder} already holds a log", advice="Name another folder.")
            log._commit(0, EMPTY_ROOT)
        return log

    @classmethod
    def open(cls, folder: Path, *, signer: NoteSigner, disk: Disk | None = None) -> "Log":
        """Open the log in `folder`; what a stopped process had made ready is published first.

        Raises:
            NotFoundError: there is none.
            IntegrityError: its checkpoint wasn't signed by this signer.
            StorageError: a file can't be read.
        """
        log = cls(folder, signer=signer, disk=disk or Disk())
        log.reader()
        if log._disk.read(temporary_name(folder / "checkpoint"), NOTE_LIMIT) is not None:
            with log._disk.lock(folder / ".lock"):
                log._finish()
        return log

    @property
    def size(self) -> int:
        """How many entries there are now."""
        return self.reader().size

    def checkpoint(self) -> str:
        """Return the signed checkpoint of now."""
        return self.reader().checkpoint

    def reader(self, checkpoint: str | None = None) -> LogReader:
        """Return a reader of the log at its state of now, or at an older one."""
        files = Folder(self._folder, disk=self._disk)
        return LogReader(files, verifier=self._signer.verifier, checkpoint=checkpoint)

    def append(self, entries: Sequence[bytes]) -> tuple[int, ...]:
        """Append entries of at most 65,535 bytes, all or none, and return their indices.

        They are durable when this returns. Waits while another process appends.

        Raises:
            InputError: an entry is too long.
            IntegrityError: the log's files were changed; nothing is signed on top of that.
            StorageError: the disk failed. The log is as before, or, only if it failed in the very
                last step, holds the entries: look before appending them again.
        """
        # An entry too long must be refused before anything is written.
        encode_bundle(entries)
        if not entries:
            return ()
        with self._disk.lock(self._folder / ".lock"):
            self._finish()
            old = self.reader()
            tiles, edge = grow(old.size, old.tree.edge, [leaf_hash(entry) for entry in entries])
            bundles = self._fill_bundles(old, entries)
            self._write({**bundles, **{tile.path(): b"".join(tile.hashes) for tile in tiles}})
            self._commit(old.size + len(entries), edge_root(edge))
            self._prune(tiles)
        return tuple(range(old.size, old.size + len(entries)))

    def cosigned(self) -> str | None:
        """Return the newest checkpoint that witnesses cosigned, unchecked, or None."""
        files = Folder(self._folder, disk=self._disk)
        return read_note(files, COSIGNED) if files.read(COSIGNED, NOTE_LIMIT) is not None else None

    def add_cosignatures(self, checkpoint: str, lines: Sequence[str]) -> str:
        """Publish witnesses' signature lines, verified by the caller, for one of our checkpoints.

        They are added to `cosigned`, and to `checkpoint` itself while the log hasn't grown on.
        Returns the cosigned note.

        Raises:
            IntegrityError: the checkpoint is no state of this log.
            StorageError: the disk failed; what was published before still is.
        """
        with self._disk.lock(self._folder / ".lock"):
            self._finish()
            reader = self.reader()
            state = reader.check_extends(checkpoint)
            body = split_note(checkpoint)[0]
            note = add_signatures(checkpoint, lines)
            earlier = self.cosigned()
            if earlier is not None:
                if open_checkpoint(earlier, self._signer.verifier).size > state.size:
                    return note
                if split_note(earlier)[0] == body:
                    note = add_signatures(earlier, split_note(note)[1])
            replace_file(self._disk, self._folder / COSIGNED, note.encode())
            if split_note(reader.checkpoint)[0] == body:
                replace_file(self._disk, self._folder / "checkpoint", note.encode())
        return note

    def _fill_bundles(self, old: LogReader, entries: Sequence[bytes]) -> dict[str, bytes]:
        """Return path and content of the bundles that change."""
        index, width = divmod(old.size, WIDTH)
        pending = [*(old.tree.bundle(index) if width else []), *entries]
        runs = [pending[i : i + WIDTH] for i in range(0, len(pending), WIDTH)]
        return {
            tile_path("entries", index + i, len(run)): encode_bundle(run)
            for i, run in enumerate(runs)
        }

    def _write(self, files: dict[str, bytes]) -> None:
        """Write tiles and bundles and make all of them durable."""
        paths = {self._folder / path: data for path, data in files.items()}
        for folder in sorted({path.parent for path in paths}):
            self._disk.make_folder(folder)
        replace_files(self._disk, paths)

    def _commit(self, size: int, root: bytes) -> None:
        """Sign and publish the state: the step that makes an append happen."""
        state = Checkpoint(origin=self._signer.name, size=size, root=root)
        path = self._folder / "checkpoint"
        coming = temporary_name(path)
        try:
            self._disk.write(coming, self._signer.sign(state.body()).encode())
            self._disk.sync(coming)
            self._disk.sync(self._folder)
        except StorageError:
            # Nobody has seen it: it needn't happen.
            with suppress(StorageError):
                self._disk.remove(coming)
            raise
        self._publish(coming)

    def _publish(self, coming: Path) -> None:
        """Let the new checkpoint take the place of the old one."""
        self._disk.rename(coming, self._folder / "checkpoint")
        self._disk.sync(self._folder)

    def _finish(self) -> None:
        """Publish a checkpoint that a stopped process left ready, since somebody may have seen it.

        One that isn't whole, or of an older state, was never published, and is passed over.
        """
        coming = temporary_name(self._folder / "checkpoint")
        data = self._disk.read(coming, NOTE_LIMIT)
        if data is None:
            return
        if self._is_next(data.decode("utf-8", "replace")):
            self._publish(coming)
        else:
            self._disk.remove(coming)

    def _is_next(self, note: str) -> bool:
        """Tell whether a note is a checkpoint of ours that goes on from the published one."""
        files = Folder(self._folder, disk=self._disk)
        try:
            ready = LogReader(files, verifier=self._signer.verifier, checkpoint=note)
            ready.check_extends(self.checkpoint())
            return bool(ready.tree.edge) and ready.size > self.size
        except IntegrityError:
            return False

    def _prune(self, tiles: Sequence[Tile]) -> None:
        """Remove the partial tiles and bundles that full ones have taken the place of."""
        full = [tile for tile in tiles if len(tile.hashes) == WIDTH]
        paths = [tile_path(tile.level, tile.index) for tile in full]
        paths += [tile_path("entries", tile.index) for tile in full if tile.level == 0]
        # They only take up space: a disk that fails now mustn't unsay an append that was signed.
        with suppress(StorageError):
            for path in paths:
                self._disk.remove_folder(self._folder / f"{path}.p")
