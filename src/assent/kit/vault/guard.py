"""What keeps the studio's root key: nothing but file rights, a passphrase, or a program.

A guard seals the 32 bytes of the root key into the bytes of a file, and opens them again:

- `Unguarded`: `assent-root-clear-1\\n` ‖ key.
- `Passphrase`: `assent-root-argon2id-1\\n` ‖ MiB of memory as uint16 ‖ passes ‖ lanes (a byte each)
  ‖ 16-byte salt ‖ 12-byte nonce ‖ AES-256-GCM of the key, all before the nonce authenticated. The
  sealing key is Argon2id's (RFC 9106).
- `KeyCommand`: `assent-root-command-1\\n` ‖ whatever text the program made of the key.

>>> guard = Passphrase(b"correct horse", cost=Cost(mebibytes=8, passes=1))
>>> guard.open(guard.seal(bytes(32), entropy=os.urandom)) == bytes(32)
True
"""

import base64
import binascii
import hmac
import os
import struct
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from assent.kit.errors import FaultError, InputError, IntegrityError
from assent.kit.vault.stream import Entropy

__all__ = ["Cost", "Guard", "KeyCommand", "Passphrase", "Unguarded", "takes_passphrase"]

_CLEAR = b"assent-root-clear-1\n"
_ARGON = b"assent-root-argon2id-1\n"
_COMMAND = b"assent-root-command-1\n"
_COSTS = struct.Struct(">HBB")
_SALT = 16
_NONCE = 12
_ROOT = 32
# The least that a store made by us can hold, and the most that is computed for one from elsewhere.
_MEBIBYTES = range(8, 1025)
_PASSES = range(1, 17)
_LANES = range(1, 17)
_LONGEST_TOKEN = 1 << 16


class Guard(Protocol):
    """Seals and opens a root key."""

    @property
    def protects(self) -> bool:
        """Whether more than the rights of the file keeps the key."""
        ...

    def seal(self, root: bytes, *, entropy: Entropy) -> bytes:
        """Return what the file of the root key shall hold."""
        ...

    def open(self, data: bytes) -> bytes:
        """Return the root key in a file's content.

        Raises:
            InputError: another guard sealed it, or the passphrase is wrong.
            IntegrityError: no guard wrote this.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one guess of the passphrase costs; RFC 9106's second choice."""

    mebibytes: int = 64
    passes: int = 3
    lanes: int = 4


class Unguarded:
    """The key as it is: whoever can read the file has it."""

    protects = False

    def seal(self, root: bytes, *, entropy: Entropy) -> bytes:
        """Return the key behind its mark."""
        return _CLEAR + root

    def open(self, data: bytes) -> bytes:
        """Return the key; see `Guard`."""
        return _whole(_after(_CLEAR, data))


class Passphrase:
    """A passphrase, made dear to guess by Argon2id.

    Raises `InputError` if it is empty.
    """

    protects = True

    def __init__(self, passphrase: bytes, *, cost: Cost | None = None) -> None:
        if not passphrase:
            raise InputError("the passphrase is empty", advice="Type one, or go without.")
        self._passphrase = passphrase
        self._cost = cost or Cost()

    @property
    def phrase(self) -> bytes:
        """The passphrase, for a process that we start ourselves."""
        return self._passphrase

    def seal(self, root: bytes, *, entropy: Entropy) -> bytes:
        """Return the key sealed under a fresh salt."""
        cost = self._cost
        start = _ARGON + _COSTS.pack(cost.mebibytes, cost.passes, cost.lanes) + entropy(_SALT)
        nonce = entropy(_NONCE)
        return start + nonce + AESGCM(self._derive(start)).encrypt(nonce, root, start)

    def open(self, data: bytes) -> bytes:
        """Return the key; see `Guard`. Costs that no one would choose aren't computed."""
        _after(_ARGON, data)
        end = len(_ARGON) + _COSTS.size + _SALT
        start, nonce, sealed = data[:end], data[end : end + _NONCE], data[end + _NONCE :]
        if len(nonce) < _NONCE or not _affordable(start):
            raise IntegrityError("the studio's root key was changed")
        try:
            return _whole(AESGCM(self._derive(start)).decrypt(nonce, sealed, start))
        except InvalidTag as error:
            raise InputError(
                "the passphrase doesn't open the studio's root key",
                advice="Type it again; if it is right, the file was changed: restore it.",
            ) from error

    def _derive(self, start: bytes) -> bytes:
        """Return the key that seals a file which starts so."""
        mebibytes, passes, lanes = _COSTS.unpack_from(start, len(_ARGON))
        return Argon2id(
            salt=start[-_SALT:],
            length=_ROOT,
            iterations=passes,
            lanes=lanes,
            memory_cost=mebibytes * 1024,
        ).derive(self._passphrase)


@dataclass(frozen=True, slots=True)
class KeyCommand:
    """A program that wraps and unwraps the root key, say with a key that never leaves an HSM.

    It is run without a shell, with one argument: `wrap` gets base64 of the key on its standard
    input and writes a text of its own; `unwrap` gets that text and writes the base64 again. It has
    `seconds` to do so, and tells success by exit status 0. What it writes to standard error goes
    to the user. The vault's specification has the details.
    """

    program: Path
    seconds: float = 30.0
    protects: bool = field(default=True, init=False)

    def seal(self, root: bytes, *, entropy: Entropy) -> bytes:
        """Return the program's text, once it was seen to open again."""
        clear = base64.b64encode(root)
        token = self._run("wrap", clear).strip()
        if any(form in token for form in (clear.rstrip(b"="), root.hex().encode(), root)):
            raise InputError(
                f"{self.program} didn't wrap the key", advice="It must encrypt what it is given."
            )
        if not hmac.compare_digest(self._unwrap(token), root):
            raise InputError(
                f"{self.program} doesn't unwrap what it wrapped", advice="Correct the program."
            )
        return _COMMAND + token

    def open(self, data: bytes) -> bytes:
        """Return the key; see `Guard`."""
        return self._unwrap(_after(_COMMAND, data))

    def _unwrap(self, token: bytes) -> bytes:
        try:
            root = base64.b64decode(self._run("unwrap", token).strip(), validate=True)
        except binascii.Error:
            root = b""
        if len(root) != _ROOT:
            raise FaultError(
                f"{self.program} unwrap wrote no key",
                advice="See whether it is the program that wrapped the key.",
            )
        return root

    def _run(self, what: str, given: bytes) -> bytes:
        """Return what the program wrote; neither that nor what it was given is ever shown."""
        try:
            done = subprocess.run(  # noqa: S603 - named by the studio's owner, run without a shell
                [os.fspath(self.program), what],
                input=given + b"\n",
                stdout=subprocess.PIPE,
                timeout=self.seconds,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise FaultError(
                f"{self.program} {what} took longer than {self.seconds:g} seconds",
                advice="See whether the key service can be reached, then run the command again.",
            ) from error
        except OSError as error:
            raise InputError(
                f"{self.program} can't be run: {error.strerror}",
                advice="Name the key program by its full path in ASSENT_KEY_COMMAND.",
            ) from error
        if done.returncode != 0:
            raise FaultError(
                f"{self.program} {what} failed with status {done.returncode}",
                advice="See what it said above; then run the command again.",
            )
        if len(done.stdout) > _LONGEST_TOKEN:
            raise FaultError(f"{self.program} {what} wrote more than a wrapped key")
        return done.stdout


def takes_passphrase(data: bytes) -> bool:
    """Tell whether a passphrase keeps the root key in a file of this content."""
    return data.startswith(_ARGON)


_SEALED_BY = {
    _CLEAR: ("by nothing but the rights of its file", "Open the studio without a passphrase."),
    _ARGON: ("by a passphrase", "Give the studio's passphrase (ASSENT_PASSPHRASE_FILE)."),
    _COMMAND: ("by a key program", "Name the program in ASSENT_KEY_COMMAND."),
}


def _after(mark: bytes, data: bytes) -> bytes:
    """Return what follows `mark`; `InputError` if another guard's mark is there."""
    if data.startswith(mark):
        return data.removeprefix(mark)
    for other, (how, advice) in _SEALED_BY.items():
        if data.startswith(other):
            # Else whoever can write the folder could slip in a key of their own.
            raise InputError(f"the studio's root key is kept {how}", advice=advice)
    raise IntegrityError("the studio's root key was changed")


def _whole(root: bytes) -> bytes:
    if len(root) != _ROOT:
        raise IntegrityError("the studio's root key was changed")
    return root


def _affordable(start: bytes) -> bool:
    mebibytes, passes, lanes = _COSTS.unpack_from(start, len(_ARGON))
    return mebibytes in _MEBIBYTES and passes in _PASSES and lanes in _LANES
