"""No approval without a look, live consent and, where the risk asks for it, a signature."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser_signs import signature
from casts import SCENE_FRAMES, Cast, Stage, resign
from numpy.typing import NDArray
from studios import Member, add_member

from assent.consent.locker import Locker
from assent.create.draft import Draft, digest_of
from assent.create.patches import Patch, pack, unpack
from assent.data.clips import clip_of
from assent.kit.content.gate import ContentGate, Finding
from assent.kit.errors import (
    ContentError,
    IntegrityError,
    NotClearedError,
    NotFoundError,
    SignOffError,
)
from assent.kit.signing import attach, new_key, peek, public_of, sign, to_jwk
from assent.kit.store.tables import (
    DraftRow,
    FootageRow,
    PersonRow,
    PublisherRow,
    ReviewRow,
    SegmentRow,
    SignOffRow,
)
from assent.purpose.brief import Claim
from assent.purpose.levels import LEVELS
from assent.purpose.library import trust
from assent.safeguard.approved import Approved
from assent.safeguard.claims import tick
from assent.safeguard.review import (
    Reviewed,
    decision_on,
    keep_sign_off,
    recall,
    review,
    sign_off,
    sign_off_to_sign,
    sign_offs_of,
)


class Gate(ContentGate):
    """A gate that sees what it is told to, from the n-th look on."""

    def __init__(self, label: str = "FACE_FEMALE", at: int = 0) -> None:
        super().__init__()
        self.looks = 0
        self.label = label
        self.at = at

    def check(self, rgb: NDArray[np.uint8]) -> tuple[Finding, ...]:
        self.looks += 1
        if self.looks <= self.at:
            return ()
        return (Finding(label=self.label, score=0.9, box=(0, 0, 9, 9)),)


@pytest.fixture
def stage(rendered: Cast, tmp_path: Path) -> Stage:
    """A draft that has been reviewed when no signature was asked for."""
    return rendered.open_copy(tmp_path / "studio")


@pytest.fixture
def fresh(stage: Stage) -> Stage:
    """A draft that nobody has looked at."""
    with stage.studio.database.session() as session:
        session.query(ReviewRow).delete()
    return stage


def reviewed(stage: Stage, gate: ContentGate | None = None, **changes: Any) -> Reviewed:  # noqa: ANN401 - arguments of `review`
    asking = stage.asking(stage.draft.needs(to_release=True))
    arguments: dict[str, Any] = {"ask_again": asking, "gate": gate or Gate(), **changes}
    return review(stage.studio, stage.purpose, stage.draft, asking(), **arguments)


def recalled(stage: Stage, draft: Draft | None = None) -> Approved:
    return recall(stage.studio, stage.purpose, draft or stage.draft, stage.to_release())


def signed(stage: Stage, reviewer: Member | None = None, draft: Draft | None = None) -> None:
    by = reviewer or stage.cleo
    sign_off(
        stage.studio, stage.purpose, draft or stage.draft, reviewer=by.person.handle, key=by.key
    )  # fmt: skip


def edit(stage: Stage, **columns: Any) -> None:  # noqa: ANN401 - columns
    with stage.studio.database.session() as session:
        row = session.query(ReviewRow).one()
        for name, value in columns.items():
            setattr(row, name, value)


def put_sign_off(stage: Stage, token: str, by: str | None = None) -> None:
    with stage.studio.database.session() as session:
        session.merge(
            SignOffRow(
                draft_id=stage.draft.id, person_id=by or stage.cleo.id, token=token, created="t"
            )
        )


def test_it_looks_all_along_the_draft(fresh: Stage) -> None:
    told = []
    gate = Gate()
    found = reviewed(fresh, gate, progress=lambda *state: told.append(state))
    # Of 1.6 s: at 0, 0.48, 0.96 and 1.44 s, and the last frame.
    assert found.looked_at == gate.looks == 5
    assert told[-1] == ("reviewing", SCENE_FRAMES, SCENE_FRAMES)
    assert (found.level, found.reviewer) == ("medium", None)
    assert found.approved is not None
    assert found.approved.shortest_side == found.shortest_side == 1080
    assert recalled(fresh) == found.approved


@pytest.mark.parametrize("at", [0, 2, 3])
def test_explicit_content_at_any_look_is_refused(fresh: Stage, at: int) -> None:
    with pytest.raises(ContentError, match=r"explicit content at \d\.\d s"):
        reviewed(fresh, Gate("FEMALE_GENITALIA_EXPOSED", at))
    with pytest.raises(SignOffError, match="not been reviewed"):
        recalled(fresh)


def test_the_real_gate_sees_nothing_explicit_here(fresh: Stage) -> None:
    assert reviewed(fresh, ContentGate()).approved is not None


def test_a_second_review_takes_the_place_of_the_first(stage: Stage) -> None:
    reviewed(stage)
    with stage.studio.database.session() as session:
        assert session.query(ReviewRow).count() == 1


def test_the_cap_is_the_lower_of_then_and_now(stage: Stage) -> None:
    level = stage.purpose.assessment.level
    assert recalled(stage.stricter(replace(level, shortest_side=720))).shortest_side == 720
    assert recalled(stage.stricter(replace(level, shortest_side=2160))).shortest_side == 1080


def test_clearances_to_release_are_needed(stage: Stage) -> None:
    clearances = stage.to_release()
    for wrong in ([], clearances[:1], clearances[1:], weaker(stage)):
        with pytest.raises(NotClearedError):
            recall(stage.studio, stage.purpose, stage.draft, wrong)
        with pytest.raises(NotClearedError):
            review(
                stage.studio, stage.purpose, stage.draft, wrong, ask_again=stage.to_release,
                gate=Gate(),
            )  # fmt: skip


def weaker(stage: Stage) -> Sequence[Any]:
    return stage.asking(stage.draft.needs(to_release=False))()


def test_who_withdraws_during_the_review_stops_it(fresh: Stage) -> None:
    def withdraw(what: str, done: int, total: int) -> None:
        if done == 3:
            fresh.withdraw(fresh.ben)

    with pytest.raises(NotClearedError):
        reviewed(fresh, progress=withdraw)
    with fresh.studio.database.session() as session:
        assert session.query(ReviewRow).count() == 0


def test_high_risk_needs_the_reviewers_signature(fresh: Stage) -> None:
    strict = fresh.stricter()
    found = reviewed(strict)
    assert (found.approved, found.reviewer, found.level) == (None, "cleo", "high")
    with pytest.raises(SignOffError, match="needs the signature of cleo"):
        recalled(strict)
    signed(strict)
    assert recalled(strict).shortest_side == 128
    again = reviewed(strict).approved
    assert again is not None


def test_a_signature_does_not_stand_for_a_review(fresh: Stage) -> None:
    strict = fresh.stricter()
    signed(strict)
    with pytest.raises(SignOffError, match="not been reviewed"):
        recalled(strict)
    assert reviewed(strict).approved is not None


def test_rules_that_become_stricter_hold_for_old_reviews(stage: Stage) -> None:
    assert recalled(stage).shortest_side == 1080
    with pytest.raises(SignOffError):
        recalled(stage.stricter())


def test_without_a_reviewer_in_the_brief_nobody_can_sign(fresh: Stage) -> None:
    strict = fresh.stricter()
    brief = strict.purpose.brief.model_copy(update={"reviewer": None})
    nameless = replace(strict, purpose=replace(strict.purpose, brief=brief))
    with pytest.raises(SignOffError, match="names no reviewer") as caught:
        signed(nameless)
    assert "--reviewer" in caught.value.advice
    with fresh.studio.database.session() as session:
        assert session.query(ReviewRow).count() == 0


def test_a_missing_reviewer_is_told_in_words(stage: Stage) -> None:
    brief = stage.purpose.brief.model_copy(update={"reviewer": None})
    strict = stage.stricter()
    nameless = replace(strict, purpose=replace(strict.purpose, brief=brief))
    with pytest.raises(SignOffError, match="signature of a reviewer"):
        recall(stage.studio, nameless.purpose, stage.draft, stage.to_release())


def test_only_the_reviewer_of_the_brief_signs(stage: Stage) -> None:
    dan = add_member(stage.studio, "dan")
    with pytest.raises(SignOffError, match="names cleo"):
        signed(stage.stricter(), dan)
    with pytest.raises(NotFoundError):
        sign_off(stage.studio, stage.purpose, stage.draft, reviewer="eve", key=new_key())


@pytest.mark.parametrize("who", ["ada", "ben"])
def test_nobody_reviews_their_own_face(stage: Stage, who: str) -> None:
    member: Member = getattr(stage, who)
    brief = stage.purpose.brief.model_copy(update={"reviewer": who})
    strict = stage.stricter()
    own = replace(strict, purpose=replace(strict.purpose, brief=brief))
    with pytest.raises(SignOffError, match="someone in the video"):
        signed(own, member)


def test_a_signature_made_in_a_browser(stage: Stage) -> None:
    strict, cleo = stage.stricter(), stage.cleo
    text = sign_off_to_sign(stage.studio, strict.purpose, stage.draft, cleo.person)
    forged = attach(text, signature(text, new_key()), public_of(cleo.key))
    with pytest.raises(IntegrityError, match="altered"):
        keep_sign_off(stage.studio, strict.purpose, stage.draft, cleo.person, forged)
    for change in ({"time": "2020-01-01T00:00:00Z"}, {"project": "p2"}, {"decision": "no"}):
        odd = sign(peek(text) | change, cleo.key, kind="assent-sign-off+jws")
        with pytest.raises(IntegrityError, match="what was signed"):
            keep_sign_off(stage.studio, strict.purpose, stage.draft, cleo.person, odd)
    assert sign_offs_of(stage.studio, strict.purpose, stage.draft) == ()
    token = attach(text, signature(text, cleo.key), public_of(cleo.key))
    keep_sign_off(stage.studio, strict.purpose, stage.draft, cleo.person, token)
    assert [each.handle for each in sign_offs_of(stage.studio, strict.purpose, stage.draft)] == [
        "cleo"
    ]
    assert recalled(strict).shortest_side == 128
    with pytest.raises(SignOffError, match="names cleo"):
        sign_off_to_sign(stage.studio, strict.purpose, stage.draft, stage.ada.person)
    with pytest.raises(SignOffError, match="names cleo"):
        keep_sign_off(stage.studio, strict.purpose, stage.draft, stage.ada.person, token)


def test_another_key_does_not_sign_for_the_reviewer(stage: Stage) -> None:
    for key in (new_key(), stage.ada.key, stage.studio.signing_key):
        with pytest.raises(IntegrityError, match="not cleo's"):
            sign_off(stage.studio, stage.purpose, stage.draft, reviewer="cleo", key=key)


def test_a_signature_put_into_the_database_is_verified(stage: Stage) -> None:
    strict = stage.stricter()
    signed(strict)
    with stage.studio.database.session() as session:
        own = session.query(SignOffRow).one().token
    payload = {"draft": stage.draft.digest, "decision": "release"}
    head, body, tail = own.split(".")
    for token in (
        sign(payload, new_key(), kind="assent-sign-off+jws"),
        sign(payload, stage.studio.signing_key, kind="assent-sign-off+jws"),
        sign(payload, stage.cleo.key, kind="assent-review+jws"),
        f"{head}.{body}.{'A' if tail[0] != 'A' else 'B'}{tail[1:]}",
        f"{head}.{body[:-2]}{'A' if body[-2] != 'A' else 'B'}{body[-1]}.{tail}",
        "nonsense",
        "",
    ):
        put_sign_off(stage, token)
        with pytest.raises(IntegrityError, match="was altered"):
            recalled(strict)
    put_sign_off(stage, own)
    assert recalled(strict).shortest_side == 128


def test_a_signature_against_the_release_is_none_for_it(stage: Stage) -> None:
    strict = stage.stricter()
    statement = {"draft": stage.draft.digest, "decision": "no"}
    signed(strict)
    put_sign_off(stage, sign(statement, stage.cleo.key, kind="assent-sign-off+jws"))
    with pytest.raises(SignOffError):
        recalled(strict)


def test_a_signature_of_someone_else_is_refused(stage: Stage) -> None:
    strict = stage.stricter()
    dan = add_member(stage.studio, "dan")
    statement = {"draft": stage.draft.digest, "decision": "release"}
    token = sign(statement, dan.key, kind="assent-sign-off+jws")
    put_sign_off(stage, token, dan.id)
    with pytest.raises(SignOffError, match="names cleo"):
        recalled(strict)
    with stage.studio.database.session() as session:
        session.query(SignOffRow).delete()
    put_sign_off(stage, token)
    with pytest.raises(IntegrityError, match="altered"):
        recalled(strict)


def severe(stage: Stage, **brief: Any) -> Stage:  # noqa: ANN401 - fields of many kinds
    """The same at the highest risk; the brief names Cleo and Dan."""
    strict = stage.stricter(LEVELS["severe"])
    changed = strict.purpose.brief.model_copy(update={"second_reviewer": "dan", **brief})
    return replace(strict, purpose=replace(strict.purpose, brief=changed))


def recalled_under(stage: Stage, strict: Stage) -> Approved:
    """Recall with clearances of the brief as it was agreed to."""
    return recall(stage.studio, strict.purpose, stage.draft, stage.to_release())


def test_severe_risk_needs_two_signatures(stage: Stage) -> None:
    strict, dan = severe(stage), add_member(stage.studio, "dan")
    with pytest.raises(SignOffError, match="needs the signature of cleo"):
        recalled_under(stage, strict)
    signed(strict)
    with pytest.raises(SignOffError, match="needs the signature of dan"):
        recalled_under(stage, strict)
    signed(strict, dan)
    assert recalled_under(stage, strict).shortest_side == 540
    signatures = sign_offs_of(strict.studio, strict.purpose, strict.draft)
    assert {each.handle for each in signatures} == {"cleo", "dan"}


def test_one_person_never_signs_twice(stage: Stage) -> None:
    strict = severe(stage, second_reviewer=None)
    signed(strict)
    signed(strict)
    with pytest.raises(SignOffError, match="signature of a second reviewer"):
        recalled_under(stage, strict)


def test_claims_must_be_ticked_off(stage: Stage) -> None:
    claim = Claim(text="It rained.", source="https://example.org")
    strict, dan = severe(stage, claims=(claim,)), add_member(stage.studio, "dan")
    signed(strict)
    signed(strict, dan)
    with pytest.raises(SignOffError, match="claim 1 has not been ticked off") as caught:
        recalled_under(stage, strict)
    assert "assent project claims tick 1" in caught.value.advice
    tick(
        strict.studio, strict.purpose.project_id, strict.purpose.brief, 1,
        reviewer="cleo", key=strict.cleo.key,
    )  # fmt: skip
    assert recalled_under(stage, strict).shortest_side == 540


def test_rule_packs_that_were_taken_out_stop_a_release(stage: Stage) -> None:
    trust(stage.studio, new_key(), name="Rules & Co")
    with stage.studio.database.session() as session:
        session.query(PublisherRow).delete()
    with pytest.raises(IntegrityError, match="not those that the log tells of"):
        recalled(stage)


def test_what_was_decided_can_be_read(stage: Stage) -> None:
    decision = decision_on(stage.studio, stage.draft)
    assert decision is not None
    assert (decision["level"], decision["looked_at"]) == ("medium", 5)
    with stage.studio.database.session() as session:
        session.query(ReviewRow).delete()
    assert decision_on(stage.studio, stage.draft) is None
    assert sign_offs_of(stage.studio, stage.purpose, stage.draft) == ()


def test_the_review_of_another_draft_is_refused(stage: Stage) -> None:
    strict = stage.stricter()
    other = {"draft": "0" * 64, "decision": "release", "shortest_side": 4320}
    signed(strict)
    put_sign_off(stage, sign(other, stage.cleo.key, kind="assent-sign-off+jws"))
    with pytest.raises(IntegrityError, match="not of draft"):
        recalled(strict)
    edit(stage, decision=sign(other, stage.studio.signing_key, kind="assent-review+jws"))
    with pytest.raises(IntegrityError, match="not of draft"):
        recalled(stage)


def test_a_decision_put_into_the_database_is_verified(stage: Stage) -> None:
    decision = {"draft": stage.draft.digest, "shortest_side": 4320}
    for token in (
        sign(decision, new_key(), kind="assent-review+jws"),
        sign(decision, stage.cleo.key, kind="assent-review+jws"),
        sign(decision, stage.studio.signing_key, kind="assent-sign-off+jws"),
        "nonsense",
    ):
        edit(stage, decision=token)
        with pytest.raises(IntegrityError, match="was altered"):
            recalled(stage)


def other_segment(stage: Stage) -> str:
    """A segment of grey faces, which nobody looked at, as the studio itself could make it."""
    grey = (
        np.full((64, 64), 90, np.uint8),
        np.full((32, 32), 128, np.uint8),
        np.full((32, 32), 128, np.uint8),
    )
    patches = [Patch(pts=number, x=0, y=0, planes=grey) for number in range(32)]
    return Locker(stage.studio).put(pack(patches), stage.to_release())


def replace_segment(stage: Stage) -> None:
    blob = other_segment(stage)
    with stage.studio.database.session() as session:
        session.query(SegmentRow).filter_by(number=0).one().blob = blob


def swap_footage(stage: Stage) -> None:
    """Another clip in the place of the one that was rendered, under the same name and hash."""
    with stage.studio.database.session() as session:
        scene = session.query(FootageRow).filter_by(name="scene.mp4").one()
        scene.blob = session.query(FootageRow).filter_by(name="ada.mp4").one().blob


def point_elsewhere(stage: Stage) -> None:
    with stage.studio.database.session() as session:
        other = session.query(FootageRow).filter_by(name="ada.mp4").one()
        session.query(DraftRow).one().footage_id = other.id


@pytest.mark.parametrize("change", [replace_segment, swap_footage, point_elsewhere])
def test_a_draft_altered_in_the_database_is_refused(stage: Stage, change: Any) -> None:  # noqa: ANN401 - a function of a stage
    change(stage)
    with pytest.raises(IntegrityError, match="not what was rendered"):
        _ = stage.draft
    # Even if its digest is put right, nobody has looked at that draft.
    with stage.studio.database.session() as session:
        row = session.query(DraftRow).one()
        footage = session.get_one(FootageRow, row.footage_id)
        segments = session.query(SegmentRow).order_by(SegmentRow.number).all()
        blobs = [segment.blob for segment in segments]
        row.digest = digest_of(row, stage.ben.id, clip_of(footage), blobs)
    with pytest.raises(IntegrityError, match="the studio's database was changed"):
        recalled(stage)
    # Nor if it is signed again: nobody has looked at that draft.
    resign(stage)
    with pytest.raises(IntegrityError, match="review is not of draft"):
        recalled(stage)


def test_a_draft_with_other_frames_than_its_own_is_refused(stage: Stage) -> None:
    draft = stage.draft
    segments = draft._segments  # noqa: SLF001 - what a bug might pass on
    asking = stage.asking(draft.needs(to_release=True))
    for other in (segments[:1], segments[1:], segments[::-1], (*segments, segments[0]), ()):
        wrong = replace(draft, _segments=other)
        with pytest.raises(IntegrityError, match="does not show all"):
            review(stage.studio, stage.purpose, wrong, asking(), ask_again=asking, gate=Gate())


@pytest.mark.parametrize("missing", range(5))
def test_a_draft_that_hides_a_part_is_refused(stage: Stage, missing: int) -> None:
    """Without any one of its looks there are frames that nobody would see."""
    draft = stage.draft
    locker = Locker(stage.studio)
    asking = stage.asking(draft.needs(to_release=True))
    patches = [
        patch
        for blob in draft._segments  # noqa: SLF001 - what a bug might pass on
        for patch in unpack(locker.read(blob, asking()))
    ]
    place = [n for n, patch in enumerate(patches) if patch.look is not None][missing]
    patches[place] = replace(patches[place], look=None)
    wrong = replace(draft, _segments=(locker.put(pack(patches), asking()),))
    with pytest.raises(IntegrityError, match="does not show all"):
        review(stage.studio, stage.purpose, wrong, asking(), ask_again=asking, gate=Gate())


def test_the_reviewers_key_is_the_one_that_counts(stage: Stage) -> None:
    strict = stage.stricter()
    signed(strict)
    with stage.studio.database.session() as session:
        row = session.query(PersonRow).filter_by(handle="cleo").one()
        row.public_key = to_jwk(public_of(new_key()))
    with pytest.raises(IntegrityError, match="altered"):
        recalled(strict)
