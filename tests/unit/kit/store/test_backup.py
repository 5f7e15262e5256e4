import base64
import io
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyrage
import pytest
from studios import CutLog, FailingDisk, Member, PowerCut, Scene, agree

from assent.consent.clearance import Act
from assent.consent.desk import clear
from assent.consent.locker import Locker
from assent.consent.withdrawal import catch_up, withdraw
from assent.kit.errors import (
    AssentError,
    InputError,
    IntegrityError,
    NotClearedError,
    NotFoundError,
    StorageError,
)
from assent.kit.signing import new_key, sign
from assent.kit.store.archive import END, Unpacker, frame
from assent.kit.store.backup import Exported, chain, export
from assent.kit.store.escrow import add_escrow
from assent.kit.store.restore import Restored, restore
from assent.kit.store.rotation import rotate
from assent.kit.store.studio import Studio, create_studio
from assent.kit.store.tables import ConsentRow, ExportRow

IDENTITY = pyrage.x25519.Identity.generate()
RECIPIENT = str(IDENTITY.to_public())


def put(scene: Scene, *who: Member, data: bytes = b"a film") -> str:
    clearances = [
        clear(scene.studio, scene.purpose, person_id=each.id, acts=[Act.INGEST]) for each in who
    ]
    return Locker(scene.studio).put([data], clearances)


def record_of(scene: Scene, who: Member) -> str:
    with scene.studio.database.session() as session:
        return session.query(ConsentRow).filter_by(person_id=who.id).one().record_id


def save(scene: Scene, path: Path, escrow: Path | None = None) -> Exported:
    return export(scene.studio, path, recipients=[RECIPIENT], escrow=escrow)


def load(scene: Scene, path: Path, folder: Path, **options: object) -> Restored:
    with path.open("rb") as source:
        return restore(
            source,
            folder,
            identities=[str(IDENTITY)],
            clock=scene.clock,
            **options,  # type: ignore[arg-type]
        )


def opens(scene: Scene, studio: Studio, blob: str, *who: Member) -> bool:
    try:
        clearances = [
            clear(studio, scene.purpose, person_id=each.id, acts=[Act.INGEST]) for each in who
        ]
        return Locker(studio).read(blob, clearances) == b"a film"
    except NotClearedError:
        return False


def unpacked(path: Path) -> dict[str, bytes]:
    """What the recipient finds in a backup, with any tar."""
    data = pyrage.decrypt(path.read_bytes(), [IDENTITY])
    files: dict[str, bytes] = {}

    class Part:
        def __init__(self, name: str) -> None:
            self.name = name
            files[name] = b""

        def write(self, data: bytes) -> None:
            files[self.name] += data

        def close(self) -> None:
            pass

    Unpacker(lambda name, size: Part(name)).feed(data)
    return files


def packed(files: dict[str, bytes]) -> bytes:
    pieces = [piece for name, data in files.items() for piece in frame(name, len(data), [data])]
    return bytes(pyrage.encrypt(b"".join([*pieces, *END]), [IDENTITY.to_public()]))


def test_a_studio_comes_back_with_its_escrow(scene: Scene, tmp_path: Path) -> None:
    blob = put(scene, scene.ada, scene.ben)
    (scene.studio.releases_folder / "film.mp4").write_bytes(b"sealed")
    made = save(scene, tmp_path / "b.age", tmp_path / "stick")
    assert made.keys == 2
    shutil.rmtree(scene.studio.folder)
    back = load(scene, tmp_path / "b.age", tmp_path / "new", escrow=tmp_path / "stick")
    assert (back.opened, back.closed, back.missing) == (2, 0, 0)
    assert back.studio.id == scene.studio.id
    assert opens(scene, back.studio, blob, scene.ada, scene.ben)
    assert (back.studio.releases_folder / "film.mp4").read_bytes() == b"sealed"
    agree(back.studio, scene.purpose, scene.cleo)


def test_what_others_said_of_the_log_comes_back(scene: Scene, tmp_path: Path) -> None:
    names = (
        "cosigned",
        "policy",
        "anchors/3/checkpoint",
        "anchors/3/tsa.tsr",
        "anchors/3/main.json",
    )
    for name in names:
        path = scene.studio.log_folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    save(scene, tmp_path / "b.age")
    back = load(scene, tmp_path / "b.age", tmp_path / "new")
    assert [(back.studio.log_folder / name).read_text() for name in names] == list(names)


def test_without_an_escrow_there_is_no_key_in_it(scene: Scene, tmp_path: Path) -> None:
    blob = put(scene, scene.ada)
    made = save(scene, tmp_path / "b.age")
    assert made.keys == 0
    assert not any(name.startswith("escrow/") for name in unpacked(tmp_path / "b.age"))
    assert not any(name.endswith(".key") and "records" in name for name in unpacked(made.path))
    back = load(scene, tmp_path / "b.age", tmp_path / "new")
    assert not opens(scene, back.studio, blob, scene.ada)


def test_backup_or_escrow_alone_opens_nothing(scene: Scene, tmp_path: Path) -> None:
    blob = put(scene, scene.ada)
    save(scene, tmp_path / "b.age", tmp_path / "stick")
    back = load(scene, tmp_path / "b.age", tmp_path / "new")
    assert (back.opened, back.missing) == (0, 2)
    assert not opens(scene, back.studio, blob, scene.ada)


def test_after_a_withdrawal_an_older_backup_opens_nothing_of_theirs(
    scene: Scene, tmp_path: Path
) -> None:
    """With the backup, the identity, the escrow and all of the studio's secrets."""
    mine, shared, theirs = (
        put(scene, scene.ada), put(scene, scene.ada, scene.ben), put(scene, scene.ben)
    )  # fmt: skip
    save(scene, tmp_path / "b.age", tmp_path / "stick")
    withdraw(scene.studio, record_of(scene, scene.ada))
    back = load(scene, tmp_path / "b.age", tmp_path / "new", escrow=tmp_path / "stick")
    assert (back.opened, back.closed, back.missing) == (1, 1, 0)
    assert not opens(scene, back.studio, mine, scene.ada)
    assert not opens(scene, back.studio, shared, scene.ada, scene.ben)
    assert opens(scene, back.studio, theirs, scene.ben)
    with pytest.raises(NotClearedError):
        back.studio.keyring.unlock(record_of(scene, scene.ada))


def test_a_newer_log_brings_what_happened_since(scene: Scene, tmp_path: Path) -> None:
    save(scene, tmp_path / "b.age", tmp_path / "stick")
    withdraw(scene.studio, record_of(scene, scene.ada))
    back = load(
        scene,
        tmp_path / "b.age",
        tmp_path / "new",
        escrow=tmp_path / "stick",
        newer_log=scene.studio.log_folder,
    )
    assert back.studio.log.size == scene.studio.log.size
    (ending,) = catch_up(back.studio)
    assert ending.record_id == record_of(scene, scene.ada)
    assert ending.certificate is not None
    with back.studio.database.session() as session:
        row = session.query(ConsentRow).filter_by(record_id=ending.record_id).one()
        assert row.state == "withdrawn"
    assert catch_up(back.studio) == ()
    back.studio.log.reader().check_extends(scene.studio.log.checkpoint())


def test_a_log_that_isnt_newer_is_refused(scene: Scene, tmp_path: Path) -> None:
    old = tmp_path / "old-log"
    shutil.copytree(scene.studio.log_folder, old)
    agree(scene.studio, scene.purpose, scene.cleo)
    save(scene, tmp_path / "b.age")
    other = create_studio(tmp_path / "o", name="Other", contact="o@o.example", clock=scene.clock)
    for log in (old, other.log_folder):
        with pytest.raises(IntegrityError):
            load(scene, tmp_path / "b.age", tmp_path / "new", newer_log=log)
    assert not (tmp_path / "new" / "studio.toml").exists()


def test_it_is_remembered_and_logged(scene: Scene, tmp_path: Path) -> None:
    made = save(scene, tmp_path / "b.age", tmp_path / "stick")
    with scene.studio.database.session() as session:
        row = session.query(ExportRow).one()
    assert (row.place, row.escrow) == (str(made.path), str(tmp_path / "stick"))
    assert row.sha256 == made.sha256
    *_, (_, last) = scene.studio.log.reader().entries()
    assert json.loads(last)["sha256"] == made.sha256
    ending = withdraw(scene.studio, record_of(scene, scene.ada))
    assert [(copy.what, copy.where) for copy in ending.copies] == [("backup", str(made.path))]
    assert "escrow copy is destroyed" in ending.copies[0].why


def test_tombstones_come_back(scene: Scene, tmp_path: Path) -> None:
    withdraw(scene.studio, record_of(scene, scene.ada))
    made = save(scene, tmp_path / "b.age", tmp_path / "stick")
    assert made.keys == 1
    back = load(scene, tmp_path / "b.age", tmp_path / "new", escrow=tmp_path / "stick")
    assert back.studio.keyring.was_destroyed(record_of(scene, scene.ada))


def test_a_second_backup_uses_the_same_escrow(scene: Scene, tmp_path: Path) -> None:
    save(scene, tmp_path / "1.age", tmp_path / "stick")
    save(scene, tmp_path / "2.age", tmp_path / "stick")
    for number in ("1", "2"):
        back = load(scene, tmp_path / f"{number}.age", tmp_path / number, escrow=tmp_path / "stick")
        assert back.opened == 2


def test_what_isnt_in_the_escrow_is_missing(scene: Scene, tmp_path: Path) -> None:
    save(scene, tmp_path / "b.age", tmp_path / "stick")
    keys = tmp_path / "stick" / scene.studio.id
    (keys / f"{record_of(scene, scene.ada)}.key").unlink()
    back = load(scene, tmp_path / "b.age", tmp_path / "new", escrow=tmp_path / "stick")
    assert (back.opened, back.missing) == (1, 1)


def test_an_escrow_key_that_was_changed(scene: Scene, tmp_path: Path) -> None:
    save(scene, tmp_path / "b.age", tmp_path / "stick")
    own = tmp_path / "stick" / scene.studio.id / f"{record_of(scene, scene.ada)}.key"
    own.write_bytes(b"noise")
    with pytest.raises(IntegrityError):
        load(scene, tmp_path / "b.age", tmp_path / "new", escrow=tmp_path / "stick")


def test_an_escrow_of_another_backup(scene: Scene, tmp_path: Path) -> None:
    """Made anew after it was lost: its keys aren't those that the backup was made with."""
    save(scene, tmp_path / "b.age", tmp_path / "stick")
    shutil.rmtree(tmp_path / "stick")
    save(scene, tmp_path / "c.age", tmp_path / "stick")
    with pytest.raises(IntegrityError, match=r"the escrow key of .* was changed"):
        load(scene, tmp_path / "b.age", tmp_path / "new", escrow=tmp_path / "stick")


def test_a_folder_that_is_no_escrow(scene: Scene, tmp_path: Path) -> None:
    save(scene, tmp_path / "b.age", tmp_path / "stick")
    with pytest.raises(NotFoundError, match="holds no escrow keys of this studio"):
        load(scene, tmp_path / "b.age", tmp_path / "new", escrow=tmp_path / "empty")


def test_the_log_key_that_was_published_decides(scene: Scene, tmp_path: Path) -> None:
    save(scene, tmp_path / "b.age")
    other = create_studio(tmp_path / "o", name="Other", contact="o@o.example", clock=scene.clock)
    with pytest.raises(AssentError):
        load(scene, tmp_path / "b.age", tmp_path / "n", vkey=other.log_verifier.vkey)
    made = load(scene, tmp_path / "b.age", tmp_path / "m", vkey=scene.studio.log_verifier.vkey)
    assert made.studio.id == scene.studio.id


def remanifest(files: dict[str, bytes], **changes: object) -> dict[str, bytes]:
    """Sign what is there now with a key of one's own."""
    import hashlib

    files = {name: data for name, data in files.items() if name != "manifest.jws"}
    digest = bytes(32)
    for name, data in files.items():
        digest = chain(digest, name, len(data), hashlib.sha256(data).hexdigest())
    said = {"studio": "x", "files": len(files), "digest": digest.hex(), "time": "", **changes}
    return {**files, "manifest.jws": sign(said, new_key(), kind="assent-backup+jws").encode()}


CHANGES: dict[str, Callable[[dict[str, bytes]], dict[str, bytes]]] = {
    "another database": lambda f: {**f, "studio.db": b"mine"},
    "a file less": lambda f: {n: d for n, d in f.items() if n != "studio.db"},
    "a file more": lambda f: {"releases/mine.mp4": b"", **f},
    "in another order": lambda f: dict(
        [*sorted(f.items(), reverse=True), ("manifest.jws", f["manifest.jws"])]
    ),
    "signed by another": remanifest,
    "no manifest": lambda f: {n: d for n, d in f.items() if n != "manifest.jws"},
    "no studio": lambda f: {n: d for n, d in f.items() if n != "studio.toml"},
    "no log": lambda f: {n: d for n, d in f.items() if not n.startswith("log/")},
    "out of the folder": lambda f: {"../evil": b"", **f},
    "out of the folder, below": lambda f: {"vault/../../evil": b"", **f},
    "absolute": lambda f: {"/evil": b"", **f},
    "hidden": lambda f: {"releases/.profile": b"", **f},
    "a live key": lambda f: {"keys/records/ada.key": b"", **f},
    "a huge one": lambda f: {"escrow/ada.wrapped": bytes(1 << 21), **f},
    "ciphertext of another name": lambda f: {f"vault/00/{'0' * 64}": b"", **f},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_the_studio_didnt_sign_is_refused(
    scene: Scene,
    tmp_path: Path,
    change: Callable[[dict[str, bytes]], dict[str, bytes]],
) -> None:
    """Anyone can encrypt to the recipient."""
    save(scene, tmp_path / "b.age", tmp_path / "stick")
    forged = tmp_path / "forged.age"
    forged.write_bytes(packed(change(unpacked(tmp_path / "b.age"))))
    before = {path.name for path in tmp_path.iterdir()}
    with pytest.raises(AssentError):
        load(scene, forged, tmp_path / "new")
    left = [path for path in (tmp_path / "new").rglob("*") if path.is_file()]
    assert left == []
    assert {path.name for path in tmp_path.iterdir()} - before <= {"new"}


def test_a_file_twice(scene: Scene, tmp_path: Path) -> None:
    save(scene, tmp_path / "b.age")
    files = unpacked(tmp_path / "b.age")
    for name in ("studio.toml", "studio.db"):
        pieces = [*frame(name, 1, [b"x"])]
        pieces += [p for n, data in files.items() for p in frame(n, len(data), [data])]
        data = pyrage.encrypt(b"".join([*pieces, *END]), [IDENTITY.to_public()])
        with pytest.raises(AssentError):
            restore(io.BytesIO(data), tmp_path / "new", identities=[str(IDENTITY)])
    assert not (tmp_path / "new" / "studio.toml").exists()


@pytest.mark.parametrize("where", [0, 300, -1, -2000])
def test_a_damaged_backup(scene: Scene, tmp_path: Path, where: int) -> None:
    path = save(scene, tmp_path / "b.age").path
    data = bytearray(path.read_bytes())
    data[where] ^= 1
    path.write_bytes(data)
    with pytest.raises(AssentError):
        load(scene, path, tmp_path / "new")
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(AssentError):
        load(scene, path, tmp_path / "new")


def test_another_identity(scene: Scene, tmp_path: Path) -> None:
    path = save(scene, tmp_path / "b.age").path
    other = str(pyrage.x25519.Identity.generate())
    with path.open("rb") as source, pytest.raises(InputError, match="can't be decrypted"):
        restore(source, tmp_path / "new", identities=[other])
    mistyped = str(IDENTITY)[:-1]
    with path.open("rb") as source, pytest.raises(InputError, match="no age identity") as caught:
        restore(source, tmp_path / "new", identities=[mistyped])
    assert mistyped not in f"{caught.value}{caught.value.advice}"


def test_only_into_a_new_folder(scene: Scene, tmp_path: Path) -> None:
    path = save(scene, tmp_path / "b.age").path
    with pytest.raises(InputError, match="is not empty"):
        load(scene, path, scene.studio.folder)


@pytest.mark.parametrize("recipients", [[], ["age1nonsense"], [""], ["ssh-ed25519 AAAA"]])
def test_recipients(scene: Scene, tmp_path: Path, recipients: list[str]) -> None:
    with pytest.raises(InputError, match="recipient"):
        export(scene.studio, tmp_path / "b.age", recipients=recipients)
    assert not (tmp_path / "b.age").exists()


def test_no_file_is_overwritten(scene: Scene, tmp_path: Path) -> None:
    (tmp_path / "b.age").write_bytes(b"mine")
    inside = scene.studio.releases_folder / "b.age"
    for path in (tmp_path / "b.age", tmp_path / "no" / "folder.age", inside):
        with pytest.raises(InputError, match="can't be made"):
            save(scene, path)
    assert (tmp_path / "b.age").read_bytes() == b"mine"


def test_not_in_the_middle_of_a_rotation(scene: Scene, tmp_path: Path) -> None:
    scene.studio.secrets.put("master-next", bytes(32))
    with pytest.raises(InputError, match="being replaced"):
        save(scene, tmp_path / "b.age")
    rotate(scene.reopened())
    scene = replace(scene, studio=scene.reopened())
    assert save(scene, tmp_path / "b.age", tmp_path / "stick").keys == 2


def test_names_that_dont_fit(scene: Scene, tmp_path: Path) -> None:
    (scene.studio.releases_folder / ("x" * 100)).write_bytes(b"")
    with pytest.raises(StorageError, match="can't be put into a backup"):
        save(scene, tmp_path / "b.age")
    assert list(tmp_path.glob("*.age")) + list(tmp_path.glob(".*.tmp")) == []
    assert list(scene.studio.folder.glob(".*.tmp")) == []


def test_interrupted_it_leaves_no_backup_or_a_whole_one(scene: Scene, tmp_path: Path) -> None:
    broken = replace(scene.studio, log=CutLog(scene.studio, done=False))
    with pytest.raises(PowerCut):
        export(broken, tmp_path / "a.age", recipients=[RECIPIENT])
    assert load(scene, tmp_path / "a.age", tmp_path / "new").missing == 0
    disk = FailingDisk()
    studio = scene.reopened(disk)
    disk.fail_at = len(disk.steps) + 3
    with pytest.raises(StorageError):
        export(studio, tmp_path / "b.age", recipients=[RECIPIENT])
    assert not (tmp_path / "b.age").exists()


def test_a_key_destroyed_meanwhile_isnt_saved(scene: Scene, tmp_path: Path) -> None:
    """Here while the backup is being made, or in the escrow before."""
    ring = add_escrow(scene.studio, tmp_path / "stick")
    ring.destroy(record_of(scene, scene.ada))
    assert save(scene, tmp_path / "b.age", tmp_path / "stick").keys == 1


def test_what_a_killed_export_left_goes(scene: Scene, tmp_path: Path) -> None:
    snapshot = scene.studio.folder / ".snapshot.tmp"
    snapshot.write_bytes(b"names in clear")
    save(scene, tmp_path / "b.age")
    assert not snapshot.exists()


def test_a_backup_shows_nothing_to_others(scene: Scene, tmp_path: Path) -> None:
    path = save(scene, tmp_path / "b.age", tmp_path / "stick").path
    data = path.read_bytes()
    assert b"Ada" not in data
    assert scene.studio.id.encode() not in data
    assert base64.b64encode(b"Ada") not in data
    assert path.stat().st_mode & 0o077 == 0
