import pytest
from passkeys import Authenticator
from studios import Member, Scene, add_draft, agree

from assent.consent.desk import live_record
from assent.consent.finals import (
    Decision,
    decision_on,
    decision_to_sign,
    keep_decision,
    require_finals,
)
from assent.consent.people import add_person
from assent.consent.withdrawal import withdraw
from assent.kit.errors import IntegrityError, NotClearedError, SignOffError
from assent.kit.passkey import challenge_of
from assent.kit.signing import SigningKey, attach, sign
from assent.kit.store.tables import FinalRow

DIGEST = "1" * 64
PREVIEW = "2" * 64


@pytest.fixture(autouse=True)
def draft_id(scene: Scene) -> str:
    """A draft that shows Ada, who kept the last word, and Ben, who didn't."""
    agree(scene.studio, scene.purpose, scene.ada, final_approval=True)
    return add_draft(scene.studio, scene.purpose, donor=scene.ben, performer=scene.ada)


def token(key: SigningKey, decision: str, draft: str = DIGEST) -> str:
    payload = {"draft": draft, "decision": decision, "preview": PREVIEW, "time": "now"}
    return sign(payload, key, kind="assent-final+jws")


def keep(scene: Scene, who: Member, draft_id: str, signed: str) -> Decision:
    return keep_decision(scene.studio, who.person, draft_id=draft_id, draft=DIGEST, token=signed)


def require(scene: Scene, draft_id: str, draft: str = DIGEST) -> None:
    people = {scene.ada.id, scene.ben.id}
    require_finals(scene.studio, scene.purpose, people, draft_id=draft_id, draft=draft)


def test_who_kept_the_last_word_must_approve(scene: Scene, draft_id: str) -> None:
    with pytest.raises(SignOffError, match="ada kept the last word and has not approved") as caught:
        require(scene, draft_id)
    assert "assent consent place" in caught.value.advice
    assert keep(scene, scene.ada, draft_id, token(scene.ada.key, "approve")) == "approve"
    require(scene, draft_id)


def test_a_no_is_a_no_until_it_is_taken_back(scene: Scene, draft_id: str) -> None:
    keep(scene, scene.ada, draft_id, token(scene.ada.key, "decline"))
    with pytest.raises(SignOffError, match="ada declined draft"):
        require(scene, draft_id)
    keep(scene, scene.ada, draft_id, token(scene.ada.key, "approve"))
    require(scene, draft_id)
    keep(scene, scene.ada, draft_id, token(scene.ada.key, "decline"))
    with pytest.raises(SignOffError, match="ada declined"):
        require(scene, draft_id)


def test_who_kept_nothing_is_not_asked(scene: Scene, draft_id: str) -> None:
    require_finals(scene.studio, scene.purpose, {scene.ben.id}, draft_id=draft_id, draft=DIGEST)
    assert decision_on(scene.studio, scene.ben.person, draft_id=draft_id, draft=DIGEST) is None


def test_nobody_else_decides(scene: Scene, draft_id: str) -> None:
    for key in (scene.ben.key, scene.studio.signing_key):
        with pytest.raises(IntegrityError, match="ada's decision was altered"):
            keep(scene, scene.ada, draft_id, token(key, "approve"))
    with pytest.raises(SignOffError):
        require(scene, draft_id)


def test_an_approval_is_of_one_draft(scene: Scene, draft_id: str) -> None:
    with pytest.raises(IntegrityError, match="is about another draft"):
        keep(scene, scene.ada, draft_id, token(scene.ada.key, "approve", "3" * 64))
    keep(scene, scene.ada, draft_id, token(scene.ada.key, "approve"))
    with pytest.raises(IntegrityError, match="is about another draft"):
        require(scene, draft_id, "3" * 64)


def test_a_row_put_in_by_hand(scene: Scene, draft_id: str) -> None:
    with scene.studio.database.session() as session:
        session.add(
            FinalRow(
                draft_id=draft_id,
                person_id=scene.ada.id,
                token=token(scene.ben.key, "approve"),
                created="now",
            )
        )
    with pytest.raises(IntegrityError, match="ada's decision was altered"):
        require(scene, draft_id)


def test_who_withdrew_approves_nothing(scene: Scene, draft_id: str) -> None:
    keep(scene, scene.ada, draft_id, token(scene.ada.key, "approve"))
    scene.clock.to("2026-11-21")
    withdraw(
        scene.studio, str(live_record(scene.studio, scene.purpose, scene.ada.person)[0].record_id)
    )
    with pytest.raises(NotClearedError, match="withdrew"):
        require(scene, draft_id)


def test_a_passkey_decides(scene: Scene, draft_id: str) -> None:
    authenticator = Authenticator()
    dora = add_person(scene.studio, handle="dora", name="Dora", key=authenticator.passkey)
    asked = decision_to_sign(
        scene.studio, draft=DIGEST, decision="decline", preview=PREVIEW, key=dora.key
    )
    signed = attach(asked, authenticator.answer(challenge_of(asked)), dora.key)
    kept = keep_decision(scene.studio, dora, draft_id=draft_id, draft=DIGEST, token=signed)
    assert kept == decision_on(scene.studio, dora, draft_id=draft_id, draft=DIGEST) == "decline"
