from pathlib import Path

import pytest
from casts import MODEL, Cast, Stage

from assent.consent.clearance import Act
from assent.consent.locker import Locker
from assent.create.engine import FaceEngine
from assent.kit.errors import InputError, NotClearedError, NotFoundError
from assent.kit.store.tables import ModelRow
from assent.train.models import find_model, list_models, training_needs


@pytest.fixture
def stage(trained: Cast, tmp_path: Path) -> Stage:
    return trained.open_copy(tmp_path / "studio")


def test_a_model_is_found_by_name_and_id(stage: Stage) -> None:
    model = stage.model
    assert find_model(stage.studio, stage.purpose, model.id) == model
    assert (model.name, model.donor_id, model.performer_id) == (MODEL, stage.ben.id, stage.ada.id)
    assert [row.name for row in list_models(stage.studio, stage.purpose)] == [MODEL]
    with pytest.raises(NotFoundError, match="no model 'x'"):
        find_model(stage.studio, stage.purpose, "x")


@pytest.mark.parametrize("column", ["state", "model_blob", "sheet_blob"])
def test_a_model_in_training_is_none_yet(stage: Stage, column: str) -> None:
    with stage.studio.database.session() as session:
        setattr(session.query(ModelRow).one(), column, "training" if column == "state" else None)
    with pytest.raises(InputError, match="still being trained"):
        _ = stage.model


def test_it_opens_while_both_agree(stage: Stage) -> None:
    needs = training_needs(stage.ben.id, stage.ada.id)
    assert {need.person_id: need.acts for need in needs} == {
        stage.ben.id: {Act.TRAIN},
        stage.ada.id: {Act.TRAIN},
    }
    clearances = stage.asking(needs)()
    locker = Locker(stage.studio)
    assert FaceEngine(stage.model.open(locker, clearances)).size == 64
    for clearance in clearances:
        with pytest.raises(NotClearedError):
            stage.model.open(locker, [clearance])
