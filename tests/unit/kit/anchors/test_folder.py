"""The folder of anchors: what is kept stays, and another history is told from it."""

import stat
from pathlib import Path

import pytest
from studios import FailingDisk

from assent.kit.anchors.folder import AnchorFolder, Proof, check_place, text_of
from assent.kit.errors import InputError, IntegrityError, StorageError
from assent.kit.tlog.checkpoint import Checkpoint
from assent.kit.tlog.log import Log
from assent.kit.tlog.note import NoteSigner


def test_what_was_put_is_read_again(log: Log, signer: NoteSigner, tmp_path: Path) -> None:
    folder = AnchorFolder(tmp_path / "log")
    kept, state = folder.keep(log.checkpoint(), signer.verifier)
    assert (state.size, kept) == (3, log.checkpoint().encode())
    folder.write(3, "tsa", "tsr", b"old")
    folder.write(3, "tsa", "tsr", b"stamp")
    folder.write(3, "alice", "ots", b"proof")
    assert folder.sizes() == [3]
    assert folder.proof(3, "tsa", "tsr") == b"stamp"
    assert folder.proof(3, "tsa", "ots") is None
    assert list(folder.proofs(3)) == [
        Proof(size=3, place="alice", kind="ots", data=b"proof"),
        Proof(size=3, place="tsa", kind="tsr", data=b"stamp"),
    ]


def test_everyone_may_read_it(log: Log, signer: NoteSigner, tmp_path: Path) -> None:
    folder = AnchorFolder(tmp_path / "log")
    folder.keep(log.checkpoint(), signer.verifier)
    paths = [tmp_path / "log" / "anchors", *(tmp_path / "log" / "anchors").rglob("*")]
    assert len(paths) == 3
    assert all(path.stat().st_mode & stat.S_IROTH for path in paths)


def test_the_note_that_came_first_stays(log: Log, signer: NoteSigner, tmp_path: Path) -> None:
    folder = AnchorFolder(tmp_path / "log")
    first, _ = folder.keep(log.checkpoint(), signer.verifier)
    cosigned = f"{log.checkpoint()}\u2014 witness AAAAAAAAAAAA\n"
    again, state = folder.keep(cosigned, signer.verifier)
    assert again == first
    assert state.size == 3


def test_another_history_is_not_anchored_beside_it(
    log: Log, signer: NoteSigner, tmp_path: Path
) -> None:
    folder = AnchorFolder(tmp_path / "log")
    folder.keep(log.checkpoint(), signer.verifier)
    other = signer.sign(Checkpoint(origin=signer.name, size=3, root=bytes(32)).body())
    with pytest.raises(IntegrityError, match="the log was rewritten"):
        folder.keep(other, signer.verifier)
    (tmp_path / "log" / "anchors" / "3" / "checkpoint").write_bytes(b"\xff")
    with pytest.raises(IntegrityError, match="is not text"):
        folder.keep(log.checkpoint(), signer.verifier)


def test_an_empty_log_is_not_anchored(signer: NoteSigner, tmp_path: Path) -> None:
    log = Log.create(tmp_path / "log", signer=signer)
    with pytest.raises(InputError, match="nothing to anchor"):
        AnchorFolder(tmp_path / "log").keep(log.checkpoint(), signer.verifier)


@pytest.mark.parametrize("name", ["", "../x", "a/b", "A", "-a", "a" * 33, "checkpoint", "a.tsr"])
def test_a_place_has_a_plain_name(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="can't name a place"):
        AnchorFolder(tmp_path).write(1, name, "ots", b"")
    assert check_place("tsa-2") == "tsa-2"


def test_what_lies_there_besides_is_passed_over(tmp_path: Path) -> None:
    folder = tmp_path / "anchors"
    for name in ("7", "07", "x", ".lock"):
        (folder / name).mkdir(parents=True)
    for name in ("checkpoint", "a.tsr", ".a.tsr", "b.exe", "B.ots"):
        (folder / "7" / name).write_bytes(b"")
    read = AnchorFolder(tmp_path)
    assert read.sizes() == [7]
    assert [each.place for each in read.proofs(7)] == ["a"]
    assert AnchorFolder(tmp_path / "none").sizes() == []


def test_a_proof_without_end_is_refused(tmp_path: Path) -> None:
    (tmp_path / "anchors" / "1").mkdir(parents=True)
    (tmp_path / "anchors" / "1" / "a.ots").write_bytes(bytes((1 << 18) + 1))
    with pytest.raises(IntegrityError, match="larger than any anchor"):
        AnchorFolder(tmp_path).proof(1, "a", "ots")


def test_whatever_step_of_the_disk_fails_the_old_proof_or_the_new_is_there(
    log: Log, signer: NoteSigner, tmp_path: Path
) -> None:
    AnchorFolder(tmp_path / "log").keep(log.checkpoint(), signer.verifier)
    AnchorFolder(tmp_path / "log").write(3, "a", "ots", b"old")
    for done in (False, True):
        for step in range(3):
            disk = FailingDisk(step, done=done)
            with pytest.raises(StorageError):
                AnchorFolder(tmp_path / "log", disk=disk).write(3, "a", "ots", b"new" * 100)
            assert AnchorFolder(tmp_path / "log").proof(3, "a", "ots") in (b"old", b"new" * 100)


def test_two_processes_take_turns(tmp_path: Path) -> None:
    folder = AnchorFolder(tmp_path)
    with folder.lock():
        assert (tmp_path / "anchors" / ".lock").exists()


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="is not text"):
        text_of(b"\xff", tmp_path)
