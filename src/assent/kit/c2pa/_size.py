"""How large the manifest store inside a file is, by its container alone, before it is opened.

The library reads a store whole, and what it makes of it takes many times its length. A store of our
own has some ten kilobytes, one with a long chain of ingredients some hundred.
"""

from collections.abc import Iterator
from typing import BinaryIO

__all__ = ["LARGEST_STORE", "store_size"]

LARGEST_STORE = 32 << 20
"""Bytes of a store beyond which nobody has to read it."""

_C2PA_UUID = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
_JPEG_APP11, _JPEG_SCAN, _JPEG_END = 0xEB, 0xDA, 0xD9
# Chunks or boxes of one level that are looked at; more is no file that a program wrote.
_MOST_PARTS = 100_000
_FARTHEST = (1 << 63) - 1


def store_size(stream: BinaryIO, mime: str) -> int:
    """Return the bytes that hold a store in a file of type `mime`, from its start; 0 without."""
    stream.seek(0)
    parts = _WALKS.get(mime, _nothing)(stream)
    total = 0
    for number, size in enumerate(parts):
        total += size
        if number > _MOST_PARTS:
            return max(total, LARGEST_STORE + 1)
    return total


def _nothing(_: BinaryIO) -> Iterator[int]:
    return iter(())


def _boxes(stream: BinaryIO) -> Iterator[int]:
    """Walk the top-level boxes of ISO media; the store is in one of type uuid."""
    while len(head := stream.read(8)) == 8:
        start = stream.tell() - 8
        size, kind = int.from_bytes(head[:4], "big"), head[4:]
        if size == 1:
            size = int.from_bytes(stream.read(8), "big")
        found = kind == b"uuid" and stream.read(16) == _C2PA_UUID
        if size == 0:
            size = stream.seek(0, 2) - start
        yield size if found else 0
        # A box can claim more bytes than can be sought.
        if size < 8 or start + size > _FARTHEST:
            return
        stream.seek(start + size)


def _segments(stream: BinaryIO) -> Iterator[int]:
    """Walk a JPEG's segments up to its first scan; the store is in those of type APP11."""
    stream.seek(2)
    while len(head := stream.read(2)) == 2 and head[0] == 0xFF:
        if head[1] in (_JPEG_SCAN, _JPEG_END):
            return
        length = int.from_bytes(stream.read(2), "big")
        yield length if head[1] == _JPEG_APP11 else 0
        stream.seek(max(length - 2, 0), 1)


def _png_chunks(stream: BinaryIO) -> Iterator[int]:
    stream.seek(8)
    while len(head := stream.read(8)) == 8:
        length = int.from_bytes(head[:4], "big")
        yield length if head[4:] == b"caBX" else 0
        stream.seek(length + 4, 1)


def _riff_chunks(stream: BinaryIO) -> Iterator[int]:
    stream.seek(12)
    while len(head := stream.read(8)) == 8:
        length = int.from_bytes(head[4:], "little")
        yield length if head[:4] == b"C2PA" else 0
        stream.seek(length + (length & 1), 1)


_WALKS = {
    "video/mp4": _boxes,
    "video/quicktime": _boxes,
    "image/jpeg": _segments,
    "image/png": _png_chunks,
    "audio/wav": _riff_chunks,
}
