import json
import shutil
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from studios import FailingDisk, PowerCut, Prepared, Scene, SetClock

from assent.kit.disk import Disk
from assent.kit.errors import (
    AssentError,
    InputError,
    IntegrityError,
    NotFoundError,
    StorageError,
)
from assent.kit.store.studio import Studio, create_studio, open_studio
from assent.kit.tlog.log import Log
from assent.kit.tlog.note import NoteSigner
from assent.kit.vault.guard import Cost, Passphrase
from assent.kit.vault.secrets import SecretStore


def cheap(passphrase: bytes) -> Passphrase:
    """A guard that takes no time."""
    return Passphrase(passphrase, cost=Cost(mebibytes=8, passes=1, lanes=1))


def create(folder: Path, *, disk: Disk | None = None, passphrase: bytes | None = None) -> Studio:
    return create_studio(
        folder,
        name="Nord & Söhne",
        contact='say "hello" \\ hello@example.org',
        clock=SetClock(),
        disk=disk or FailingDisk(),
        guard=cheap(passphrase) if passphrase else None,
    )


def whole(studio: Studio) -> None:
    """Check what holds for every studio that was made."""
    assert studio.log.size == 1
    announced = json.loads(studio.log.reader().entry(0))
    assert announced["kind"] == "studio"
    assert announced["id"] == studio.id
    assert announced["c2pa_root"] == studio.chain.root_pem.decode()
    assert (studio.log_folder / "vkey").read_text("utf-8") == f"{studio.log_verifier.vkey}\n"
    names = {item.name for item in studio.folder.iterdir()}
    kept = {"keys", "log", "previews", "releases", "studio.db", "studio.toml", "vault"}
    assert names - {"studio.db-wal", "studio.db-shm"} == kept


def test_a_studio_is_the_same_whenever_it_is_opened(tmp_path: Path) -> None:
    made = create(tmp_path / "new" / "studio")
    whole(made)
    opened = open_studio(tmp_path / "new" / "studio")
    whole(opened)
    for part in ("id", "name", "contact", "chain", "reading_key"):
        assert getattr(opened, part) == getattr(made, part)
    assert opened.signing_key.thumbprint() == made.signing_key.thumbprint()
    assert opened.name == "Nord & Söhne"
    assert opened.contact == 'say "hello" \\ hello@example.org'


def test_the_keys_are_the_owners_alone(tmp_path: Path) -> None:
    studio = create(tmp_path / "studio")
    keys = studio.folder / "keys"
    assert stat.S_IMODE(keys.stat().st_mode) == 0o700
    modes = {stat.S_IMODE(each.stat().st_mode) for each in keys.rglob("*") if each.is_file()}
    assert modes == {0o600}


def test_contacts_cant_break_out_of_the_file(tmp_path: Path) -> None:
    contact = 'a@b"\nid = "mine"\t\u2028\ud800'
    made = create_studio(tmp_path / "studio", name="Nord", contact=contact, clock=SetClock())
    assert made.id != "mine"
    assert made.contact == 'a@b" id = "mine"   '


@pytest.mark.parametrize("name", ["what?now", "100%", "a#b", "ü ö", "semi;colon"])
def test_any_folder_name_will_do(tmp_path: Path, name: str) -> None:
    """Also one that has a meaning in a URL: everything lies in that folder."""
    create(tmp_path / name).database.close()
    assert (tmp_path / name / "studio.db").is_file()
    assert [item.name for item in tmp_path.iterdir()] == [name]
    open_studio(tmp_path / name)


STEPS = 41


@pytest.mark.parametrize("step", range(STEPS))
def test_creation_interrupted_at_every_step(tmp_path: Path, step: int) -> None:
    """Every other step takes effect before the power goes. Run again, it finishes."""
    folder = tmp_path / "studio"
    disk = FailingDisk(step, cut=True, done=step % 2 == 1)
    with pytest.raises(PowerCut):
        create(folder, disk=disk)
    if not (folder / "studio.toml").exists():
        with pytest.raises(NotFoundError, match="is not an Assent studio"):
            open_studio(folder)
        whole(create(folder))
    whole(open_studio(folder))


def test_every_step_was_interrupted(tmp_path: Path) -> None:
    disk = FailingDisk()
    create(tmp_path / "studio", disk=disk)
    renamed = disk.steps.index("rename to studio.toml")
    assert disk.steps[renamed + 1] == "sync studio"
    assert renamed + 2 == STEPS


@pytest.mark.parametrize("step", [1, 7, 20, STEPS - 3])
def test_a_full_disk_is_told(tmp_path: Path, step: int) -> None:
    with pytest.raises(StorageError, match="No space left on device") as caught:
        create(tmp_path / "studio", disk=FailingDisk(step))
    assert caught.value.exit_code == 1
    whole(create(tmp_path / "studio"))


def test_a_log_that_was_begun_gets_its_first_entry(tmp_path: Path) -> None:
    """The power went between making the log and announcing the studio in it."""
    folder = tmp_path / "studio"
    disk = FailingDisk(STEPS - 6, cut=True)
    with pytest.raises(PowerCut):
        create(folder, disk=disk)
    store = SecretStore(folder / "keys")
    key = Ed25519PrivateKey.from_private_bytes(store.get("log"))
    origin = f"assent.local/studio/{store.get('id').decode()}"
    shutil.rmtree(folder / "log")
    Log.create(folder / "log", signer=NoteSigner(origin, key))
    whole(create(folder))


def test_a_studio_is_made_once(tmp_path: Path) -> None:
    made = create(tmp_path / "studio")
    with pytest.raises(InputError, match="is a studio already"):
        create(tmp_path / "studio")
    assert open_studio(tmp_path / "studio").id == made.id


def test_other_peoples_folders_are_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "holiday"
    folder.mkdir()
    for name in ("d.jpg", "a.jpg", "c.jpg", "b.jpg"):
        (folder / name).touch()
    with pytest.raises(InputError, match=r"holiday is not empty \(a\.jpg, b\.jpg, c\.jpg\)"):
        create(folder)
    assert len(list(folder.iterdir())) == 4
    with pytest.raises(InputError, match=r"a\.jpg is a file"):
        create(folder / "a.jpg")


@pytest.mark.parametrize(("name", "contact"), [("", "a@b"), ("Nord", " "), ("\n", "")])
def test_a_studio_needs_a_name_and_a_contact(tmp_path: Path, name: str, contact: str) -> None:
    with pytest.raises(InputError, match="needs a name and a contact"):
        create_studio(tmp_path / "studio", name=name, contact=contact)
    assert not (tmp_path / "studio").exists()


def test_the_wrong_passphrase(tmp_path: Path) -> None:
    folder = tmp_path / "studio"
    create(folder, passphrase=b"correct horse")
    with pytest.raises(InputError, match="the passphrase doesn't open the studio's root key"):
        open_studio(folder, guard=cheap(b"battery staple"))
    with pytest.raises(InputError, match="is kept by a passphrase") as caught:
        open_studio(folder)
    assert caught.value.exit_code == 2
    whole(open_studio(folder, guard=cheap(b"correct horse")))


def test_no_second_passphrase_for_an_unfinished_studio(tmp_path: Path) -> None:
    folder = tmp_path / "studio"
    with pytest.raises(PowerCut):
        create(folder, disk=FailingDisk(15, cut=True), passphrase=b"correct horse")
    with pytest.raises(InputError, match="the passphrase doesn't open the studio's root key"):
        create(folder, passphrase=b"battery staple")
    with pytest.raises(InputError, match="is kept by a passphrase"):
        create(folder)
    whole(create(folder, passphrase=b"correct horse"))


def test_a_folder_that_cant_be(tmp_path: Path) -> None:
    for use in (create, open_studio):
        with pytest.raises(StorageError, match="File name too long"):
            use(tmp_path / ("x" * 300))


def test_no_studio_there(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(NotFoundError, match="is not an Assent studio") as caught:
            open_studio(folder)
        assert "assent init" in caught.value.advice
    assert list(tmp_path.iterdir()) == []


GOOD = 'format = 1\nid = "x"\nname = "x"\ncontact = "x"\n'


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"format",
        b"\xff\xfe",
        GOOD.replace("format = 1", "").encode(),
        GOOD.replace('id = "x"', "").encode(),
        GOOD.replace("= 1", '= "one"').encode(),
        GOOD.replace("= 1", "= [1]").encode(),
        GOOD.replace("= 1", "= nan").encode(),
        b"a = " + b"[" * 20000,
    ],
)
def test_a_damaged_studio_file(scene: Scene, text: bytes) -> None:
    (scene.studio.folder / "studio.toml").write_bytes(text)
    with pytest.raises(InputError, match=r"studio\.toml is damaged") as caught:
        open_studio(scene.studio.folder)
    assert "backup" in caught.value.advice


def test_a_newer_format(scene: Scene) -> None:
    path = scene.studio.folder / "studio.toml"
    path.write_text(path.read_text("utf-8").replace("format = 1", "format = 2"), "utf-8")
    with pytest.raises(InputError, match="was made by a newer Assent") as caught:
        open_studio(scene.studio.folder)
    assert caught.value.advice == "Update Assent."


@pytest.mark.parametrize("identity", ["another", "with space", "line\\nbreak", "+", "é"])
def test_another_identity_doesnt_fit_the_log(scene: Scene, identity: str) -> None:
    path = scene.studio.folder / "studio.toml"
    path.write_text(path.read_text("utf-8").replace(scene.studio.id, identity), "utf-8")
    with pytest.raises(AssentError):
        open_studio(scene.studio.folder)


@pytest.mark.parametrize("name", ["id", "master", "watermark", "signing", "log", "c2pa"])
def test_a_secret_that_is_gone_or_changed(scene: Scene, name: str) -> None:
    path = scene.studio.folder / "keys" / f"{name}.secret"
    path.write_bytes(b"something else")
    if name == "id":
        # Only needed to finish an unfinished studio.
        open_studio(scene.studio.folder)
        return
    with pytest.raises(IntegrityError, match=f"the file of secret {name} was changed"):
        open_studio(scene.studio.folder)
    path.unlink()
    with pytest.raises(NotFoundError, match=f"there is no secret {name}"):
        open_studio(scene.studio.folder)


def test_a_log_that_was_changed(scene: Scene) -> None:
    (scene.studio.log_folder / "checkpoint").write_bytes(b"a\n1\nb\n")
    with pytest.raises(IntegrityError):
        open_studio(scene.studio.folder)


def test_a_studio_can_be_moved(prepared: Prepared, tmp_path: Path) -> None:
    first = prepared.open_copy(tmp_path / "a")
    first.studio.database.close()
    (tmp_path / "a").rename(tmp_path / "b")
    assert open_studio(tmp_path / "b").id == first.studio.id
