import json
from typing import Any

import pytest
from studios import PRODUCER, Scene, add_member, draw_up, vouch_for

from assent.consent.ground import check_ground, decide, decision_entry, say_passed, vouch
from assent.consent.people import Person, add_person
from assent.consent.record import ConsentRecord, Evidence
from assent.kit.errors import InputError, IntegrityError, NotClearedError, RefusedError
from assent.kit.signing import new_key, peek, public_of, sign
from assent.kit.store.tables import ConsentRow


@pytest.fixture
def record(scene: Scene) -> ConsentRecord:
    """A record with a statement that the studio was given."""
    return draw_up(scene.studio, scene.purpose, scene.cleo)


@pytest.fixture
def recorded(record: ConsentRecord) -> ConsentRecord:
    """The same with a recording made in the ceremony."""
    return record.model_copy(
        update={"evidence": (Evidence(kind="recording", sha256=record.evidence[0].sha256),)}
    )


def kim(scene: Scene) -> Person:
    return add_person(scene.studio, handle="kim", name="Kim", key=public_of(PRODUCER), staff=True)


def test_a_member_vouches(scene: Scene, record: ConsentRecord) -> None:
    ground = vouch(scene.studio, record, kim(scene), PRODUCER, reason=" I filmed it. ")
    check_ground(scene.studio, record, ground)
    assert peek(ground)["told"] == {"reason": "I filmed it."}


def test_a_recording_that_passed_needs_nobody(scene: Scene, recorded: ConsentRecord) -> None:
    check_ground(scene.studio, recorded, say_passed(scene.studio, recorded, {"faces": 1}))


def test_a_file_never_passes_by_itself(scene: Scene, record: ConsentRecord) -> None:
    ground = say_passed(scene.studio, record, {})
    with pytest.raises(NotClearedError, match="only a recording made in the ceremony"):
        check_ground(scene.studio, record, ground)


def test_nobody_vouched(scene: Scene, record: ConsentRecord) -> None:
    with pytest.raises(NotClearedError, match="nobody has vouched") as caught:
        check_ground(scene.studio, record, None)
    assert "--vouched-by" in caught.value.advice


def test_a_rejection_is_no_ground(scene: Scene, recorded: ConsentRecord) -> None:
    ground = decide(
        scene.studio, recorded, kim(scene), PRODUCER, approve=False, reason="somebody else"
    )
    with pytest.raises(NotClearedError, match="a person at the studio rejected"):
        check_ground(scene.studio, recorded, ground)


def test_ground_holds_for_one_version_of_one_statement(scene: Scene, record: ConsentRecord) -> None:
    ground = vouch(scene.studio, record, kim(scene), PRODUCER, reason="I filmed it.")
    for changes in (
        {"version": 2},
        {"evidence": (Evidence(kind="statement", sha256="0" * 64),)},
        {"final_approval": True},
    ):
        with pytest.raises(NotClearedError, match="is about another one"):
            check_ground(scene.studio, record.model_copy(update=changes), ground)


def test_only_staff_decides(scene: Scene, record: ConsentRecord) -> None:
    with pytest.raises(RefusedError, match="ben does not decide for the studio"):
        vouch(scene.studio, record, scene.ben.person, scene.ben.key, reason="my friend")


def test_nobody_decides_about_themselves(scene: Scene) -> None:
    person = add_person(scene.studio, handle="kim", name="Kim", key=public_of(PRODUCER), staff=True)
    record = draw_up(scene.studio, scene.purpose, scene.cleo)
    own = record.model_copy(
        update={"principal": record.principal.model_copy(update={"id": person.id})}
    )
    with pytest.raises(RefusedError, match="nobody decides about their own"):
        vouch(scene.studio, own, person, PRODUCER, reason="it is me")
    forged = ground_by(scene, own, by=person.id, key=PRODUCER)
    with pytest.raises(RefusedError, match="nobody decides about their own"):
        check_ground(scene.studio, own, forged)


def test_who_decides_signs_with_their_own_key(scene: Scene, record: ConsentRecord) -> None:
    with pytest.raises(IntegrityError, match="this key is not kim's"):
        vouch(scene.studio, record, kim(scene), new_key(), reason="I filmed it.")


@pytest.mark.parametrize("reason", ["", "  ok  ", "x" * 2001])
def test_a_decision_has_a_reason(scene: Scene, record: ConsentRecord, reason: str) -> None:
    with pytest.raises(InputError, match="a decision needs a reason"):
        vouch(scene.studio, record, kim(scene), PRODUCER, reason=reason)


def ground_by(scene: Scene, record: ConsentRecord, *, by: str, key: Any, **told: Any) -> str:  # noqa: ANN401 - keys, claims
    return sign(
        {
            "by": by,
            "outcome": "approved",
            "record": record.digest(),
            "statement": record.evidence[0].sha256,
            "told": {},
            "time": "",
            **told,
        },
        key,
        kind="assent-ground+jws",
    )


def test_forged_grounds(scene: Scene, recorded: ConsentRecord) -> None:
    person = kim(scene)
    ben = scene.ben
    for by, key, told in [
        ("studio", ben.key, {"outcome": "passed"}),
        (person.id, ben.key, {}),
        (ben.id, ben.key, {}),
        ("nobody", ben.key, {}),
        ("studio", scene.studio.signing_key, {"outcome": "approved"}),
        (person.id, PRODUCER, {"outcome": "passed"}),
    ]:
        with pytest.raises(RefusedError):
            check_ground(scene.studio, recorded, ground_by(scene, recorded, by=by, key=key, **told))
    with pytest.raises(NotClearedError, match="was altered"):
        check_ground(scene.studio, recorded, "a.b.c")


def test_who_left_the_studio_vouches_for_nothing(scene: Scene, record: ConsentRecord) -> None:
    ground = vouch_for(scene.studio, record)
    from assent.kit.store.tables import PersonRow

    with scene.studio.database.session() as session:
        session.query(PersonRow).filter_by(handle="producer").one().staff = False
    with pytest.raises(RefusedError, match="producer does not decide"):
        check_ground(scene.studio, record, ground)


def test_decisions_of_people_are_logged_as_hashes(scene: Scene, recorded: ConsentRecord) -> None:
    with scene.studio.database.session() as session:
        row = session.query(ConsentRow).filter_by(record_id=recorded.record_id).one()
    assert decision_entry(scene.studio, row) == ()
    row.ground = say_passed(scene.studio, recorded, {})
    assert decision_entry(scene.studio, row) == ()
    row.ground = vouch_for(scene.studio, recorded)
    (entry,) = decision_entry(scene.studio, row)
    told = json.loads(entry)
    assert told.keys() == {"kind", "decision", "time"}
    assert told["kind"] == "consent.decided"
    assert len(told["decision"]) == 64
    assert add_member(scene.studio, "dora").id not in entry.decode()
