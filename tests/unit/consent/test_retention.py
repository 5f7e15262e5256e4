import json

import pytest
from studios import Scene, agree

from assent.consent.certificate import read_certificate
from assent.consent.clearance import Act, Clearance
from assent.consent.desk import clear
from assent.consent.locker import Locker
from assent.consent.retention import end_expired, sweep
from assent.consent.withdrawal import withdraw
from assent.kit.errors import AssentError, NotClearedError, NotFoundError
from assent.kit.store.tables import ConsentRow


def kinds(scene: Scene) -> list[str]:
    return [json.loads(entry)["kind"] for _, entry in scene.studio.log.reader().entries()]


def test_nothing_ends_before_its_last_day_is_over(scene: Scene) -> None:
    scene.clock.to(scene.purpose.brief.ends.isoformat())
    assert end_expired(scene.studio) == ()
    ada = clear(scene.studio, scene.purpose, person_id=scene.ada.id, acts=[Act.TRAIN])
    assert ada.acts == {Act.TRAIN}


def test_after_the_term_the_keys_are_destroyed_and_the_log_says_so(scene: Scene) -> None:
    scene.clock.to("2027-11-01")
    ended = end_expired(scene.studio)
    assert len(ended) == 2
    assert all(scene.studio.keyring.was_destroyed(each.record_id) for each in ended)
    assert kinds(scene)[-5:-2] == ["consent.expired", "consent.expired", "status.list"]
    assert kinds(scene)[-2:] == ["consent.deleted", "consent.deleted"]
    certificates = [
        read_certificate(str(each.certificate), scene.studio.signing_key) for each in ended
    ]
    assert {fields["ended"]["how"] for fields in certificates} == {"expired"}
    assert end_expired(scene.studio) == ()
    with pytest.raises(NotClearedError, match="expired"):
        clear(scene.studio, scene.purpose, person_id=scene.ada.id, acts=[Act.TRAIN])


def test_an_interrupted_end_is_finished(scene: Scene) -> None:
    """The key is gone first; whatever fails next, the next run ends the same record."""
    scene.clock.to("2027-11-01")
    checkpoint = scene.studio.log_folder / "checkpoint"
    whole = checkpoint.read_bytes()
    checkpoint.unlink()
    with pytest.raises(AssentError, match="log"):
        end_expired(scene.studio)
    checkpoint.write_bytes(whole)
    assert len(end_expired(scene.studio)) == 2
    with scene.studio.database.session() as session:
        assert {row.state for row in session.query(ConsentRow)} == {"expired"}


def test_a_new_offer_after_the_end_is_a_new_record(scene: Scene) -> None:
    scene.clock.to("2027-11-01")
    ended = [each.record_id for each in end_expired(scene.studio)]
    scene.clock.to("2027-10-01")
    renewed = agree(scene.studio, scene.purpose, scene.ada)
    assert renewed.record.record_id not in ended
    assert renewed.record.version == 1


def test_left_overs_go_after_a_day_and_nothing_else(scene: Scene) -> None:
    ada = clear(scene.studio, scene.purpose, person_id=scene.ada.id, acts=[Act.INGEST])
    locker = Locker(scene.studio)
    orphan = locker.put([b"left by a killed process"], [ada])
    scene.clock.to("2020-01-01")
    assert sweep(scene.studio) == 0
    scene.clock.to("2099-01-01")
    assert sweep(scene.studio) == 1
    scene.clock.to("2026-11-20")
    with scene.studio.database.session() as session:
        blobs = [row.enrolment_blob for row in session.query(ConsentRow)]
    mine = [blob for blob in blobs if blob and _opens(locker, blob, ada)]
    assert len(mine) == 1
    assert not _opens(locker, orphan, ada)


def test_ciphertext_that_nobody_can_open_goes_too(scene: Scene) -> None:
    with scene.studio.database.session() as session:
        rows = {row.person_id: row for row in session.query(ConsentRow)}
    withdraw(scene.studio, rows[scene.ada.id].record_id)
    scene.clock.to("2099-01-01")
    assert sweep(scene.studio) == 1
    left = set(Locker(scene.studio).ids())
    assert left == {rows[scene.ben.id].enrolment_blob}


def _opens(locker: Locker, blob: str, clearance: Clearance) -> bool:
    try:
        return bool(locker.read(blob, [clearance]))
    except (NotClearedError, NotFoundError):
        return False
