"""A studio from its backup, in a fresh folder; nothing counts before all of it was checked.

Only names that a backup has are written, each once. `studio.toml` comes last: a restoration that
stopped leaves no studio.
"""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import pyrage
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap

from assent.kit.canonical import parse_object
from assent.kit.clock import Clock, system
from assent.kit.disk import Disk, naming, replace_file
from assent.kit.errors import AssentError, InputError, IntegrityError, NotFoundError
from assent.kit.signing import from_jwk, verify
from assent.kit.store.archive import Unpacker
from assent.kit.store.backup import MANIFEST, MANIFEST_KIND, chain
from assent.kit.store.escrow import open_escrow
from assent.kit.store.studio import Studio, open_studio
from assent.kit.tlog.note import NoteVerifier
from assent.kit.tlog.reader import LogReader
from assent.kit.vault.guard import Guard

__all__ = ["Restored", "restore"]

_NAMES = re.compile(
    r"studio\.(db|toml)|manifest\.jws|keys/([\w-]+(\.[\w-]+)*\.secret|root\.key)"
    r"|keys/records/[\w-][\w.-]{0,79}\.(gone|version)|escrow/[\w-][\w.-]{0,79}\.wrapped"
    r"|log/(checkpoint|cosigned|policy|vkey|status/[0-9]+\.jwt|tile/([0-9]+|entries)(/x?[0-9]{3})+(\.p/[0-9]+)?)"
    r"|log/anchors/[1-9][0-9]{0,18}/(checkpoint|[a-z0-9][a-z0-9-]{0,31}\.(tsr|ots|json))"
    r"|vault/[0-9a-f]{2}/[0-9a-f]{64}|(releases|previews|certificates)/[\w-][\w. -]*"
    r"|cases/[0-9a-f]{32}",
    re.ASCII,
)
# Small, and looked at before anything is written: the studio's facts, the manifest, wrapped keys.
_HELD = re.compile(r"studio\.toml|manifest\.jws|escrow/.*")
_SMALL = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """A studio that was restored, and what became of its records' keys.

    `opened` came back from the escrow, `closed` were destroyed there since, `missing` aren't in it.
    """

    studio: Studio
    opened: int
    closed: int
    missing: int


def restore(
    source: BinaryIO,
    folder: Path,
    *,
    identities: Sequence[str],
    guard: Guard | None = None,
    escrow: Path | None = None,
    newer_log: Path | None = None,
    vkey: str | None = None,
    clock: Clock = system,
    disk: Disk | None = None,
) -> Restored:
    """Unpack a backup into `folder`, which must be new or empty.

    Args:
        source: the backup.
        folder: where the studio shall be.
        identities: age's (`AGE-SECRET-KEY-1...`).
        guard: keeps the root key, as it did when the backup was made.
        escrow: the folder with the escrow keys; without it no person's data opens.
        newer_log: a copy of the studio's log that was made later than the backup.
        vkey: the studio's log key as it was published; else the backup vouches for itself.
        clock, disk: as for `open_studio`.

    Raises:
        InputError: unusable identities or folder, or a guard that isn't the studio's.
        IntegrityError: not all of it is what the studio signed.
        StorageError: something can't be read or written.
    """
    disk = disk or Disk()
    keys = [_identity(text) for text in identities]
    with naming(folder):
        # What an attempt that failed left are empty folders.
        if folder.is_file() or any(not path.is_dir() for path in folder.rglob("*")):
            raise InputError(f"{folder} is not empty", advice="Choose a new folder.")
    taking = _Taking(folder, disk)
    try:
        _decrypt(source, taking, keys)
        _check_manifest(taking, vkey)
        if newer_log is not None:
            _take_log(taking, newer_log)
        replace_file(disk, folder / "studio.toml", taking.held["studio.toml"])
        studio = open_studio(folder, guard=guard, clock=clock, disk=disk)
    except BaseException:
        taking.undo()
        raise
    return _take_keys(studio, taking, escrow)


def _identity(text: str) -> Any:  # noqa: ANN401 - pyrage ships no types
    try:
        return pyrage.x25519.Identity.from_str(text.strip())
    except (ValueError, pyrage.IdentityError) as error:
        # Not a word of it: it may be a key with a typing error.
        raise InputError(
            "this is no age identity", advice="It begins with AGE-SECRET-KEY-1."
        ) from error


class _Taking:
    """Takes a backup's members, and remembers what to undo."""

    def __init__(self, folder: Path, disk: Disk) -> None:
        self.folder = folder
        self.disk = disk
        self.held: dict[str, bytes] = {}
        self.digest = bytes(32)
        self.count = 0
        self._written: list[Path] = []
        self._file: BinaryIO | None = None
        self._unpacker = Unpacker(self._begin)

    def write(self, data: bytes) -> int:
        """Take a piece of the archive, as age writes it."""
        self._unpacker.feed(data)
        return len(data)

    def flush(self) -> None:
        """Do nothing: each file is synced when it is complete."""

    @property
    def complete(self) -> bool:
        """Whether the archive came to its end."""
        return self._unpacker.complete

    def undo(self) -> None:
        """Remove what was written; empty folders stay."""
        if self._file is not None:
            self._file.close()
        for path in (*self._written, self.folder / "studio.toml"):
            self.disk.remove(path)

    def _begin(self, name: str, size: int) -> "_Member":
        if not _NAMES.fullmatch(name) or name in self.held:
            raise IntegrityError(f"the backup holds a file that no studio has: {name[:100]!r}")
        if _HELD.fullmatch(name):
            if size > _SMALL:
                raise IntegrityError(f"the backup's {name} is too large")
            return _Member(self, name, size, BytesIO())
        path = self.folder / name
        self.disk.make_folder(path.parent)
        self._file = self.disk.writer(path)
        self._written.append(path)
        return _Member(self, name, size, self._file)

    def taken(self, name: str, size: int, sha256: str) -> None:
        """Note a complete member."""
        shard, _, rest = name.partition("/")
        if shard == "vault" and rest[3:] != sha256:
            raise IntegrityError(f"{rest[3:]} of the backup was changed")
        if name != MANIFEST:
            self.digest = chain(self.digest, name, size, sha256)
            self.count += 1


class _Member:
    """One file on its way out of the archive."""

    def __init__(self, taking: _Taking, name: str, size: int, file: BinaryIO) -> None:
        self._taking, self._name, self._size, self._file = taking, name, size, file
        self._digest = hashlib.sha256()

    def write(self, data: bytes) -> None:
        """Take a piece."""
        self._digest.update(data)
        if isinstance(self._file, BytesIO):
            self._file.write(data)
        else:
            self._taking.disk.write(self._file, data)

    def close(self) -> None:
        """Sync the file, and have it noted."""
        if isinstance(self._file, BytesIO):
            self._taking.held[self._name] = self._file.getvalue()
        else:
            self._taking.disk.sync(self._file)
            self._file.close()
        self._taking.taken(self._name, self._size, self._digest.hexdigest())


def _decrypt(source: BinaryIO, taking: _Taking, keys: Sequence[Any]) -> None:
    try:
        pyrage.decrypt_io(source, taking, list(keys))
    except pyrage.DecryptError as error:
        raise InputError(
            "the backup can't be decrypted with this identity",
            advice="Give the identity that belongs to one of its recipients.",
        ) from error
    except OSError as error:
        raise IntegrityError("the backup was changed or cut off") from error
    if not taking.complete or not {"studio.toml", MANIFEST} <= taking.held.keys():
        raise IntegrityError("the backup was cut off")


def _check_manifest(taking: _Taking, vkey: str | None) -> None:
    """Raise `IntegrityError` unless the studio of the log signed all of it."""
    reader = _reader(taking.folder / "log", vkey)
    first = parse_object(reader.entry(0), name="a log entry")
    jwk = first.get("signing_key")
    if not isinstance(jwk, dict):
        raise IntegrityError("the log's first entry lacks the studio's signing key")
    key = from_jwk(jwk, name="the studio's signing key")
    manifest = verify(taking.held[MANIFEST].decode("ascii", "replace"), key, kind=MANIFEST_KIND)
    said = (manifest.get("studio"), manifest.get("files"), manifest.get("digest"))
    if said != (first.get("id"), taking.count, taking.digest.hex()):
        raise IntegrityError("the backup is not what the studio signed")


def _reader(log: Path, vkey: str | None) -> LogReader:
    with naming(log):
        text = vkey if vkey is not None else (log / "vkey").read_text("utf-8")
    return LogReader(log, verifier=NoteVerifier.parse(text.strip()))


def _take_log(taking: _Taking, newer: Path) -> None:
    """Put a newer copy of the log in the place of the backup's."""
    own = _reader(taking.folder / "log", None)
    reader = LogReader(newer, verifier=own.verifier)
    # Else it is another studio's, or one that was rolled back or forked.
    reader.check_extends(own.checkpoint)
    disk = taking.disk
    for path in sorted(newer.rglob("*")):
        name = f"log/{path.relative_to(newer)}"
        if _NAMES.fullmatch(name) and name != "log/checkpoint" and path.is_file():
            disk.make_folder((taking.folder / name).parent)
            replace_file(disk, taking.folder / name, disk.read(path) or b"")
    replace_file(disk, taking.folder / "log" / "checkpoint", reader.checkpoint.encode())


def _take_keys(studio: Studio, taking: _Taking, escrow: Path | None) -> Restored:
    """Unwrap the records' keys with those of the escrow, and close what was closed there."""
    ring = None
    if escrow is not None:
        ring = open_escrow(escrow, studio.id, studio.secrets, studio.disk)
        if ring is None:
            raise NotFoundError(
                f"{escrow} holds no escrow keys of this studio", advice="Name the escrow folder."
            )
    counts = {"opened": 0, "closed": 0, "missing": 0}
    for name, wrapped in taking.held.items():
        if not name.startswith("escrow/"):
            continue
        key_id = name.removeprefix("escrow/").removesuffix(".wrapped")
        counts[_take_key(studio, key_id, wrapped, None if ring is None else ring.unlock)] += 1
    return Restored(studio=studio, **counts)


def _take_key(
    studio: Studio, key_id: str, wrapped: bytes, unlock: Callable[[str], bytes] | None
) -> str:
    """Restore one key, and return what became of it."""
    if unlock is None:
        return "missing"
    try:
        key = aes_key_unwrap(unlock(key_id), wrapped)
    except NotFoundError:
        return "missing"
    except AssentError as error:
        if isinstance(error, IntegrityError):
            raise
        studio.keyring.destroy(key_id)
        return "closed"
    except (InvalidUnwrap, ValueError) as error:
        raise IntegrityError(f"the escrow key of {key_id} was changed") from error
    studio.keyring.adopt(key_id, key)
    return "opened"
