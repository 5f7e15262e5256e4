"""The public log, cut short, put back, rewritten or forged."""

import shutil
from pathlib import Path

from attempts import ask, refused, row_of
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from studios import Scene, agree

from assent.consent.withdrawal import withdraw
from assent.kit.tlog.log import Log
from assent.kit.tlog.note import NoteSigner
from assent.verify.public import open_log


def copied(scene: Scene, folder: Path) -> Path:
    shutil.copytree(scene.studio.log_folder, folder)
    return folder


def put_back(scene: Scene, copy: Path) -> None:
    shutil.rmtree(scene.studio.log_folder)
    shutil.copytree(copy, scene.studio.log_folder)


def bundle(scene: Scene) -> Path:
    """The file that holds the newest entries."""
    entries = scene.studio.log_folder / "tile" / "entries"
    return max(
        (path for path in entries.rglob("*") if path.is_file()),
        key=lambda path: (path.stat().st_mtime_ns, path.name),
    )


def test_put_back(scene: Scene, tmp_path: Path) -> None:
    """The whole log is put back to before a consent was granted."""
    before = copied(scene, tmp_path / "before")
    agree(scene.studio, scene.purpose, scene.cleo)
    put_back(scene, before)
    with refused("the log does not hold cleo's consent"):
        ask(scene, scene.cleo)


def test_cut_short(scene: Scene) -> None:
    """The newest entries are cut off."""
    path = bundle(scene)
    path.write_bytes(path.read_bytes()[:-40])
    with refused("the log does not hold ben's consent"):
        ask(scene, scene.ben)


def test_removed(scene: Scene) -> None:
    """The files of the entries are removed."""
    shutil.rmtree(scene.studio.log_folder / "tile" / "entries")
    with refused("the log does not hold ada's consent"):
        ask(scene, scene.ada)


def test_entry_rewritten(scene: Scene) -> None:
    """An entry is rewritten in place."""
    path, receipt = bundle(scene), str(row_of(scene, scene.ada).receipt_hash)
    path.write_bytes(path.read_bytes().replace(receipt.encode(), b"0" * 64))
    with refused("the log does not hold ada's consent"):
        ask(scene, scene.ada)


def test_withdrawal_taken_out(scene: Scene, tmp_path: Path) -> None:
    """The entry of a withdrawal is taken out by putting the log back: mirrors notice."""
    before = copied(scene, tmp_path / "before")
    withdraw(scene.studio, row_of(scene, scene.ada).record_id)
    seen = scene.studio.log.checkpoint()
    put_back(scene, before)
    with refused("the log shrank"):
        scene.studio.log.reader().check_extends(seen)


def test_history_forked(scene: Scene, tmp_path: Path) -> None:
    """The log is put back and goes on differently: mirrors notice."""
    before = copied(scene, tmp_path / "before")
    agree(scene.studio, scene.purpose, scene.cleo)
    seen = scene.studio.log.checkpoint()
    put_back(scene, before)
    log = scene.studio.log
    while log.size < 20:
        log.append([b'{"kind":"nothing"}'])
    with refused("the log was rewritten"):
        log.reader().check_extends(seen)


def test_checkpoint_by_another_key(scene: Scene, tmp_path: Path) -> None:
    """A log of the attacker's own is laid in its place, under the same name."""
    signer = NoteSigner(scene.studio.log_verifier.name, Ed25519PrivateKey.generate())
    mine = Log.create(tmp_path / "mine", signer=signer)
    mine.append([b'{"kind":"consent.granted"}'] * 10)
    put_back(scene, tmp_path / "mine")
    with refused("signed"):
        scene.reopened()
    with refused("signed"):
        open_log(scene.studio.log_folder, vkey=scene.studio.log_verifier.vkey)


def test_checkpoint_removed(scene: Scene) -> None:
    """The checkpoint is removed, as if the log had never begun."""
    (scene.studio.log_folder / "checkpoint").unlink()
    with refused("holds no log"):
        scene.reopened()
    with refused("the log does not hold ada's consent"):
        ask(scene, scene.ada)
