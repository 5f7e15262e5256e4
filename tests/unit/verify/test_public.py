import base64
import shutil
from pathlib import Path

import pytest
from casts import Cast, Stage
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from studios import Scene, SetClock

from assent.consent.clearance import Act
from assent.consent.desk import clear
from assent.consent.status_list import list_path, publish
from assent.consent.withdrawal import withdraw
from assent.kit.canonical import canonical
from assent.kit.errors import AssentError, InputError, IntegrityError, NotFoundError
from assent.kit.signing import new_key, peek, sign
from assent.kit.store.studio import create_studio
from assent.kit.tlog.log import Log
from assent.kit.tlog.note import NoteSigner
from assent.verify.public import GIVEN, OWN, PublicLog, open_log


@pytest.fixture
def stage(released: Cast, tmp_path: Path) -> Stage:
    return released.open_copy(tmp_path / "studio")


def test_the_log_tells_all_that_is_needed(stage: Stage) -> None:
    vkey = stage.studio.log_verifier.vkey
    log = open_log(stage.studio.log_folder, vkey=f"{vkey}\n", key_from=OWN)
    made = stage.released()
    assert (log.studio, log.origin) == ("Test Studio", stage.studio.log_verifier.name)
    assert (log.vkey, log.key_from, log.size) == (vkey, OWN, stage.studio.log.size)
    assert log.root_pem == stage.studio.chain.root_pem
    assert log.reading_key == stage.studio.reading_key
    assert [record.index for record in log.records] == [made.log_index]
    assert set(log.granted) == set(made.receipts)
    assert log.withdrawn == {}
    stage.withdraw(stage.ada)
    assert len(open_log(stage.studio.log_folder).withdrawn) == 1


def test_where_the_key_came_from_is_told(stage: Stage) -> None:
    folder = stage.studio.log_folder
    assert open_log(folder, vkey=stage.studio.log_verifier.vkey).key_from == GIVEN
    assert "not confirmed" in open_log(folder).key_from


def test_records_are_found_by_asset_and_by_bytes(stage: Stage) -> None:
    made, log = stage.released(), stage.log
    record = log.records[0]
    assert log.by_asset(made.asset_id) == log.by_hash(made.sha256) == record
    assert log.by_asset(made.asset_id, "0" * 64) == record
    assert log.by_asset("0" * 16) is None
    assert log.by_hash("0" * 64) is None
    number = int(made.asset_id[-8:], 16)
    assert log.by_sound(number) == log.by_sound(number, made.sha256) == record
    assert log.by_sound(number ^ 1) is None


def test_a_copy_elsewhere_will_do(stage: Stage, tmp_path: Path) -> None:
    shutil.copytree(stage.studio.log_folder, tmp_path / "mirror")
    assert open_log(tmp_path / "mirror").records == stage.log.records


def test_the_key_of_another_studio_is_refused(stage: Stage, tmp_path: Path) -> None:
    other = create_studio(tmp_path / "other", name="Other", contact="o@o.example", clock=SetClock())
    with pytest.raises(IntegrityError):
        open_log(stage.studio.log_folder, vkey=other.log_verifier.vkey)


@pytest.mark.parametrize("vkey", ["", "nonsense", "a+b+c", "x" * 5000])
def test_a_key_that_is_none_is_refused(stage: Stage, vkey: str) -> None:
    with pytest.raises(AssentError):
        open_log(stage.studio.log_folder, vkey=vkey)


def test_without_a_log_or_a_key_beside_it(stage: Stage, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no log in"):
        open_log(tmp_path)
    beside = stage.studio.log_folder / "vkey"
    beside.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="no key"):
        open_log(stage.studio.log_folder)
    beside.unlink()
    with pytest.raises(InputError, match="no key") as caught:
        open_log(stage.studio.log_folder)
    assert "--log-key" in caught.value.advice


def log_of(folder: Path, *entries: object) -> PublicLog:
    signer = NoteSigner("test", Ed25519PrivateKey.generate())
    log = Log.create(folder, signer=signer)
    log.append([canonical(entry) for entry in entries])
    return open_log(folder, vkey=signer.vkey)


@pytest.mark.parametrize(
    "first",
    [
        {"kind": "studio"},
        {"kind": "studio", "name": "x", "c2pa_root": "y", "watermark": {}},
        {"kind": "studio", "name": "x", "c2pa_root": "y", "watermark": 5},
        {"kind": "studio", "name": "x", "c2pa_root": "y", "watermark": {"reading_key": "?"}},
        {"kind": "studio", "name": "x", "c2pa_root": "y", "watermark": {"reading_key": "AA=="}},
    ],
)
def test_a_first_entry_that_lacks_its_parts(tmp_path: Path, first: object) -> None:
    with pytest.raises(AssentError):
        log_of(tmp_path / "log", first)


def test_a_log_that_does_not_begin_with_its_studio(tmp_path: Path) -> None:
    for name, entries in (("empty", []), ("other", [{"kind": "seal"}])):
        with pytest.raises(IntegrityError, match="does not begin with its studio"):
            log_of(tmp_path / name, *entries)


@pytest.mark.parametrize(
    "later",
    [
        {"kind": "consent.granted"},
        {"kind": "consent.withdrawn", "receipt": "x"},
        {"kind": "seal"},
        {"kind": "seal", "media": "video", "asset": "1", "sha256": "2", "receipts": 3},
    ],
)
def test_later_entries_that_lack_their_parts(stage: Stage, later: object) -> None:
    stage.studio.log.append([canonical(later)])
    with pytest.raises(IntegrityError):
        open_log(stage.studio.log_folder)


# The list of receipts that have ended


def ada_withdraws(scene: Scene) -> None:
    record = clear(scene.studio, scene.purpose, person_id=scene.ada.id, acts=[Act.TRAIN])
    withdraw(scene.studio, record.record_id)


def test_the_status_list_is_read_with_the_log(scene: Scene) -> None:
    folder = scene.studio.log_folder
    assert open_log(folder).status_lists[1].version == 1
    ada_withdraws(scene)
    assert open_log(folder).status_lists[1].version == 2


def test_an_older_status_list_put_back_is_noticed(scene: Scene) -> None:
    folder = scene.studio.log_folder
    old = list_path(folder, 1).read_bytes()
    ada_withdraws(scene)
    list_path(folder, 1).write_bytes(old)
    with pytest.raises(IntegrityError, match="is version 1, the log names 2") as caught:
        open_log(folder)
    assert "put back" in caught.value.advice


def test_two_status_lists_of_one_version(scene: Scene) -> None:
    folder = scene.studio.log_folder
    ada_withdraws(scene)
    fields = {**peek(list_path(folder, 1).read_text()), "validFrom": "2020-01-01T00:00:00Z"}
    list_path(folder, 1).write_text(sign(fields, scene.studio.signing_key, kind="vc+jwt"))
    with pytest.raises(IntegrityError, match="status list 1 is not the one that the log names"):
        open_log(folder)


def test_a_status_list_that_is_being_published(scene: Scene) -> None:
    """It is written before the log says so; in between it's newer than the log knows."""
    publish(scene.studio, 1)
    assert open_log(scene.studio.log_folder).status_lists[1].version == 2


def test_a_status_list_of_somebody_elses(scene: Scene) -> None:
    path = list_path(scene.studio.log_folder, 1)
    path.write_text(sign(peek(path.read_text()), new_key(), kind="vc+jwt"))
    with pytest.raises(IntegrityError, match="status list 1 was changed"):
        open_log(scene.studio.log_folder)


def test_a_log_copied_without_its_status_list(scene: Scene, tmp_path: Path) -> None:
    shutil.copytree(scene.studio.log_folder, tmp_path / "mirror")
    shutil.rmtree(tmp_path / "mirror" / "status")
    assert open_log(tmp_path / "mirror").status_lists == {}


@pytest.mark.parametrize("signing_key", [None, {}, 5, {"kty": "OKP", "crv": "Ed25519", "x": "?"}])
def test_a_log_that_lacks_the_key_of_its_status_list(tmp_path: Path, signing_key: object) -> None:
    first = {
        "kind": "studio",
        "id": "00000000-0000-4000-8000-000000000000",
        "name": "x",
        "c2pa_root": "y",
        "watermark": {"reading_key": base64.b64encode(bytes(32)).decode()},
        "signing_key": signing_key,
    }
    with pytest.raises(IntegrityError, match="lacks the studio's signing key"):
        log_of(tmp_path / "log", first, {"kind": "status.list", "list": 1, "version": 1})


@pytest.mark.parametrize("later", [{}, {"list": "1"}, {"list": 1, "version": None}])
def test_a_status_list_entry_that_lacks_its_parts(scene: Scene, later: dict[str, object]) -> None:
    scene.studio.log.append([canonical({"kind": "status.list", **later})])
    with pytest.raises(IntegrityError, match="an entry of the log lacks its"):
        open_log(scene.studio.log_folder)
