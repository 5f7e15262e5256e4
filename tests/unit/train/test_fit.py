"""Training under clearances: stopped by a withdrawal, gone on with after a kill."""

import json
import math
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from casts import MODEL, SMALL, Cast, Stage, clear_traces, resign

from assent.consent.locker import Locker
from assent.kit.errors import (
    InputError,
    IntegrityError,
    NotClearedError,
    NotFoundError,
    StoppedError,
)
from assent.kit.faces.face_set import FaceSet
from assent.kit.store.tables import FaceSetRow, ModelRow
from assent.train.fit import finite, fit, merge, pack_sheet, set_aside
from assent.train.models import list_models, training_needs, unpack_sheet
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
    packed = pack_sheet(sheet, 3)
    assert packed == b"\0\0\0\2\0\0\0\3\0\0\0\3" + sheet.tobytes()
    kept, columns = unpack_sheet(packed)
    assert (kept.tolist(), columns) == (sheet.tolist(), 3)
    for broken in (packed[:-1], pack_sheet(sheet, 0), pack_sheet(sheet, 4), b""):
        with pytest.raises(IntegrityError):
            unpack_sheet(broken)


def test_a_stretch_of_frames_is_shown_and_not_learned_from() -> None:
    def numbered(count: int) -> FaceSet:
        return FaceSet(
            faces=np.zeros((count, 8, 8, 3), np.uint8),
            masks=np.zeros((count, 8, 8), np.uint8),
            landmarks=np.zeros((count, 68, 2), np.float32),
            meshes=np.zeros((count, 478, 3), np.float32),
            seconds=np.arange(count, dtype=np.float64),
        )

    learned, shown = set_aside(numbered(200))
    assert shown.seconds.tolist() == list(range(96, 104)), "one after the other: it moves"
    assert set(learned.seconds) == set(range(200)) - set(shown.seconds)
    for count, aside in ((12, 2), (16, 4), (32, 8)):
        learned, shown = set_aside(numbered(count))
        assert (len(learned), len(shown)) == (count - aside, aside)
        assert not set(learned.seconds) & set(shown.seconds)
    for count in (1, 9):
        few = numbered(count)
        assert set_aside(few) == (few, few), "too few to spare any"


def test_steps_that_went_astray_leave_no_number_that_json_lacks() -> None:
    kept = finite([1.0, math.nan, 0.1234567, math.inf])
    assert kept == [1.0, 0.12346]
    assert json.dumps(kept, allow_nan=False) == "[1.0, 0.12346]"


def test_stopped_it_keeps_what_it_learned_and_goes_on(filmed: Cast, tmp_path: Path) -> None:
    stage = filmed.open_copy(tmp_path / "studio")
    asked = iter([False, True])
    with pytest.raises(StoppedError, match="was stopped"):
        stage.fit(iterations=4, stop=lambda: next(asked))
    (row,) = list_models(stage.studio, stage.purpose)
    assert (row.state, row.iterations) == ("training", 1)
    assert row.checkpoint_blob is not None
    assert stage.fit(iterations=2).iterations == 2
