import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from studios import CutDatabase, CutLog, PowerCut, Scene

from assent.consent.clearance import Act, Clearance
from assent.consent.desk import GOOD_FOR, clear
from assent.consent.locker import Locker
from assent.consent.withdrawal import withdraw
from assent.kit.errors import IntegrityError, NotClearedError, NotFoundError
from assent.kit.store.openings import COVERS, hash_opening
from assent.kit.store.tables import OpeningRow


def cleared(scene: Scene, *names: str) -> list[Clearance]:
    return [
        clear(scene.studio, scene.purpose, person_id=getattr(scene, name).id, acts=[Act.INGEST])
        for name in names
    ]


def test_it_opens_for_those_whom_it_concerns(scene: Scene) -> None:
    locker = Locker(scene.studio)
    both = cleared(scene, "ada", "ben")
    blob = locker.put([b"a film", b" of two"], both)
    assert locker.read(blob, both) == b"a film of two"
    assert locker.read(blob, both[::-1]) == b"a film of two"
    with locker.open(blob, both) as reader:
        reader.seek(2)
        assert reader.read(4) == b"film"


@pytest.mark.parametrize("name", ["ada", "ben"])
def test_it_stays_shut_without_everyone(scene: Scene, name: str) -> None:
    locker = Locker(scene.studio)
    blob = locker.put([b"a film"], cleared(scene, "ada", "ben"))
    with pytest.raises(NotClearedError, match="not everyone whom this concerns"):
        locker.open(blob, cleared(scene, name))


def test_nobody_opens_nothing(scene: Scene) -> None:
    locker = Locker(scene.studio)
    blob = locker.put([b"a film"], cleared(scene, "ada"))
    for use in (lambda: locker.open(blob, []), lambda: locker.put([b"more"], [])):
        with pytest.raises(NotClearedError, match="nobody was cleared"):
            use()


def test_a_clearance_that_ran_out(scene: Scene) -> None:
    locker = Locker(scene.studio)
    clearances = cleared(scene, "ada")
    blob = locker.put([b"a film"], clearances)
    scene.clock.now += GOOD_FOR
    for use in (lambda: locker.open(blob, clearances), lambda: locker.put([b""], clearances)):
        with pytest.raises(NotClearedError, match="a clearance has run out") as caught:
            use()
        assert "asks the desk anew" in caught.value.advice
    assert locker.read(blob, cleared(scene, "ada")) == b"a film"


def test_withdrawal_closes_it_for_good(scene: Scene) -> None:
    """Even for a clearance that was issued a moment before."""
    locker = Locker(scene.studio)
    clearances = cleared(scene, "ada", "ben")
    blob = locker.put([b"a film"], clearances)
    withdraw(scene.studio, clearances[0].record_id)
    with pytest.raises(NotClearedError, match="was destroyed"):
        locker.open(blob, clearances)
    with pytest.raises(NotClearedError, match="was destroyed"):
        locker.put([b"more"], clearances)


def test_a_deposit_needs_a_clearance_to_be_read(scene: Scene) -> None:
    locker = Locker(scene.studio)
    ada = cleared(scene, "ada")
    blob = locker.deposit([b"template"], ada[0].record_id)
    assert locker.read(blob, ada) == b"template"
    with pytest.raises(NotClearedError):
        locker.read(blob, cleared(scene, "ben"))


def test_what_is_forgotten_is_gone(scene: Scene) -> None:
    locker = Locker(scene.studio)
    ada = cleared(scene, "ada")
    blob = locker.put([b"a film"], ada)
    locker.forget(blob)
    locker.forget(blob)
    with pytest.raises(NotFoundError):
        locker.open(blob, ada)


def test_only_what_was_left_behind_is_swept(scene: Scene) -> None:
    """The files' own times are of today, so the studio's clock is moved instead."""
    locker = Locker(scene.studio)
    ada = cleared(scene, "ada")
    kept, lost = locker.put([b"kept"], ada), locker.put([b"lost"], ada)
    enrolments = 2
    scene.clock.now = datetime.now(UTC) + timedelta(hours=23)
    assert locker.sweep([kept]) == 0
    scene.clock.now = datetime.now(UTC) + timedelta(hours=25)
    assert locker.sweep([kept]) == 1 + enrolments
    assert locker.read(kept, cleared_again(scene, ada)) == b"kept"
    with pytest.raises(NotFoundError):
        locker.read(lost, cleared_again(scene, ada))


def cleared_again(scene: Scene, clearances: list[Clearance]) -> list[Clearance]:
    """The same clearances while they still hold."""
    scene.clock.now = clearances[0].expires - timedelta(minutes=1)
    return clearances


# What is opened is noted


def opened(scene: Scene) -> list[dict[str, Any]]:
    entries = (json.loads(entry) for _, entry in scene.studio.log.reader().entries())
    return [entry for entry in entries if entry["kind"] == "vault.opened"]


def details(scene: Scene) -> list[OpeningRow]:
    with scene.studio.database.session() as session:
        return list(session.query(OpeningRow))


def test_each_opening_is_noted_before_anything_is_read(scene: Scene) -> None:
    locker, both = Locker(scene.studio), cleared(scene, "ada", "ben")
    blob = locker.put([b"a film"], both)
    assert opened(scene) == []
    with locker.open(blob, both):
        (entry,) = opened(scene)
    (row,) = details(scene)
    assert entry == {
        "kind": "vault.opened",
        "objects": 1,
        "opening": row.id,
        "time": "2026-11-20T12:00:00Z",
    }
    assert row.id == hash_opening(row.details, row.salt)
    assert row.details["objects"] == [blob]
    assert row.details["records"] == sorted(each.record_id for each in both)
    assert row.details["acts"] == ["ingest"]


def test_nothing_in_the_log_tells_what_was_opened(scene: Scene) -> None:
    locker, ada = Locker(scene.studio), cleared(scene, "ada")
    blob = locker.put([b"a film"], ada)
    locker.read(blob, ada)
    files = [path for path in scene.studio.log_folder.rglob("*") if path.is_file()]
    told = b"".join(path.read_bytes() for path in files)
    assert blob.encode() not in told
    assert ada[0].record_id.encode() not in told
    assert details(scene)[0].salt.encode() not in told


def test_an_entry_covers_five_minutes_of_the_same(scene: Scene) -> None:
    locker = Locker(scene.studio)
    both = cleared(scene, "ada", "ben")
    blob, other = locker.put([b"a film"], both), locker.put([b"another"], both)
    for _ in range(3):
        locker.read(blob, both)
        Locker(scene.studio).read(blob, both)
    assert len(opened(scene)) == 1
    locker.read(other, both)
    assert len(opened(scene)) == 2
    scene.clock.now += COVERS
    locker.read(blob, cleared(scene, "ada", "ben"))
    assert len(opened(scene)) == 3
    other_act = [
        clear(scene.studio, scene.purpose, person_id=member.id, acts=[Act.TRAIN])
        for member in (scene.ada, scene.ben)
    ]
    locker.read(blob, other_act)
    assert len(opened(scene)) == 4
    Locker(scene.reopened()).read(blob, other_act)
    assert len(opened(scene)) == 5


def test_a_film_in_many_parts_is_noted_in_few_entries(scene: Scene) -> None:
    locker, ada = Locker(scene.studio), cleared(scene, "ada")
    parts = [locker.put([bytes([number])], ada) for number in range(40)]
    assert list(locker.read_all(parts, lambda: ada)) == [bytes([number]) for number in range(40)]
    assert [entry["objects"] for entry in opened(scene)] == [32, 8]
    assert list(locker.read_all([], lambda: ada)) == []


def test_a_part_that_is_somebody_elses_opens_nothing(scene: Scene) -> None:
    locker, ada = Locker(scene.studio), cleared(scene, "ada")
    parts = [locker.put([b"mine"], ada), locker.put([b"theirs"], cleared(scene, "ben"))]
    with pytest.raises(NotClearedError, match="not everyone whom this concerns"):
        next(locker.read_all(parts, lambda: ada))
    assert opened(scene) == []


def test_who_withdraws_ends_the_reading_of_parts(scene: Scene) -> None:
    locker, ada = Locker(scene.studio), cleared(scene, "ada")
    parts = [locker.put([bytes([number])], ada) for number in range(3)]
    reading = locker.read_all(parts, lambda: cleared(scene, "ada"))
    assert next(reading) == b"\0"
    withdraw(scene.studio, ada[0].record_id)
    with pytest.raises(NotClearedError, match="withdrew"):
        next(reading)


@pytest.mark.parametrize("many", [False, True])
def test_what_the_log_cant_take_isnt_opened(scene: Scene, many: bool) -> None:
    """Also the next time: only what the log has is covered."""
    ada = cleared(scene, "ada")
    blob = Locker(scene.studio).put([b"a film"], ada)
    for _ in range(2):
        locker = Locker(replace(scene.studio, log=CutLog(scene.studio, done=False)))
        with pytest.raises(PowerCut):
            list(locker.read_all([blob], lambda: ada)) if many else locker.open(blob, ada)
    assert opened(scene) == []
    checkpoint = scene.studio.log_folder / "checkpoint"
    whole = checkpoint.read_bytes()
    checkpoint.write_bytes(whole.replace(b"\n", b"\n1", 1))
    with pytest.raises(IntegrityError):
        Locker(scene.studio).open(blob, ada)
    checkpoint.write_bytes(whole)
    assert Locker(scene.studio).read(blob, ada) == b"a film"


def test_what_the_database_cant_take_isnt_opened(scene: Scene) -> None:
    ada = cleared(scene, "ada")
    blob = Locker(scene.studio).put([b"a film"], ada)
    studio = replace(scene.studio, database=CutDatabase(scene.studio, 0, done=False))
    with pytest.raises(PowerCut):
        Locker(studio).open(blob, ada)
    assert opened(scene) == []
    assert details(scene) == []
