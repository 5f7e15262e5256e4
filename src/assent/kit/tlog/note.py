"""Signed notes: text with Ed25519 signature lines (c2sp.org/signed-note).

>>> signer = NoteSigner("assent.local/studio/1", Ed25519PrivateKey.generate())
>>> text = signer.sign("hello\\n")
>>> open_note(text, [NoteVerifier.parse(signer.vkey)])
'hello\\n'
"""

import base64
import binascii
from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple, Protocol, TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from assent.kit.errors import InputError, IntegrityError

__all__ = [
    "NoteSigner",
    "NoteVerifier",
    "Signature",
    "Verifier",
    "VerifierKey",
    "add_signatures",
    "check_name",
    "decode_base64",
    "key_id",
    "open_note",
    "signature_line",
    "signatures_of",
    "split_note",
]

_ED25519 = 1
_DASH = "\u2014 "
_SIGNATURES = 100
_VKEY_ADVICE = "A public key reads name+8 hexadecimal digits+base64; copy all of it."


class Verifier(Protocol):
    """A known public key; name and id tell which signature lines of a note are its."""

    name: str
    key_id: bytes

    def verify(self, body: str, signature: bytes) -> None:
        """Raise `IntegrityError` unless `signature` is this key's over the text `body`."""


AnyVerifier = TypeVar("AnyVerifier", bound=Verifier)


class Signature(NamedTuple):
    """What a signature line says, unchecked."""

    name: str
    key_id: bytes
    data: bytes


def decode_base64(text: str) -> bytes:
    """Return the bytes of standard base64 in its one canonical spelling.

    Raises:
        ValueError: it isn't base64, or another spelling of the same bytes.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error
    if base64.b64encode(data).decode() != text:
        raise ValueError("not the canonical spelling")
    return data


def key_id(name: str, kind: int, public: bytes) -> bytes:
    """Return the 4-byte id of a key; `kind` is the byte of its signature type."""
    return sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]


class VerifierKey(NamedTuple):
    """A public key as it is written down: "name+key id+base64"."""

    name: str
    kind: int
    public: bytes

    @classmethod
    def parse(cls, vkey: str) -> "VerifierKey":
        """Take a written key apart.

        Raises:
            InputError: it isn't one, or it was changed in copying.
        """
        name, _, rest = vkey.strip().partition("+")
        stated, _, encoded = rest.partition("+")
        try:
            data = decode_base64(encoded)
        except ValueError as error:
            raise InputError(f"{vkey!r} is no public key: {error}", advice=_VKEY_ADVICE) from error
        check_name(name)
        key = cls(name, data[0] if data else 0, data[1:])
        if key_id(*key).hex() != stated:
            raise InputError(f"{vkey!r} is no public key: its id differs", advice=_VKEY_ADVICE)
        return key

    @property
    def text(self) -> str:
        """The key as a line of text to publish."""
        encoded = base64.b64encode(bytes([self.kind]) + self.public).decode()
        return f"{self.name}+{key_id(*self).hex()}+{encoded}"


def check_name(name: str) -> None:
    """Raise `InputError` unless `name` can name a key."""
    # What can't be printed, such as characters that turn the direction of writing, hides names.
    if not name or "+" in name or not name.isprintable() or any(map(str.isspace, name)):
        raise InputError(
            f"{name!r} can't name a key", advice="Use a name without spaces, line breaks or '+'."
        )


class NoteVerifier:
    """A public key with a name.

    Args:
        name: key name; a log's is its origin.
        key: the public key.

    Raises:
        InputError: the name holds spaces, control characters or '+', or is empty.
    """

    def __init__(self, name: str, key: Ed25519PublicKey) -> None:
        check_name(name)
        self._key = key
        self.name = name
        self.public = key.public_bytes_raw()
        self.key_id = key_id(name, _ED25519, self.public)

    @classmethod
    def parse(cls, vkey: str) -> "NoteVerifier":
        """Return the verifier that `vkey` ("name+key id+base64") spells out.

        Raises:
            InputError: it isn't an Ed25519 key of that form, or was changed in copying.
        """
        name, kind, public = VerifierKey.parse(vkey)
        if kind != _ED25519:
            raise InputError(
                f"{vkey!r} is no log's key: its kind is another",
                advice="Of a witness or another kind of log? Ask for the log's Ed25519 key.",
            )
        try:
            return cls(name, Ed25519PublicKey.from_public_bytes(public))
        except ValueError as error:
            raise InputError(f"{vkey!r} is no log's key: {error}", advice=_VKEY_ADVICE) from error

    @property
    def vkey(self) -> str:
        """The key as a line of text to publish."""
        return VerifierKey(self.name, _ED25519, self.public).text

    def verify(self, body: str, signature: bytes) -> None:
        """Raise `IntegrityError` unless `signature` (64 bytes) is this key's over `body`."""
        try:
            self._key.verify(signature, body.encode())
        except InvalidSignature as error:
            raise IntegrityError(f"the signature of {self.name} doesn't fit the text") from error


class NoteSigner:
    """A private key with a name; `vkey` is what the public needs to check its notes.

    Raises:
        InputError: the name holds spaces, control characters or '+', or is empty.
    """

    def __init__(self, name: str, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.verifier = NoteVerifier(name, key.public_key())
        self.name = name

    @property
    def vkey(self) -> str:
        """The public key as a line of text to publish."""
        return self.verifier.vkey

    def sign(self, body: str) -> str:
        """Return `body`, which ends with a newline, as a note signed by this key.

        Raises:
            InputError: the body can't be the text of a note.
        """
        if not body.endswith("\n") or not _is_plain(body):
            raise InputError(
                "a note's text ends with a newline and holds no control characters",
                advice="End the text with a newline and remove tabs and the like.",
            )
        signature = self._key.sign(body.encode())
        return f"{body}\n{signature_line(self.verifier, signature)}"


def signature_line(verifier: Verifier, signature: bytes) -> str:
    """Return the line, with its newline, that adds a signature to a note."""
    encoded = base64.b64encode(verifier.key_id + signature).decode()
    return f"{_DASH}{verifier.name} {encoded}\n"


def open_note(note: str, verifiers: Iterable[Verifier]) -> str:
    """Return the text of a note once a known key's signature has been verified.

    Signatures of unknown keys are passed over, as the specification demands.

    Raises:
        IntegrityError: malformed, signed by no known key, or a known key's signature is wrong.
    """
    known = list(verifiers)
    if not signatures_of(note, known):
        names = ", ".join(sorted({each.name for each in known}))
        raise IntegrityError(f"the note isn't signed by {names}")
    return split_note(note)[0]


def signatures_of(
    note: str, verifiers: Iterable[AnyVerifier]
) -> list[tuple[AnyVerifier, Signature]]:
    """Return every signature of a known key, each verified, in the note's order.

    Raises:
        IntegrityError: the note is malformed, or a known key's signature is wrong.
    """
    body, lines = split_note(note)
    known = {(each.name, each.key_id): each for each in verifiers}
    found = []
    for line in lines:
        signature = _parse_signature(line)
        verifier = known.get((signature.name, signature.key_id))
        if verifier is not None:
            verifier.verify(body, signature.data)
            found.append((verifier, signature))
    return found


def add_signatures(note: str, lines: Iterable[str]) -> str:
    """Return the note with more signature lines; a later one of a key replaces the earlier.

    Raises:
        IntegrityError: the note or a line is malformed, or the note gets too many signatures.
    """
    body, old = split_note(note)
    signed = {_parse_signature(line)[:2]: line for line in old}
    for line in lines:
        signed[_parse_signature(line.removesuffix("\n"))[:2]] = line.removesuffix("\n")
    merged = f"{body}\n" + "".join(f"{line}\n" for line in signed.values())
    split_note(merged)
    return merged


def _is_plain(text: str) -> bool:
    """Tell whether text can be written as UTF-8 and has no control character but newline."""
    return not any((each < " " and each != "\n") or "\ud800" <= each <= "\udfff" for each in text)


def split_note(note: str) -> tuple[str, list[str]]:
    """Return the text with its final newline, and the signature lines, unchecked.

    Raises:
        IntegrityError: it isn't a note, or has more than 100 signatures.
    """
    text, gap, tail = note.rpartition("\n\n")
    lines = tail.split("\n")
    if not gap or lines.pop() != "" or not lines or not _is_plain(note):
        raise IntegrityError("this is not a signed note")
    if len(lines) > _SIGNATURES:
        raise IntegrityError(f"the note has more than {_SIGNATURES} signatures")
    return text + "\n", lines


def _parse_signature(line: str) -> Signature:
    """Return what a signature line says."""
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    try:
        signed = decode_base64(encoded)
    except ValueError:
        signed = b""
    if not line.startswith(_DASH) or not name or len(signed) <= 4:
        raise IntegrityError("a signature line of the note is malformed")
    return Signature(name, signed[:4], signed[4:])
