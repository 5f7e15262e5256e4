import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.kit.errors import InputError
from assent.kit.tlog import tiles
from assent.kit.tlog.merkle import leaf_hash, root


@pytest.mark.parametrize(
    ("level", "index", "width", "path"),
    [
        (0, 0, 256, "tile/0/000"),
        (1, 999, 1, "tile/1/999.p/1"),
        (0, 1000, 256, "tile/0/x001/000"),
        (2, 1234067, 112, "tile/2/x001/x234/067.p/112"),
        ("entries", 5, 255, "tile/entries/005.p/255"),
    ],
)
def test_paths(level: tiles.Level, index: int, width: int, path: str) -> None:
    assert tiles.tile_path(level, index, width) == path


def test_the_specifications_example() -> None:
    """A tree of 70,000 has 273 full tiles, a partial one of 112, and so on."""
    counts = [divmod(tiles.level_count(70_000, level), 256) for level in range(4)]
    assert counts == [(273, 112), (1, 17), (0, 1), (0, 0)]


@given(st.lists(st.binary(max_size=40)))
def test_bundles_round_trip(entries: list[bytes]) -> None:
    data = tiles.encode_bundle(entries)
    assert tiles.decode_bundle(data) == entries
    for cut in range(1, len(data)):
        try:
            assert (
                tiles.decode_bundle(data[:cut])
                == entries[: len(entries) - 1][: len(tiles.decode_bundle(data[:cut]))]
            )
        except ValueError as error:
            assert "cut off" in str(error)  # noqa: PT017 - either outcome is right, none other


def test_the_longest_entry() -> None:
    longest = b"x" * tiles.ENTRY_LIMIT
    assert tiles.decode_bundle(tiles.encode_bundle([longest])) == [longest]
    with pytest.raises(InputError, match="65536"):
        tiles.encode_bundle([longest + b"x"])


@pytest.mark.parametrize("data", [b"\0", b"\0\1", b"\0\1a\0"])
def test_cut_bundles(data: bytes) -> None:
    with pytest.raises(ValueError, match="cut off"):
        tiles.decode_bundle(data)


def test_tiles_are_whole_hashes() -> None:
    assert tiles.decode_tile(bytes(64)) == [bytes(32)] * 2
    with pytest.raises(ValueError, match="cut off"):
        tiles.decode_tile(bytes(33))


@pytest.mark.parametrize("steps", [[1] * 300, [255, 1, 1], [256], [65_535, 1], [65_537, 511]])
def test_growing_gives_the_root_and_every_tile(steps: list[int]) -> None:
    leaves = [leaf_hash(i.to_bytes(4, "big")) for i in range(sum(steps))]
    edge: list[list[bytes]] = []
    files: dict[str, tuple[bytes, ...]] = {}
    size = 0
    for step in steps:
        changed, edge = tiles.grow(size, edge, leaves[size : size + step])
        size += step
        files |= {tile.path(): tile.hashes for tile in changed}
        if size in (1, 255, 256, 257, 300, sum(steps)):
            assert tiles.edge_root(edge) == root(leaves[:size])
    for level in range(3):
        span = 256**level
        hashes = [root(leaves[i : i + span]) for i in range(0, size - span + 1, span)]
        for index in range(0, len(hashes), 256):
            run = tuple(hashes[index : index + 256])
            assert files[tiles.tile_path(level, index // 256, len(run))] == run


def test_an_empty_edge_has_the_empty_root() -> None:
    assert tiles.edge_root([]) == root([])
