import io
import os
import stat
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from studios import FailingDisk, PowerCut

from assent.kit.disk import Disk, replace_file, written_file
from assent.kit.errors import StorageError


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_replacing_a_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    replace_file(Disk(), path, b"one")
    replace_file(Disk(), path, b"two")
    assert Disk().read(path) == b"two"
    assert [each.name for each in tmp_path.iterdir()] == ["file"]
    assert mode(path) == 0o600


def test_a_file_that_cant_get_its_name_is_removed(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    with pytest.raises(StorageError, match="file"):
        replace_file(Disk(), tmp_path / "file", b"one")
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_a_failed_file_is_removed(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="the caller's"), written_file(Disk(), tmp_path / "f"):
        raise RuntimeError("the caller's")
    assert list(tmp_path.iterdir()) == []


def test_the_first_failure_is_reported(tmp_path: Path) -> None:
    def fail_twice() -> None:
        with written_file(Disk(), tmp_path / "f"):
            # A folder under that name can't be removed as a file.
            (tmp_path / "f").unlink()
            (tmp_path / "f").mkdir()
            raise RuntimeError("the caller's")

    with pytest.raises(RuntimeError, match="the caller's"):
        fail_twice()


def test_folders_are_the_owners_alone(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir(mode=0o755)
    Disk().make_folder(tmp_path / "open")
    Disk().make_folder(tmp_path / "a" / "b")
    assert [mode(tmp_path / each) for each in ("open", "a", "a/b")] == [0o700] * 3


def test_what_isnt_there(tmp_path: Path) -> None:
    disk, missing = Disk(), tmp_path / "missing"
    assert disk.read(missing) is None
    assert disk.reader(missing) is None
    assert disk.written(missing) is None
    assert disk.names(missing) == []
    disk.remove(missing)


def test_names_and_times(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / name).write_bytes(b"")
    os.utime(tmp_path / "a", (0, 0))
    assert Disk().names(tmp_path) == ["a", "b"]
    assert Disk().written(tmp_path / "a") == datetime(1970, 1, 1, tzinfo=UTC)


def test_a_full_disk_says_so() -> None:
    """Linux's /dev/full refuses every byte as a full disk does."""
    with (
        Disk().patcher(Path("/dev/full")) as file,
        pytest.raises(StorageError, match=r"/dev/full: No space left") as caught,
    ):
        Disk().write(file, b"x")
    assert "Free some space" in caught.value.advice


def test_an_existing_file_isnt_written_over(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"mine")
    with pytest.raises(StorageError, match="file: File exists"):
        Disk().writer(tmp_path / "file")


def test_random_access(tmp_path: Path) -> None:
    disk = Disk()
    with disk.scratch(tmp_path) as file:
        disk.write_at(file, 5, b"hello")
        assert disk.read_at(file, 5, 5) == b"hello"
        assert disk.read_at(file, 0, 100) == bytes(5) + b"hello"
        assert disk.read_at(file, 10, 1) == b""
        disk.truncate(file, 6)
        assert disk.read_at(file, 5, 5) == b"h"
        assert list(tmp_path.iterdir()) == []


def test_every_step_names_the_file_that_failed(tmp_path: Path) -> None:
    disk, plain, missing = Disk(), tmp_path / "plain", tmp_path / "missing"
    plain.write_bytes(b"")
    steps: list[Callable[[], object]] = [
        lambda: disk.read(plain / "below"),
        lambda: disk.make_folder(plain / "below"),
        lambda: disk.names(plain),
        lambda: disk.written(plain / "below"),
        lambda: disk.remove(plain / "below"),
        lambda: disk.scratch(plain),
    ]
    for step in steps:
        with pytest.raises(StorageError, match="plain"):
            step()
    steps = [
        lambda: disk.patcher(missing),
        lambda: disk.sync_folder(missing),
        lambda: disk.rename(missing, missing),
    ]
    for step in steps:
        with pytest.raises(StorageError, match="missing"):
            step()
    with pytest.raises(StorageError, match="lock"), disk.lock(plain / "lock"):
        pass


def test_one_holds_the_lock_at_a_time(tmp_path: Path) -> None:
    path, order = tmp_path / "lock", list[str]()
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


@pytest.mark.parametrize("cut", [False, True])
@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("step", range(4))
def test_old_or_new_whatever_fails(tmp_path: Path, step: int, done: bool, cut: bool) -> None:
    """Steps are two writes, the rename and the folder's sync."""
    path = tmp_path / "file"
    path.write_bytes(b"old")
    disk = FailingDisk(step, cut=cut, done=done)
    with pytest.raises(PowerCut if cut else StorageError):
        replace_file(disk, path, [b"new ", b"file"])
    renamed = step == 3 or (step == 2 and done)
    assert path.read_bytes() == (b"new file" if renamed else b"old")
    if not cut and step < 2:
        assert list(tmp_path.iterdir()) == [path]
    replace_file(Disk(), path, b"again")
    assert path.read_bytes() == b"again"


def test_content_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def chunks() -> Iterator[bytes]:
        yield b"new"
        raise io.UnsupportedOperation("can't go on")

    with pytest.raises(OSError, match="can't go on"):
        replace_file(Disk(), path, chunks())
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_is_extended_is_its_owners_alone(tmp_path: Path) -> None:
    disk, path = Disk(), tmp_path / "grown"
    for piece in (b"ab", b"cd"):
        with disk.appender(path) as file:
            disk.write(file, piece)
    assert path.read_bytes() == b"abcd"
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(StorageError):
        disk.appender(tmp_path)


def test_free_space_is_told(tmp_path: Path) -> None:
    assert Disk().free(tmp_path) > 0
    with pytest.raises(StorageError):
        Disk().free(tmp_path / "none")


def test_a_lock_that_is_held_is_not_waited_for(tmp_path: Path) -> None:
    disk, path = Disk(), tmp_path / "lock"
    with disk.try_lock(path) as first, disk.try_lock(path) as second:
        assert (first, second) == (True, False)
    with disk.try_lock(path) as third:
        assert third
