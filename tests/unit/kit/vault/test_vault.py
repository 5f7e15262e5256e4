import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import av
import pytest

from assent.kit.disk import Disk
from assent.kit.errors import (
    InputError,
    IntegrityError,
    NotClearedError,
    NotFoundError,
    StorageError,
)
from assent.kit.vault.keyring import Keyring
from assent.kit.vault.stream import CHUNK
from assent.kit.vault.vault import Vault

FailingDisk = Any
SAMPLES = Path(__file__).parents[4] / "samples"


@pytest.fixture
def vault(tmp_path: Path, keyring: Keyring) -> Vault:
    return Vault(tmp_path / "vault", keyring)


def files_of(folder: Path) -> list[Path]:
    return sorted(each for each in folder.rglob("*") if each.is_file())


@pytest.mark.parametrize("size", [0, 10, CHUNK, 2 * CHUNK + 17])
def test_round_trip(vault: Vault, tmp_path: Path, size: int) -> None:
    data = hashlib.shake_256(b"").digest(size)
    blob_id = vault.put([data[:5], data[5:]], key_ids=["ben", "ada", "ben"])
    path = tmp_path / "vault" / blob_id[:2] / blob_id
    assert hashlib.sha256(path.read_bytes()).hexdigest() == blob_id
    assert files_of(tmp_path / "vault") == [path]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert vault.read(blob_id) == data
    assert vault.key_ids(blob_id) == ("ada", "ben")
    with vault.open(blob_id) as file:
        file.seek(size // 2)
        assert file.read() == data[size // 2 :]


def test_nothing_is_in_clear(vault: Vault, tmp_path: Path) -> None:
    blob_id = vault.put([b"a very private clip"], key_ids=["ada"])
    assert b"private" not in (tmp_path / "vault" / blob_id[:2] / blob_id).read_bytes()


def test_a_clip_plays_out_of_the_vault(vault: Vault) -> None:
    clip = SAMPLES / "no_face.mp4"
    blob_id = vault.put([clip.read_bytes()], key_ids=["ada"])
    with av.open(clip) as plain, vault.open(blob_id) as file, av.open(file, mode="r") as sealed:
        expected = [(frame.pts, frame.to_ndarray().sum()) for frame in plain.decode(video=0)]
        assert [
            (frame.pts, frame.to_ndarray().sum()) for frame in sealed.decode(video=0)
        ] == expected


@pytest.mark.parametrize("gone", ["ada", "ben"])
def test_destroying_anyones_key_makes_it_unreadable(
    vault: Vault, keyring: Keyring, gone: str
) -> None:
    both = vault.put([b"both"], key_ids=["ada", "ben"])
    single = {each: vault.put([b"one"], key_ids=[each]) for each in ("ada", "ben")}
    keyring.destroy(gone)
    with pytest.raises(NotClearedError, match=gone):
        vault.read(both)
    with pytest.raises(NotClearedError):
        vault.read(single.pop(gone))
    assert vault.read(single.popitem()[1]) == b"one"
    assert vault.key_ids(both) == ("ada", "ben")
    with pytest.raises(NotClearedError):
        vault.put([b"more"], key_ids=["ada", "ben"])


def test_whom_it_belongs_to(vault: Vault, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="belongs to someone"):
        vault.put([b"x"], key_ids=[])
    with pytest.raises(NotFoundError, match="cleo has no key"):
        vault.put([b"x"], key_ids=["ada", "cleo"])
    assert files_of(tmp_path / "vault") == []


@pytest.mark.parametrize("blob_id", ["0" * 64, "", "../keys/ada.key", "A" * 64, "0" * 64 + "\n"])
@pytest.mark.parametrize("method", ["open", "read", "key_ids"])
def test_no_such_blob(vault: Vault, method: str, blob_id: str) -> None:
    with pytest.raises(NotFoundError):
        getattr(vault, method)(blob_id)


@pytest.mark.parametrize("position", [0, 16, 20, 60, 200, -1])
def test_a_changed_byte_is_found(vault: Vault, tmp_path: Path, position: int) -> None:
    blob_id = vault.put([b"x" * 1000], key_ids=["ada"])
    path = tmp_path / "vault" / blob_id[:2] / blob_id
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)
    with pytest.raises((IntegrityError, NotFoundError)):
        vault.read(blob_id)


def test_one_blob_cant_be_passed_off_as_another(vault: Vault, tmp_path: Path) -> None:
    """The reviewed draft can't be swapped for another one of the same people."""
    reviewed = vault.put([b"reviewed"], key_ids=["ada"])
    other = vault.put([b"another!"], key_ids=["ada"])
    assert vault.read(reviewed) == b"reviewed"
    path = tmp_path / "vault" / reviewed[:2] / reviewed
    path.write_bytes((tmp_path / "vault" / other[:2] / other).read_bytes())
    with pytest.raises(IntegrityError, match="another file under that name"):
        vault.open(reviewed)


def test_a_whole_file_is_hashed_once(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    blob_id = vault.put([b"x"], key_ids=["ada"])
    assert vault.read(blob_id) == b"x"
    monkeypatch.delattr(hashlib, "file_digest")
    assert vault.read(blob_id) == b"x"


def test_delete(vault: Vault, tmp_path: Path) -> None:
    keep, drop = (vault.put([each], key_ids=["ada"]) for each in (b"keep", b"drop"))
    vault.read(drop)
    vault.delete(drop)
    vault.delete(drop)
    with pytest.raises(NotFoundError):
        vault.read(drop)
    with pytest.raises(NotFoundError):
        vault.delete("../keys/ada.key")
    assert list(vault.ids()) == [keep]


def test_ids(vault: Vault, tmp_path: Path) -> None:
    ids = [vault.put([bytes([i])], key_ids=["ada"]) for i in range(6)]
    shard = tmp_path / "vault" / ids[0][:2]
    (shard / "notes.txt").write_bytes(b"a stranger's")
    (tmp_path / "vault" / ".DS_Store").write_bytes(b"")
    assert list(vault.ids()) == sorted(ids)


def test_sweep(vault: Vault, tmp_path: Path) -> None:
    folder = tmp_path / "vault"
    kept, orphan, fresh = (vault.put([each], key_ids=["ada"]) for each in (b"1", b"2", b"3"))
    (folder / "tmp" / "old").write_bytes(b"")
    (folder / "tmp" / "new").write_bytes(b"")
    now = datetime.now(UTC)
    long_ago = (now - timedelta(days=2)).timestamp()
    for path in (
        folder / kept[:2] / kept,
        folder / orphan[:2] / orphan,
        folder / "tmp" / "old",
    ):
        os.utime(path, (long_ago, long_ago))
    assert vault.sweep({kept}, before=now - timedelta(days=1)) == 2
    assert sorted(vault.ids()) == sorted([kept, fresh])
    assert [each.name for each in (folder / "tmp").iterdir()] == ["new"]


def test_sweeping_beside_another_sweeper(tmp_path: Path, keyring: Keyring) -> None:
    """A file that vanishes in between isn't counted and does no harm."""

    class Racing(Disk):
        def written(self, path: Path) -> datetime | None:
            path.unlink()
            return super().written(path)

    vault = Vault(tmp_path / "vault", keyring, disk=Racing())
    vault.put([b"x"], key_ids=["ada"])
    assert vault.sweep([], before=datetime.now(UTC) + timedelta(days=1)) == 0


def test_a_source_that_fails_leaves_nothing(vault: Vault, tmp_path: Path) -> None:
    def failing() -> Iterator[bytes]:
        yield bytes(2 * CHUNK)
        raise RuntimeError("the decoder's")

    with pytest.raises(RuntimeError, match="the decoder's"):
        vault.put(failing(), key_ids=["ada"])
    assert files_of(tmp_path / "vault") == []


# The steps: make two folders, each with a sync of its parent; create, write header, prefix and
# two chunks, sync; make folder, sync its parent, rename, sync folder.
@pytest.mark.parametrize("cut", [False, True], ids=["error", "power cut"])
@pytest.mark.parametrize("fail_at", range(15))
def test_every_step_of_put_may_fail(
    tmp_path: Path,
    keyring: Keyring,
    failing_disk: FailingDisk,
    power_cut: type[BaseException],
    fail_at: int,
    cut: bool,
) -> None:
    """After any failure there is no blob, or a whole one; what else is left, sweeping removes."""
    folder, data = tmp_path / "vault", bytes(CHUNK + 5)

    def put() -> None:
        Vault(folder, keyring, disk=failing_disk(fail_at, cut=cut)).put([data], key_ids=["ada"])

    assert fails(power_cut, put) == (fail_at < 14)
    vault = Vault(folder, keyring)
    ids = list(vault.ids())
    assert len(ids) == (fail_at >= 13)
    assert all(vault.read(each) == data for each in ids)
    vault.sweep(ids, before=datetime.now(UTC) + timedelta(days=1))
    assert len(files_of(folder)) == len(ids)
    assert vault.read(vault.put([data], key_ids=["ada"])) == data


def fails(power_cut: type[BaseException], call: Callable[[], object]) -> bool:
    try:
        call()
    except (StorageError, power_cut):
        return True
    return False
