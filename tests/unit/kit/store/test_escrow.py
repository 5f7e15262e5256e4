from pathlib import Path

import pytest
from studios import FailingDisk, Scene

from assent.kit.errors import InputError, IntegrityError, StorageError
from assent.kit.store.escrow import add_escrow, destroy_everywhere, known_escrows


def test_an_escrow_is_remembered(scene: Scene, tmp_path: Path) -> None:
    assert list(known_escrows(scene.studio)) == []
    add_escrow(scene.studio, tmp_path / "b").create("one")
    add_escrow(scene.studio, tmp_path / "a")
    assert add_escrow(scene.studio, tmp_path / "b").has("one")
    known = list(known_escrows(scene.reopened()))
    assert [each.place for each in known] == [str(tmp_path / "a"), str(tmp_path / "b")]
    assert known[1].ring is not None
    assert known[1].ring.has("one")


def test_inside_the_studio_it_would_be_no_use(scene: Scene, tmp_path: Path) -> None:
    inside = scene.studio.folder / "keys" / "escrow"
    (tmp_path / "link").symlink_to(scene.studio.folder)
    for folder in (inside, scene.studio.folder, tmp_path / "link" / "escrow"):
        with pytest.raises(InputError, match="lies in the studio"):
            add_escrow(scene.studio, folder)
    assert list(known_escrows(scene.studio)) == []


def test_its_keys_are_sealed_by_the_studio(scene: Scene, tmp_path: Path) -> None:
    """Who finds the medium has nothing."""
    ring = add_escrow(scene.studio, tmp_path / "stick")
    ring.create("one")
    key = ring.unlock("one")
    files = [path for path in (tmp_path / "stick").rglob("*") if path.is_file()]
    assert not any(key in path.read_bytes() for path in files)


def test_two_studios_share_a_medium(scene: Scene, tmp_path: Path) -> None:
    add_escrow(scene.studio, tmp_path / "stick")
    assert [path.name for path in (tmp_path / "stick").iterdir()] == [scene.studio.id]


def test_destroyed_everywhere_or_pending(scene: Scene, tmp_path: Path) -> None:
    rings = [add_escrow(scene.studio, tmp_path / name) for name in ("a", "b")]
    for ring in (scene.studio.keyring, *rings):
        ring.create("one")
    (tmp_path / "a").rename(tmp_path / "elsewhere")
    assert destroy_everywhere(scene.studio, "one") == (str(tmp_path / "a"),)
    assert scene.studio.keyring.was_destroyed("one")
    assert rings[1].was_destroyed("one")
    (tmp_path / "elsewhere").rename(tmp_path / "a")
    assert destroy_everywhere(scene.studio, "one") == ()
    assert rings[0].was_destroyed("one")


def test_a_medium_that_fails_is_one_that_isnt_there(scene: Scene, tmp_path: Path) -> None:
    ring = add_escrow(scene.studio, tmp_path / "a")
    ring.create("one")
    mark = tmp_path / "a" / scene.studio.id / "assent-escrow.json"
    mark.unlink()
    mark.mkdir()
    assert [each.ring for each in known_escrows(scene.studio)] == [None]
    assert destroy_everywhere(scene.studio, "one") == (str(tmp_path / "a"),)


def test_a_full_medium_is_pending_too(scene: Scene, tmp_path: Path) -> None:
    add_escrow(scene.studio, tmp_path / "a").create("one")
    scene.studio.keyring.create("one")
    disk = FailingDisk()
    studio = scene.reopened(disk)
    # The studio's own key takes overwrite, rename and sync; then comes the escrow's folder.
    disk.fail_at = len(disk.steps) + 4
    assert destroy_everywhere(studio, "one") == (str(tmp_path / "a"),)
    assert scene.studio.keyring.was_destroyed("one")


@pytest.mark.parametrize("data", [b"noise", None])
def test_a_list_that_was_changed_stops_everything(
    scene: Scene, tmp_path: Path, data: bytes | None
) -> None:
    """Else somebody could make the studio forget where copies of keys are."""
    add_escrow(scene.studio, tmp_path / "a")
    kept = scene.studio.folder / "keys" / "escrows.secret"
    kept.unlink() if data is None else kept.write_bytes(data)
    with pytest.raises(IntegrityError, match="escrows"):
        destroy_everywhere(scene.studio, "one")
    assert scene.studio.keyring.was_destroyed("one")


def test_a_medium_that_keeps_nothing(scene: Scene, tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        add_escrow(scene.studio, Path("/dev/null/stick"))
