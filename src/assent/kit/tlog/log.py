"""The studio's transparency log: append-only, on disk, one signed checkpoint for all of it.

Entries, hashes and checkpoint are files that any web server can publish (c2sp.org/tlog-tiles).
An append writes entries and tiles first and then replaces the checkpoint in one step; until that
step nothing has happened, and what a torn append left is overwritten by the next one.

>>> log = Log.create(folder, signer=NoteSigner("assent.local/studio/1", key))  # doctest: +SKIP
>>> log.append([b"first", b"second"])  # doctest: +SKIP
(0, 1)
"""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from assent.kit.errors import InputError, StorageError
from assent.kit.tlog._disk import Disk, replace_file
from assent.kit.tlog.checkpoint import Checkpoint
from assent.kit.tlog.merkle import EMPTY_ROOT, leaf_hash
from assent.kit.tlog.note import NoteSigner
from assent.kit.tlog.reader import LogReader
from assent.kit.tlog.tiles import WIDTH, Tile, edge_root, encode_bundle, grow, tile_path

__all__ = ["Log"]


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
            if log._disk.read(folder / "checkpoint") is not None:
                raise InputError(f"{folder} already holds a log", advice="Name another folder.")
            log._commit(0, EMPTY_ROOT)
        return log

    @classmethod
    def open(cls, folder: Path, *, signer: NoteSigner, disk: Disk | None = None) -> "Log":
        """Open the log in `folder`.

        Raises:
            NotFoundError: there is none.
            IntegrityError: its checkpoint wasn't signed by this signer.
            StorageError: a file can't be read.
        """
        log = cls(folder, signer=signer, disk=disk or Disk())
        log.reader()
        return log

    @property
    def size(self) -> int:
        """How many entries there are now."""
        return self.reader().size

    def checkpoint(self) -> str:
        """Return the signed checkpoint of now."""
        return self.reader().checkpoint

    def reader(self) -> LogReader:
        """Return a reader of the log at its state of now."""
        return LogReader(self._folder, verifier=self._signer.verifier, disk=self._disk)

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
            old = self.reader()
            tiles, edge = grow(old.size, old.tree.edge, [leaf_hash(entry) for entry in entries])
            bundles = self._fill_bundles(old, entries)
            self._write({**bundles, **{tile.path(): b"".join(tile.hashes) for tile in tiles}})
            self._commit(old.size + len(entries), edge_root(edge))
            self._prune(tiles)
        return tuple(range(old.size, old.size + len(entries)))

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
        folders = {path.parent for path in paths}
        for folder in sorted(folders):
            self._disk.make_folder(folder)
        for path, data in paths.items():
            replace_file(self._disk, path, data, sync_folder=False)
        for folder in sorted(folders):
            self._disk.sync(folder)

    def _commit(self, size: int, root: bytes) -> None:
        """Sign and publish the state: the step that makes an append happen."""
        state = Checkpoint(origin=self._signer.name, size=size, root=root)
        note = self._signer.sign(state.body())
        replace_file(self._disk, self._folder / "checkpoint", note.encode())

    def _prune(self, tiles: Sequence[Tile]) -> None:
        """Remove the partial tiles and bundles that full ones have taken the place of."""
        full = [tile for tile in tiles if len(tile.hashes) == WIDTH]
        paths = [tile_path(tile.level, tile.index) for tile in full]
        paths += [tile_path("entries", tile.index) for tile in full if tile.level == 0]
        # They only take up space: a disk that fails now mustn't unsay an append that was signed.
        with suppress(StorageError):
            for path in paths:
                self._disk.remove_folder(self._folder / f"{path}.p")
