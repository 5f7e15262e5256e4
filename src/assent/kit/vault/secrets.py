"""The studio's own secrets: its signing, log, certificate and master keys.

Each is sealed by AES-256-GCM under the root key, which a guard keeps: a passphrase, a program, or
nothing but the rights of its file (0600 in a folder of 0700). `protected` tells, so that people can
be warned.

Layout of a secret: `assent-secret-2\\n` ‖ 12-byte nonce ‖ ciphertext and tag; the mark and the
secret's name are authenticated.

The root key can be replaced. `root.key` is the one in use; while `root.next` is there the secrets
are being sealed anew, and each opens under one of the two.

>>> store = SecretStore(folder, guard=Passphrase(b"correct horse"))  # doctest: +SKIP
>>> store.put("log", b"...")  # doctest: +SKIP
"""

import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from assent.kit.disk import Disk, replace_file
from assent.kit.errors import IntegrityError, NotFoundError
from assent.kit.vault.guard import Guard, Unguarded
from assent.kit.vault.names import check_name
from assent.kit.vault.stream import Entropy

__all__ = ["SecretStore"]

_SECRET = b"assent-secret-2\n"
_DEAD = b"assent-root-dead\n"
_NONCE = 12
_SUFFIX = ".secret"
# The root key, the one to come, and the same one under a guard to come.
_ROOT, _NEXT, _NEW = "root.key", "root.next", "root.new"


class SecretStore:
    """Small secrets by name in a folder.

    Args:
        folder: where the files are; made if missing.
        guard: keeps the root key.
        disk: what reads and writes the files.
        entropy: where keys, salts and nonces come from.

    Raises:
        StorageError: the folder can't be made; in every method, the disk failed.
    """

    def __init__(
        self,
        folder: Path,
        *,
        guard: Guard | None = None,
        disk: Disk | None = None,
        entropy: Entropy = os.urandom,
    ) -> None:
        self._folder = folder
        self._guard = guard or Unguarded()
        self._disk = disk or Disk()
        self._entropy = entropy
        # What a root file held, and the key in it: a derivation is dear.
        self._opened: dict[bytes, bytes] = {}
        self._disk.make_folder(folder)

    @property
    def protected(self) -> bool:
        """Whether more than the rights of the files keeps the secrets."""
        return self._guard.protects

    def put(self, name: str, secret: bytes) -> None:
        """Store a secret, in place of any older one; it's durable when this returns.

        Raises:
            InputError: the name isn't 1 to 80 of `[A-Za-z0-9_.-]`; and what a guard raises.
        """
        path = self._path(name)
        with self._disk.lock(self._folder / ".lock"):
            roots = self._roots()
            if not roots:
                roots = [self._make_root(_ROOT)]
            self._write(path, name, secret, roots[-1])

    def get(self, name: str) -> bytes:
        """Return a secret.

        Raises:
            NotFoundError: there is none of that name.
            InputError: the guard isn't the one that keeps the root key, or has a wrong passphrase.
            IntegrityError: the file isn't one that this store wrote, or the root key is gone.
        """
        path = self._path(name)
        data = self._disk.read(path)
        if data is None:
            raise NotFoundError(f"there is no secret {name}", advice="Set the studio up first.")
        for root in reversed(self._roots()):
            secret = _unseal(data, name, root)
            if secret is not None:
                return secret
        raise IntegrityError(f"the file of secret {name} was changed, or is under another root key")

    def forget(self, name: str) -> None:
        """Remove a secret, if it is there."""
        self._disk.remove(self._path(name))
        self._disk.sync_folder(self._folder)

    def names(self) -> list[str]:
        """Return the names of the secrets, sorted."""
        files = self._disk.names(self._folder)
        return [each.removesuffix(_SUFFIX) for each in files if each.endswith(_SUFFIX)]

    def rotate(self) -> None:
        """Seal every secret under a new root key and destroy the old one.

        Interrupted anywhere, the store is as good as before; called again, it finishes.
        """
        with self._disk.lock(self._folder / ".lock"):
            roots = self._roots()
            if self._disk.read(self._folder / _NEXT) is None:
                roots.append(self._make_root(_NEXT))
            for name in self.names():
                path = self._path(name)
                data = self._disk.read(path)
                if data is None or _unseal(data, name, roots[-1]) is None:
                    self._write(path, name, self.get(name), roots[-1])
            self._take_place(_NEXT)

    def guard_anew(self, guard: Guard) -> None:
        """Let another guard keep the root key; the old file is overwritten.

        Interrupted, the old guard or the new opens the store. Raises what `guard` raises.
        """
        with self._disk.lock(self._folder / ".lock"):
            if self._disk.read(self._folder / _NEXT) is not None:
                raise IntegrityError(
                    "the root key is being replaced", advice="Run `assent vault rotate` first."
                )
            (root,) = self._roots()
            sealed = guard.seal(root, entropy=self._entropy)
            replace_file(self._disk, self._folder / _NEW, sealed)
            self._take_place(_NEW)
            self._guard = guard
            self._opened = {sealed: root}

    def _roots(self) -> list[bytes]:
        """Return the root key in use and, while it is being replaced, the one to come."""
        found = {name: self._disk.read(self._folder / name) for name in (_ROOT, _NEW, _NEXT)}
        alive = {
            name: data
            for name, data in found.items()
            if data is not None and not data.startswith(_DEAD)
        }
        # The guard to come counts for nothing as long as the old one has its file.
        if _ROOT in alive:
            alive.pop(_NEW, None)
        if not alive and self.names():
            raise IntegrityError(
                "the studio's root key is gone", advice="Restore keys/root.key from a backup."
            )
        return [self._open(data) for data in alive.values()]

    def _open(self, data: bytes) -> bytes:
        if data not in self._opened:
            self._opened[data] = self._guard.open(data)
        return self._opened[data]

    def _make_root(self, name: str) -> bytes:
        root = self._entropy(32)
        sealed = self._guard.seal(root, entropy=self._entropy)
        replace_file(self._disk, self._folder / name, sealed)
        self._opened[sealed] = root
        return root

    def _take_place(self, name: str) -> None:
        """Overwrite the root key's file, and put another one in its place."""
        path = self._folder / _ROOT
        length = len(self._disk.read(path) or b"")
        with self._disk.patcher(path) as file:
            self._disk.write(file, _DEAD + self._entropy(max(0, length - len(_DEAD))))
            self._disk.sync(file)
        self._disk.rename(self._folder / name, path)
        self._disk.sync_folder(self._folder)

    def _write(self, path: Path, name: str, secret: bytes, root: bytes) -> None:
        nonce = self._entropy(_NONCE)
        sealed = AESGCM(root).encrypt(nonce, secret, _SECRET + name.encode())
        replace_file(self._disk, path, _SECRET + nonce + sealed)

    def _path(self, name: str) -> Path:
        """Return the secret's file."""
        return self._folder / f"{check_name(name)}{_SUFFIX}"


def _unseal(data: bytes, name: str, root: bytes) -> bytes | None:
    """Return the secret in a file's content, or None if this root key doesn't open it."""
    body = data.removeprefix(_SECRET)
    if not data.startswith(_SECRET) or len(body) < _NONCE:
        raise IntegrityError(f"the file of secret {name} was changed")
    try:
        return AESGCM(root).decrypt(body[:_NONCE], body[_NONCE:], _SECRET + name.encode())
    except InvalidTag:
        return None
