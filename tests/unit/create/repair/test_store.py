"""Versions: nothing is overwritten, nobody's work is lost, and all of it closes with consent."""

import pytest
from casts import clear_traces
from repairing import Desk

from assent.consent.holdings import list_objects
from assent.consent.locker import Locker
from assent.create.repair.document import Repairs
from assent.create.repair.store import held, history, keep, read_version, redo, undo
from assent.kit.errors import ConflictError, InputError, IntegrityError, NotClearedError
from assent.kit.store.repair_tables import RepairRow
from assent.kit.store.tables import ConsentRow, ModelRow

ONE, TWO = [{"first": 1, "last": 1}], [{"first": 2, "last": 2}]


def holds(desk: Desk) -> Repairs:
    studio, shot = desk.stage.studio, desk.shot
    return read_version(studio, shot, held(studio, shot), desk.cleared())


def test_versions_go_back_and_forth_and_branch(desk: Desk) -> None:
    studio, shot = desk.stage.studio, desk.shot
    assert (held(studio, shot).number, holds(desk).empty) == (0, True)
    for step in (undo, redo):
        with pytest.raises(InputError, match="there is nothing to"):
            step(studio, shot, expected=0)
    desk.save(skips=ONE)
    desk.save(skips=TWO)
    assert undo(studio, shot, expected=2).number == 1
    assert holds(desk).skips[0].first == 1
    assert redo(studio, shot, expected=1).number == 2
    undo(studio, shot, expected=2)
    assert desk.save(skips=[*ONE, *TWO]).number == 3
    assert redo_is_over(desk)
    assert [(v.number, v.parent) for v in history(studio, shot)] == [(0, 0), (1, 0), (2, 1), (3, 1)]
    assert undo(studio, shot, expected=3).number == 1
    assert redo(studio, shot, expected=1).number == 3


def redo_is_over(desk: Desk) -> bool:
    with pytest.raises(InputError):
        redo(desk.stage.studio, desk.shot, expected=held(desk.stage.studio, desk.shot).number)
    return True


def test_who_changed_an_old_version_is_told_and_overwrites_nothing(desk: Desk) -> None:
    studio, shot = desk.stage.studio, desk.shot
    desk.save(expected=0, skips=ONE)
    told = "somebody else saved version 1"
    with pytest.raises(ConflictError, match=told):
        desk.save(expected=0, skips=TWO)
    for step, expected in ((undo, 0), (redo, 7)):
        with pytest.raises(ConflictError, match=told):
            step(studio, shot, expected=expected)
    assert holds(desk).skips[0].first == 1
    assert len(history(studio, shot)) == 2


def test_saving_what_holds_makes_no_version(desk: Desk) -> None:
    assert desk.save(skips=ONE).number == desk.save(skips=ONE).number == 1
    assert desk.save().sha256 == ""
    assert holds(desk).empty


def test_another_clips_repairs_are_refused(desk: Desk) -> None:
    with pytest.raises(InputError, match="of another clip"):
        keep(
            desk.stage.studio, desk.shot, Repairs(clip="0" * 64), desk.cleared(), expected=0
        )  # fmt: skip


def test_they_lie_encrypted_and_are_told_as_held(desk: Desk) -> None:
    desk.save(masks=[{"first": 3, "last": 5, "keys": [
        {"frame": 4, "strokes": [{"mode": "erase", "points": [[1234, 5678]]}]}]}])  # fmt: skip
    version = held(desk.stage.studio, desk.shot)
    assert clear_traces(desk.stage.studio.folder, b'"points":[[1234,5678]],"size":30,"soft"') == []
    with desk.stage.studio.database.session() as session:
        records = [row.record_id for row in session.query(ConsentRow)]
    assert version.blob is not None
    assert set(Locker(desk.stage.studio).owners(version.blob)) == set(records)
    for record in records:
        assert "repairs" in {each.what for each in list_objects(desk.stage.studio, record)}


def test_what_a_key_opens_is_told_whoever_the_model_is_of(desk: Desk) -> None:
    """Others may be in the frame than the two whose model it is."""
    desk.save(skips=ONE)
    studio = desk.stage.studio
    with studio.database.session() as session:
        for model in session.query(ModelRow):
            model.donor_id = model.performer_id = desk.stage.cleo.id
        records = [row.record_id for row in session.query(ConsentRow)]
    for record in records:
        told = {each.what for each in list_objects(studio, record)}
        assert {"repairs", "model"} <= told


@pytest.mark.parametrize("who", ["ada", "ben"])
def test_they_close_with_anybodys_withdrawal(desk: Desk, who: str) -> None:
    desk.save(skips=ONE)
    cleared, version = desk.cleared(), held(desk.stage.studio, desk.shot)
    desk.stage.withdraw(getattr(desk.stage, who))
    with pytest.raises(NotClearedError):
        read_version(desk.stage.studio, desk.shot, version, cleared)
    with pytest.raises(NotClearedError):
        keep(desk.stage.studio, desk.shot, desk.document(skips=TWO), cleared, expected=1)
    with pytest.raises(NotClearedError):
        desk.save(skips=TWO)


@pytest.mark.parametrize(
    ("column", "value"), [("sha256", "0" * 64), ("number", 9), ("parent", 5), ("blob", "other")]
)
def test_a_row_that_was_edited_is_noticed(desk: Desk, column: str, value: object) -> None:
    studio, shot = desk.stage.studio, desk.shot
    desk.save(skips=ONE)
    desk.save(skips=TWO)
    first, second = history(studio, shot)[1:]
    with studio.database.session() as session:
        row = session.query(RepairRow).filter_by(number=2).one()
        setattr(row, column, first.blob if value == "other" else value)
    edited = history(studio, shot)[-1]
    assert edited != second
    with pytest.raises(IntegrityError):
        read_version(studio, shot, edited, desk.cleared())
