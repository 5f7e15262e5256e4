import io
import json
from pathlib import Path

import pytest
from casts import Cast, Stage
from studios import FailingDisk, KilledError, PowerCut, add_draft, count_entries, dying

from assent.consent.status_list import read_list
from assent.disclose import standing
from assent.disclose.reopen import reopen
from assent.disclose.standing import (
    catch_up,
    correct,
    list_files,
    put_back,
    restore,
    revoke,
    standing_of,
    suspend,
    take_down,
)
from assent.kit.errors import InputError, IntegrityError, NotFoundError, RefusedError, SealError
from assent.kit.store.case_tables import StandingRow
from assent.kit.store.tables import ReleaseRow
from assent.kit.tlog.receipt import SUFFIX
from assent.verify.examine import examine


@pytest.fixture
def stage(released: Cast, tmp_path: Path) -> Stage:
    return released.open_copy(tmp_path / "studio")


def asset_of(stage: Stage) -> str:
    return stage.released().asset_id


def place_of(stage: Stage) -> StandingRow:
    with stage.studio.database.session() as session:
        return session.query(StandingRow).one()


def bit(stage: Stage) -> bool:
    row, studio = place_of(stage), stage.studio
    read = read_list(
        studio.log_folder, row.status_list, studio_id=studio.id, key=studio.signing_key
    )
    return read is not None and read.has_ended(row.status_index)


def test_a_release_stands_until_something_is_said(stage: Stage) -> None:
    asset = asset_of(stage)
    assert standing_of(stage.studio, asset).state == "good"
    assert suspend(stage.studio, asset).state == "suspended"
    assert suspend(stage.studio, asset).state == "suspended"
    assert count_entries(stage.studio, "release.ended") == 1
    assert restore(stage.studio, asset).state == "good"
    assert restore(stage.studio, asset).state == "good"
    assert count_entries(stage.studio, "release.restored") == 1
    assert not bit(stage)


def test_the_credential_names_the_place_of_the_release(stage: Stage) -> None:
    row = place_of(stage)
    assert row.asset_id == asset_of(stage)
    assert f'"{row.status_index}"'.encode() in stage.released().path.read_bytes() or (
        str(row.status_index).encode() in stage.released().path.read_bytes()
    )


def test_what_is_revoked_stays_so(stage: Stage) -> None:
    asset = asset_of(stage)
    assert revoke(stage.studio, asset).state == "revoked"
    assert bit(stage)
    path = stage.released().path
    assert "revoked" in examine(path, stage.log).summary.lower()
    for again in (suspend, restore):
        with pytest.raises(RefusedError, match="nothing takes back"):
            again(stage.studio, asset)
    assert revoke(stage.studio, asset).state == "revoked"
    assert count_entries(stage.studio, "release.ended") == 1


def test_a_correction_names_the_release_in_its_place(stage: Stage) -> None:
    asset = asset_of(stage)
    with pytest.raises(InputError, match="its own place"):
        correct(stage.studio, asset, asset)
    with pytest.raises(NotFoundError):
        correct(stage.studio, asset, "0" * 16)
    draft = add_draft(stage.studio, stage.purpose, donor=stage.ben, performer=stage.ada)
    with stage.studio.database.session() as session:
        session.add(
            ReleaseRow(
                asset_id="a" * 16, draft_id=draft, state="released", created="2026", name="b.mp4"
            )
        )
    told = correct(stage.studio, asset, "a" * 16)
    assert (told.state, told.successor) == ("corrected", "a" * 16)
    assert stage.log.ended[asset].successor == "a" * 16
    assert restore(stage.studio, asset).state == "good"
    with pytest.raises(NotFoundError):
        standing_of(stage.studio, "1" * 16)


def test_a_release_is_taken_down_and_put_back(stage: Stage) -> None:
    studio, asset, path = stage.studio, asset_of(stage), stage.released().path
    film, proof = path.read_bytes(), path.with_suffix(SUFFIX).read_text()
    names = list_files(studio, asset)
    assert len(names) == 2
    assert take_down(studio, asset) == names
    (tombstone,) = studio.releases_folder.iterdir()
    assert json.loads(tombstone.read_text())["how"] == "taken-down"
    with pytest.raises(NotFoundError):
        reopen(studio, asset)
    with pytest.raises(RefusedError, match="taken down"):
        restore(studio, asset)
    assert take_down(studio, asset) == ()
    with pytest.raises(SealError):
        put_back(studio, asset, io.BytesIO(film[:-9] + bytes(9)), proof)
    assert put_back(studio, asset, io.BytesIO(film), proof).state == "good"
    assert path.read_bytes() == film
    assert len(list(studio.releases_folder.iterdir())) == 2
    reopen(studio, asset).media.close()
    with pytest.raises(RefusedError, match="was not taken down"):
        put_back(studio, asset, io.BytesIO(film), proof)


def test_what_says_less_changes_nothing_of_what_says_more(stage: Stage) -> None:
    studio, asset = stage.studio, asset_of(stage)
    take_down(studio, asset)
    assert suspend(studio, asset).state == "taken-down"
    with pytest.raises(RefusedError, match="taken down"):
        restore(studio, asset)
    assert stage.log.ended[asset].how == "taken-down"
    assert count_entries(studio, "release.ended") == 1


def test_what_is_revoked_can_be_taken_down_and_never_put_back(stage: Stage) -> None:
    studio, asset, path = stage.studio, asset_of(stage), stage.released().path
    film, proof = path.read_bytes(), path.with_suffix(SUFFIX).read_text()
    revoke(studio, asset)
    assert len(take_down(studio, asset)) == 2
    assert standing_of(studio, asset).state == "revoked"
    with pytest.raises(RefusedError):
        put_back(studio, asset, io.BytesIO(film), proof)


def test_nothing_is_put_back_under_the_name_of_another(stage: Stage) -> None:
    studio, asset, path = stage.studio, asset_of(stage), stage.released().path
    film, proof = path.read_bytes(), path.with_suffix(SUFFIX).read_text()
    take_down(studio, asset)
    for index, told in ((0, IntegrityError), (None, IntegrityError)):
        with studio.database.session() as session:
            session.query(ReleaseRow).one().log_index = index
        with pytest.raises(told):
            put_back(studio, asset, io.BytesIO(film), proof)
    other = json.loads(studio.log.reader().entry(stage_index(stage, "seal")))
    other["asset"] = "0" * 16
    (index,) = studio.log.append([json.dumps(other).encode()])
    with studio.database.session() as session:
        session.query(ReleaseRow).one().log_index = index
    with pytest.raises(SealError, match="another asset"):
        put_back(studio, asset, io.BytesIO(film), proof)


def stage_index(stage: Stage, kind: str) -> int:
    entries = stage.studio.log.reader().entries()
    return next(i for i, entry in entries if json.loads(entry)["kind"] == kind)


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("after", [False, True])
def test_a_revocation_that_was_interrupted_is_told_once(
    stage: Stage, *, after: bool, again: bool
) -> None:
    asset = asset_of(stage)
    with pytest.raises(KilledError):
        revoke(dying(stage.studio, after=after), asset)
    # Whatever is repeated: the same call, or what a restart does.
    if again:
        assert revoke(stage.studio, asset).state == "revoked"
    assert catch_up(stage.studio) == (0 if again else 1)
    assert catch_up(stage.studio) == 0
    assert bit(stage)
    assert count_entries(stage.studio, "release.ended") == 1
    assert "revoked" in examine(stage.released().path, stage.log).summary.lower()


def test_a_database_put_back_learns_from_the_log_what_was_revoked(stage: Stage) -> None:
    asset = asset_of(stage)
    revoke(stage.studio, asset)
    with stage.studio.database.session() as session:
        session.query(StandingRow).one().state = "good"
    assert catch_up(stage.studio) == 1
    assert standing_of(stage.studio, asset).state == "revoked"


def test_a_takedown_that_was_cut_off_can_be_repeated(released: Cast, tmp_path: Path) -> None:
    disk = FailingDisk()
    stage = released.open_copy(tmp_path / "studio", disk=disk)
    asset = asset_of(stage)
    disk.steps.clear()
    disk.fail_at, disk.cut = 0, True
    with pytest.raises(PowerCut):
        take_down(stage.studio, asset)
    disk.fail_at = -1
    assert len(take_down(stage.studio, asset)) == 2


def test_only_a_film_that_was_released_has_a_standing(stage: Stage) -> None:
    with stage.studio.database.session() as session:
        session.query(ReleaseRow).one().name = None
    with pytest.raises(NotFoundError):
        standing.suspend(stage.studio, place_of(stage).asset_id)
