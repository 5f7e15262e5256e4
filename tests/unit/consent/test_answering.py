"""Somebody answers for a person who has died, or for an adult who can't: an estate, a guardian."""

import io
from dataclasses import replace
from typing import Literal

import pytest
from studios import PRODUCER, Scene, brief_with, terms_for

from assent.consent.ceremony import accept
from assent.consent.clearance import Act
from assent.consent.desk import clear, live_record
from assent.consent.enrolment import read_enrolments, statement_pictures
from assent.consent.ground import decide, say_passed
from assent.consent.invitations import choose, find_invitation, invite
from assent.consent.narrowing import choices_of, narrow, take_narrowed
from assent.consent.people import Person, add_person, find_person
from assent.consent.receipt import sign_record
from assent.consent.record import Authority, ConsentRecord
from assent.consent.reviewing import approve_statement, list_waiting
from assent.consent.sitting import Checked, conclude, prepare
from assent.consent.terms import Choices
from assent.kit.errors import InputError, IntegrityError, MediaError, NotClearedError
from assent.kit.hashing import hash_file
from assent.kit.signing import new_key, public_of
from assent.kit.store.tables import ConsentRow
from assent.purpose.projects import Purpose, create_project

KEY = new_key()
LETTER = "5" * 64
Kind = Literal["estate", "guardian"]


class Answering:
    """Dora can't answer; her executor or guardian opens the link and records themselves."""

    def __init__(self, scene: Scene, likeness: bytes, kind: Kind = "estate") -> None:
        self.studio = scene.studio
        self.purpose: Purpose = create_project(scene.studio, brief_with(title="Dora remembered"))
        self.person: Person = add_person(scene.studio, handle="dora", name="Dora", key=None)
        self.kim = add_person(
            scene.studio, handle="kim", name="Kim", key=public_of(PRODUCER), staff=True
        )
        self.recording = b"the executor, reading and turning their head"
        terms = terms_for(
            self.purpose,
            authority=Authority(kind=kind, relation="executor", document_sha256=LETTER),
            likeness_sha256=hash_file(io.BytesIO(likeness)),
        )
        self.secret = invite(self.studio, self.purpose, self.person, terms)
        choices = Choices(
            language="en", adult=True, face_matching=True, acts=terms.acts,
            modalities=terms.modalities, channels=terms.channels, ends=terms.ends,
            most_releases=terms.most_releases,
        )  # fmt: skip
        choose(self.studio, find_invitation(self.studio, self.secret), choices)

    def sign(self) -> ConsentRecord:
        """Prepare, sign and hand in a recording that passes its checks: it waits all the same."""
        invitation = find_invitation(self.studio, self.secret)
        recorded = hash_file(io.BytesIO(self.recording))
        record = prepare(self.studio, invitation, key=public_of(KEY), statement_sha256=recorded)
        taken = conclude(
            self.studio,
            invitation,
            record,
            sign_record(record, KEY),
            key=public_of(KEY),
            statement=io.BytesIO(self.recording),
            checked=Checked(passed=True, findings={"findings": []}),
        )
        assert taken is None
        return record

    def approve(self, record: ConsentRecord, likeness: bytes | None) -> bool:
        """Let Kim decide; whether the record is live then."""
        clip = None if likeness is None else io.BytesIO(likeness)
        why = "the letter of administration is in order, and the clip shows Dora"
        accepted = approve_statement(
            self.studio, record.record_id, self.kim, PRODUCER, reason=why, likeness=clip
        )
        return accepted is not None

    @property
    def row(self) -> str:
        """Return the id of the only row."""
        with self.studio.database.session() as session:
            return session.query(ConsentRow).filter_by(person_id=self.person.id).one().id

    def live(self) -> ConsentRecord:
        """Return the live record."""
        return live_record(self.studio, self.purpose, find_person(self.studio, "dora"))[1]


@pytest.mark.parametrize("kind", ["estate", "guardian"])
def test_to_a_live_record(scene: Scene, statement: bytes, kind: Kind) -> None:
    answering = Answering(scene, statement, kind)
    record = answering.sign()
    authority = record.principal.authority
    assert authority is not None
    assert (authority.kind, authority.document_sha256) == (kind, LETTER)
    assert [each.kind for each in record.evidence] == ["recording", "likeness"]
    assert record.notice.text.startswith("You answer for the person whom this record is about")
    (waiting,) = list_waiting(scene.studio)
    assert waiting.answers == f"{kind}: executor"
    with pytest.raises(NotClearedError, match="has not signed"):
        clear(scene.studio, answering.purpose, person_id=answering.person.id, acts=[Act.INGEST])
    assert answering.approve(record, statement)
    clearance = clear(
        scene.studio, answering.purpose, person_id=answering.person.id, acts=list(Act)
    )
    # The face to be matched is of the clip; pictures of who recorded the statement are nobody's.
    assert read_enrolments(scene.studio, [clearance])[answering.person.id].shape[1] == 128
    assert statement_pictures(scene.studio, [clearance]) == {}


def test_the_clip_must_be_the_one_that_was_named(scene: Scene, statement: bytes) -> None:
    answering = Answering(scene, b"no film at all")
    record = answering.sign()
    for clip, kind in (
        (None, InputError), (statement, IntegrityError), (b"no film at all", MediaError),
    ):  # fmt: skip
        with pytest.raises(kind):
            answering.approve(record, clip)
        assert list_waiting(scene.studio)[0].record_id == record.record_id


def test_a_passed_check_is_not_enough(scene: Scene, statement: bytes) -> None:
    """Even with the studio's own word that the recording passed nothing is taken in."""
    answering = Answering(scene, statement)
    record = answering.sign()
    with scene.studio.database.session() as session:
        row = session.get_one(ConsentRow, answering.row)
        row.state, row.ground = "offered", say_passed(scene.studio, record, {})
    recorded = io.BytesIO(answering.recording)
    with pytest.raises(NotClearedError, match="only a person can tell"):
        accept(scene.studio, sign_record(record, KEY), statement=recorded, name="the recording")


def test_the_face_of_who_answers_is_never_enrolled(scene: Scene, statement: bytes) -> None:
    answering = Answering(scene, statement)
    answering.recording = statement
    record = answering.sign()
    ground = decide(
        scene.studio, record, answering.kim, PRODUCER, approve=True, reason="seen and judged"
    )
    with scene.studio.database.session() as session:
        session.get_one(ConsentRow, answering.row).state = "offered"
    with pytest.raises(NotClearedError, match="doesn't show the person"):
        accept(
            scene.studio,
            sign_record(record, KEY),
            statement=io.BytesIO(statement),
            name="the recording",
            ground=ground,
        )
    with scene.studio.database.session() as session:
        assert session.get_one(ConsentRow, answering.row).enrolment_blob is None


def test_less_is_allowed_later_by_who_answers(scene: Scene, statement: bytes) -> None:
    answering = Answering(scene, statement)
    assert answering.approve(answering.sign(), statement)
    before, person = answering.live(), find_person(scene.studio, "dora")
    less = choices_of(before).model_copy(update={"acts": frozenset({Act.INGEST})})
    record = narrow(scene.studio, answering.purpose, person, less)
    assert record.evidence == before.evidence
    assert record.principal.authority == before.principal.authority
    take_narrowed(scene.studio, answering.purpose, record, sign_record(record, KEY))
    with pytest.raises(NotClearedError, match="has not agreed to"):
        clear(scene.studio, answering.purpose, person_id=person.id, acts=[Act.RELEASE])


def test_a_link_needs_the_clip_and_only_such_a_link(scene: Scene) -> None:
    terms = terms_for(scene.purpose)
    authority = Authority(kind="guardian", relation="by court", document_sha256=LETTER)
    for wrong in (replace(terms, authority=authority), replace(terms, likeness_sha256=LETTER)):
        with pytest.raises(InputError, match="needs a clip of that person"):
            invite(scene.studio, scene.purpose, scene.cleo.person, wrong)


def test_there_are_no_parents() -> None:
    with pytest.raises(ValueError, match="'estate' or 'guardian'"):
        Authority.model_validate({"kind": "parent", "relation": "my", "document_sha256": LETTER})
