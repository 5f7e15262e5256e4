import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assent.kit.errors import IntegrityError, NotFoundError
from assent.kit.tlog.log import Log
from assent.kit.tlog.merkle import leaf_hash, verify_consistency, verify_inclusion
from assent.kit.tlog.note import NoteSigner, NoteVerifier
from assent.kit.tlog.reader import LogReader
from assent.kit.tlog.tiles import decode_bundle, encode_bundle

SIZE = 600


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, NoteSigner]:
    """A log of 600 entries: two full tiles and a partial one."""
    signer = NoteSigner("assent.local/studio/test", Ed25519PrivateKey.from_private_bytes(bytes(32)))
    folder = tmp_path_factory.mktemp("log")
    Log.create(folder, signer=signer).append([str(i).encode() for i in range(SIZE)])
    return folder, signer


@pytest.fixture
def copy(original: tuple[Path, NoteSigner], tmp_path: Path) -> Path:
    """The log's public files alone, elsewhere."""
    folder = tmp_path / "mirror"
    shutil.copytree(original[0], folder, ignore=shutil.ignore_patterns(".*"))
    return folder


@pytest.fixture
def verifier(original: tuple[Path, NoteSigner]) -> NoteVerifier:
    return NoteVerifier.parse(original[1].vkey)


def test_a_copy_is_enough(copy: Path, verifier: NoteVerifier) -> None:
    reader = LogReader(copy, verifier=verifier)
    assert reader.size == SIZE
    assert list(reader.entries()) == [(i, str(i).encode()) for i in range(SIZE)]
    assert list(reader.entries(255)) == [(i, str(i).encode()) for i in range(255, SIZE)]
    assert list(reader.entries(SIZE)) == []
    assert list(reader.entries(-1)) == list(reader.entries())
    assert reader.entry(511) == b"511"


@pytest.mark.parametrize("index", [0, 255, 256, 511, 512, 599])
def test_inclusion_proofs(copy: Path, verifier: NoteVerifier, index: int) -> None:
    reader = LogReader(copy, verifier=verifier)
    verify_inclusion(
        leaf_hash(str(index).encode()),
        index=index,
        size=SIZE,
        proof=reader.inclusion_proof(index),
        root=reader.state.root,
    )


@pytest.mark.parametrize("index", [-1, SIZE])
def test_no_such_entry(copy: Path, verifier: NoteVerifier, index: int) -> None:
    reader = LogReader(copy, verifier=verifier)
    with pytest.raises(NotFoundError, match=f"no entry {index}"):
        reader.inclusion_proof(index)
    with pytest.raises(NotFoundError):
        reader.entry(index)


def test_no_log(tmp_path: Path, verifier: NoteVerifier) -> None:
    with pytest.raises(NotFoundError, match="holds no log"):
        LogReader(tmp_path, verifier=verifier)


def all_of(folder: Path, verifier: NoteVerifier) -> None:
    for _ in LogReader(folder, verifier=verifier).entries():
        pass


def every_file(folder: Path) -> list[str]:
    return sorted(str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file())


def test_the_files(copy: Path) -> None:
    assert every_file(copy) == [
        "checkpoint",
        "tile/0/000",
        "tile/0/001",
        "tile/0/002.p/88",
        "tile/1/000.p/2",
        "tile/entries/000",
        "tile/entries/001",
        "tile/entries/002.p/88",
    ]


@pytest.mark.parametrize("harm", ["change", "cut", "empty", "extend", "remove"])
@pytest.mark.parametrize("number", range(8))
def test_any_harm_to_any_file_is_found(
    copy: Path, verifier: NoteVerifier, number: int, harm: str
) -> None:
    name = every_file(copy)[number]
    file = copy / name
    data = file.read_bytes()
    harmed = {
        "change": data[:20] + bytes([data[20] ^ 1]) + data[21:],
        "cut": data[:-1],
        "empty": b"",
        "extend": data + b"\0\1x" + bytes(29),
    }
    if harm == "remove":
        file.unlink()
    else:
        file.write_bytes(harmed[harm])
    if harm == "extend" and name != "checkpoint":
        # What the signed size doesn't cover is passed over, as a later, wider tile would be.
        return
    with pytest.raises((IntegrityError, NotFoundError)) as caught:
        all_of(copy, verifier)
    # Of the edge, only the whole is vouched for by the root, so a change can't be told apart.
    edge = ".p/" in name and "entries" not in name and harm == "change"
    assert name in str(caught.value) or edge or name == "checkpoint"


def test_swapped_entries_are_found(copy: Path, verifier: NoteVerifier) -> None:
    file = copy / "tile/entries/000"
    file.write_bytes(file.read_bytes().replace(b"\0\x0210\0\x0211", b"\0\x0211\0\x0210"))
    with pytest.raises(IntegrityError, match="entries/000 was changed"):
        all_of(copy, verifier)


@pytest.mark.parametrize(
    ("bundle", "tile"),
    [("entries/002.p/88", "0/002.p/88"), ("entries/001", "0/001")],
    ids=["in the edge", "in a full tile"],
)
def test_a_forged_entry_with_a_forged_hash_is_found(
    copy: Path, verifier: NoteVerifier, bundle: str, tile: str
) -> None:
    """The files fit each other; only the signed root gives them away."""
    entries, hashes = copy / "tile" / bundle, copy / "tile" / tile
    old = decode_bundle(entries.read_bytes())
    entries.write_bytes(encode_bundle([b"forged", *old[1:]]))
    hashes.write_bytes(leaf_hash(b"forged") + hashes.read_bytes()[32:])
    with pytest.raises(IntegrityError):
        all_of(copy, verifier)


def test_a_checkpoint_that_is_no_text(copy: Path, verifier: NoteVerifier) -> None:
    (copy / "checkpoint").write_bytes(b"\xff\xfe")
    with pytest.raises(IntegrityError, match="not text"):
        LogReader(copy, verifier=verifier)


def test_reading_goes_on_while_the_log_grows(
    copy: Path, original: tuple[Path, NoteSigner], verifier: NoteVerifier
) -> None:
    """A reader keeps to its checkpoint even when its partial tiles have given way to full ones."""
    reader = LogReader(copy, verifier=verifier)
    Log.open(copy, signer=original[1]).append([b"later"] * 256)
    assert not (copy / "tile/entries/002.p").exists()
    assert list(reader.entries()) == [(i, str(i).encode()) for i in range(SIZE)]
    assert LogReader(copy, verifier=verifier).size == SIZE + 256


@pytest.mark.parametrize("old", [0, 1, 255, 256, 300, 512, 599, 600])
def test_consistency(tmp_path: Path, signer: NoteSigner, old: int) -> None:
    log = Log.create(tmp_path, signer=signer)
    log.append([str(i).encode() for i in range(old)])
    older = log.checkpoint()
    old_root = log.reader().state.root
    log.append([str(i).encode() for i in range(old, SIZE)])
    reader = log.reader()
    assert reader.check_extends(older).size == old
    verify_consistency(
        old_size=old,
        old_root=old_root,
        new_size=SIZE,
        new_root=reader.state.root,
        proof=reader.consistency_proof(old),
    )


def test_a_rollback_is_found(tmp_path: Path, signer: NoteSigner) -> None:
    log = Log.create(tmp_path / "log", signer=signer)
    log.append([b"a"])
    shutil.copytree(tmp_path / "log", tmp_path / "backup")
    log.append([b"b"])
    restored = LogReader(tmp_path / "backup", verifier=signer.verifier)
    with pytest.raises(IntegrityError, match="shrank from 2 to 1"):
        restored.check_extends(log.checkpoint())
    with pytest.raises(IntegrityError, match="shrank"):
        restored.consistency_proof(-1)


@pytest.mark.parametrize("after", [1, 2, 300])
def test_a_fork_is_found(tmp_path: Path, signer: NoteSigner, after: int) -> None:
    log = Log.create(tmp_path / "log", signer=signer)
    log.append([b"a"] * 5)
    shutil.copytree(tmp_path / "log", tmp_path / "fork")
    log.append([b"the truth"])
    fork = Log.open(tmp_path / "fork", signer=signer)
    fork.append([b"another story"] * after)
    with pytest.raises(IntegrityError, match="rewritten"):
        fork.reader().check_extends(log.checkpoint())


def test_an_older_checkpoint_of_another_log(
    tmp_path: Path, signer: NoteSigner, make_signer: Callable[..., NoteSigner]
) -> None:
    ours = Log.create(tmp_path / "ours", signer=signer)
    theirs = Log.create(tmp_path / "theirs", signer=make_signer(2))
    with pytest.raises(IntegrityError, match="isn't signed by"):
        ours.reader().check_extends(theirs.checkpoint())
