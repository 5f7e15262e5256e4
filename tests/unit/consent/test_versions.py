from pathlib import Path

import pytest
from studios import Scene, agree

from assent.consent.clearance import Act
from assent.consent.desk import clear
from assent.consent.versions import newest_version, note_version
from assent.kit.errors import IntegrityError, NotClearedError
from assent.kit.signing import new_key, sign
from assent.kit.store.tables import ConsentRow


def note_of(scene: Scene, record_id: str) -> Path:
    return scene.studio.folder / "keys" / "records" / f"{record_id}.version"


def test_it_rises_and_never_falls(scene: Scene) -> None:
    assert newest_version(scene.studio, "a-record") == 0
    for version, newest in ((1, 1), (3, 3), (2, 3), (3, 3)):
        note_version(scene.studio, "a-record", version)
        assert newest_version(scene.studio, "a-record") == newest
    assert newest_version(scene.studio, "another") == 0


def test_each_version_that_becomes_live_is_noted(scene: Scene) -> None:
    with scene.studio.database.session() as session:
        row = session.query(ConsentRow).filter_by(person_id=scene.ada.id).one()
    assert newest_version(scene.studio, row.record_id) == 1
    agree(scene.studio, scene.purpose, scene.ada, acts=frozenset({Act.INGEST}))
    assert newest_version(scene.studio, row.record_id) == 2


def test_a_note_by_another_key_of_another_record_or_of_nothing_is_refused(scene: Scene) -> None:
    with scene.studio.database.session() as session:
        row = session.query(ConsentRow).filter_by(person_id=scene.ada.id).one()
    note = note_of(scene, row.record_id)
    note_version(scene.studio, "another", 7)
    payload = {"record": row.record_id, "version": 1}
    others = (
        note_of(scene, "another").read_bytes(),
        sign(payload, new_key(), kind="assent-version+jws").encode(),
        sign(payload, scene.studio.signing_key, kind="greeting+jws").encode(),
        b"\xff\xfe",
        b"",
    )
    for data in others:
        note.write_bytes(data)
        with pytest.raises(IntegrityError):
            newest_version(scene.studio, row.record_id)
        with pytest.raises(NotClearedError, match="version of ada's record was altered"):
            clear(scene.studio, scene.purpose, person_id=scene.ada.id, acts=[Act.TRAIN])
