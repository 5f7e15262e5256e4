"""The clear header of a blob: whose keys it takes, and the wrapped key of its data.

Layout: `assent-vault-1\\n` ‖ length as big-endian uint16 ‖ JSON with sorted names and no spaces:
`{"key_ids":["ada","ben"],"wrapped":"<80 hexadecimal digits>"}`. All of it is authenticated with
every chunk.

>>> Header(key_ids=("ada",), wrapped=bytes(40)).encode()[:15]
b'assent-vault-1\\n'
"""

import json
from dataclasses import dataclass
from typing import BinaryIO

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from assent.kit.disk import naming
from assent.kit.errors import InputError, IntegrityError
from assent.kit.vault.names import check_name

__all__ = ["Header", "read_header", "unwrap", "wrap"]

_MAGIC = b"assent-vault-1\n"
_LIMIT = 65535


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Whose keys a blob takes (`key_ids`, sorted) and its data's key (`wrapped`, 40 bytes)."""

    key_ids: tuple[str, ...]
    wrapped: bytes

    def encode(self) -> bytes:
        """Return the header's bytes; `InputError` if there are too many keys for it."""
        fields = {"key_ids": list(self.key_ids), "wrapped": self.wrapped.hex()}
        text = json.dumps(fields, separators=(",", ":"), sort_keys=True).encode()
        if len(text) > _LIMIT:
            raise InputError(
                f"{len(self.key_ids)} people are too many for one file",
                advice="Cut the clip into parts with fewer people.",
            )
        return _MAGIC + len(text).to_bytes(2, "big") + text


def read_header(source: BinaryIO, name: str) -> tuple[Header, bytes]:
    """Read a header from the start of a blob; return it and its bytes.

    It is only authentic once a chunk was decrypted with it.

    Raises:
        IntegrityError: it isn't in the one form that `Header.encode` gives.
    """
    with naming(name):
        start = source.read(len(_MAGIC) + 2)
        raw = start + source.read(int.from_bytes(start[len(_MAGIC) :], "big"))
    try:
        header = _parse(raw[len(_MAGIC) + 2 :])
    except (ValueError, TypeError, KeyError, AttributeError, InputError) as error:
        raise IntegrityError(f"{name} has a damaged header") from error
    if header.encode() != raw:
        raise IntegrityError(f"{name} has a damaged header")
    return header, raw


def _parse(text: bytes) -> Header:
    """Return the header in JSON; any of several errors if there is none."""
    fields = json.loads(text)
    key_ids = tuple(check_name(each) for each in fields["key_ids"])
    return Header(key_ids=key_ids, wrapped=bytes.fromhex(fields["wrapped"]))


def wrap(data_key: bytes, key_ids: tuple[str, ...], keys: list[bytes]) -> Header:
    """Return the header that gives `data_key` to whoever has all of `keys`, in the ids' order."""
    wrapped = aes_key_wrap(_combine(key_ids, keys), data_key)
    return Header(key_ids=key_ids, wrapped=wrapped)


def unwrap(header: Header, keys: list[bytes], name: str) -> bytes:
    """Return the data's key, 32 bytes; `IntegrityError` if the keys aren't those it takes."""
    try:
        return aes_key_unwrap(_combine(header.key_ids, keys), header.wrapped)
    except (InvalidUnwrap, ValueError) as error:
        raise IntegrityError(f"{name} has a damaged header or is of other keys") from error


def _combine(key_ids: tuple[str, ...], keys: list[bytes]) -> bytes:
    """Return the 32-byte key that takes all of `keys` (32 bytes each) to compute."""
    info = b"assent vault v1\x00" + "\x00".join(key_ids).encode()
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(b"".join(keys))
