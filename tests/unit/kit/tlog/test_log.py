import itertools
import multiprocessing
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assent.kit.errors import InputError, IntegrityError, NotFoundError, StorageError
from assent.kit.tlog._disk import Disk
from assent.kit.tlog.checkpoint import Checkpoint
from assent.kit.tlog.log import Log
from assent.kit.tlog.merkle import leaf_hash, root
from assent.kit.tlog.note import NoteSigner, split_note
from assent.kit.tlog.reader import LogReader

FailingDisk = Any


def entries_of(folder: Path, signer: NoteSigner) -> list[bytes]:
    """Everything in the log as a stranger reads it."""
    return [entry for _, entry in LogReader(folder, verifier=signer.verifier).entries()]


def test_create_append_open(tmp_path: Path, signer: NoteSigner) -> None:
    folder = tmp_path / "studio" / "log"
    log = Log.create(folder, signer=signer)
    assert log.size == 0
    assert log.append([b"a", b"", b"b" * 65_535]) == (0, 1, 2)
    assert Log.open(folder, signer=signer).append([b"c"]) == (3,)
    assert log.size == 4
    assert log.checkpoint().startswith("assent.local/studio/test\n4\n")
    assert log.checkpoint().encode() == (folder / "checkpoint").read_bytes()
    assert entries_of(folder, signer) == [b"a", b"", b"b" * 65_535, b"c"]


def test_appending_nothing_changes_nothing(tmp_path: Path, signer: NoteSigner) -> None:
    log = Log.create(tmp_path, signer=signer)
    assert log.append([]) == ()
    assert sorted(each.name for each in tmp_path.iterdir()) == [".lock", "checkpoint"]


def test_an_entry_too_long_appends_nothing(tmp_path: Path, signer: NoteSigner) -> None:
    log = Log.create(tmp_path, signer=signer)
    with pytest.raises(InputError, match="too long"):
        log.append([b"fine", b"x" * 65_536])
    assert log.size == 0


def test_one_folder_one_log(tmp_path: Path, signer: NoteSigner) -> None:
    Log.create(tmp_path, signer=signer).append([b"a"])
    with pytest.raises(InputError, match="already holds a log"):
        Log.create(tmp_path, signer=signer)
    assert entries_of(tmp_path, signer) == [b"a"]


def test_open_refuses_what_isnt_its_log(
    tmp_path: Path, signer: NoteSigner, make_signer: Callable[..., NoteSigner]
) -> None:
    with pytest.raises(NotFoundError):
        Log.open(tmp_path, signer=signer)
    Log.create(tmp_path, signer=signer)
    with pytest.raises(IntegrityError):
        Log.open(tmp_path, signer=make_signer(2))


def test_crossing_tile_borders(tmp_path: Path, signer: NoteSigner) -> None:
    log = Log.create(tmp_path, signer=signer)
    expected: list[bytes] = []
    for step in (1, 254, 1, 1, 255, 600, 1):
        batch = [f"{len(expected) + i}".encode() for i in range(step)]
        log.append(batch)
        expected += batch
        assert log.reader().state.root == root([leaf_hash(each) for each in expected])
    assert entries_of(tmp_path, signer) == expected
    # Each full tile has taken the place of its partial ones.
    left = {str(each.relative_to(tmp_path / "tile")) for each in tmp_path.rglob("*.p")}
    assert left == {"0/004.p", "1/000.p", "entries/004.p"}


def test_nothing_is_signed_on_top_of_changed_files(tmp_path: Path, signer: NoteSigner) -> None:
    log = Log.create(tmp_path, signer=signer)
    log.append([b"a", b"b"])
    before = log.checkpoint()
    (tmp_path / "tile/entries/000.p/2").write_bytes(b"\0\1a\0\1c")
    with pytest.raises(IntegrityError, match=r"entries/000\.p/2 was changed"):
        log.append([b"d"])
    assert log.checkpoint() == before


def run_until_it_fails(
    disk: FailingDisk, power_cut: type[BaseException], call: Callable[[], object]
) -> bool:
    """Return whether the call went through."""
    try:
        call()
    except (StorageError, power_cut):
        assert disk.fail_at < len(disk.steps)
        return False
    return True


# Sizes before and appended: inside a tile, filling one, and going over into the next level.
@pytest.mark.parametrize(("before", "added"), [(0, 1), (3, 2), (255, 1), (254, 300)])
@pytest.mark.parametrize("failure", ["error", "power cut", "power cut that forgets names"])
def test_every_step_of_append_may_fail(
    tmp_path: Path,
    signer: NoteSigner,
    failing_disk: FailingDisk,
    power_cut: type[BaseException],
    before: int,
    added: int,
    failure: str,
) -> None:
    """After any failure: a whole log, the old entries or all, appending goes on, and no checkpoint
    that anybody may have seen meanwhile is belied."""
    old = [f"old {i}".encode() for i in range(before)]
    new = [f"new {i}".encode() for i in range(added)]
    template = tmp_path / "template"
    Log.create(template, signer=signer).append(old)
    outcomes = set()
    for fail_at in itertools.count():
        folder = tmp_path / str(fail_at)
        shutil.copytree(template, folder)
        disk = failing_disk(fail_at, cut=failure != "error", forget="forgets" in failure)
        seen: set[str] = set()
        disk.before_step = lambda f=folder, s=seen: s.add((f / "checkpoint").read_text())
        log = Log.open(folder, signer=signer, disk=disk)
        done = run_until_it_fails(disk, power_cut, lambda log=log: log.append(new))  # type: ignore[misc]

        left = entries_of(folder, signer)
        assert left in (old, old + new)
        assert left == old + new or not done
        after = [b"after 1", b"after 2"]
        again = Log.open(folder, signer=signer, disk=failing_disk())
        first, second = again.append(after)
        assert second == first + 1
        whole = entries_of(folder, signer)
        # What was ready to be published may have been finished now; nothing goes back.
        assert whole in (left + after, old + new + after)
        for checkpoint in seen:
            LogReader(folder, verifier=signer.verifier).check_extends(checkpoint)
        outcomes.add((done, left == old, whole == left + after))
        if fail_at >= len(disk.steps):
            break
    # Nothing was appended; it was finished by the next process; all went well. And, where names
    # are durable at once or something is left to prune: all appended though it failed.
    kinds = {(False, True, True), (False, True, False), (True, False, True)}
    assert outcomes - {(False, False, True)} == kinds
    assert (False, False, True) in outcomes or "forgets" in failure


def test_what_may_have_been_seen_is_never_belied(
    tmp_path: Path,
    signer: NoteSigner,
    failing_disk: FailingDisk,
    power_cut: type[BaseException],
) -> None:
    """The power goes after the new checkpoint was visible and before its name was durable."""
    Log.create(tmp_path, signer=signer).append([b"a"])
    disk = failing_disk(0)
    Log.open(tmp_path, signer=signer, disk=disk)
    names = failing_disk()
    shutil.copytree(tmp_path, tmp_path / "copy")
    Log.open(tmp_path / "copy", signer=signer, disk=names).append([b"b"])
    disk = failing_disk(names.steps.index("rename checkpoint") + 1, cut=True, forget=True)
    seen: list[str] = []
    disk.before_step = lambda: seen.append((tmp_path / "checkpoint").read_text())
    with pytest.raises(power_cut):
        Log.open(tmp_path, signer=signer, disk=disk).append([b"b"])
    assert seen[-1].split("\n")[1] == "2"
    # The old name is back, and would let another second entry in.
    assert entries_of(tmp_path, signer) == [b"a"]
    log = Log.open(tmp_path, signer=signer)
    assert log.size == 2
    assert log.append([b"c"]) == (2,)
    assert entries_of(tmp_path, signer) == [b"a", b"b", b"c"]
    LogReader(tmp_path, verifier=signer.verifier).check_extends(seen[-1])


@pytest.mark.parametrize(
    "left", [b"", b"half a checkpo", b"\xff\xfe", "another log's", "an older one", "one of nothing"]
)
def test_a_checkpoint_that_was_never_ready_is_passed_over(
    tmp_path: Path, signer: NoteSigner, make_signer: Callable[..., NoteSigner], left: bytes | str
) -> None:
    log = Log.create(tmp_path, signer=signer)
    older = log.checkpoint()
    log.append([b"a"])
    if left == "another log's":
        left = make_signer(2).sign(split_note(log.checkpoint())[0]).encode()
    elif left == "an older one":
        left = older.encode()
    elif left == "one of nothing":
        state = Checkpoint(origin=signer.name, size=5, root=bytes(32))
        left = signer.sign(state.body()).encode()
    assert isinstance(left, bytes)
    (tmp_path / ".checkpoint.tmp").write_bytes(left)
    assert log.append([b"b"]) == (1,)
    assert entries_of(tmp_path, signer) == [b"a", b"b"]
    assert not (tmp_path / ".checkpoint.tmp").exists()


def test_the_order_of_steps(tmp_path: Path, signer: NoteSigner, failing_disk: FailingDisk) -> None:
    """All that a checkpoint vouches for is durable before it takes its place."""
    Log.create(tmp_path, signer=signer).append([b"x"] * 255)
    disk = failing_disk()
    Log.open(tmp_path, signer=signer, disk=disk).append([b"y"])
    assert disk.steps == [
        *("make 0", "make 000.p", "sync tile", "sync 1", "make entries"),
        *("write .000.tmp", "write .000.tmp", "write .1.tmp"),
        *("sync .000.tmp", "sync .000.tmp", "sync .1.tmp"),
        *("rename 000", "rename 000", "rename 1"),
        *("sync 0", "sync 000.p", "sync entries"),
        *("write .checkpoint.tmp", "sync .checkpoint.tmp", f"sync {tmp_path.name}"),
        *("rename checkpoint", f"sync {tmp_path.name}"),
        *("remove 000.p", "remove 000.p"),
    ]


@pytest.mark.parametrize("cut", [False, True], ids=["error", "power cut"])
def test_every_step_of_create_may_fail(
    tmp_path: Path,
    signer: NoteSigner,
    failing_disk: FailingDisk,
    power_cut: type[BaseException],
    cut: bool,
) -> None:
    """After any failure there is no log, and it can be created, or there is an empty one."""
    for fail_at in itertools.count():
        folder = tmp_path / str(fail_at)
        disk = failing_disk(fail_at, cut=cut)
        create = lambda folder=folder, disk=disk: Log.create(folder, signer=signer, disk=disk)  # noqa: E731
        run_until_it_fails(disk, power_cut, create)
        if (folder / "checkpoint").exists():
            assert entries_of(folder, signer) == []
        else:
            Log.create(folder, signer=signer)
        Log.open(folder, signer=signer).append([b"a"])
        if fail_at >= len(disk.steps):
            break
    assert fail_at == 7


def test_threads_take_turns(tmp_path: Path, signer: NoteSigner) -> None:
    log = Log.create(tmp_path, signer=signer)
    found: list[int] = []

    def work(name: int) -> None:
        for i in range(5):
            found.extend(log.append([f"{name} {i}".encode()]))

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == list(range(20))
    entries = entries_of(tmp_path, signer)
    assert sorted(entries) == sorted(f"{n} {i}".encode() for n in range(4) for i in range(5))


def append_from_elsewhere(folder: Path, name: int) -> None:
    """Run in another process."""
    key = Ed25519PrivateKey.from_private_bytes(bytes([1]) * 32)
    log = Log.open(folder, signer=NoteSigner("assent.local/studio/test", key))
    for i in range(5):
        log.append([f"{name} {i}".encode()])


def test_processes_take_turns(tmp_path: Path, signer: NoteSigner) -> None:
    Log.create(tmp_path, signer=signer)
    context = multiprocessing.get_context("fork")
    workers = [
        context.Process(target=append_from_elsewhere, args=(tmp_path, name)) for name in range(3)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    entries = entries_of(tmp_path, signer)
    assert sorted(entries) == sorted(f"{n} {i}".encode() for n in range(3) for i in range(5))


def test_a_real_disk_error_names_the_file(tmp_path: Path, signer: NoteSigner) -> None:
    log = Log.create(tmp_path, signer=signer, disk=Disk())
    (tmp_path / "tile").write_bytes(b"in the way")
    with pytest.raises(StorageError, match="tile"):
        log.append([b"a"])
    assert log.size == 0
