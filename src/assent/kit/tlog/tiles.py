"""Tiles: the files that hold the tree's hashes and the entries (c2sp.org/tlog-tiles).

A tile holds up to 256 hashes of one level; level `l` holds the roots of runs of 256**l entries.
The rightmost tile of each level, narrower than 256, is the *edge*: it is enough to compute the
root and to go on appending.

>>> tile_path(0, 1234067)
'tile/0/x001/x234/067'
>>> tile_path("entries", 0, 5)
'tile/entries/000.p/5'
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from assent.kit.errors import InputError
from assent.kit.tlog.merkle import HASH_SIZE, fold, root, subtrees

__all__ = [
    "ENTRY_LIMIT",
    "WIDTH",
    "Level",
    "Tile",
    "decode_bundle",
    "decode_tile",
    "edge_root",
    "encode_bundle",
    "grow",
    "level_count",
    "tile_path",
]

WIDTH = 256
"""Hashes in a full tile and entries in a full bundle."""

ENTRY_LIMIT = 65535
"""Bytes in the longest entry that a bundle can hold."""

Level = int | Literal["entries"]
"""A level of the tree, 0 for leaf hashes, or the entries themselves."""

Edge = list[list[bytes]]
"""For each level upward from 0, the hashes of its rightmost, partial tile (0 to 255)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """The `index`th tile of a `level` with its 1 to 256 `hashes`."""

    level: int
    index: int
    hashes: tuple[bytes, ...]

    def path(self) -> str:
        """Return the tile's path below the log's folder."""
        return tile_path(self.level, self.index, len(self.hashes))


def tile_path(level: Level, index: int, width: int = WIDTH) -> str:
    """Return the path of a tile or bundle; `width` below 256 names a partial one."""
    parts = [f"{index % 1000:03d}"]
    while index >= 1000:
        index //= 1000
        parts.append(f"x{index % 1000:03d}")
    name = "/".join(reversed(parts))
    return f"tile/{level}/{name}" + ("" if width == WIDTH else f".p/{width}")


def level_count(size: int, level: int) -> int:
    """Return how many hashes a level has in a tree of `size` entries."""
    return size >> (8 * level)


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Return entries, each after its length as big-endian uint16.

    Raises:
        InputError: an entry is longer than 65,535 bytes.
    """
    for entry in entries:
        if len(entry) > ENTRY_LIMIT:
            raise InputError(
                f"a log entry of {len(entry)} bytes is too long",
                advice=f"Log the hash of the data instead; {ENTRY_LIMIT} bytes is the most.",
            )
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def decode_bundle(data: bytes) -> list[bytes]:
    """Return the entries of a bundle; `ValueError` if it is cut off."""
    entries: list[bytes] = []
    position = 0
    while position < len(data):
        start = position + 2
        position = start + int.from_bytes(data[position:start], "big")
        if position > len(data) or start > len(data):
            raise ValueError("it is cut off")
        entries.append(data[start:position])
    return entries


def decode_tile(data: bytes) -> list[bytes]:
    """Return the hashes of a tile; `ValueError` if it is cut off."""
    if len(data) % HASH_SIZE:
        raise ValueError("it is cut off")
    return [data[i : i + HASH_SIZE] for i in range(0, len(data), HASH_SIZE)]


def edge_root(edge: Edge) -> bytes:
    """Return the root of the tree that has this edge."""
    return fold(
        [
            root(hashes[start : start + (1 << height)])
            for hashes in reversed(edge)
            for start, height in subtrees(0, len(hashes))
        ]
    )


def grow(size: int, edge: Edge, leaves: Sequence[bytes]) -> tuple[list[Tile], Edge]:
    """Return the tiles that change, and the new edge, when a tree gets more leaf hashes.

    Args:
        size: entries before.
        edge: the edge at that size.
        leaves: leaf hashes to append, at least one.
    """
    tiles: list[Tile] = []
    new_edge: Edge = []
    added = list(leaves)
    level = 0
    while added or level < len(edge):
        row = (edge[level] if level < len(edge) else []) + added
        index = level_count(size, level) // WIDTH
        runs = [tuple(row[i : i + WIDTH]) for i in range(0, len(row), WIDTH)] if added else []
        tiles += [Tile(level=level, index=index + i, hashes=run) for i, run in enumerate(runs)]
        added = [root(run) for run in runs if len(run) == WIDTH]
        new_edge.append(row[len(added) * WIDTH :])
        level += 1
    return tiles, new_edge
