"""Work that goes on, or begins again, after somebody withdrew."""

import shutil
from pathlib import Path

import pytest
from attempts import refused
from casts import SMALL, Cast, Stage, agree_to

from assent.consent.clearance import Act
from assent.consent.desk import Need
from assent.consent.locker import Locker
from assent.data.ingest import ingest
from assent.disclose.forms import Form, make_form
from assent.kit.store.tables import ConsentRow
from assent.train.fit import fit
from assent.train.models import training_needs


@pytest.fixture
def stage(rendered: Cast, tmp_path: Path) -> Stage:
    return rendered.open_copy(tmp_path / "studio")


def records(stage: Stage) -> list[ConsentRow]:
    with stage.studio.database.session() as session:
        return session.query(ConsentRow).all()


def test_training_begun_again(stage: Stage) -> None:
    """A training is begun again after the donor withdrew."""
    stage.withdraw(stage.ben)
    with refused("ben withdrew consent"):
        stage.fit(iterations=4)


def test_training_with_clearances_of_before(stage: Stage) -> None:
    """A training goes on with the clearances from before a withdrawal."""
    clearances = stage.asking(training_needs(stage.ben.id, stage.ada.id))()
    stage.withdraw(stage.ada)
    with refused("was destroyed"):
        fit(
            stage.studio,
            stage.purpose,
            stage.ben.person,
            stage.ada.person,
            clearances,
            ask_again=lambda: clearances,
            name="another",
            seconds=None,
            iterations=2,
            config=SMALL,
        )


def test_render_begun_again(stage: Stage) -> None:
    """A render is begun again after the performer withdrew."""
    stage.withdraw(stage.ada)
    with refused("ada withdrew consent"):
        stage.render()


def test_render_of_a_model_of_somebody_who_withdrew(stage: Stage) -> None:
    """A model is used after its donor withdrew."""
    stage.withdraw(stage.ben)
    with refused("ben withdrew consent"):
        stage.render()


def test_sealed_after_review(stage: Stage) -> None:
    """A draft that passed review is sealed after somebody in it withdrew."""
    stage.withdraw(stage.ben)
    with refused("ben withdrew consent"):
        stage.finish()


def test_footage_taken_in(stage: Stage) -> None:
    """New footage of somebody is taken in after they withdrew."""
    stage.withdraw(stage.ada)
    with refused("ada withdrew consent"):
        ingest(
            stage.studio, stage.purpose, stage.clips / "ada.mp4", [stage.ada.person], rights="own"
        )


def test_vault_opened_with_clearances_of_before(stage: Stage) -> None:
    """The vault is opened with a clearance that is minutes old and good, after a withdrawal."""
    clearances = stage.asking([Need(person_id=stage.ada.id, acts=frozenset({Act.INGEST}))])()
    blob = stage.scene.blob
    stage.withdraw(stage.ada)
    with refused("was destroyed"):
        Locker(stage.studio).read(blob, clearances)


def test_new_consent_opens_nothing_old(stage: Stage) -> None:
    """Who withdrew agrees anew, and the old footage is used under the new consent."""
    stage.withdraw(stage.ada)
    agree_to(stage.studio, stage.purpose, stage.ada)
    with refused("was made under a consent record that has ended since"):
        stage.fit(iterations=4)
    with refused("scene.mp4 was made under a consent record that has ended since"):
        stage.finish()


def test_key_file_put_back(stage: Stage, tmp_path: Path) -> None:
    """The key files are put back from a copy after a withdrawal."""
    keys = stage.studio.folder / "keys" / "records"
    shutil.copytree(keys, tmp_path / "keys")
    stage.withdraw(stage.ada)
    for path in (tmp_path / "keys").iterdir():
        if not (keys / path.name).exists():
            shutil.copy(path, keys / path.name)
    with refused("ada withdrew consent"):
        stage.render()
    for row in records(stage):
        with stage.studio.database.session() as session:
            session.get_one(ConsentRow, row.id).state = "live"
    with refused("ada's key was destroyed; consent was withdrawn"):
        stage.render()


def test_ciphertext_with_another_key(stage: Stage) -> None:
    """Another person's key file is laid under the name of the destroyed one."""
    by_person = {row.person_id: row.record_id for row in records(stage)}
    keys = stage.studio.folder / "keys" / "records"
    mine = (keys / f"{by_person[stage.ben.id]}.key").read_bytes()
    stage.withdraw(stage.ada)
    (keys / f"{by_person[stage.ada.id]}.gone").unlink()
    (keys / f"{by_person[stage.ada.id]}.key").write_bytes(mine)
    with refused("was changed or has another master key"):
        stage.studio.keyring.unlock(by_person[stage.ada.id])


def test_a_still_of_a_release_with_clearances_of_before(released: Cast, tmp_path: Path) -> None:
    """A still of a release is made with clearances from before a withdrawal."""
    stage = released.open_copy(tmp_path / "studio")
    needs = stage.draft.needs(to_release=True)
    clearances = stage.asking(needs)()
    asset = stage.released().asset_id
    stage.withdraw(stage.ben)
    with refused("ben withdrew consent"):
        make_form(
            stage.studio,
            stage.purpose,
            stage.draft,
            asset,
            Form.PNG,
            clearances,
            ask_again=stage.asking(needs),
        )
    assert not list(stage.studio.releases_folder.glob("*still*"))
