import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from studios import (
    CutDatabase,
    CutLog,
    FailingDisk,
    Member,
    PowerCut,
    Scene,
    agree,
    brief_with,
    draw_up,
    statement_of,
)

from assent.consent.ceremony import accept
from assent.consent.clearance import Act
from assent.consent.desk import clear
from assent.consent.receipt import sign_record
from assent.consent.withdrawal import withdraw
from assent.kit.errors import NotClearedError
from assent.kit.store.studio import Studio
from assent.kit.store.tables import ConsentRow
from assent.purpose.projects import create_project


def cleared(scene: Scene, who: Member, act: Act = Act.TRAIN) -> bool:
    """Ask the desk as a process started just now would."""
    try:
        clear(scene.reopened(), scene.purpose, person_id=who.id, acts=[act])
    except NotClearedError:
        return False
    return True


def row_of(scene: Scene, who: Member) -> ConsentRow:
    with scene.studio.database.session() as session:
        rows = session.query(ConsentRow).filter_by(person_id=who.id)
        return rows.order_by(ConsentRow.created, ConsentRow.version).all()[-1]


def entries(scene: Scene) -> list[dict[str, Any]]:
    reader = scene.studio.log.reader()
    return [json.loads(reader.entry(index)) for index in range(reader.size)]


def consents(scene: Scene) -> list[dict[str, Any]]:
    """What the log says of consents."""
    return [entry for entry in entries(scene) if entry["kind"].startswith("consent.")]


Break = Callable[[Scene], Studio]


def disk_fails(step: int, *, done: bool = False) -> Break:
    def apply(scene: Scene) -> Studio:
        disk = FailingDisk(cut=True, done=done)
        studio = scene.reopened(disk)
        disk.fail_at = len(disk.steps) + step
        return studio

    return apply


def database_fails(session: int, *, done: bool) -> Break:
    return lambda scene: replace(
        scene.studio, database=CutDatabase(scene.studio, session, done=done)
    )


def log_fails(*, done: bool) -> Break:
    return lambda scene: replace(scene.studio, log=CutLog(scene.studio, done=done))


@pytest.mark.parametrize(
    ("broken", "state", "key_there", "logged"),
    [
        pytest.param(database_fails(0, done=False), "live", True, 3, id="nothing done"),
        pytest.param(database_fails(0, done=True), "withdrawn", True, 3, id="use ended"),
        pytest.param(disk_fails(0), "withdrawn", False, 3, id="key half overwritten"),
        pytest.param(disk_fails(0, done=True), "withdrawn", False, 3, id="key overwritten"),
        pytest.param(disk_fails(1), "withdrawn", False, 3, id="no tombstone"),
        pytest.param(disk_fails(1, done=True), "withdrawn", False, 3, id="tombstone"),
        pytest.param(log_fails(done=False), "withdrawn", False, 3, id="not logged"),
        pytest.param(log_fails(done=True), "withdrawn", False, 4, id="logged, not noted"),
        pytest.param(
            database_fails(2, done=False), "withdrawn", False, 4, id="logged, note rolled back"
        ),
        pytest.param(database_fails(2, done=True), "withdrawn", False, 3, id="all done"),
    ],
)
def test_withdraw_interrupted(
    scene: Scene, broken: Break, state: str, key_there: bool, logged: int
) -> None:
    """From the first thing it does on, the desk refuses; run again, it finishes."""
    row = row_of(scene, scene.ada)
    with pytest.raises(PowerCut):
        withdraw(broken(scene), row.record_id)
    assert row_of(scene, scene.ada).state == state
    assert scene.reopened().keyring.has(row.record_id) == key_there
    assert cleared(scene, scene.ada) == (state == "live")
    (ended,) = withdraw(scene.reopened(), row.record_id)
    assert not cleared(scene, scene.ada)
    assert scene.reopened().keyring.was_destroyed(row.record_id)
    assert len(consents(scene)) == logged
    assert entries(scene)[int(ended.withdrawal_log_index or 0)] == {
        "kind": "consent.withdrawn",
        "receipt": row.receipt_hash,
        "time": "2026-11-20T12:00:00Z",
    }


def test_withdrawing_again_changes_nothing(scene: Scene) -> None:
    record_id = row_of(scene, scene.ada).record_id
    (first,) = withdraw(scene.studio, record_id[:8])
    before = entries(scene)
    scene.clock.now += timedelta(days=1)
    (again,) = withdraw(scene.studio, record_id)
    assert again.withdrawn == first.withdrawn == "2026-11-20T12:00:00Z"
    assert entries(scene) == before
    assert cleared(scene, scene.ben)


def test_every_version_that_was_signed_is_withdrawn_in_the_log(scene: Scene) -> None:
    first = row_of(scene, scene.ada)
    second = agree(scene.studio, scene.purpose, scene.ada)
    draw_up(scene.studio, scene.purpose, scene.ada)
    rows = withdraw(scene.studio, first.record_id)
    assert [row.version for row in rows] == [1, 2, 3]
    assert {row.state for row in rows} == {"withdrawn"}
    told = [entry["receipt"] for entry in entries(scene) if entry["kind"] == "consent.withdrawn"]
    assert told == [first.receipt_hash, second.receipt_hash]


def test_an_offer_can_be_taken_back(scene: Scene) -> None:
    record = draw_up(scene.studio, scene.purpose, scene.cleo)
    withdraw(scene.studio, record.record_id)
    assert len(consents(scene)) == 2
    signed = sign_record(record, scene.cleo.key)
    with pytest.raises(NotClearedError, match="was withdrawn"):
        accept(scene.studio, signed, statement=statement_of(scene.cleo), name="statement.mp4")


def test_a_withdrawal_ends_one_project_only(scene: Scene) -> None:
    other = create_project(scene.studio, brief_with(title="Another film"))
    agree(scene.studio, other, scene.ada)
    withdraw(scene.studio, row_of(scene, scene.ada).record_id)
    assert cleared(scene, scene.ada)
    with pytest.raises(NotClearedError, match="ada withdrew consent for 'another-film'"):
        clear(scene.studio, other, person_id=scene.ada.id, acts=[Act.TRAIN])
