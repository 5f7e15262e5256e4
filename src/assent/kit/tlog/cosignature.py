"""Cosignatures: a witness says when it saw a checkpoint follow the older ones (tlog-cosignature).

Two kinds of key are known: Ed25519 (cosignature/v1), and ML-DSA-44 for checking only.

>>> cosigner = Cosigner("witness.example/w1", Ed25519PrivateKey.generate())
>>> line = cosigner.cosign(body, time=1679315147)  # doctest: +SKIP
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

from assent.kit.errors import InputError, IntegrityError
from assent.kit.tlog.checkpoint import read_body
from assent.kit.tlog.note import VerifierKey, check_name, key_id, signature_line

__all__ = ["FUTURE", "Cosignature", "Cosigner", "WitnessKey", "cosigned_at"]

FUTURE = timedelta(minutes=5)
"""How far another machine's clock may be ahead of ours."""

_ED25519 = 4
_ML_DSA_44 = 6
_TIME_SIZE = 8
_LATEST = 253402300799  # the last second of the year 9999
_LONGEST_NAME = 255
_EMPTY_START = bytes(8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosignature:
    """Witness `name` saw the checkpoint at `time` (UTC), as the largest of its log so far."""

    name: str
    time: datetime


class WitnessKey:
    """A witness's public key; make one with `parse`."""

    def __init__(self, key: VerifierKey, public: Ed25519PublicKey | MLDSA44PublicKey) -> None:
        self._public = public
        self._written = key
        self.name = key.name
        self.public = key.public
        self.key_id = key_id(*key)

    @classmethod
    def parse(cls, vkey: str) -> "WitnessKey":
        """Return the key that `vkey` ("name+key id+base64") spells out.

        Raises:
            InputError: it isn't a witness's key of that form, or was changed in copying.
        """
        key = VerifierKey.parse(vkey)
        try:
            if key.kind == _ED25519:
                return cls(key, Ed25519PublicKey.from_public_bytes(key.public))
            if key.kind == _ML_DSA_44:
                return cls(key, MLDSA44PublicKey.from_public_bytes(key.public))
        except (ValueError, UnsupportedAlgorithm) as error:
            raise InputError(f"{vkey!r} is no witness's key: {error}") from error
        raise InputError(
            f"{vkey!r} is no witness's key: its kind is another",
            advice="A log's key can't cosign; ask the witness for the key of its cosignatures.",
        )

    @property
    def vkey(self) -> str:
        """The key as a line of text to publish."""
        return self._written.text

    def verify(self, body: str, signature: bytes) -> None:
        """Raise `IntegrityError` unless `signature` is this witness's over the checkpoint."""
        time, raw = signature[:_TIME_SIZE], signature[_TIME_SIZE:]
        cosigned_at(signature)
        try:
            if isinstance(self._public, Ed25519PublicKey):
                self._public.verify(raw, _message(body, time))
            else:
                self._public.verify(raw, _structure(self.name, body, time))
        except (InvalidSignature, ValueError) as error:
            raise IntegrityError(f"the cosignature of {self.name} doesn't fit") from error


class Cosigner:
    """A witness's private key with its name, which should be an address without a scheme.

    Raises:
        InputError: the name holds spaces, control characters or '+', or is empty.
    """

    def __init__(self, name: str, key: Ed25519PrivateKey) -> None:
        check_name(name)
        self._key = key
        public = key.public_key()
        written = VerifierKey(name, _ED25519, public.public_bytes_raw())
        self.verifier = WitnessKey(written, public)
        self.name = name

    def cosign(self, body: str, *, time: int) -> str:
        """Return the signature line for a checkpoint's text, seen at `time` (POSIX seconds)."""
        stamp = time.to_bytes(_TIME_SIZE, "big")
        return signature_line(self.verifier, stamp + self._key.sign(_message(body, stamp)))


def cosigned_at(signature: bytes) -> datetime:
    """Return the time in a cosignature; `IntegrityError` if it holds none."""
    seconds = int.from_bytes(signature[:_TIME_SIZE], "big")
    if len(signature) <= _TIME_SIZE or seconds > _LATEST:
        raise IntegrityError("a cosignature holds no time")
    return datetime.fromtimestamp(seconds, UTC)


def _message(body: str, time: bytes) -> bytes:
    """Return what an Ed25519 witness signs."""
    return f"cosignature/v1\ntime {int.from_bytes(time, 'big')}\n{body}".encode()


def _structure(name: str, body: str, time: bytes) -> bytes:
    """Return what an ML-DSA-44 witness signs; `ValueError` if there is no such thing."""
    state, extensions = read_body(body)
    names = [each.encode() for each in (name, state.origin)]
    if extensions or any(len(each) > _LONGEST_NAME for each in names):
        raise ValueError("it says nothing about extension lines, nor of longer names")
    cosigner, origin = (bytes([len(each)]) + each for each in names)
    size = state.size.to_bytes(8, "big")
    return b"subtree/v1\n\0" + cosigner + time + origin + _EMPTY_START + size + state.root
