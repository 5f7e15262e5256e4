"""A report from its first word to its answer, with a real release and a real mail server."""

from email.message import EmailMessage
from pathlib import Path

import pytest
from casts import Cast
from mailboxes import mailbox
from reports import report, reread
from studios import add_draft, add_member

from assent.consent.people import add_person
from assent.kit.errors import NotClearedError, RefusedError, SignOffError
from assent.kit.mail import save_mail
from assent.kit.signing import new_key, public_of
from assent.kit.store.studio import Studio
from assent.kit.store.tables import PersonRow, ReleaseRow
from assent.monitor.audit.audit import audit
from assent.monitor.audit.report import Standing, Trust
from assent.monitor.cases.acts import act, find_act, propose, undo
from assent.monitor.cases.approval import approve, approvers_of, sign_approval
from assent.monitor.cases.clocks import tick
from assent.monitor.cases.decision import Decision, complain, decide
from assent.monitor.cases.desk import ResponseDesk, save_desk
from assent.monitor.cases.handling import set_facts
from assent.monitor.cases.receipt import find_by_receipt
from assent.monitor.cases.talk import look_in
from assent.verify.examine import examine


@pytest.mark.enable_socket
def test_a_report_becomes_a_revocation_that_everyone_sees(released: Cast, tmp_path: Path) -> None:
    stage = released.open_copy(tmp_path / "studio")
    studio, made = stage.studio, stage.released()
    save_desk(studio, ResponseDesk(responders=("desk@studio.example",)))
    dana_key = new_key()
    dana = add_person(studio, handle="dana", name="Dana", key=public_of(dana_key), staff=True)

    opened = report(studio, "impersonation", asset_id=made.asset_id)
    case = opened.case
    assert (case.state, case.severity, case.project_id) == (
        "open", 1, stage.purpose.project_id,
    )  # fmt: skip
    assert examine(made.path, stage.log).verdict.value == "sealed"

    # At once, by one person, and taken back.
    held = act(studio, case, "stop-work", by="cleo")
    with pytest.raises(NotClearedError, match=case.number):
        stage.to_release()
    undo(studio, held.id, by="cleo")
    assert stage.to_release()
    act(studio, case, "suspend", by="cleo")
    assert "suspended" in examine(made.path, stage.log).summary

    # For good, by two.
    with pytest.raises(SignOffError, match="two people"):
        act(studio, case, "revoke", by="cleo")
    proposed = propose(studio, case, "revoke", by="cleo")
    cleo = stage.cleo
    first = approve(
        studio, proposed.id, cleo.person, sign_approval(studio, proposed, cleo.person, cleo.key)
    )
    assert first.state == "proposed"
    with pytest.raises(SignOffError, match="already"):
        approve(
            studio, proposed.id, cleo.person,
            sign_approval(studio, proposed, cleo.person, cleo.key),
        )  # fmt: skip
    done = approve(studio, proposed.id, dana, sign_approval(studio, proposed, dana, dana_key))
    assert done.state == "done"
    assert "revoked" in examine(made.path, stage.log).summary

    act(
        studio, case, "notify",
        {"to": "abuse@videos.example.org", "reasons": "It passes for a real interview."}, by="cleo",
    )  # fmt: skip
    decide(
        studio, case,
        Decision(
            outcome="upheld", facts="The clip was shown as a genuine interview.",
            ground="Our terms, section 2: no impersonation.", restriction="credential revoked",
            scope="everywhere, for good",
        ),
        by="cleo",
    )  # fmt: skip

    with mailbox() as box:
        save_mail(studio.secrets, box.server())
        ticked = tick(studio)
    assert (ticked.sent, ticked.waiting) == (3, 0)
    of: dict[str, list[EmailMessage]] = {}
    for each in box.letters:
        of.setdefault(str(each["To"]), []).append(each)
    (letter,) = of["abuse@videos.example.org"]
    receipt, answer = sorted(
        of["rosa@example.org"], key=lambda e: "received" not in str(e["Subject"])
    )
    assert case.number in str(receipt["subject"])
    assert opened.pin not in str(receipt)
    assert opened.pin.replace(" ", "") not in str(receipt)
    (pdf,) = letter.iter_attachments()
    assert pdf.get_content().startswith(b"%PDF-")
    assert "rosa" not in str(letter).lower()
    assert "credential revoked" in str(answer.get_content()).replace("\n", " ")

    seen = look_in(studio, find_by_receipt(studio, opened.number, opened.pin))
    assert seen.state == "decided"
    assert "Our terms, section 2" in str(seen.statement)
    assert seen.can_complain
    complain(studio, case.id, "This is satire, and everybody saw it.")
    with pytest.raises(SignOffError, match="before"):
        decide(studio, reread(studio, case), _rejected(), by="cleo")
    decide(studio, reread(studio, case), _rejected(), by="dana")
    again = look_in(studio, find_by_receipt(studio, opened.number, opened.pin))
    assert (again.state, again.can_complain) == ("decided", False)
    assert "not found right" in str(again.statement)
    _check_log(studio)


def _rejected() -> Decision:
    return Decision(outcome="rejected", facts="It was shown as satire.", ground="Section 2 b.")


def _check_log(studio: Studio) -> None:
    """The log agrees with itself, and nothing of the report is in it."""
    found = audit(studio.log_folder, studio.log_verifier, Trust())
    assert all(item.standing is not Standing.BAD for item in found.items)
    told = b"".join(entry for _, entry in studio.log.reader().entries())
    for word in (b"rosa", b"Rosa", b"interview", b"satire", b"example.org", b"dana", b"cleo"):
        assert word not in told
    assert told.count(b'"kind":"case.opened"') == 1
    assert told.count(b'"kind":"case.decided"') == 2
    assert told.count(b'"kind":"case.acted"') == 5


def test_members_are_who_may_sign(released: Cast, tmp_path: Path) -> None:
    stage = released.open_copy(tmp_path / "studio")
    studio = stage.studio
    case = report(studio, "impersonation", asset_id=stage.released().asset_id).case
    proposed = propose(studio, case, "revoke", by="cleo")
    stranger = add_member(studio, "eve")
    for member, why in ((stranger, "neither works"), (stage.ada, "neither works")):
        token = sign_approval(studio, proposed, member.person, member.key)
        with pytest.raises(SignOffError, match=why):
            approve(studio, proposed.id, member.person, token)


def test_no_case_takes_back_what_another_did(released: Cast, tmp_path: Path) -> None:
    stage = released.open_copy(tmp_path / "studio")
    studio, asset = stage.studio, stage.released().asset_id
    one = report(studio, "impersonation", asset_id=asset, places=()).case
    two = report(studio, "mislabelled", asset_id=asset, places=()).case
    assert one.id != two.id

    def state() -> str:
        ended = stage.log.ended.get(asset)
        return ended.how if ended else "good"

    first, second = (act(studio, each, "suspend", by="cleo") for each in (one, two))
    undo(studio, second.id, by="cleo")
    assert state() == "suspended"
    down = act(studio, two, "take-down", by="cleo")
    with pytest.raises(RefusedError, match="taken down already"):
        act(studio, one, "take-down", by="cleo")
    undo(studio, first.id, by="cleo")
    assert state() == "taken-down"
    again = act(studio, one, "suspend", by="cleo")
    undo(studio, down.id, by="cleo")
    assert state() == "suspended"
    assert stage.released().path.exists()
    undo(studio, again.id, by="cleo")
    assert state() == "good"


def test_a_correction_stays_when_a_suspension_goes(released: Cast, tmp_path: Path) -> None:
    stage = released.open_copy(tmp_path / "studio")
    studio, asset = stage.studio, stage.released().asset_id
    draft = add_draft(studio, stage.purpose, donor=stage.ben, performer=stage.ada)
    with studio.database.session() as session:
        session.add(
            ReleaseRow(
                asset_id="a" * 16, draft_id=draft, state="released", created="2026", name="b.mp4"
            )
        )
    case = report(studio, "impersonation", asset_id=asset).case
    held = act(studio, case, "suspend", by="cleo")
    corrected = act(studio, case, "correct", {"successor": "a" * 16}, by="cleo")
    assert stage.log.ended[asset].how == "suspended"
    undo(studio, held.id, by="cleo")
    ended = stage.log.ended[asset]
    assert (ended.how, ended.successor) == ("corrected", "a" * 16)
    with pytest.raises(RefusedError, match="that the case names"):
        set_facts(studio, case, asset_id="a" * 16, by="cleo")
    undo(studio, corrected.id, by="cleo")
    assert asset not in stage.log.ended
    assert set_facts(studio, case, asset_id="a" * 16, by="cleo").asset_id == "a" * 16


def test_a_signature_of_who_left_the_studio_counts_no_more(released: Cast, tmp_path: Path) -> None:
    stage = released.open_copy(tmp_path / "studio")
    studio = stage.studio
    keys = {name: new_key() for name in ("dana", "erin")}
    dana, erin = (
        add_person(studio, handle=name, name=name, key=public_of(key), staff=True)
        for name, key in keys.items()
    )
    case = report(studio, "impersonation", asset_id=stage.released().asset_id).case
    proposed = propose(studio, case, "revoke", by="cleo")
    approve(studio, proposed.id, dana, sign_approval(studio, proposed, dana, keys["dana"]))
    with studio.database.session() as session:
        session.get_one(PersonRow, dana.id).staff = False
    token = sign_approval(studio, proposed, erin, keys["erin"])
    assert approve(studio, proposed.id, erin, token).state == "proposed"
    assert approvers_of(studio, find_act(studio, proposed.id)) == ("erin",)
