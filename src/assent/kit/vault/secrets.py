"""The studio's own secrets: its signing, log, certificate and master keys.

With a passphrase each is sealed by AES-256-GCM under a key that scrypt (RFC 7914) makes of it.
Without one they are in clear, and only the rights of the files (0600 in a folder of 0700) protect
them: `protected` tells, so that people can be warned.

Layout of a sealed file: `assent-sealed-1\\n` ‖ log2 of scrypt's N as one byte ‖ 16-byte salt ‖
12-byte nonce ‖ ciphertext and tag; all before the nonce and the secret's name are authenticated.
A clear file is `assent-clear-1\\n` ‖ secret.

>>> store = SecretStore(folder, passphrase=b"correct horse")  # doctest: +SKIP
>>> store.put("log", b"...")  # doctest: +SKIP
"""

import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from assent.kit.disk import Disk, replace_file
from assent.kit.errors import InputError, IntegrityError, NotFoundError
from assent.kit.vault.names import check_name
from assent.kit.vault.stream import Entropy

__all__ = ["SCRYPT_COST", "SecretStore"]

SCRYPT_COST = 17
"""log2 of scrypt's N: with r = 8, 128 MiB and about half a second for each guess."""

_SEALED = b"assent-sealed-1\n"
_CLEAR = b"assent-clear-1\n"
_COSTS = range(10, 21)
_SALT = 16
_NONCE = 12
_SUFFIX = ".secret"


class SecretStore:
    """Small secrets by name in a folder.

    Args:
        folder: where the files are; made if missing.
        passphrase: seals the secrets; None leaves them in clear.
        disk: what reads and writes the files.
        entropy: where salts and nonces come from.
        cost: log2 of scrypt's N for new secrets, 10 to 20.

    Raises:
        InputError: the passphrase is empty.
        StorageError: the folder can't be made; in every method, the disk failed.
    """

    def __init__(
        self,
        folder: Path,
        *,
        passphrase: bytes | None,
        disk: Disk | None = None,
        entropy: Entropy = os.urandom,
        cost: int = SCRYPT_COST,
    ) -> None:
        if passphrase is not None and not passphrase:
            raise InputError("the passphrase is empty", advice="Type one, or go without.")
        self._folder = folder
        self._passphrase = passphrase
        self._disk = disk or Disk()
        self._entropy = entropy
        # One salt a store object: a studio that is set up in one go takes one derivation to open.
        self._start = _SEALED + bytes([cost]) + entropy(_SALT)
        self._keys: dict[bytes, bytes] = {}
        self._disk.make_folder(folder)

    @property
    def protected(self) -> bool:
        """Whether a passphrase seals the secrets."""
        return self._passphrase is not None

    def put(self, name: str, secret: bytes) -> None:
        """Store a secret, in place of any older one; it's durable when this returns.

        Raises:
            InputError: the name isn't 1 to 80 of `[A-Za-z0-9_.-]`.
        """
        path = self._path(name)
        if self._passphrase is None:
            replace_file(self._disk, path, _CLEAR + secret)
            return
        nonce = self._entropy(_NONCE)
        cipher = AESGCM(self._derive(self._start, self._passphrase))
        sealed = cipher.encrypt(nonce, secret, self._start + name.encode())
        replace_file(self._disk, path, self._start + nonce + sealed)

    def get(self, name: str) -> bytes:
        """Return a secret.

        Raises:
            NotFoundError: there is none of that name.
            InputError: wrong passphrase, or one is missing, or there shouldn't be one.
            IntegrityError: the file isn't one that this store wrote.
        """
        data = self._disk.read(self._path(name))
        if data is None:
            raise NotFoundError(f"there is no secret {name}", advice="Set the studio up first.")
        if data.startswith(_SEALED):
            return self._open_sealed(name, data)
        if not data.startswith(_CLEAR):
            raise IntegrityError(f"the file of secret {name} was changed")
        if self._passphrase is not None:
            # Else whoever can write the folder could slip in a key of their own.
            raise InputError(
                f"secret {name} isn't sealed by a passphrase",
                advice="Open the studio without one, or find out who replaced the file.",
            )
        return data.removeprefix(_CLEAR)

    def names(self) -> list[str]:
        """Return the names of the secrets, sorted."""
        files = self._disk.names(self._folder)
        return [each.removesuffix(_SUFFIX) for each in files if each.endswith(_SUFFIX)]

    def _open_sealed(self, name: str, data: bytes) -> bytes:
        """Return what a sealed file holds."""
        start, rest = data[: len(self._start)], data[len(self._start) :]
        if self._passphrase is None:
            raise InputError(f"secret {name} is sealed", advice="Give the studio's passphrase.")
        if len(rest) < _NONCE or start[len(_SEALED)] not in _COSTS:
            raise IntegrityError(f"the file of secret {name} was changed")
        cipher = AESGCM(self._derive(start, self._passphrase))
        try:
            return cipher.decrypt(rest[:_NONCE], rest[_NONCE:], start + name.encode())
        except InvalidTag as error:
            raise InputError(
                f"the passphrase doesn't open secret {name}",
                advice="Type it again; if it is right, the file was changed: restore it.",
            ) from error

    def _derive(self, start: bytes, passphrase: bytes) -> bytes:
        """Return the key that seals files of this start, computed once."""
        if start not in self._keys:
            cost, salt = start[len(_SEALED)], start[len(_SEALED) + 1 :]
            kdf = Scrypt(salt=salt, length=32, n=1 << cost, r=8, p=1)
            self._keys[start] = kdf.derive(passphrase)
        return self._keys[start]

    def _path(self, name: str) -> Path:
        """Return the secret's file."""
        return self._folder / f"{check_name(name)}{_SUFFIX}"
