"""Backups: a studio as one file, encrypted to age recipients, of no use against a withdrawal.

What is in it: database, log, the vault's ciphertext, releases, sheets, certificates, and the
studio's own secrets as its guard sealed them. What isn't: people's keys as they lie in the studio.
With an escrow (see `escrow`) it holds each of them wrapped under the escrow key of the record.

The last member is signed by the studio over all the others, so that a restored studio is the one
that was saved, whoever could encrypt to the recipient.
"""

import hashlib
import os
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import pyrage
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from assent.kit.canonical import canonical
from assent.kit.clock import stamp
from assent.kit.disk import Disk, naming, written_file
from assent.kit.errors import InputError, NotClearedError, StorageError
from assent.kit.hashing import chunks_of, hash_file
from assent.kit.progress import Progress, nothing
from assent.kit.signing import sign
from assent.kit.store.archive import END, frame
from assent.kit.store.escrow import add_escrow
from assent.kit.store.studio import NEXT_MASTER, Studio
from assent.kit.store.tables import ExportRow
from assent.kit.vault.keyring import Keyring

__all__ = [
    "MANIFEST",
    "MANIFEST_KIND",
    "Exported",
    "chain",
    "encrypt_pieces",
    "export",
    "read_recipient",
]

MANIFEST = "manifest.jws"
MANIFEST_KIND = "assent-backup+jws"
# The database first: what it refers to is in the vault by then.
_FOLDERS = ("vault", "releases", "previews", "certificates", "cases")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """A backup that was written: how many files it holds, and the keys of how many records."""

    path: Path
    sha256: str
    files: int
    keys: int


def export(
    studio: Studio,
    path: Path,
    *,
    recipients: Sequence[str],
    escrow: Path | None = None,
    progress: Progress = nothing,
) -> Exported:
    """Write a backup of the studio to `path`, which mustn't exist.

    `recipients` are age's (`age1...`). Without an `escrow` folder the backup holds no person's key
    at all. The studio remembers the backup, and the log says that one was made. Raises `InputError`
    for unusable recipients or an existing file, `StorageError` if a file can't be read or written.
    """
    keys = [read_recipient(text) for text in recipients]
    if not keys:
        raise InputError("a backup needs a recipient", advice="Give --to age1...")
    if path.exists() or not path.parent.is_dir() or _inside(path, studio.folder):
        raise InputError(
            f"{path} can't be made",
            advice="Name a new file in a folder that exists, outside of the studio.",
        )
    if NEXT_MASTER in studio.secrets.names():
        raise InputError(
            "the studio's keys are being replaced", advice="Run `assent vault rotate` first."
        )
    ring = add_escrow(studio, escrow) if escrow is not None else None
    row = ExportRow(
        id=uuid.uuid4().hex,
        created=stamp(studio.clock()),
        place=str(path.resolve()),
        sha256="",
        escrow=None if escrow is None else str(escrow.resolve()),
    )
    # Remembered first: a backup that exists and isn't known is worse than the reverse.
    with studio.database.session() as session:
        session.add(row)
    content = _Content(studio, ring, progress)
    temporary = path.with_name(f".{os.urandom(8).hex()}.tmp")
    with content, written_file(studio.disk, temporary) as file:
        encrypt_pieces(content.archive(), studio.disk, file, keys)
    with naming(temporary), temporary.open("rb") as written:
        digest = hash_file(written)
    studio.disk.rename(temporary, path)
    studio.disk.sync_folder(path.parent)
    with studio.database.session() as session:
        session.merge(row).sha256 = digest
    entry = {"kind": "vault.exported", "sha256": digest, "time": stamp(studio.clock())}
    studio.log.append([canonical(entry)])
    return Exported(path=path, sha256=digest, files=content.files, keys=content.keys)


def chain(digest: bytes, name: str, size: int, sha256: str) -> bytes:
    """Return the running hash over a backup's members, after one more."""
    return hashlib.sha256(digest + canonical([name, size, sha256])).digest()


def _inside(path: Path, folder: Path) -> bool:
    return folder.resolve() in path.resolve().parents


def read_recipient(text: str) -> Any:  # noqa: ANN401 - pyrage ships no types
    """Return one of age's recipients; raises `InputError`."""
    try:
        return pyrage.x25519.Recipient.from_str(text)
    except (ValueError, pyrage.RecipientError) as error:
        raise InputError(
            f"'{text[:100]}' is no age recipient", advice="It begins with age1: `age-keygen`."
        ) from error


def encrypt_pieces(
    pieces: Iterator[bytes], disk: Disk, file: BinaryIO, recipients: Sequence[Any]
) -> None:
    """Encrypt what comes out of `pieces` into `file`; what fails there is raised as it is."""
    source, sink = _Source(pieces), _Sink(disk, file)
    try:
        pyrage.encrypt_io(source, sink, list(recipients))
    except pyrage.EncryptError as error:
        # age puts any failure of ours into words of its own.
        raise source.failure or sink.failure or StorageError(f"encrypting: {error}") from error


class _Source:
    """What age reads from: an iterator of bytes as a file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""
        self.failure: Exception | None = None

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes; none at the end."""
        try:
            while not self._rest:
                self._rest = next(self._pieces)
        except StopIteration:
            return b""
        except Exception as failure:
            self.failure = failure
            raise
        part, self._rest = self._rest[:size], self._rest[size:]
        return part


class _Sink:
    """What age writes to: a file of the disk."""

    def __init__(self, disk: Disk, file: BinaryIO) -> None:
        self._disk = disk
        self._file = file
        self.failure: Exception | None = None

    def write(self, data: bytes) -> int:
        """Write all of `data`."""
        try:
            self._disk.write(self._file, data)
        except Exception as failure:
            self.failure = failure
            raise
        return len(data)

    def flush(self) -> None:
        """Do nothing: the file is synced when it is complete."""


class _Content:
    """The members of a backup; entered, it holds a snapshot of the database."""

    def __init__(self, studio: Studio, ring: Keyring | None, progress: Progress) -> None:
        self._studio = studio
        self._ring = ring
        self._progress = progress
        self._digest = bytes(32)
        self._exit = ExitStack()
        self._snapshot = studio.folder / ".snapshot.tmp"
        self.files = 0
        self.keys = 0

    def __enter__(self) -> "_Content":
        disk = self._studio.disk
        self._exit.enter_context(disk.lock(self._studio.folder / "keys" / ".export"))
        # One that a killed command left holds names in clear.
        disk.remove(self._snapshot)
        self._exit.callback(disk.remove, self._snapshot)
        self._studio.database.copy_to(self._snapshot)
        return self

    def __exit__(self, *_: object) -> None:
        self._exit.close()

    def archive(self) -> Iterator[bytes]:
        """Yield the archive's bytes."""
        studio = self._studio
        for path in self._secrets():
            yield from self._file(f"keys/{path.relative_to(studio.folder / 'keys')}", path)
        yield from self._escrowed()
        yield from self._file("studio.db", self._snapshot)
        # Whoever appends meanwhile waits: tiles and checkpoint must fit each other.
        with studio.disk.lock(studio.log_folder / ".lock"):
            for path in _files(studio.log_folder):
                yield from self._file(f"log/{path.relative_to(studio.log_folder)}", path)
        for folder in _FOLDERS:
            paths = list(_files(studio.folder / folder))
            for done, path in enumerate(paths, start=1):
                self._progress(f"saving {folder}", done, len(paths))
                yield from self._file(str(path.relative_to(studio.folder)), path)
        yield from self._file("studio.toml", studio.folder / "studio.toml")
        manifest = sign(
            {
                "studio": studio.id,
                "files": self.files,
                "digest": self._digest.hex(),
                "time": stamp(studio.clock()),
            },
            studio.signing_key,
            kind=MANIFEST_KIND,
        ).encode()
        yield from frame(MANIFEST, len(manifest), [manifest])
        yield from END

    def _secrets(self) -> Iterator[Path]:
        """Yield the studio's secrets, tombstones and newest versions, but no key of a record."""
        folder = self._studio.folder / "keys"
        for path in _files(folder):
            if path.suffix in (".secret", ".gone", ".version") or path.name in (
                "root.key",
                "escrows.json",
            ):
                yield path

    def _escrowed(self) -> Iterator[bytes]:
        """Yield each record's key as the escrow keeps it."""
        ring, keyring = self._ring, self._studio.keyring
        if ring is None:
            return
        for key_id in keyring.ids():
            if not keyring.has(key_id):
                continue
            try:
                if not ring.has(key_id):
                    ring.create(key_id)
                wrapped = aes_key_wrap(ring.unlock(key_id), keyring.unlock(key_id))
            except NotClearedError:
                # Destroyed a moment ago, here or in the escrow.
                continue
            self.keys += 1
            yield from self._member(f"escrow/{key_id}.wrapped", len(wrapped), [wrapped])

    def _file(self, name: str, path: Path) -> Iterator[bytes]:
        reader = self._studio.disk.reader(path)
        if reader is None:
            # Forgotten since it was listed: nothing refers to it any more.
            return
        with reader, naming(path):
            size = reader.seek(0, os.SEEK_END)
            yield from self._member(name, size, chunks_of(reader))

    def _member(self, name: str, size: int, chunks: Iterable[bytes]) -> Iterator[bytes]:
        if len(name.encode()) > 100 or not name.isascii():
            raise StorageError(
                f"{name} can't be put into a backup: its name is too long or not ASCII"
            )
        content = hashlib.sha256()
        for index, piece in enumerate(frame(name, size, _hashing(chunks, content))):
            del index
            yield piece
        self._digest = chain(self._digest, name, size, content.hexdigest())
        self.files += 1


def _hashing(chunks: Iterable[bytes], digest: Any) -> Iterator[bytes]:  # noqa: ANN401 - hashlib's
    for chunk in chunks:
        digest.update(chunk)
        yield chunk


def _files(folder: Path) -> Iterator[Path]:
    """Yield the plain files below a folder, sorted, without hidden ones and unfinished work."""
    with naming(folder):
        paths = sorted(folder.rglob("*"))
    for path in paths:
        parts = path.relative_to(folder).parts
        if not any(part.startswith(".") or part == "tmp" for part in parts):
            with naming(path):
                if path.is_file() and not path.is_symlink():
                    yield path
