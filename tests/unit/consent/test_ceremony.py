import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from studios import (
    CutDatabase,
    CutLog,
    FailingDisk,
    Member,
    PowerCut,
    Scene,
    add_member,
    agree,
    draw_up,
    prepare,
    statement_of,
    take_in,
    terms_for,
    vouch_for,
)

from assent.consent.ceremony import Accepted, accept, offer
from assent.consent.clearance import Act, Modality
from assent.consent.desk import clear
from assent.consent.enrolment import unpack_templates
from assent.consent.locker import Locker
from assent.consent.receipt import read_receipt, sign_record
from assent.consent.record import ConsentRecord
from assent.consent.register import list_records
from assent.consent.retention import end_expired
from assent.consent.withdrawal import withdraw
from assent.kit.canonical import digest
from assent.kit.errors import (
    BriefError,
    InputError,
    IntegrityError,
    MediaError,
    NotClearedError,
    NotFoundError,
)
from assent.kit.hashing import hash_file
from assent.kit.signing import new_key, public_of, sign
from assent.kit.store.studio import Studio
from assent.kit.store.tables import ConsentRow


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


def signed_offer(scene: Scene, statement: bytes, **changes: Any) -> tuple[ConsentRecord, str]:  # noqa: ANN401 - fields of terms
    """Offer Cleo terms for a real statement and let her sign."""
    record = offer(
        scene.studio,
        scene.purpose,
        scene.cleo.person,
        terms_for(scene.purpose, **changes),
        statement_sha256=hash_file(io.BytesIO(statement)),
    )
    with scene.studio.database.session() as session:
        row = session.query(ConsentRow).filter_by(
            record_id=record.record_id, version=record.version
        ).one()  # fmt: skip
        row.ground = vouch_for(scene.studio, record)
    return record, sign_record(record, scene.cleo.key)


# Offering


def test_an_offer_says_who_asks_whom_for_what(scene: Scene) -> None:
    record = draw_up(scene.studio, scene.purpose, scene.cleo, most_releases=3)
    assert record.version == 1
    assert record.controller.id == scene.studio.id
    assert record.project.id == scene.purpose.project_id
    assert record.project.brief_sha256 == digest(scene.purpose.brief.to_json())
    assert record.principal.handle == "cleo"
    assert record.principal.key_thumbprint == scene.cleo.person.key_id
    assert record.scope.most_releases == 3
    assert record.handling.kinds == ("footage", "face", "face template")
    assert record.evidence[0].sha256 == hash_file(statement_of(scene.cleo))
    assert not cleared(scene, scene.cleo)


def test_a_second_offer_is_the_next_version(scene: Scene) -> None:
    first = draw_up(scene.studio, scene.purpose, scene.cleo)
    second = draw_up(scene.studio, scene.purpose, scene.cleo)
    assert (second.record_id, second.version) == (first.record_id, 2)
    assert second.nonce != first.nonce


def test_after_a_withdrawal_an_offer_is_a_new_record(scene: Scene) -> None:
    first = draw_up(scene.studio, scene.purpose, scene.cleo)
    withdraw(scene.studio, first.record_id)
    second = draw_up(scene.studio, scene.purpose, scene.cleo)
    assert second.record_id != first.record_id
    assert second.version == 1


def test_an_offer_ends_with_the_project(scene: Scene) -> None:
    with pytest.raises(InputError, match="until 2027-11-01, the project ends on 2027-10-31"):
        draw_up(scene.studio, scene.purpose, scene.cleo, ends=date(2027, 11, 1))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"acts": frozenset()}, "acts: Frozenset should have at least 1 item"),
        ({"modalities": frozenset()}, "modalities: "),
        ({"channels": frozenset()}, "channels: "),
        ({"starts": date(2027, 10, 31)}, "ends must lie after starts"),
        ({"most_releases": 0}, "most_releases: "),
        ({"forbidden": frozenset({"mimes"})}, r"forbidden\.0: "),
        ({"use": ""}, "use: "),
    ],
)
def test_senseless_terms_are_not_offered(scene: Scene, changes: dict[str, Any], told: str) -> None:
    with pytest.raises(BriefError, match=f"the terms can't be offered: .*{told}"):
        draw_up(scene.studio, scene.purpose, scene.cleo, **changes)
    assert "cleo" not in {each.handle for each in list_records(scene.studio)}


# Accepting, with a face to enrol


def test_a_face_is_enrolled_from_a_real_statement(scene: Scene, samples: Path) -> None:
    path = samples / "ada_statement.mp4"
    record, signed = signed_offer(scene, path.read_bytes())
    with path.open("rb") as file:
        accepted = accept(scene.studio, signed, statement=file, name=path.name)
    assert accepted.record == record
    clearance = clear(scene.studio, scene.purpose, person_id=scene.cleo.id, acts=[Act.INGEST])
    blob = str(row_of(scene, scene.cleo).enrolment_blob)
    templates = unpack_templates(Locker(scene.studio).read(blob, [clearance]))
    assert templates.shape[1] == 128
    assert len(templates) >= 10
    assert entries(scene)[accepted.log_index] == {
        "kind": "consent.granted",
        "receipt": accepted.receipt_hash,
        "time": "2026-11-20T12:00:00Z",
    }
    read = read_receipt(
        accepted.receipt,
        subject=scene.cleo.person.key,
        studio=public_of(scene.studio.signing_key),
    )
    assert read.record == record


@pytest.mark.parametrize(
    ("clip", "told"),
    [
        ("no_face.mp4", "No face was found in no_face.mp4"),
        ("two_people.mp4", "two_people.mp4 shows 2 faces"),
    ],
)
def test_statements_that_show_no_one_face(
    scene: Scene, samples: Path, clip: str, told: str
) -> None:
    path = samples / clip
    record, signed = signed_offer(scene, path.read_bytes())
    with path.open("rb") as file, pytest.raises(MediaError, match=told):
        accept(scene.studio, signed, statement=file, name=clip)
    assert not scene.studio.keyring.has(record.record_id)
    assert not cleared(scene, scene.cleo)


def test_a_statement_that_is_no_video(scene: Scene) -> None:
    _, signed = signed_offer(scene, statement_of(scene.cleo).getvalue())
    with pytest.raises(MediaError, match=r"note\.txt"):
        accept(scene.studio, signed, statement=statement_of(scene.cleo), name="note.txt")
    assert row_of(scene, scene.cleo).receipt is None


def test_another_statement_than_the_one_named(scene: Scene, statement: bytes) -> None:
    _, signed = signed_offer(scene, b"another file")
    with pytest.raises(IntegrityError, match=r"me\.mp4 is not the statement that the record names"):
        accept(scene.studio, signed, statement=io.BytesIO(statement), name="me.mp4")
    assert not cleared(scene, scene.cleo)


# Accepting: what is signed


def refused(scene: Scene, signed: str, error: type[Exception], told: str) -> None:
    statement = statement_of(scene.cleo)
    with pytest.raises(error, match=told):
        accept(scene.studio, signed, statement=statement, name="statement.mp4")


def test_changed_before_signing(scene: Scene) -> None:
    record = draw_up(scene.studio, scene.purpose, scene.cleo)
    wider = record.model_copy(update={"scope": record.scope.model_copy(update={"territory": "X2"})})
    refused(
        scene,
        sign_record(wider, scene.cleo.key),
        NotClearedError,
        "what was signed is not what was offered",
    )


def test_the_offer_edited_in_the_database_after_signing(scene: Scene) -> None:
    record = draw_up(scene.studio, scene.purpose, scene.cleo, acts=frozenset({Act.INGEST}))
    signed = sign_record(record, scene.cleo.key)
    row = row_of(scene, scene.cleo)
    document = {**row.document, "scope": {**row.document["scope"], "most_releases": 9999}}
    with scene.studio.database.session() as session:
        session.get_one(ConsentRow, row.id).document = document
    refused(scene, signed, NotClearedError, "what was signed is not what was offered")


def test_signed_by_somebody_else(scene: Scene) -> None:
    record = draw_up(scene.studio, scene.purpose, scene.cleo)
    forged = sign({"record": record.to_json()}, scene.ada.key, kind="assent-consent+jws")
    refused(scene, forged, IntegrityError, "the signature does not match")


def test_no_such_record(scene: Scene) -> None:
    record = draw_up(scene.studio, scene.purpose, scene.cleo)
    stray = record.model_copy(update={"record_id": "00000000"})
    refused(
        scene, sign_record(stray, scene.cleo.key), NotFoundError, "no consent record '00000000'"
    )


@pytest.mark.parametrize("record_id", ["", "%", "_"])
def test_an_id_that_could_mean_any_record(scene: Scene, record_id: str) -> None:
    with pytest.raises(NotFoundError, match="no consent record"):
        withdraw(scene.studio, record_id)
    assert cleared(scene, scene.ada)


def test_an_id_that_could_mean_the_only_record(scene: Scene) -> None:
    withdraw(scene.studio, row_of(scene, scene.ada).record_id)
    with scene.studio.database.session() as session:
        session.query(ConsentRow).filter_by(person_id=scene.ada.id).delete()
    with pytest.raises(NotFoundError):
        withdraw(scene.studio, "")
    assert cleared(scene, scene.ben)


def test_signed_for_another_studio(scene: Scene, tmp_path: Path) -> None:
    """The same person's signature under another studio's offer is no consent here."""
    other = prepare(tmp_path / "other").open_copy(tmp_path / "other-open")
    member = add_member(other.studio, "cleo-abroad", scene.cleo.key)
    record = draw_up(other.studio, other.purpose, member)
    signed = sign_record(record, member.key)
    refused(scene, signed, NotFoundError, "no consent record")
    row = row_of(other, member)
    with scene.studio.database.session() as session:
        copied = {c.key: getattr(row, c.key) for c in ConsentRow.__table__.columns}
        session.add(
            ConsentRow(
                **{
                    **copied,
                    "person_id": scene.cleo.id,
                    "project_id": scene.purpose.project_id,
                }
            )
        )
    take_in(scene.studio, member, record, signed)
    with pytest.raises(NotClearedError, match="cleo consented to work by another studio"):
        clear(scene.studio, scene.purpose, person_id=scene.cleo.id, acts=[Act.TRAIN])


def test_an_old_signature_after_a_newer_version(scene: Scene) -> None:
    old = draw_up(scene.studio, scene.purpose, scene.cleo)
    signed = sign_record(old, scene.cleo.key)
    take_in(scene.studio, scene.cleo, old, signed)
    newer = draw_up(scene.studio, scene.purpose, scene.cleo, acts=frozenset({Act.INGEST}))
    refused(scene, signed, NotClearedError, "what was signed is not what was offered")
    take_in(scene.studio, scene.cleo, newer, sign_record(newer, scene.cleo.key))
    refused(scene, signed, NotClearedError, "a newer version of this record is already signed")
    assert cleared(scene, scene.cleo, Act.INGEST)
    assert not cleared(scene, scene.cleo, Act.TRAIN)


def test_an_old_signature_after_withdrawal(scene: Scene) -> None:
    record = draw_up(scene.studio, scene.purpose, scene.cleo)
    signed = sign_record(record, scene.cleo.key)
    take_in(scene.studio, scene.cleo, record, signed)
    withdraw(scene.studio, record.record_id)
    refused(scene, signed, NotClearedError, "this record was withdrawn; it can't be signed")
    assert not cleared(scene, scene.cleo)


def test_an_old_signature_after_the_term(scene: Scene) -> None:
    """The keys of expired records are destroyed: signing again brings nothing back."""
    record = draw_up(scene.studio, scene.purpose, scene.cleo, ends=date(2026, 12, 31))
    signed = sign_record(record, scene.cleo.key)
    take_in(scene.studio, scene.cleo, record, signed)
    scene.clock.to("2027-01-01")
    assert record.record_id in {each.record_id for each in end_expired(scene.studio)}
    refused(scene, signed, NotClearedError, "this record expired; it can't be signed any more")
    with pytest.raises(NotClearedError, match="cleo's consent for 'a-lesson-in-two-faces' expired"):
        clear(scene.studio, scene.purpose, person_id=scene.cleo.id, acts=[Act.TRAIN])
    agree(scene.studio, scene.purpose, scene.cleo)
    assert cleared(scene, scene.cleo)


def test_a_version_offered_before_the_term_ended(scene: Scene) -> None:
    """It can't be accepted any more, and doesn't stand in the way of a new record."""
    agree(scene.studio, scene.purpose, scene.cleo, ends=date(2026, 12, 31))
    late = draw_up(scene.studio, scene.purpose, scene.cleo)
    scene.clock.to("2027-01-01")
    end_expired(scene.studio)
    with pytest.raises(NotClearedError, match="was destroyed"):
        take_in(scene.studio, scene.cleo, late, sign_record(late, scene.cleo.key))
    assert agree(scene.studio, scene.purpose, scene.cleo).record.record_id != late.record_id
    assert cleared(scene, scene.cleo)


def test_a_live_row_without_a_receipt(scene: Scene) -> None:
    record = draw_up(scene.studio, scene.purpose, scene.cleo)
    row = row_of(scene, scene.cleo)
    with scene.studio.database.session() as session:
        session.get_one(ConsentRow, row.id).state = "live"
    refused(scene, sign_record(record, scene.cleo.key), NotClearedError, "a newer version of this")
    assert not cleared(scene, scene.cleo)


def test_accepting_again_changes_nothing(scene: Scene) -> None:
    record = draw_up(scene.studio, scene.purpose, scene.cleo)
    signed = sign_record(record, scene.cleo.key)
    first = take_in(scene.studio, scene.cleo, record, signed)
    before = entries(scene)
    scene.clock.now += timedelta(hours=1)
    again = accept(scene.studio, signed, statement=statement_of(scene.cleo), name="statement.mp4")
    assert again == first
    assert entries(scene) == before


def test_a_later_version_is_accepted_under_the_same_key(scene: Scene, statement: bytes) -> None:
    first, signed = signed_offer(scene, statement)
    accept(scene.studio, signed, statement=io.BytesIO(statement), name="statement.mp4")
    second, signed = signed_offer(scene, statement, acts=frozenset({Act.INGEST}))
    accept(scene.studio, signed, statement=io.BytesIO(statement), name="statement.mp4")
    assert (second.record_id, second.version) == (first.record_id, 2)
    states = [each.state for each in list_records(scene.studio) if each.handle == "cleo"]
    assert states == ["superseded", "live"]
    assert cleared(scene, scene.cleo, Act.INGEST)
    assert not cleared(scene, scene.cleo, Act.TRAIN)


def test_a_withdrawal_while_accepting(scene: Scene) -> None:
    """Someone withdraws just after the receipt was logged: the withdrawal stands."""
    record = draw_up(scene.studio, scene.purpose, scene.cleo)
    signed = sign_record(record, scene.cleo.key)

    class Meanwhile(CutLog):
        def append(self, entries: Any) -> tuple[int, ...]:  # noqa: ANN401 - as in Log
            withdraw(scene.reopened(), record.record_id)
            return scene.studio.log.append(entries)

    with pytest.raises(NotClearedError, match="this record was withdrawn"):
        take_in(
            replace(scene.studio, log=Meanwhile(scene.studio, done=True)),
            scene.cleo,
            record,
            signed,
        )
    assert row_of(scene, scene.cleo).state == "withdrawn"
    assert not cleared(scene, scene.cleo)


# Interrupted anywhere, and run again


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
    ("broken", "key_there"),
    [
        pytest.param(disk_fails(0), False, id="key half written"),
        pytest.param(disk_fails(1), False, id="key not in place"),
        pytest.param(disk_fails(1, done=True), True, id="key in place"),
        pytest.param(disk_fails(6), True, id="templates half written"),
        pytest.param(disk_fails(9, done=True), True, id="templates in place"),
        pytest.param(database_fails(3, done=False), True, id="receipt not kept"),
    ],
)
def test_accept_interrupted_before_the_receipt_is_kept(
    scene: Scene, statement: bytes, broken: Break, key_there: bool
) -> None:
    record, signed = signed_offer(scene, statement)
    with pytest.raises(PowerCut):
        accept(broken(scene), signed, statement=io.BytesIO(statement), name="statement.mp4")
    assert scene.reopened().keyring.has(record.record_id) == key_there
    assert row_of(scene, scene.cleo).receipt is None
    assert not cleared(scene, scene.cleo)
    assert len(consents(scene)) == 2
    finish(scene, signed, statement)
    # The receipt, and the decision about the statement.
    assert [each["kind"] for each in consents(scene)[2:]] == ["consent.granted", "consent.decided"]


def finish(scene: Scene, signed: str, statement: bytes) -> Accepted:
    """Accept to the end and check what must hold then."""
    accepted = accept(
        scene.reopened(), signed, statement=io.BytesIO(statement), name="statement.mp4"
    )
    clearance = clear(scene.studio, scene.purpose, person_id=scene.cleo.id, acts=[Act.INGEST])
    blob = str(row_of(scene, scene.cleo).enrolment_blob)
    assert unpack_templates(Locker(scene.studio).read(blob, [clearance])).shape[1] == 128
    assert clearance.receipt_hash == accepted.receipt_hash
    assert entries(scene)[accepted.log_index]["receipt"] == accepted.receipt_hash
    return accepted


@pytest.mark.parametrize(
    ("broken", "live", "logged"),
    [
        pytest.param(database_fails(0, done=False), False, 1, id="nothing looked up"),
        pytest.param(database_fails(1, done=True), False, 1, id="nothing done"),
        pytest.param(log_fails(done=False), False, 1, id="not logged"),
        pytest.param(log_fails(done=True), False, 1, id="logged, not noted"),
        pytest.param(database_fails(3, done=False), False, 1, id="logged, note rolled back"),
        pytest.param(database_fails(3, done=True), True, 1, id="live, nobody told"),
        pytest.param(database_fails(4, done=True), True, 1, id="live, receipt not returned"),
    ],
)
def test_accept_interrupted_after_the_receipt_is_kept(
    scene: Scene, broken: Break, live: bool, logged: int
) -> None:
    """The log names a receipt once, and never one that doesn't exist."""
    record = draw_up(scene.studio, scene.purpose, scene.cleo)
    signed = sign_record(record, scene.cleo.key)
    with pytest.raises(PowerCut):
        # The receipt is kept first, through the whole studio.
        take_in(
            replace(scene.studio, log=CutLog(scene.studio, done=False)), scene.cleo, record, signed
        )
    with pytest.raises(PowerCut):
        accept(broken(scene), signed, statement=statement_of(scene.cleo), name="statement.mp4")
    assert cleared(scene, scene.cleo) == live
    finish(scene, signed, statement_of(scene.cleo).getvalue())
    told = consents(scene)[2:]
    assert len(told) == logged
    assert len({entry["receipt"] for entry in told}) == 1


def test_both_modalities_are_offered(scene: Scene) -> None:
    record = draw_up(scene.studio, scene.purpose, scene.cleo, modalities=frozenset(Modality))
    assert record.handling.kinds == ("footage", "face", "voice", "face template")
    assert record.principal.key_thumbprint != public_of(new_key()).thumbprint()
