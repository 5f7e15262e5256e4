"""What is kept of a case, encrypted under the case's own key; without it nobody can read it.

The key lies in the case's row, wrapped (AES-KW) under a key that is derived from the secret `cases`
and the case's id. Destroying it is deleting it there; backups keep it as long as they are kept.
"""

import base64
import hashlib
import hmac
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from assent.kit.canonical import canonical
from assent.kit.errors import IntegrityError, NotFoundError
from assent.kit.store.studio import Studio
from assent.kit.vault.stream import DecryptingReader, Entropy, encrypt_chunks

__all__ = [
    "SECRET",
    "CaseKey",
    "blind",
    "evidence_path",
    "make_key",
    "open_key",
    "secret_of",
]

SECRET = "cases"  # noqa: S105 - the name of a secret
_NONCE = 12
_HEADER = b"assent-evidence-1\n"


def secret_of(studio: Studio) -> bytes:
    """Return the secret that cases' keys are wrapped under; it is made when first asked for."""
    with studio.disk.lock(studio.folder / "keys" / ".cases"):
        if SECRET not in studio.secrets.names():
            studio.secrets.put(SECRET, os.urandom(32))
        return studio.secrets.get(SECRET)


def blind(studio: Studio, kind: str, text: str) -> str:
    """Return a keyed hash by which equal texts are known again and nothing else is told."""
    return hmac.new(secret_of(studio), f"{kind}\n{text}".encode(), hashlib.sha256).hexdigest()


class CaseKey:
    """Seals and opens what belongs to one case."""

    def __init__(self, case_id: str, key: bytes) -> None:
        self._case_id = case_id
        self._key = key

    def seal(self, what: str, value: object, *, entropy: Entropy = os.urandom) -> str:
        """Return JSON values as ciphertext; `what` says what they are of the case."""
        nonce = entropy(_NONCE)
        sealed = AESGCM(self._key).encrypt(nonce, canonical(value), self._about(what))
        return base64.b64encode(nonce + sealed).decode()

    def open(self, what: str, sealed: str) -> Any:  # noqa: ANN401 - JSON values
        """Return what `seal` took; raises `IntegrityError` if it isn't that."""
        try:
            data = base64.b64decode(sealed, validate=True)
            plain = AESGCM(self._key).decrypt(data[:_NONCE], data[_NONCE:], self._about(what))
        except (InvalidTag, ValueError) as error:
            raise IntegrityError(f"what was kept of a case ({what}) was changed") from error
        return json.loads(plain)

    def encrypt(
        self, evidence_id: str, chunks: Iterable[bytes], *, entropy: Entropy = os.urandom
    ) -> Iterator[bytes]:
        """Yield the file of a piece of evidence."""
        yield _HEADER
        yield from encrypt_chunks(
            chunks, self._key_of(evidence_id), _HEADER, entropy=entropy
        )  # fmt: skip

    def reader(self, studio: Studio, evidence_id: str) -> DecryptingReader:
        """Return a piece of evidence in clear; raises `NotFoundError`, `IntegrityError`."""
        source = studio.disk.reader(evidence_path(studio, evidence_id))
        if source is None:
            raise NotFoundError("this evidence is not there any more")
        try:
            return DecryptingReader(
                source, self._key_of(evidence_id), _HEADER, start=len(_HEADER), name="evidence"
            )
        except BaseException:
            source.close()
            raise

    def _key_of(self, evidence_id: str) -> bytes:
        return _derive(self._key, b"evidence\n" + evidence_id.encode())

    def _about(self, what: str) -> bytes:
        return f"assent case\n{self._case_id}\n{what}".encode()


def make_key(studio: Studio, case_id: str, *, entropy: Entropy = os.urandom) -> tuple[CaseKey, str]:
    """Return a new key of a case, and what of it lies in the case's row."""
    key = entropy(32)
    wrapped = aes_key_wrap(_wrapping(studio, case_id), key)
    return CaseKey(case_id, key), base64.b64encode(wrapped).decode()


def open_key(studio: Studio, case_id: str, wrapped: str | None) -> CaseKey:
    """Return the key of a case; raises `NotFoundError` once it was destroyed."""
    if wrapped is None:
        raise NotFoundError(
            "what was kept of this case was destroyed when its time was over",
            advice="The log still holds the hashes of what was decided.",
        )
    try:
        key = aes_key_unwrap(_wrapping(studio, case_id), base64.b64decode(wrapped))
    except (InvalidUnwrap, ValueError) as error:
        raise IntegrityError("the key of a case was changed") from error
    return CaseKey(case_id, key)


def evidence_path(studio: Studio, evidence_id: str) -> Path:
    """Return where a piece of evidence lies, encrypted."""
    return studio.folder / "cases" / evidence_id


def _wrapping(studio: Studio, case_id: str) -> bytes:
    return _derive(secret_of(studio), b"case\n" + case_id.encode())


def _derive(secret: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(secret)
