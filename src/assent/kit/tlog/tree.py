"""The tree, read through its tiles; no hash or entry leaves unchecked.

The edge tiles must give the checkpoint's root, every full tile the hash that the tile above holds
for it, and every entry its hash in a tile of level 0. So each file is vouched for by the signed
root, and one that was changed is named.
"""

from collections.abc import Callable
from functools import cached_property

from assent.kit.errors import IntegrityError
from assent.kit.tlog.files import Files
from assent.kit.tlog.merkle import HASH_SIZE, fold, leaf_hash, root, subtrees
from assent.kit.tlog.tiles import (
    ENTRY_LIMIT,
    WIDTH,
    Edge,
    Level,
    decode_bundle,
    decode_tile,
    edge_root,
    level_count,
    tile_path,
)

__all__ = ["TileTree"]

_CACHED_TILES = 64


class TileTree:
    """The tiles of a log at one signed state.

    Args:
        files: where the log's files are.
        size: entries, as signed.
        root: 32 bytes, as signed.

    Every method raises `IntegrityError`, which names the file, when a file is missing, cut off or
    changed.
    """

    def __init__(self, files: Files, *, size: int, root: bytes) -> None:
        self._files = files
        self._tiles: dict[tuple[int, int], list[bytes]] = {}
        self.size = size
        self.root = root

    @cached_property
    def edge(self) -> Edge:
        """The rightmost, partial tile of each level, checked against the root."""
        edge: Edge = []
        while (count := level_count(self.size, len(edge))) > 0:
            index, width = divmod(count, WIDTH)
            edge.append(self._read(len(edge), index, width, decode_tile) if width else [])
        if edge_root(edge) != self.root:
            where = self._files.name()
            raise IntegrityError(f"{where}: the rightmost tiles don't give the signed root")
        return edge

    def tile(self, level: int, index: int) -> list[bytes]:
        """Return the 1 to 256 hashes of a tile."""
        if index == level_count(self.size, level) // WIDTH:
            return self.edge[level]
        hashes = self._tiles.pop((level, index), None) or self._read_full(level, index)
        if len(self._tiles) >= _CACHED_TILES:
            del self._tiles[next(iter(self._tiles))]
        # Put last again, so that the one in front is the one used longest ago.
        self._tiles[level, index] = hashes
        return hashes

    def bundle(self, index: int) -> list[bytes]:
        """Return the 1 to 256 entries of a bundle."""
        hashes = self.tile(0, index)
        entries = self._read("entries", index, len(hashes), decode_bundle)
        if [leaf_hash(entry) for entry in entries] != hashes:
            path = tile_path("entries", index, len(hashes))
            raise IntegrityError(f"{self._files.name(path)} was changed")
        return entries

    def range_root(self, start: int, end: int) -> bytes:
        """Return the root over a range of a proof (see `merkle.inclusion_ranges`)."""
        return fold([self._subtree(*each) for each in subtrees(start, end)])

    def _subtree(self, start: int, height: int) -> bytes:
        """Return the root over the `2**height` entries from `start` on."""
        level, below = divmod(height, 8)
        index, offset = divmod(level_count(start, level), WIDTH)
        return root(self.tile(level, index)[offset : offset + (1 << below)])

    def _read_full(self, level: int, index: int) -> list[bytes]:
        """Read a full tile and check it against the tile above."""
        parent, offset = divmod(index, WIDTH)
        expected = self.tile(level + 1, parent)[offset]
        hashes = self._read(level, index, WIDTH, decode_tile)
        if root(hashes) != expected:
            raise IntegrityError(f"{self._files.name(tile_path(level, index))} was changed")
        return hashes

    def _read(
        self, level: Level, index: int, width: int, decode: Callable[[bytes], list[bytes]]
    ) -> list[bytes]:
        """Read the first `width` items of a tile or bundle."""
        path, full = tile_path(level, index, width), tile_path(level, index)
        limit = WIDTH * (2 + ENTRY_LIMIT if level == "entries" else HASH_SIZE)
        data = self._files.read(path, limit)
        if data is None and path != full:
            # A log drops a partial tile once the full one is there.
            data = self._files.read(full, limit)
        path = self._files.name(path)
        if data is None:
            raise IntegrityError(f"{path} is missing")
        try:
            items = decode(data)[:width]
        except ValueError as error:
            raise IntegrityError(f"{path} is damaged: {error}") from error
        if len(items) < width:
            raise IntegrityError(f"{path} is damaged: it holds {len(items)} of {width}")
        return items
