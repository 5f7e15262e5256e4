"""Training under clearances: stopped by a withdrawal, gone on with after a kill."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from casts import MODEL, SMALL, Cast, Stage, clear_traces, resign

from assent.consent.locker import Locker
from assent.kit.errors import InputError, NotClearedError, NotFoundError
from assent.kit.faces.face_set import FaceSet
from assent.kit.store.tables import FaceSetRow, ModelRow
from assent.train.fit import fit, merge, pack_sheet
from assent.train.models import list_models, training_needs
from assent.train.run import Progress


class Killed(BaseException):
    """The process stops here."""


@pytest.fixture
def stage(filmed: Cast, tmp_path: Path) -> Stage:
    return filmed.open_copy(tmp_path / "studio")


def blobs(stage: Stage) -> set[str]:
    folder = stage.studio.vault_folder
    return {path.name for path in folder.rglob("*") if path.is_file()}


def row_of(stage: Stage) -> ModelRow:
    (row,) = list_models(stage.studio, stage.purpose)
    return row


def test_a_model_is_trained_into_the_vault(stage: Stage) -> None:
    before = blobs(stage)
    told: list[Progress] = []
    model = stage.fit(on_progress=told.append)
    assert [state.iteration for state in told] == [1, 2]
    assert (model.iterations, model.seconds > 0) == (2, True)
    assert stage.model == model
    row = row_of(stage)
    # The model, its sheet and the state, and nothing of what came before them.
    assert blobs(stage) - before == {row.model_blob, row.sheet_blob, row.checkpoint_blob}
    assert row.config["network"]["size"] == SMALL.network.size
    assert all(np.isfinite(row.losses))
    clearances = stage.asking(training_needs(stage.ben.id, stage.ada.id))()
    exported = model.open(Locker(stage.studio), clearances)
    sheet = Locker(stage.studio).read(model.sheet_blob, clearances)
    assert clear_traces(stage.studio.folder, exported, sheet) == []


def test_it_goes_on_with_what_was_learned(stage: Stage) -> None:
    first = stage.fit()
    before = blobs(stage)
    assert stage.fit() == first
    assert blobs(stage) == before
    told: list[Progress] = []
    more = stage.reopened().fit(iterations=3, on_progress=told.append)
    assert [state.iteration for state in told] == [3]
    assert (more.id, more.iterations) == (first.id, 3)
    assert more.blob != first.blob
    # What it takes the place of is gone.
    assert len(blobs(stage)) == len(before)
    assert first.blob not in blobs(stage)


def test_a_killed_run_goes_on_from_its_last_save(stage: Stage) -> None:
    stage.fit(iterations=1)

    def kill(state: Progress) -> None:
        raise Killed

    with pytest.raises(Killed):
        stage.fit(iterations=3, on_progress=kill)
    assert stage.model.iterations == 1
    assert stage.reopened().fit(iterations=3).iterations == 3


def test_a_run_killed_before_its_first_save_starts_anew(stage: Stage) -> None:
    def kill(state: Progress) -> None:
        raise Killed

    with pytest.raises(Killed):
        stage.fit(on_progress=kill)
    assert row_of(stage).state == "training"
    assert stage.fit().iterations == 2


def test_a_run_killed_before_the_export_is_finished(stage: Stage) -> None:
    stage.fit()
    with stage.studio.database.session() as session:
        row = session.query(ModelRow).one()
        row.state, row.model_blob, row.sheet_blob = "training", None, None
    resign(stage)
    model = stage.fit()
    assert (model.iterations, row_of(stage).state) == (2, "ready")


@pytest.mark.parametrize("who", ["ada", "ben"])
def test_withdrawal_stops_training_in_flight(stage: Stage, who: str) -> None:
    told: list[int] = []

    def withdraw(state: Progress) -> None:
        told.append(state.iteration)
        if state.iteration == 2:
            stage.withdraw(getattr(stage, who))
        # The desk is asked every few seconds of the studio's clock.
        stage.clock.now += timedelta(seconds=3)

    with pytest.raises(NotClearedError, match=f"{who} withdrew"):
        stage.fit(iterations=500, on_progress=withdraw)
    assert len(told) <= 4
    assert row_of(stage).state == "training"
    with pytest.raises(NotClearedError):
        stage.fit()


def test_a_withdrawal_at_the_last_moment_leaves_no_model(stage: Stage) -> None:
    def withdraw(state: Progress) -> None:
        stage.withdraw(stage.ben)

    before = blobs(stage)
    with pytest.raises(NotClearedError):
        stage.fit(iterations=1, on_progress=withdraw)
    row = row_of(stage)
    assert (row.state, row.model_blob, row.checkpoint_blob) == ("training", None, None)
    assert blobs(stage) == before


def test_both_must_be_cleared_and_stay_so(stage: Stage) -> None:
    needs = training_needs(stage.ben.id, stage.ada.id)
    full = stage.asking(needs)()
    for wrong in ([], full[:1], full[1:]):
        with pytest.raises(NotClearedError):
            stage.fit(ask_again=lambda given=wrong: given)
        with pytest.raises(NotClearedError):
            fit_with(stage, clearances=wrong)
    stage.clock.now += timedelta(minutes=6)
    with pytest.raises(NotClearedError, match="run out"):
        fit_with(stage, clearances=full)


def fit_with(stage: Stage, **changes: Any) -> None:  # noqa: ANN401 - arguments of `fit`
    needs = training_needs(stage.ben.id, stage.ada.id)
    arguments = {
        "donor": stage.ben.person, "performer": stage.ada.person,
        "clearances": stage.asking(needs)(), "ask_again": stage.asking(needs), "name": MODEL,
        "seconds": None, "iterations": 1, "config": SMALL,
    }  # fmt: skip
    fit(stage.studio, stage.purpose, **{**arguments, **changes})


def test_donor_and_performer_are_two_people_with_footage(stage: Stage) -> None:
    with pytest.raises(InputError, match="the same person"):
        fit_with(stage, performer=stage.ben.person)
    with stage.studio.database.session() as session:
        session.query(FaceSetRow).filter_by(person_id=stage.ben.id).delete()
    with pytest.raises(NotFoundError, match="no faces"):
        stage.fit()


def test_a_name_belongs_to_one_pair(stage: Stage) -> None:
    stage.fit()
    with pytest.raises(InputError, match="of other people"):
        fit_with(stage, donor=stage.ada.person, performer=stage.ben.person)


@pytest.mark.parametrize("limits", [{"iterations": 0}, {"iterations": None, "seconds": 0.0}])
def test_no_time_no_model(stage: Stage, limits: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="no time to train"):
        stage.fit(**limits)


def test_sets_of_several_clips_are_one() -> None:
    def some(count: int) -> FaceSet:
        return FaceSet(
            faces=np.full((count, 8, 8, 3), count, np.uint8),
            masks=np.full((count, 8, 8), count, np.uint8),
            landmarks=np.full((count, 68, 2), count, np.float32),
            meshes=np.full((count, 478, 3), count, np.float32),
            seconds=np.full(count, count, np.float64),
        )

    one = some(1)
    assert merge([one]) is one
    both = merge([some(2), some(3)])
    assert len(both) == 5
    for array in (both.faces[:, 0, 0, 0], both.masks[:, 0, 0], both.landmarks[:, 0, 0]):
        assert array.tolist() == [2, 2, 3, 3, 3]
    assert both.seconds.tolist() == [2, 2, 3, 3, 3]


def test_a_sheet_carries_its_size() -> None:
    sheet = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    assert pack_sheet(sheet) == b"\0\0\0\2\0\0\0\3" + sheet.tobytes()
