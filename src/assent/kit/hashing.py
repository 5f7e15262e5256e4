"""Hash a file of any size in bounded memory."""

import hashlib
from collections.abc import Iterator
from typing import BinaryIO

__all__ = ["chunks_of", "hash_file"]

_CHUNK = 1 << 20


def chunks_of(file: BinaryIO) -> Iterator[bytes]:
    """Yield what `file` holds from its start, in pieces of a mebibyte."""
    file.seek(0)
    while chunk := file.read(_CHUNK):
        yield chunk


def hash_file(file: BinaryIO) -> str:
    """Return the SHA-256 of `file` from its start, as hex."""
    digest = hashlib.sha256()
    for chunk in chunks_of(file):
        digest.update(chunk)
    return digest.hexdigest()
