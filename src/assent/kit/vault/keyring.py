"""One key a person, which can be destroyed: without it, what it protects can't be read.

Each key is 256 random bits in a file of its own, wrapped (AES-KW, RFC 3394) under a key derived
from the studio's master key and the key's id, so that key files can't be swapped. Destroying
overwrites the file in place and then renames it to a tombstone: at no moment is there neither key
nor tombstone, no free space is needed, and the id can never get a key again.

>>> ring = Keyring(folder, master=master)  # doctest: +SKIP
>>> ring.create("ada"); ring.has("ada")  # doctest: +SKIP
True
"""

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from assent.kit.disk import Disk, replace_file
from assent.kit.errors import InputError, IntegrityError, NotClearedError, NotFoundError
from assent.kit.progress import Progress, nothing
from assent.kit.vault.names import check_name
from assent.kit.vault.stream import Entropy

__all__ = ["Keyring"]

_LIVE = b"assent-key-live\n"
_DEAD = b"assent-key-dead\n"
_WRAPPED = 40
_GENERATION = ".generation"
_GONE_ADVICE = (
    "The consent was withdrawn and the key destroyed; that can't be undone. Delete what it "
    "protected, and ask for new consent under a new id."
)


class Keyring:
    """The keys of everyone whose data the vault holds.

    Args:
        folder: where the key files are; made if missing.
        master: 32 secret bytes.
        older: the master key before it, while keys are being wrapped anew.
        disk: what reads and writes the files.
        entropy: where keys come from.

    Raises:
        InputError: the master key isn't 32 bytes; in every method, an id isn't 1 to 80 of
            `[A-Za-z0-9_.-]`.
        StorageError: the folder can't be made; in every method, the disk failed.
    """

    def __init__(
        self,
        folder: Path,
        *,
        master: bytes,
        older: Sequence[bytes] = (),
        disk: Disk | None = None,
        entropy: Entropy = os.urandom,
    ) -> None:
        if any(len(each) != 32 for each in (master, *older)):
            raise InputError("a master key has 32 bytes", advice="Restore the studio's own key.")
        self._folder = folder
        self._masters = (master, *older)
        self._disk = disk or Disk()
        self._entropy = entropy
        self._disk.make_folder(folder)

    def create(self, key_id: str) -> None:
        """Make the key of an id that never had one; it's durable when this returns.

        Raises:
            InputError: it has one.
            NotClearedError: its key was destroyed.
            IntegrityError: the master key was replaced since this keyring was opened.
        """
        self.adopt(key_id, self._entropy(32))

    def adopt(self, key_id: str, key: bytes) -> None:
        """Take in a key that an escrow kept; raises what `create` raises."""
        path = self._path(key_id)
        with self._disk.lock(self._folder / ".lock"):
            if self.was_destroyed(key_id):
                raise NotClearedError(f"the key of {key_id} was destroyed", advice=_GONE_ADVICE)
            if self._disk.read(path) is not None:
                raise InputError(f"{key_id} already has a key", advice="Use the one it has.")
            self._check_generation()
            replace_file(self._disk, path, self._wrap(key_id, key))

    def has(self, key_id: str) -> bool:
        """Tell whether the id has a key that wasn't destroyed."""
        data = self._disk.read(self._path(key_id))
        return data is not None and not data.startswith(_DEAD) and not self._tombstone(key_id)

    def was_destroyed(self, key_id: str) -> bool:
        """Tell whether the id is closed for good."""
        data = self._disk.read(self._path(key_id))
        return self._tombstone(key_id) or (data is not None and data.startswith(_DEAD))

    def unlock(self, key_id: str) -> bytes:
        """Return the key, 32 bytes.

        Raises:
            NotFoundError: the id never had one.
            NotClearedError: it was destroyed.
            IntegrityError: the file was changed, or isn't of this master key.
        """
        path = self._path(key_id)
        if self.was_destroyed(key_id):
            raise NotClearedError(f"the key of {key_id} was destroyed", advice=_GONE_ADVICE)
        data = self._disk.read(path)
        if data is None:
            raise NotFoundError(
                f"{key_id} has no key", advice="Record the consent first; that makes the key."
            )
        key = self._unwrap(key_id, data)
        if key is None:
            self._check_generation()
            raise IntegrityError(f"{path} was changed or has another master key")
        return key

    def ids(self) -> Iterator[str]:
        """Yield every id that has a key or had one, sorted."""
        suffixes = (".key", ".gone")
        names = {Path(each) for each in self._disk.names(self._folder)}
        yield from sorted({each.stem for each in names if each.suffix in suffixes})

    def fingerprint(self, key_id: str) -> str | None:
        """Return the SHA-256 of an id's key file, which tells nothing of the key; None if gone."""
        data = self._disk.read(self._path(key_id)) if self.has(key_id) else None
        return None if data is None else hashlib.sha256(data).hexdigest()

    def wrap_anew(self, progress: Progress = nothing) -> int:
        """Wrap every key under the newest master key; return how many there are.

        Interrupted anywhere, every key opens under one of the two master keys; called again, it
        finishes. Who opened the keyring before can't make keys under the old master key any more.

        Raises:
            IntegrityError: a key opens under neither.
        """
        with self._disk.lock(self._folder / ".lock"):
            replace_file(self._disk, self._folder / _GENERATION, self._generation())
        ids = list(self.ids())
        for done, key_id in enumerate(ids):
            path = self._path(key_id)
            # One key at a time, so that a withdrawal needn't wait for all.
            with self._disk.lock(self._folder / ".lock"):
                data = self._disk.read(path)
                if data is not None and self.has(key_id):
                    key = self.unlock(key_id)
                    if self._open(key_id, data, self._masters[0]) is None:
                        replace_file(self._disk, path, self._wrap(key_id, key))
            progress("wrapping keys", done + 1, len(ids))
        return len(ids)

    def destroy(self, key_id: str) -> None:
        """Destroy the key and close the id for good, whether it ever had a key or not.

        Can be repeated; one that was interrupted must be. What drives and backups still hold of
        the old file is beyond this: see the vault's specification.
        """
        path, tombstone = self._path(key_id), self._path(key_id, ".gone")
        with self._disk.lock(self._folder / ".lock"):
            if self._disk.read(path) is None:
                if not self._tombstone(key_id):
                    replace_file(self._disk, tombstone, self._dead())
            else:
                self._overwrite(path)
                self._disk.rename(path, tombstone)
            # Also when there was nothing to do: an interrupted run may have stopped before this.
            self._disk.sync_folder(self._folder)

    def _overwrite(self, path: Path) -> None:
        """Replace the wrapped key by random bytes, in place and durably."""
        with self._disk.patcher(path) as file:
            self._disk.write(file, self._dead())
            self._disk.sync(file)

    def _dead(self) -> bytes:
        """Return what a destroyed key file holds: as long as a live one."""
        return _DEAD + self._entropy(_WRAPPED)

    def _tombstone(self, key_id: str) -> bool:
        """Tell whether the id has a tombstone."""
        return self._disk.read(self._path(key_id, ".gone")) is not None

    def _check_generation(self) -> None:
        """Raise `IntegrityError` if another master key than this keyring's is in use now."""
        current = self._disk.read(self._folder / _GENERATION)
        if current is not None and current != self._generation():
            raise IntegrityError(
                "the studio's keys were wrapped anew meanwhile", advice="Run the command again."
            )

    def _generation(self) -> bytes:
        """Return what tells master keys apart without telling anything of them."""
        info = b"assent keyring generation v1"
        return _derive(self._masters[0], info).hex().encode()

    def _wrap(self, key_id: str, key: bytes) -> bytes:
        """Return the content of a live key's file."""
        return _LIVE + aes_key_wrap(_wrapping_key(self._masters[0], key_id), key)

    def _unwrap(self, key_id: str, data: bytes) -> bytes | None:
        """Return the key in a file's content, or None if no master key opens it."""
        keys = (self._open(key_id, data, master) for master in self._masters)
        return next((key for key in keys if key is not None), None)

    def _open(self, key_id: str, data: bytes, master: bytes) -> bytes | None:
        """Return the key in a file's content, or None if this master key doesn't open it."""
        if not data.startswith(_LIVE):
            return None
        try:
            return aes_key_unwrap(_wrapping_key(master, key_id), data.removeprefix(_LIVE))
        except (InvalidUnwrap, ValueError):
            return None

    def _path(self, key_id: str, suffix: str = ".key") -> Path:
        """Return the id's key file, or its tombstone with suffix `.gone`."""
        return self._folder / f"{check_name(key_id)}{suffix}"


def _wrapping_key(master: bytes, key_id: str) -> bytes:
    """Return the 32-byte key that wraps the id's key."""
    return _derive(master, b"assent keyring v1\x00" + key_id.encode())


def _derive(master: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(master)
