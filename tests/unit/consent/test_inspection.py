import json

import pytest
from studios import Member, Scene

from assent.consent.clearance import Act
from assent.consent.desk import clear
from assent.consent.inspection import Inspection, inspect
from assent.consent.locker import Locker
from assent.consent.withdrawal import withdraw
from assent.kit.store.tables import ConsentRow, OpeningRow


def row_of(scene: Scene, who: Member) -> ConsentRow:
    with scene.studio.database.session() as session:
        return session.query(ConsentRow).filter_by(person_id=who.id).one()


def put(scene: Scene) -> str:
    ada = clear(scene.studio, scene.purpose, person_id=scene.ada.id, acts=[Act.INGEST])
    blob = Locker(scene.studio).put([b"a film"], [ada])
    Locker(scene.studio).read(blob, [ada])
    return blob


def test_a_sound_vault(scene: Scene) -> None:
    seen = list[tuple[str, int, int]]()
    found = inspect(scene.studio, progress=lambda *state: seen.append(state))
    assert found == Inspection(
        open=2, closed=(), faults=(), orphaned=(), missing=(), keys=(), openings=()
    )
    assert found.sound
    assert seen == [("opening", 1, 2), ("opening", 2, 2)]
    *_, (_, last) = scene.studio.log.reader().entries()
    assert json.loads(last)["kind"] == "vault.checked"


def test_what_nothing_refers_to_is_told_and_is_no_fault(scene: Scene) -> None:
    blob = put(scene)
    found = inspect(scene.studio)
    assert found.orphaned == (blob,)
    assert found.sound


def test_what_a_withdrawal_closed_is_no_fault(scene: Scene) -> None:
    row = row_of(scene, scene.ada)
    withdraw(scene.studio, row.record_id)
    found = inspect(scene.studio)
    assert found.closed == (row.enrolment_blob,)
    assert (found.open, found.sound) == (1, True)


@pytest.mark.parametrize("place", [0, 40, -1])
def test_a_damaged_object_is_named_with_the_reason(scene: Scene, place: int) -> None:
    blob = str(row_of(scene, scene.ada).enrolment_blob)
    path = scene.studio.vault_folder / blob[:2] / blob
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    found = inspect(scene.studio)
    assert [fault[0] for fault in found.faults] == [blob]
    reasons = ("was changed", "damaged header", "has no key")
    assert any(reason in found.faults[0][1] for reason in reasons)
    assert not found.sound


def test_an_object_that_is_needed_and_gone(scene: Scene) -> None:
    ada, ben = row_of(scene, scene.ada), row_of(scene, scene.ben)
    for row in (ada, ben):
        blob = str(row.enrolment_blob)
        (scene.studio.vault_folder / blob[:2] / blob).unlink()
    # One row was put back to before a withdrawal: nobody needs what it names.
    scene.studio.keyring.destroy(ben.record_id)
    found = inspect(scene.studio)
    assert found.missing == (ada.enrolment_blob,)
    assert found.keys == (f"record {ben.record_id} is live and has no key",)


def test_a_key_of_no_record(scene: Scene) -> None:
    scene.studio.keyring.create("stray")
    scene.studio.keyring.create("ended")
    scene.studio.keyring.destroy("ended")
    assert inspect(scene.studio).keys == ("the key stray is of no record",)


def test_openings_are_held_to_the_log(scene: Scene) -> None:
    """Who opened something and hides it must change what the log has the hash of."""
    put(scene)
    assert inspect(scene.studio).sound
    with scene.studio.database.session() as session:
        row = session.query(OpeningRow).one()
        row.details = {**row.details, "objects": []}
    (told,) = inspect(scene.studio).openings
    assert "was changed in the database" in told
    with scene.studio.database.session() as session:
        session.query(OpeningRow).delete()
    (told,) = inspect(scene.studio).openings
    assert "is no longer in the database" in told


def test_an_opening_that_the_log_never_took_is_none(scene: Scene) -> None:
    """The details are kept first; without the entry nothing was opened."""
    with scene.studio.database.session() as session:
        session.add(OpeningRow(id="0" * 64, salt="", details={}))
    assert inspect(scene.studio).sound
