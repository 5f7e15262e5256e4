import threading
from pathlib import Path

import pytest

from assent.kit.errors import StorageError
from assent.kit.tlog._disk import Disk, replace_file


def test_replacing_a_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    replace_file(Disk(), path, b"one")
    replace_file(Disk(), path, b"two")
    assert path.read_bytes() == b"two"
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_what_isnt_there_reads_as_none(tmp_path: Path) -> None:
    assert Disk().read(tmp_path / "nothing", 9) is None


def test_folders(tmp_path: Path) -> None:
    Disk().make_folder(tmp_path / "a" / "b")
    Disk().make_folder(tmp_path / "a" / "b")
    (tmp_path / "a" / "b" / "file").write_bytes(b"")
    Disk().remove_folder(tmp_path / "a" / "b")
    Disk().remove_folder(tmp_path / "a" / "b")
    assert list((tmp_path / "a").iterdir()) == []


def test_a_full_disk_says_so() -> None:
    """Linux's /dev/full refuses every byte as a full disk does."""
    with pytest.raises(StorageError, match=r"/dev/full: No space left") as caught:
        Disk().write(Path("/dev/full"), b"x")
    assert "Free some space" in caught.value.advice


def test_every_step_names_the_file_that_failed(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_bytes(b"")
    disk = Disk()
    with pytest.raises(StorageError, match="plain"):
        disk.read(plain / "below", 9)
    with pytest.raises(StorageError, match="plain"):
        disk.make_folder(plain / "below")
    with pytest.raises(StorageError, match="missing"):
        disk.sync(tmp_path / "missing")
    with pytest.raises(StorageError, match="new"):
        disk.rename(tmp_path / "missing", tmp_path / "new")
    with pytest.raises(StorageError, match="plain"):
        disk.remove_folder(plain)
    with pytest.raises(StorageError, match="lock"), disk.lock(plain / "lock"):
        pass
    # An error without advice of its own keeps the class's.
    with pytest.raises(StorageError) as caught:
        disk.sync(tmp_path / "missing")
    assert caught.value.advice == StorageError.advice


def test_one_holds_the_lock_at_a_time(tmp_path: Path) -> None:
    path, order = tmp_path / "lock", []
    entered = threading.Event()

    def work() -> None:
        entered.set()
        with Disk().lock(path):
            order.append("second")

    thread = threading.Thread(target=work)
    with Disk().lock(path):
        thread.start()
        entered.wait()
        thread.join(0.1)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]
