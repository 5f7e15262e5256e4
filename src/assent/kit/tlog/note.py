"""Signed notes: text with Ed25519 signature lines (c2sp.org/signed-note).

>>> signer = NoteSigner("assent.local/studio/1", Ed25519PrivateKey.generate())
>>> text = signer.sign("hello\\n")
>>> open_note(text, [NoteVerifier.parse(signer.vkey)])
'hello\\n'
"""

import base64
import binascii
from collections.abc import Iterable, Mapping
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from assent.kit.errors import InputError, IntegrityError

__all__ = ["NoteSigner", "NoteVerifier", "decode_base64", "open_note"]

_ED25519 = b"\x01"
_DASH = "\u2014 "
_SIGNATURES = 100
_VKEY_ADVICE = "A log's public key reads name+8 hexadecimal digits+base64; copy all of it."


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


def _decode_key(encoded: str) -> Ed25519PublicKey:
    """Return the key in the last part of a vkey; `ValueError` if it is none."""
    data = decode_base64(encoded)
    if data[:1] != _ED25519:
        raise ValueError("not an Ed25519 key")
    return Ed25519PublicKey.from_public_bytes(data[1:])


def _check_name(name: str) -> None:
    """Raise `InputError` unless `name` can name a key."""
    if not name or "+" in name or any(each.isspace() or each < " " for each in name):
        raise InputError(
            f"{name!r} can't name a log", advice="Use a name without spaces, line breaks or '+'."
        )


def _key_id(name: str, public: bytes) -> bytes:
    """Return the 4-byte key id of an Ed25519 key."""
    return sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:4]


class NoteVerifier:
    """A public key with a name.

    Args:
        name: key name; a log's is its origin.
        key: the public key.

    Raises:
        InputError: the name holds spaces, control characters or '+', or is empty.
    """

    def __init__(self, name: str, key: Ed25519PublicKey) -> None:
        _check_name(name)
        self._key = key
        self.name = name
        self.key_id = _key_id(name, key.public_bytes_raw())

    @classmethod
    def parse(cls, vkey: str) -> "NoteVerifier":
        """Return the verifier that `vkey` ("name+key id+base64") spells out.

        Raises:
            InputError: it isn't an Ed25519 key of that form, or was changed in copying.
        """
        name, _, rest = vkey.strip().partition("+")
        key_id, _, encoded = rest.partition("+")
        try:
            verifier = cls(name, _decode_key(encoded))
        except ValueError as error:
            raise InputError(f"{vkey!r} is no log key: {error}", advice=_VKEY_ADVICE) from error
        if verifier.key_id.hex() != key_id:
            raise InputError(f"{vkey!r} is no log key: its id differs", advice=_VKEY_ADVICE)
        return verifier

    @property
    def vkey(self) -> str:
        """The key as a line of text to publish."""
        encoded = base64.b64encode(_ED25519 + self._key.public_bytes_raw()).decode()
        return f"{self.name}+{self.key_id.hex()}+{encoded}"

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
        signed = self.verifier.key_id + self._key.sign(body.encode())
        return f"{body}\n{_DASH}{self.name} {base64.b64encode(signed).decode()}\n"


def open_note(note: str, verifiers: Iterable[NoteVerifier]) -> str:
    """Return the text of a note once a known key's signature has been verified.

    Signatures of unknown keys are passed over, as the specification demands.

    Raises:
        IntegrityError: malformed, signed by no known key, or a known key's signature is wrong.
    """
    body, signatures = _split_note(note)
    known = {(each.name, each.key_id): each for each in verifiers}
    if not _verify_known(body, signatures, known):
        names = ", ".join(sorted({name for name, _ in known}))
        raise IntegrityError(f"the note isn't signed by {names}")
    return body


def _verify_known(
    body: str, signatures: list[str], known: Mapping[tuple[str, bytes], NoteVerifier]
) -> int:
    """Verify every signature of a known key and return how many there are."""
    verified = 0
    for line in signatures:
        name, signed = _parse_signature(line)
        verifier = known.get((name, signed[:4]))
        if verifier is not None:
            verifier.verify(body, signed[4:])
            verified += 1
    return verified


def _is_plain(text: str) -> bool:
    """Tell whether text can be written as UTF-8 and has no control character but newline."""
    return not any((each < " " and each != "\n") or "\ud800" <= each <= "\udfff" for each in text)


def _split_note(note: str) -> tuple[str, list[str]]:
    """Return the text with its final newline, and the signature lines."""
    text, gap, tail = note.rpartition("\n\n")
    lines = tail.split("\n")
    if not gap or lines.pop() != "" or not lines or not _is_plain(note):
        raise IntegrityError("this is not a signed note")
    if len(lines) > _SIGNATURES:
        raise IntegrityError(f"the note has more than {_SIGNATURES} signatures")
    return text + "\n", lines


def _parse_signature(line: str) -> tuple[str, bytes]:
    """Return the key name and the key id ‖ signature of a signature line."""
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    try:
        signed = decode_base64(encoded)
    except ValueError:
        signed = b""
    if not line.startswith(_DASH) or not name or len(signed) <= 4:
        raise IntegrityError("a signature line of the note is malformed")
    return name, signed
