"""The vault: files at rest, each readable only while everyone in it lets it be.

A blob is encrypted under a random key, which is wrapped under a key computed from the keys of all
its subjects. Destroying any one of these makes the blob unreadable. Its id is the SHA-256 of its
ciphertext, checked whenever it's opened, so that one blob can't be passed off as another.

>>> blob_id = vault.put([b"film"], key_ids=["ada", "ben"])  # doctest: +SKIP
>>> vault.read(blob_id)  # doctest: +SKIP
b'film'
"""

import hashlib
import os
import re
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from io import BufferedReader
from pathlib import Path
from typing import NewType

from assent.kit.disk import Disk, naming, written_file
from assent.kit.errors import InputError, IntegrityError, NotFoundError
from assent.kit.vault.header import read_header, unwrap, wrap
from assent.kit.vault.keyring import Keyring
from assent.kit.vault.stream import DecryptingReader, Entropy, encrypt_chunks

__all__ = ["BlobId", "Vault"]

BlobId = NewType("BlobId", str)
"""SHA-256 of a blob's ciphertext file, 64 hexadecimal digits."""

_BLOB_ID = re.compile(r"[0-9a-f]{64}")
_SHARD = re.compile(r"[0-9a-f]{2}")
_TEMPORARY = "tmp"
_TESTED = 1 << 20


class Vault:
    """A folder of ciphertext.

    Args:
        folder: where the blobs are; made if missing.
        keyring: the subjects' keys.
        disk: what reads and writes the files.
        entropy: where data keys, nonces and temporary names come from.

    Raises:
        StorageError: the folder can't be made; in every method, the disk failed.
    """

    def __init__(
        self,
        folder: Path,
        keyring: Keyring,
        *,
        disk: Disk | None = None,
        entropy: Entropy = os.urandom,
    ) -> None:
        self._folder = folder
        self._keyring = keyring
        self._disk = disk or Disk()
        self._entropy = entropy
        self._checked: dict[str, tuple[int, ...]] = {}
        self._disk.make_folder(folder)
        self._disk.make_folder(folder / _TEMPORARY)

    def put(self, chunks: Iterable[bytes], *, key_ids: Collection[str]) -> BlobId:
        """Encrypt data of any length, in bounded memory; it's durable when this returns.

        Args:
            chunks: the data in pieces of any size.
            key_ids: everyone whose key it shall take; at least one.

        Raises:
            InputError: no ids, or far too many.
            NotFoundError: an id never had a key.
            NotClearedError: an id's key was destroyed.
        """
        ids = tuple(sorted(set(key_ids)))
        if not ids:
            raise InputError("a file in the vault belongs to someone", advice="Name the subjects.")
        data_key = self._entropy(32)
        head = wrap(data_key, ids, [self._keyring.unlock(each) for each in ids]).encode()
        temporary = self._folder / _TEMPORARY / self._entropy(16).hex()
        digest = hashlib.sha256(head)
        with written_file(self._disk, temporary) as file:
            self._disk.write(file, head)
            for sealed in encrypt_chunks(chunks, data_key, head, entropy=self._entropy):
                digest.update(sealed)
                self._disk.write(file, sealed)
        return self._publish(temporary, BlobId(digest.hexdigest()))

    def _publish(self, temporary: Path, blob_id: BlobId) -> BlobId:
        """Give a finished file its place."""
        path = self._path(blob_id)
        self._disk.make_folder(path.parent)
        self._disk.rename(temporary, path)
        self._disk.sync_folder(path.parent)
        return blob_id

    def open(self, blob_id: str) -> DecryptingReader:
        """Return the clear data as a seekable file.

        Reads the whole file once to check it against its id; after that, as long as the file
        isn't touched, opening it again is quick.

        Raises:
            NotFoundError: there is no such blob.
            NotClearedError: someone's key was destroyed.
            IntegrityError: the file isn't what was stored.
        """
        source = self._find(blob_id)
        try:
            header, head = read_header(source, blob_id)
            keys = [self._keyring.unlock(each) for each in header.key_ids]
            data_key = unwrap(header, keys, blob_id)
            self._check(blob_id, source)
            return DecryptingReader(source, data_key, head, start=len(head), name=blob_id)
        except BaseException:
            source.close()
            raise

    def read(self, blob_id: str) -> bytes:
        """Return all of the clear data; raises what `open` raises."""
        with self.open(blob_id) as file:
            return file.readall()

    def test(self, blob_id: str) -> None:
        """Check that all of a blob can be opened, keeping nothing of it; raises as `open`."""
        with self.open(blob_id) as file:
            while file.read(_TESTED):
                pass

    def key_ids(self, blob_id: str) -> tuple[str, ...]:
        """Return whose keys the blob takes, sorted, as its header says; needs no key.

        Raises:
            NotFoundError: there is no such blob.
            IntegrityError: the header is damaged.
        """
        with self._find(blob_id) as source:
            return read_header(source, blob_id)[0].key_ids

    def delete(self, blob_id: str) -> None:
        """Remove a blob, if it is there; `NotFoundError` if that is no blob's id."""
        path = self._path(blob_id)
        self._disk.remove(path)
        self._checked.pop(blob_id, None)

    def ids(self) -> Iterator[BlobId]:
        """Yield the id of every blob, sorted."""
        for folder in self._disk.names(self._folder):
            if _SHARD.fullmatch(folder):
                for name in self._disk.names(self._folder / folder):
                    if _BLOB_ID.fullmatch(name):
                        yield BlobId(name)

    def sweep(self, keep: Collection[str], *, before: datetime) -> int:
        """Remove what nobody refers to and return how many files that were.

        Args:
            keep: ids of the blobs that are referred to.
            before: only blobs and unfinished files last written before this moment are removed;
                leave the work in progress the time to record what it has just put.
        """
        temporary = self._folder / _TEMPORARY
        stale = [temporary / name for name in self._disk.names(temporary)]
        stale += [self._path(blob_id) for blob_id in self.ids() if blob_id not in keep]
        removed = 0
        for path in stale:
            written = self._disk.written(path)
            if written is not None and written < before:
                self._disk.remove(path)
                removed += 1
        return removed

    def _check(self, blob_id: str, source: BufferedReader) -> None:
        """Check a whole file against its id, unless that was done and it wasn't touched since."""
        with naming(blob_id):
            stat = os.fstat(source.fileno())
            seen = (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
            if self._checked.get(blob_id) == seen:
                return
            source.seek(0)
            digest = hashlib.file_digest(source, "sha256").hexdigest()
        if digest != blob_id:
            raise IntegrityError(f"{blob_id} was changed, or is another file under that name")
        self._checked[blob_id] = seen

    def _find(self, blob_id: str) -> BufferedReader:
        """Return the blob's file opened for reading."""
        source = self._disk.reader(self._path(blob_id))
        if source is None:
            raise NotFoundError(f"the vault holds no {blob_id}")
        return source

    def _path(self, blob_id: str) -> Path:
        """Return where the blob is; `NotFoundError` if that is no blob's id."""
        if not _BLOB_ID.fullmatch(blob_id):
            raise NotFoundError(f"{blob_id[:100]!r} is no file of the vault")
        return self._folder / blob_id[:2] / blob_id
