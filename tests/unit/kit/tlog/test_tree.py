import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assent.kit.errors import IntegrityError
from assent.kit.tlog._disk import Disk
from assent.kit.tlog.files import Folder
from assent.kit.tlog.log import Log
from assent.kit.tlog.merkle import leaf_hash, root
from assent.kit.tlog.note import NoteSigner
from assent.kit.tlog.tree import TileTree


class CountingDisk(Disk):
    """Counts how often a file is read."""

    def __init__(self) -> None:
        self.reads = 0

    def read(self, path: Path, limit: int) -> bytes | None:
        self.reads += 1
        return super().read(path, limit)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[bytes]]:
    """A log over three levels, and its leaf hashes."""
    folder = tmp_path_factory.mktemp("large")
    entries = [i.to_bytes(3, "big") for i in range(65_536 + 700)]
    signer = NoteSigner("large", Ed25519PrivateKey.from_private_bytes(bytes(32)))
    Log.create(folder, signer=signer).append(entries)
    return folder, [leaf_hash(entry) for entry in entries]


def tree_of(large: tuple[Path, list[bytes]], disk: Disk | None = None) -> TileTree:
    folder, leaves = large
    return TileTree(Folder(folder, disk=disk), size=len(leaves), root=root(leaves))


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (0, 65_536),
        (65_536, 66_236),
        (0, 1),
        (128, 256),
        (512, 1024),
        (32_768, 65_536),
        (66_235, 66_236),
    ],
)
def test_roots_of_ranges(large: tuple[Path, list[bytes]], start: int, end: int) -> None:
    assert tree_of(large).range_root(start, end) == root(large[1][start:end])


def test_memory_is_bounded_and_reading_in_order_reads_once(
    large: tuple[Path, list[bytes]],
) -> None:
    disk = CountingDisk()
    tree = tree_of(large, disk)
    bundles = -(-len(large[1]) // 256)
    count = sum(len(tree.bundle(index)) for index in range(bundles))
    assert count == len(large[1])
    # 258 full tiles and bundles, their parent, one partial bundle and three partial tiles.
    assert disk.reads == 2 * 258 + 1 + 1 + 3
    assert len(tree._tiles) == 64  # noqa: SLF001 - the bound itself is what is tested


def test_a_changed_inner_tile_is_named(large: tuple[Path, list[bytes]], tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(large[0], folder)
    tile = folder / "tile/1/000"
    tile.write_bytes(bytes(32) + tile.read_bytes()[32:])
    tree = TileTree(Folder(folder), size=len(large[1]), root=root(large[1]))
    with pytest.raises(IntegrityError, match="tile/1/000 was changed"):
        tree.bundle(7)
