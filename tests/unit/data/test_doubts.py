"""A face of which nobody can be sure waits for a person, who signs what they decide."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from _changes import blurred as soft
from casts import RIGHTS, Cast, Stage, clear_traces
from scenes import pictures, write_clip
from studios import DyingLog, KilledError, Member, count_entries

from assent.consent.desk import clear_all
from assent.consent.holdings import list_objects
from assent.consent.locker import Locker
from assent.consent.people import add_person
from assent.consent.retention import sweep
from assent.data.doubts import (
    Doubt,
    Ruling,
    Span,
    decide,
    decision_to_sign,
    find_doubt,
    keep_decision,
    list_doubts,
    rule,
)
from assent.data.ingest import Bystanders, Ingested, ingest, needs_for
from assent.disclose.still import seal_doubt_sheet
from assent.disclose.viewing.viewings import Side, Viewings
from assent.kit.content.gate import ContentGate
from assent.kit.errors import (
    InputError,
    IntegrityError,
    MediaError,
    NotClearedError,
    NotFoundError,
    RefusedError,
    SignOffError,
    UnlistedFaceError,
)
from assent.kit.imaging.label import draw_notice, label_present
from assent.kit.media.convert import from_rgb
from assent.kit.media.probe import probe
from assent.kit.media.still import read_still
from assent.kit.signing import SigningKey, new_key, public_of, sign
from assent.kit.store.tables import ConsentRow, DoubtRow, FootageRow, PersonRow

REASON = "The mole under her left eye is hers."


@pytest.fixture(scope="module")
def blurred(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ada, so blurred that she might be somebody else."""
    shown = [soft(rgb, 6.0) for rgb in pictures("scene1_ada", 0, 6)]
    return write_clip(tmp_path_factory.mktemp("blurred") / "blurred.mp4", shown)


@pytest.fixture
def stage(agreed: Cast, tmp_path: Path) -> Stage:
    return agreed.open_copy(tmp_path / "studio")


def staff(stage: Stage, handle: str = "dora", key: SigningKey | None = None) -> Member:
    key = key or new_key()
    person = add_person(
        stage.studio, handle=handle, name=handle.title(), key=public_of(key), staff=True
    )
    return Member(person=person, key=key)


def add(stage: Stage, path: Path, **more: Any) -> Ingested:  # noqa: ANN401 - arguments of `ingest`
    return ingest(stage.studio, stage.purpose, path, [stage.ada.person], rights=RIGHTS, **more)


def asked(stage: Stage, path: Path) -> Doubt:
    with pytest.raises(SignOffError, match=r"isn't sure whose it is, at 0:00\.0 .* distance 0\.5"):
        add(stage, path)
    (doubt,) = list_doubts(stage.studio, stage.purpose)
    return doubt


def ruled(stage: Stage, doubt: Doubt, member: Member, *, same: bool = True, **more: Any) -> Doubt:  # noqa: ANN401 - arguments of `decide`
    arguments: dict[str, Any] = {"reason": REASON, "key": member.key, **more}
    return decide(
        stage.studio, stage.purpose, doubt.id[:8], member.person, same=same, **arguments
    )  # fmt: skip


def test_a_doubt_keeps_crops_and_nothing_else(stage: Stage, blurred: Path) -> None:
    doubt = asked(stage, blurred)
    assert (doubt.name, doubt.state, doubt.people) == ("blurred.mp4", "waiting", (stage.ada.id,))
    (span,) = doubt.spans
    assert (span.person_id, span.first, span.last) == (stage.ada.id, 0, 5)
    assert 500 <= span.distance_milli < 600
    clearances = clear_all(stage.studio, stage.purpose, doubt.needs())
    crops = doubt.pictures(Locker(stage.studio), clearances)
    assert crops.shape == (1, 4, 256, 256, 3)
    assert clear_traces(stage.studio.folder, blurred.read_bytes(), crops.tobytes()) == []
    with stage.studio.database.session() as session:
        assert session.query(FootageRow).count() == 0
    # Asked again it is the same question, and what is needed for it isn't swept away.
    assert asked(stage, blurred).id == doubt.id
    stage.clock.now = stage.clock.now.replace(day=stage.clock.now.day + 3)
    sweep(stage.studio)
    clearances = clear_all(stage.studio, stage.purpose, doubt.needs())
    assert doubt.pictures(Locker(stage.studio), clearances).shape == crops.shape


def test_approved_the_clip_comes_in(stage: Stage, blurred: Path) -> None:
    doubt, member = asked(stage, blurred), staff(stage)
    size = stage.studio.log.size
    decided = ruled(stage, doubt, member)
    assert (decided.state, decided.blob) == ("approved", None)
    assert stage.studio.log.size == size + 1
    entry = stage.studio.log.reader().entry(size)
    assert b'"kind":"face.decided"' in entry
    for secret in (REASON, "dora", "ada", "blurred", member.id):
        assert secret.encode() not in entry
    with pytest.raises(NotFoundError, match="its pictures are gone"):
        decided.pictures(Locker(stage.studio), [])
    assert not (stage.studio.vault_folder / str(doubt.blob)[:2] / str(doubt.blob)).exists()
    made = add(stage, blurred)
    assert made.faces == {"ada": 6}
    with pytest.raises(NotFoundError, match="waits for a decision"):
        ruled(stage, doubt, member)


@pytest.mark.parametrize("after", [False, True], ids=["before-the-log", "after-the-log"])
def test_a_decision_that_was_killed_is_finished_once(
    stage: Stage, blurred: Path, after: bool
) -> None:
    doubt, member = asked(stage, blurred), staff(stage)
    with pytest.raises(KilledError):
        ruled(stage.on(log=DyingLog(stage.studio.log, after=after)), doubt, member)
    with pytest.raises(InputError, match="decided the other way"):
        ruled(stage, doubt, member, same=False)
    assert ruled(stage, doubt, member).state == "approved"
    assert count_entries(stage.studio, "face.decided") == 1
    assert add(stage, blurred).faces == {"ada": 6}


def test_rejected_it_is_refused_and_can_be_hidden(stage: Stage, blurred: Path) -> None:
    ruled(stage, asked(stage, blurred), staff(stage), same=False)
    with pytest.raises(UnlistedFaceError, match="a person at the studio looked at the face"):
        add(stage, blurred)
    with pytest.raises(MediaError, match="shows no face"):
        add(stage, blurred, bystanders=Bystanders.BLUR)


def test_who_may_decide(stage: Stage, blurred: Path) -> None:
    doubt, member = asked(stage, blurred), staff(stage)
    with pytest.raises(RefusedError, match="cleo does not decide for the studio"):
        ruled(stage, doubt, stage.cleo)
    with stage.studio.database.session() as session:
        for row in session.query(PersonRow):
            row.staff = True
    for subject in (stage.ada, stage.ben):
        promoted = replace(subject, person=replace(subject.person, staff=True))
        with pytest.raises(RefusedError, match="is a subject of this project"):
            ruled(stage, doubt, promoted)
    with pytest.raises(IntegrityError, match="this key is not dora's"):
        ruled(stage, doubt, member, key=new_key())
    for reason in ("", "  ok", "x" * 2001):
        with pytest.raises(InputError, match="needs a reason"):
            ruled(stage, doubt, member, reason=reason)
    for name in ("", "zzz"):
        with pytest.raises(NotFoundError):
            find_doubt(stage.studio, stage.purpose, name)
    assert find_doubt(stage.studio, stage.purpose, doubt.id[:6]) == doubt


def edited(**values: Any) -> Callable[[DoubtRow], None]:  # noqa: ANN401 - columns
    def change(row: DoubtRow) -> None:
        for name, value in values.items():
            setattr(row, name, value)

    return change


def widen(row: DoubtRow) -> None:
    row.spans = {"spans": [{**row.spans["spans"][0], "last": 900, "distance_milli": 990}]}


@pytest.mark.parametrize(
    "change",
    [widen, edited(decision="x.y.z"), edited(binding=""), edited(sha256="0" * 64)],
    ids=["span", "decision", "binding", "clip"],
)
def test_a_decision_altered_in_the_database(
    stage: Stage, blurred: Path, change: Callable[[DoubtRow], None]
) -> None:
    ruled(stage, asked(stage, blurred), staff(stage))
    with stage.studio.database.session() as session:
        change(session.query(DoubtRow).one())
    with pytest.raises((IntegrityError, SignOffError)):
        add(stage, blurred)


def test_the_state_in_the_database_is_not_what_counts(stage: Stage, blurred: Path) -> None:
    ruled(stage, asked(stage, blurred), staff(stage), same=False)
    with stage.studio.database.session() as session:
        session.query(DoubtRow).one().state = "approved"
    with pytest.raises(UnlistedFaceError):
        add(stage, blurred)


def test_a_decision_is_not_carried_over(stage: Stage, blurred: Path) -> None:
    """Neither to another question, nor by somebody who may no longer decide."""
    member = staff(stage)
    ruled(stage, asked(stage, blurred), member)
    with stage.studio.database.session() as session:
        row = session.query(DoubtRow).one()
        fields = {column.name: getattr(row, column.name) for column in DoubtRow.__table__.columns}
        other = DoubtRow(**{**fields, "id": "f" * 32, "sha256": "1" * 64})
        session.add(other)
    clearances = clear_all(
        stage.studio, stage.purpose, needs_for([stage.ada.person], probe(blurred, name="b"))
    )
    assert rule(stage.studio, stage.purpose, "2" * 64, clearances) == Ruling()
    with pytest.raises(IntegrityError):
        rule(stage.studio, stage.purpose, "1" * 64, clearances)
    # Under a newer consent, with another statement, the question is asked anew.
    with stage.studio.database.session() as session:
        session.get_one(DoubtRow, "f" * 32).receipts = ["0" * 64]
    assert rule(stage.studio, stage.purpose, "1" * 64, clearances) == Ruling()


def span(**changes: Any) -> Span:  # noqa: ANN401 - fields
    usual = {
        "person_id": "ada", "first": 20, "last": 60, "begins_ms": 800, "ends_ms": 2400,
        "distance_milli": 540,
    }  # fmt: skip
    return Span(**{**usual, **changes})


def test_what_a_decision_covers() -> None:
    ruling = Ruling(same=(span(),))
    for same in (span(), span(first=10), span(last=70), span(distance_milli=555), span(first=40)):
        assert ruling.allows(same)
    for other in (span(person_id="ben"), span(first=0), span(last=99), span(distance_milli=580)):
        assert not ruling.allows(other)
    assert not ruling.forbids(span())
    both = Ruling(same=(span(),), other=(span(),))
    assert both.forbids(span())
    assert not both.allows(span())


def test_what_is_kept_of_it_is_told_when_consent_ends(stage: Stage, blurred: Path) -> None:
    asked(stage, blurred)
    with stage.studio.database.session() as session:
        record = session.query(ConsentRow).filter_by(person_id=stage.ada.id).one().record_id
    assert "faces in doubt" in {each.what for each in list_objects(stage.studio, record)}


def test_the_sheet_is_sealed(stage: Stage, blurred: Path) -> None:
    doubt = asked(stage, blurred)
    path = seal_doubt_sheet(stage.studio, stage.purpose, doubt, gate=ContentGate())
    assert path.parent == stage.studio.previews_folder
    assert path.with_suffix(".tlog-proof").exists()
    stage.withdraw(stage.ada)
    with pytest.raises(NotClearedError):
        seal_doubt_sheet(stage.studio, stage.purpose, doubt, gate=ContentGate())


def test_the_sheet_shows_who_it_may_be(
    filmed: Cast, blurred: Path, samples: Path, tmp_path: Path
) -> None:
    stage = filmed.open_copy(tmp_path / "studio")
    doubt = asked(stage, blurred)

    def width() -> int:
        path = seal_doubt_sheet(stage.studio, stage.purpose, doubt, gate=ContentGate())
        return int(read_still(path.read_bytes(), name="sheet").shape[1])

    # Two columns of the face, and two of her in footage that was accepted before.
    assert width() > 4 * 320
    (clearance,) = clear_all(stage.studio, stage.purpose, doubt.needs())
    recorded = (samples / "ada_statement.mp4").read_bytes()
    blob = Locker(stage.studio).put([recorded], [clearance])
    with stage.studio.database.session() as session:
        session.query(ConsentRow).filter_by(person_id=stage.ada.id).one().statement_blob = blob
    assert width() > 4 * 320


def test_the_sheet_can_be_looked_at_in_a_browser(stage: Stage, blurred: Path) -> None:
    doubt, viewings = asked(stage, blurred), Viewings(stage.studio)
    viewing = viewings.open_doubt(stage.purpose, doubt, by="kim")
    sheet = read_still(viewings.picture(viewing.id, 0, by="kim", width=960), name="sheet")
    assert label_present(from_rgb(sheet), draw_notice(sheet.shape[1], sheet.shape[0])) > 0.7
    assert viewings.seconds(viewing.id, by="kim") == (0.0,)
    for number, side in ((1, Side.BEFORE), (0, Side.AFTER)):
        with pytest.raises(InputError, match="one sheet"):
            viewings.picture(viewing.id, number, by="kim", width=320, side=side)
    other = replace(stage.purpose, project_id="another")
    with pytest.raises(NotFoundError):
        viewings.open_doubt(other, doubt, by="kim")
    stage.withdraw(stage.ada)
    with pytest.raises(NotFoundError):
        viewings.picture(viewing.id, 0, by="kim", width=960)


def test_a_decision_signed_in_a_browser(stage: Stage, blurred: Path) -> None:
    doubt, member = asked(stage, blurred), staff(stage)
    studio, purpose = stage.studio, stage.purpose
    with pytest.raises(InputError, match="needs a reason"):
        decision_to_sign(studio, purpose, doubt.id, member.person, same=True, reason=" ")
    text = decision_to_sign(studio, purpose, doubt.id, member.person, same=False, reason=REASON)
    forged = sign(json.loads(decoded(text)), new_key(), kind="assent-face+jws")
    with pytest.raises(IntegrityError):
        keep_decision(studio, purpose, doubt.id, member.person, forged)
    other = sign(json.loads(decoded(text)) | {"doubt": "0"}, member.key, kind="assent-face+jws")
    with pytest.raises(IntegrityError, match="not about"):
        keep_decision(studio, purpose, doubt.id, member.person, other)
    # The time goes into the log: it can be no other text, nor be missing.
    for change in ({"time": "Ada was here"}, {"time": None}, {"more": 1}):
        odd = sign(json.loads(decoded(text)) | change, member.key, kind="assent-face+jws")
        with pytest.raises(IntegrityError, match="what was signed"):
            keep_decision(studio, purpose, doubt.id, member.person, odd)
    silent = sign(json.loads(decoded(text)) | {"reason": ""}, member.key, kind="assent-face+jws")
    with pytest.raises(InputError, match="needs a reason"):
        keep_decision(studio, purpose, doubt.id, member.person, silent)
    assert find_doubt(studio, purpose, doubt.id).state == "waiting"
    signed = sign(json.loads(decoded(text)), member.key, kind="assent-face+jws")
    decided = keep_decision(studio, purpose, doubt.id, member.person, signed)
    assert (decided.state, decided.blob) == ("rejected", None)
    assert count_entries(studio, "face.decided") == 1


def decoded(text: str) -> bytes:
    """What a signing input says."""
    part = text.split(".")[1]
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
