import io
from dataclasses import dataclass
from typing import Any

import pytest
from browser_signs import signature
from passkeys import Authenticator
from studios import (
    PRODUCER,
    KilledError,
    Member,
    Scene,
    agree,
    brief_with,
    count_entries,
    draw_up,
    dying,
    terms_for,
)

from assent.consent.ceremony import Accepted, accept
from assent.consent.clearance import Act
from assent.consent.desk import clear
from assent.consent.ground import decision_to_sign
from assent.consent.invitations import Invitation, choose, find_invitation, invite
from assent.consent.locker import Locker
from assent.consent.people import add_person, find_person
from assent.consent.receipt import sign_record
from assent.consent.record import ConsentRecord
from assent.consent.reviewing import (
    approve_statement,
    find_waiting,
    link_to_watch,
    list_waiting,
    reject_statement,
    watch_statement,
)
from assent.consent.sitting import Checked, conclude, finish, prepare
from assent.consent.terms import Choices
from assent.consent.withdrawal import withdraw
from assent.kit.errors import (
    AssentError,
    InputError,
    IntegrityError,
    NotClearedError,
    NotFoundError,
    RefusedError,
)
from assent.kit.hashing import hash_file
from assent.kit.signing import SigningKey, VerifyKey, attach, new_key, peek, public_of, sign
from assent.kit.store.tables import ConsentRow, InvitationRow
from assent.purpose.projects import Purpose, create_project

PASSED = Checked(passed=True, findings={"faces": 1})
DOUBTFUL = Checked(passed=False, findings={"light": "dark"})


@dataclass(kw_only=True)
class Sitting:
    """A subject before the page: Dora, without a key at first, or somebody else."""

    scene: Scene
    statement: bytes
    secret: str
    key: SigningKey
    purpose: Purpose

    @property
    def invitation(self) -> Invitation:
        return find_invitation(self.scene.studio, self.secret)

    def choose(self, **changes: Any) -> None:  # noqa: ANN401 - fields of choices
        asked = self.invitation.terms
        assert asked is not None
        choices = Choices(
            language="en",
            adult=True,
            face_matching=True,
            acts=asked.acts,
            modalities=asked.modalities,
            channels=asked.channels,
            ends=asked.ends,
            most_releases=asked.most_releases,
        )
        choose(self.scene.studio, self.invitation, choices.model_copy(update=changes))

    def prepare(self, key: VerifyKey | None = None) -> ConsentRecord:
        sha256 = hash_file(io.BytesIO(self.statement))
        return prepare(
            self.scene.studio,
            self.invitation,
            key=key or public_of(self.key),
            statement_sha256=sha256,
        )

    def conclude(
        self,
        record: ConsentRecord,
        signed: str | None = None,
        *,
        checked: Checked = PASSED,
        **changes: Any,  # noqa: ANN401 - arguments
    ) -> Accepted | None:
        arguments: dict[str, Any] = {
            "key": public_of(self.key),
            "statement": io.BytesIO(self.statement),
            "checked": checked,
            **changes,
        }
        token = signed if signed is not None else sign_record(record, self.key)
        return conclude(self.scene.studio, self.invitation, record, token, **arguments)

    def row(self) -> ConsentRow:
        with self.scene.studio.database.session() as session:
            person = find_person(self.scene.studio, "dora")
            return session.query(ConsentRow).filter_by(person_id=person.id).one()

    def cleared(self) -> bool:
        person = find_person(self.scene.studio, "dora")
        try:
            clear(self.scene.reopened(), self.purpose, person_id=person.id, acts=[Act.INGEST])
        except NotClearedError:
            return False
        return True


@pytest.fixture
def dora(scene: Scene, statement: bytes) -> Sitting:
    """Dora has a link to a project of her own, and has ticked everything."""
    purpose = create_project(scene.studio, brief_with(title="Dora alone"))
    person = add_person(scene.studio, handle="dora", name="Dora", key=None)
    secret = invite(scene.studio, purpose, person, terms_for(purpose))
    sitting = Sitting(
        scene=scene, statement=statement, secret=secret, key=new_key(), purpose=purpose
    )
    sitting.choose()
    return sitting


def test_from_link_to_live_record(dora: Sitting) -> None:
    accepted = dora.conclude(dora.prepare())
    assert accepted is not None
    assert dora.cleared()
    person = find_person(dora.scene.studio, "dora")
    assert person.key_id == accepted.record.principal.key_thumbprint
    assert accepted.record.evidence[0].kind == "recording"
    assert peek(accepted.receipt)["credentialStatus"]["type"] == "BitstringStatusListEntry"
    clearance = clear(dora.scene.studio, dora.purpose, person_id=person.id, acts=[Act.INGEST])
    kept = Locker(dora.scene.studio).read(str(dora.row().statement_blob), [clearance])
    assert kept == dora.statement
    with pytest.raises(NotClearedError, match="this link does not work"):
        dora.invitation  # noqa: B018 - used up


def test_nothing_lies_there_in_clear(dora: Sitting) -> None:
    dora.conclude(dora.prepare())
    piece = dora.statement[len(dora.statement) // 2 :][:64]
    for path in dora.scene.studio.folder.rglob("*"):
        assert not path.is_file() or piece not in path.read_bytes(), path


def test_a_passkey_signs(dora: Sitting) -> None:
    authenticator = Authenticator()
    record = dora.prepare(authenticator.passkey)
    signed = authenticator.sign({"record": record.to_json()}, kind="assent-consent+jws")
    assert dora.conclude(record, signed, key=authenticator.passkey) is not None
    assert dora.cleared()
    assert find_person(dora.scene.studio, "dora").key == authenticator.passkey


def test_a_passkey_that_was_not_verified_signs_nothing(dora: Sitting) -> None:
    authenticator = Authenticator()
    record = dora.prepare(authenticator.passkey)
    payload = {"record": record.to_json()}
    signed = authenticator.sign(payload, kind="assent-consent+jws", flags=0x01)
    refused(dora, record, signed, IntegrityError, key=authenticator.passkey)


def refused(
    dora: Sitting,
    record: ConsentRecord,
    signed: str | None,
    error: type[AssentError],
    told: str = ".",
    **changes: Any,  # noqa: ANN401 - arguments of conclude
) -> None:
    """The attempt fails and leaves the link as it was, and Dora without key or record."""
    with pytest.raises(error, match=told):
        dora.conclude(record, signed, **changes)
    assert dora.invitation.choices is not None
    assert find_person(dora.scene.studio, "dora").known_key is None
    assert not dora.cleared()


def test_nothing_is_signed_before_it_was_chosen(dora: Sitting) -> None:
    person = find_person(dora.scene.studio, "dora")
    dora.secret = invite(dora.scene.studio, dora.purpose, person, terms_for(dora.purpose))
    with pytest.raises(NotClearedError, match="nothing was chosen yet"):
        dora.prepare()


def test_another_record_than_the_one_shown(dora: Sitting) -> None:
    """Two tabs: what is signed in one is not what the other prepared."""
    first, second = dora.prepare(), dora.prepare()
    refused(dora, second, sign_record(first, dora.key), IntegrityError, "not what was shown")


def test_somebody_elses_signature(dora: Sitting) -> None:
    record, other = dora.prepare(), new_key()
    forged = record.model_copy(
        update={
            "principal": record.principal.model_copy(
                update={"key_thumbprint": public_of(other).thumbprint()}
            )
        }
    )
    refused(dora, record, sign_record(forged, other), IntegrityError, "does not match")


def test_another_recording(dora: Sitting) -> None:
    refused(
        dora, dora.prepare(), None, IntegrityError, "not the one that the record names",
        statement=io.BytesIO(b"another"),
    )  # fmt: skip


@pytest.mark.parametrize("whose", ["ada", "studio", "staff"])
def test_nobody_signs_in_their_place(dora: Sitting, whose: str) -> None:
    """Not another subject, not the studio's key, not who works for the studio."""
    scene = dora.scene
    add_person(scene.studio, handle="producer", name="P", key=public_of(PRODUCER), staff=True)
    dora.key = {
        "ada": scene.ada.key,
        "studio": scene.studio.signing_key,
        "staff": PRODUCER,
    }[whose]
    with pytest.raises(InputError, match=r"this key is already|the studio's own key"):
        dora.prepare()


def test_a_key_that_became_somebodys_meanwhile(dora: Sitting) -> None:
    record = dora.prepare()
    add_person(dora.scene.studio, handle="emil", name="Emil", key=public_of(dora.key))
    refused(dora, record, None, InputError, "this key is already emil's")


def test_who_has_a_key_signs_with_it(dora: Sitting) -> None:
    dora.conclude(dora.prepare())
    person = find_person(dora.scene.studio, "dora")
    dora.secret = invite(dora.scene.studio, dora.purpose, person, terms_for(dora.purpose))
    dora.choose()
    with pytest.raises(InputError, match="dora has another key"):
        dora.prepare(public_of(new_key()))
    second = dora.prepare()
    assert second.version == 2
    assert dora.conclude(second) is not None


def test_the_second_of_two_tabs(dora: Sitting) -> None:
    """Both have prepared and signed; the link is used by the first."""
    record, invitation = dora.prepare(), dora.invitation
    assert dora.conclude(record) is not None
    with pytest.raises(NotClearedError, match="this link does not work"):
        conclude(
            dora.scene.studio,
            invitation,
            record,
            sign_record(record, dora.key),
            key=public_of(dora.key),
            statement=io.BytesIO(dora.statement),
            checked=PASSED,
        )
    assert dora.cleared()


def test_an_offer_made_since(dora: Sitting) -> None:
    """By files, say: the ceremony's version would overtake it unseen."""
    record = dora.prepare()
    key = new_key()
    person = add_person(dora.scene.studio, handle="emil", name="Emil", key=public_of(key))
    with dora.scene.studio.database.session() as session:
        session.query(InvitationRow).one().person_id = person.id
    draw_up(dora.scene.studio, dora.purpose, Member(person=person, key=key))
    dora.key = key
    record = dora.prepare()
    with pytest.raises(NotClearedError, match="another offer since"):
        dora.conclude(record)


def test_the_record_was_withdrawn_since(scene: Scene, statement: bytes) -> None:
    first = agree(scene.studio, scene.purpose, scene.cleo).record
    secret = invite(scene.studio, scene.purpose, scene.cleo.person, terms_for(scene.purpose))
    sitting = Sitting(
        scene=scene, statement=statement, secret=secret, key=scene.cleo.key, purpose=scene.purpose
    )
    sitting.choose()
    record = sitting.prepare()
    withdraw(scene.studio, first.record_id)
    with pytest.raises(NotClearedError, match="was destroyed"):
        sitting.conclude(record)


# A person decides


def test_what_did_not_pass_waits(dora: Sitting) -> None:
    assert dora.conclude(dora.prepare(), checked=DOUBTFUL) is None
    assert not dora.cleared()
    (waiting,) = list_waiting(dora.scene.studio)
    assert (waiting.handle, waiting.project) == ("dora", "dora-alone")
    assert waiting.to_json()["findings"] == {"light": "dark"}
    assert finish(dora.scene.studio) == 0
    with Locker(dora.scene.studio).statement(dora.row()) as file:
        assert file.read() == dora.statement


def kim(scene: Scene) -> Any:  # noqa: ANN401 - a person
    return add_person(scene.studio, handle="kim", name="Kim", key=public_of(PRODUCER), staff=True)


def test_a_person_approves(dora: Sitting) -> None:
    record = dora.prepare()
    dora.conclude(record, checked=DOUBTFUL)
    studio = dora.scene.studio
    accepted = approve_statement(
        studio, record.record_id[:8], kim(dora.scene), PRODUCER, reason="dark, but it is Dora"
    )
    assert accepted is not None
    assert dora.cleared()
    assert list_waiting(studio) == ()
    with pytest.raises(NotClearedError, match="isn't waiting"):
        Locker(studio).statement(dora.row())


def test_a_person_decides_in_a_browser(dora: Sitting) -> None:
    record = dora.prepare()
    dora.conclude(record, checked=DOUBTFUL)
    studio, member = dora.scene.studio, kim(dora.scene)

    def token(*, approve: bool, key: SigningKey = PRODUCER) -> str:
        text = decision_to_sign(studio, record, member, approve=approve, reason="I was there")
        return attach(text, signature(text, key), public_of(PRODUCER))

    with pytest.raises(InputError, match="needs a reason"):
        decision_to_sign(studio, record, member, approve=True, reason="")
    with pytest.raises(RefusedError, match="does not decide"):
        decision_to_sign(
            studio, record, scene_person(dora, "ada"), approve=True, reason="I was there"
        )
    with pytest.raises(IntegrityError, match="something else"):
        approve_statement(studio, record.record_id, member, token(approve=False))
    with pytest.raises(IntegrityError, match="something else"):
        reject_statement(studio, record.record_id, member, token(approve=True))
    with pytest.raises(IntegrityError, match="does not match"):
        approve_statement(studio, record.record_id, member, token(approve=True, key=dora.key))
    said = peek(token(approve=True))
    for told in ({}, "yes", {"reason": " "}):
        silent = sign({**said, "told": told}, PRODUCER, kind="assent-ground+jws")
        with pytest.raises(InputError, match="needs a reason"):
            approve_statement(studio, record.record_id, member, silent)
    backdated = sign({**said, "time": "2020-01-01T00:00:00Z"}, PRODUCER, kind="assent-ground+jws")
    with pytest.raises(IntegrityError, match="not of today"):
        approve_statement(studio, record.record_id, member, backdated)
    assert not dora.cleared()
    assert approve_statement(studio, record.record_id, member, token(approve=True)) is not None
    assert dora.cleared()


def test_a_person_rejects_in_a_browser(dora: Sitting) -> None:
    record = dora.prepare()
    dora.conclude(record, checked=DOUBTFUL)
    studio, member = dora.scene.studio, kim(dora.scene)
    text = decision_to_sign(studio, record, member, approve=False, reason="somebody else")
    token = attach(text, signature(text, PRODUCER), public_of(PRODUCER))
    assert reject_statement(studio, record.record_id, member, token).state == "rejected"


def test_a_person_rejects(dora: Sitting) -> None:
    record = dora.prepare()
    dora.conclude(record, checked=DOUBTFUL)
    studio = dora.scene.studio
    size = studio.log.size
    reject_statement(
        studio, record.record_id, kim(dora.scene), PRODUCER, reason="this is somebody else"
    )
    assert not dora.cleared()
    assert dora.row().state == "rejected"
    assert studio.keyring.was_destroyed(record.record_id)
    assert b"consent.decided" in studio.log.reader().entry(size)
    signed = sign_record(record, dora.key)
    with pytest.raises(NotClearedError, match="rejected this record's statement"):
        accept(studio, signed, statement=io.BytesIO(dora.statement), name="x")
    with pytest.raises(NotFoundError):
        find_waiting(studio, record.record_id)
    # A new link begins a new record.
    person = find_person(studio, "dora")
    again = find_invitation(studio, invite(studio, dora.purpose, person, terms_for(dora.purpose)))
    assert again.record_id != record.record_id


def test_a_rejected_version_leaves_the_one_before(dora: Sitting) -> None:
    dora.conclude(dora.prepare())
    studio = dora.scene.studio
    person = find_person(studio, "dora")
    for _ in range(2):
        dora.secret = invite(studio, dora.purpose, person, terms_for(dora.purpose))
        dora.choose()
        record = dora.prepare()
        dora.conclude(record, checked=DOUBTFUL)
        reject_statement(studio, record.record_id, kim(dora.scene), PRODUCER, reason="unclear")
        assert dora.cleared()


def test_only_staff_decides_and_never_about_themselves(dora: Sitting) -> None:
    record = dora.prepare()
    dora.conclude(record, checked=DOUBTFUL)
    studio = dora.scene.studio
    for member, key in [
        (scene_person(dora, "ada"), dora.scene.ada.key),
        (find_person(studio, "dora"), dora.key),
    ]:
        for decide in (approve_statement, reject_statement):
            with pytest.raises(RefusedError):
                decide(studio, record.record_id, member, key, reason="looks fine")
    assert dora.row().state == "waiting"


def scene_person(dora: Sitting, handle: str) -> Any:  # noqa: ANN401 - a person
    return find_person(dora.scene.studio, handle)


def test_who_decides_looks_first(dora: Sitting) -> None:
    record = dora.prepare()
    dora.conclude(record, checked=DOUBTFUL)
    studio, member = dora.scene.studio, kim(dora.scene)
    found = find_invitation(studio, link_to_watch(studio, record.record_id[:8], member, PRODUCER))
    assert (found.leads_to, found.person.id, found.record_id) == (
        "recording", member.id, record.record_id,
    )  # fmt: skip
    size = studio.log.size
    assert watch_statement(studio, record.record_id, member) == dora.statement
    # Looking is noted.
    assert studio.log.size > size
    for who, key in [
        (scene_person(dora, "ada"), dora.scene.ada.key),
        (find_person(studio, "dora"), dora.key),
    ]:
        with pytest.raises(RefusedError):
            link_to_watch(studio, record.record_id, who, key)
        with pytest.raises(RefusedError):
            watch_statement(studio, record.record_id, who)
    with pytest.raises(IntegrityError, match="this key is not kim's"):
        link_to_watch(studio, record.record_id, member, dora.key)
    approve_statement(studio, record.record_id, member, PRODUCER, reason="it is Dora")
    with pytest.raises(NotFoundError):
        watch_statement(studio, record.record_id, member)


@pytest.mark.parametrize("record_id", ["", "nobody", "%"])
def test_nothing_waits_under_that_id(dora: Sitting, record_id: str) -> None:
    dora.conclude(dora.prepare(), checked=DOUBTFUL)
    with pytest.raises(NotFoundError, match="waits for a decision"):
        find_waiting(dora.scene.studio, record_id)


def test_a_recording_without_a_face_waits_even_if_it_passed(dora: Sitting) -> None:
    dora.statement = b"no film at all"
    assert dora.conclude(dora.prepare()) is None
    (waiting,) = list_waiting(dora.scene.studio)
    assert "the recording" in str(waiting.findings["enrolment"])


def test_a_statement_of_another_record_is_not_opened(dora: Sitting) -> None:
    dora.conclude(dora.prepare(), checked=DOUBTFUL)
    row = dora.row()
    with dora.scene.studio.database.session() as session:
        ada = session.query(ConsentRow).filter_by(person_id=dora.scene.ada.id).one()
    row.statement_blob = ada.enrolment_blob
    with pytest.raises(NotClearedError, match="belongs to another record"):
        Locker(dora.scene.studio).statement(row)


# KilledError in between


def killed(*_: object) -> None:
    raise KeyboardInterrupt


def test_what_was_signed_is_finished_later(dora: Sitting, monkeypatch: pytest.MonkeyPatch) -> None:
    import assent.consent.sitting as module

    with monkeypatch.context() as patch:
        patch.setattr(
            module, "take_up", lambda studio, row: (_ for _ in ()).throw(KeyboardInterrupt)
        )
        with pytest.raises(KeyboardInterrupt):
            dora.conclude(dora.prepare())
    assert not dora.cleared()
    assert finish(dora.scene.reopened()) == 1
    assert dora.cleared()
    assert finish(dora.scene.reopened()) == 0


# KilledError in the middle


@pytest.mark.parametrize("after", [False, True], ids=["before-the-log", "after-the-log"])
def test_a_rejection_that_was_killed_is_finished_once(dora: Sitting, after: bool) -> None:
    record = dora.prepare()
    dora.conclude(record, checked=DOUBTFUL)
    studio, member = dora.scene.studio, kim(dora.scene)
    with pytest.raises(KilledError):
        reject_statement(
            dying(studio, after=after), record.record_id, member, PRODUCER, reason="a mask"
        )
    with pytest.raises(RefusedError):
        reject_statement(
            studio, record.record_id, scene_person(dora, "ada"), dora.scene.ada.key, reason="no"
        )
    row = reject_statement(studio, record.record_id, member, PRODUCER, reason="a mask")
    assert row.state == "rejected"
    assert count_entries(studio, "consent.decided") == 1
    assert not studio.keyring.has(record.record_id)
    # It is done now: there is nothing to repeat.
    with pytest.raises(NotFoundError):
        reject_statement(studio, record.record_id, member, PRODUCER, reason="a mask")


@pytest.mark.parametrize("after", [False, True], ids=["before-the-log", "after-the-log"])
@pytest.mark.parametrize("by_server", [False, True], ids=["repeated", "by-the-server"])
def test_an_approval_that_was_killed_is_finished_once(
    dora: Sitting, after: bool, by_server: bool
) -> None:
    record = dora.prepare()
    dora.conclude(record, checked=DOUBTFUL)
    studio, member = dora.scene.studio, kim(dora.scene)
    with pytest.raises(KilledError):
        approve_statement(
            dying(studio, after=after), record.record_id, member, PRODUCER, reason="it is Dora"
        )
    assert not dora.cleared()
    with pytest.raises(RefusedError):
        approve_statement(
            studio, record.record_id, scene_person(dora, "ada"), dora.scene.ada.key, reason="mine"
        )
    if by_server:
        assert finish(studio) == 1
    else:
        assert approve_statement(studio, record.record_id, member, PRODUCER, reason="it is Dora")
    assert dora.cleared()
    granted = [
        entry
        for _, entry in studio.log.reader().entries()
        if str(dora.row().receipt_hash).encode() in entry
    ]
    assert len(granted) == 1
    assert count_entries(studio, "consent.decided") == 1


def test_a_rejection_and_an_earlier_version(dora: Sitting) -> None:
    """What an earlier version allows stays, whoever finishes the rejection of the next."""
    dora.conclude(dora.prepare())
    secret = invite(
        dora.scene.studio, dora.purpose, find_person(dora.scene.studio, "dora"),
        terms_for(dora.purpose),
    )  # fmt: skip
    dora.secret = secret
    dora.choose()
    record = dora.prepare()
    dora.conclude(record, checked=DOUBTFUL)
    reject_statement(
        dora.scene.studio, record.record_id, kim(dora.scene), PRODUCER, reason="not herself"
    )
    assert dora.scene.studio.keyring.has(record.record_id)
    assert dora.cleared()
