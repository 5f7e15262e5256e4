"""Cases of a studio without releases: reports, receipts, clocks, evidence, letters, retention."""

import io
import itertools
import json
import os
import tarfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyrage
import pytest
from mailboxes import Mailbox, mailbox
from pydantic import ValidationError
from reports import CLIP, notice, report, reread
from studios import KilledError, Scene, count_entries, dying

from assent.kit.clock import stamp
from assent.kit.errors import (
    AssentError,
    InputError,
    IntegrityError,
    NotClearedError,
    NotFoundError,
    RefusedError,
)
from assent.kit.mail import MailServer, Message, save_mail
from assent.kit.store.case_tables import CaseMailRow, CaseRow
from assent.kit.store.studio import Studio
from assent.monitor.cases.acts import ACTS, act, list_acts, undo
from assent.monitor.cases.case import (
    find_case,
    hours_left,
    joined_to,
    list_cases,
    notice_of,
    read_events,
)
from assent.monitor.cases.clocks import due_reminders, remind, tick
from assent.monitor.cases.decision import Decision, complain, decide, statement_of
from assent.monitor.cases.desk import ResponseDesk, load_desk, save_desk
from assent.monitor.cases.evidence import freeze, list_evidence, open_evidence
from assent.monitor.cases.handling import check_step, set_facts, steps_done, take_up
from assent.monitor.cases.handout import hand_out, whole_case
from assent.monitor.cases.intake import open_case, settle
from assent.monitor.cases.letters import channel_notice
from assent.monitor.cases.notice import Notice, clean, read_notice
from assent.monitor.cases.outbox import deliver, queue_mail, waiting_mails
from assent.monitor.cases.receipt import find_by_receipt, make_number, make_pin, read_number
from assent.monitor.cases.retention import sweep
from assent.monitor.cases.retrospective import (
    Retrospective,
    keep_retrospective,
    retrospective_of,
)
from assent.monitor.cases.rules import care, kind_of, playbook_of, rules
from assent.monitor.cases.sealing import evidence_path
from assent.monitor.cases.talk import answer, look_in, say_more
from assent.purpose.library import check_set, installed_packs

UPHELD = Decision(
    outcome="upheld", facts="The copy shows no label.", ground="AI Act Art. 50(4)",
    restriction="the channel was told", scope="EU",
)  # fmt: skip


@pytest.fixture
def studio(scene: Scene) -> Studio:
    return scene.studio


# Rules


def test_every_kind_has_a_clock_a_playbook_and_its_source() -> None:
    for kind in rules().kinds.values():
        assert kind.hours > 0
        assert kind.source
        assert kind.clock
        assert playbook_of(kind.severity).step
        assert rules().keep_days[kind.severity] > rules().complaint.days
    assert (kind_of("intimate").hours, kind_of("child").contact) == (48, "optional")
    for severity in range(4):
        assert {s.act for s in playbook_of(severity).step} - {None} <= ACTS.keys()
        assert any(step.act == "tell-subject" for step in playbook_of(severity).step)
    for unknown in (lambda: kind_of("x"), lambda: playbook_of(9)):
        with pytest.raises(InputError):
            unknown()


def test_care_is_told_in_every_language() -> None:
    for language in ("en", "de", "es"):
        assert "stopncii" in care().text(language).lower()


def test_every_act_says_whether_it_can_be_taken_back() -> None:
    for each in ACTS.values():
        assert (each.takes_back is not None) == (each.reversal == "reversible")
    assert [name for name, each in ACTS.items() if each.reversal == "final"] == ["revoke"]


# Notices


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"kind": "nothing"}, "no kind of case"),
        ({"reasons": "short"}, "reasons"),
        ({"reasons": " " * 40}, "reasons"),
        ({"reasons": "x" * 8001}, "reasons"),
        ({"places": ()}, "places"),
        ({"places": ("x",) * 31}, "places"),
        ({"asset_id": "12"}, "asset_id"),
        ({"sha256": ("zz",)}, "sha256"),
        ({"email": "a@b.c\nBcc: d@e.f"}, "email"),
        ({"language": "fr"}, "language"),
        ({"admin": True}, "admin"),
    ],
)
def test_what_is_no_report_is_refused_by_name(change: dict[str, Any], named: str) -> None:
    with pytest.raises(InputError, match=named):
        notice(**change)


@pytest.mark.parametrize(
    ("kind", "missing"),
    [
        ("intimate", {"signature": None}),
        ("intimate", {"email": None}),
        ("impersonation", {"name": None}),
        ("mislabelled", {"good_faith": False}),
    ],
)
def test_each_kind_asks_for_what_its_law_asks_for(
    studio: Studio, kind: str, missing: dict[str, Any]
) -> None:
    with pytest.raises(InputError, match=next(iter(missing))):
        report(studio, kind, **missing)
    assert list_cases(studio) == ()


def test_who_reports_a_child_gives_no_name(studio: Studio) -> None:
    opened = report(studio, "child", name=None, email=None, signature=None)
    assert (opened.case.severity, opened.case.channel) == (0, "public")


def test_text_is_text() -> None:
    evil = "<script>alert(1)</script>\x00\x1b[31m\u202egpj.exe" + "a" + "\u0301" * 50 + "\r\nnext"
    kept = clean(evil)
    assert kept.startswith("<script>alert(1)</script>[31mgpj.exe")
    assert kept.count("\u0301") <= 4
    assert kept.endswith("\nnext")
    with pytest.raises(ValidationError):
        Notice.model_validate({"kind": "other"})
    assert read_notice({**notice().to_json(), "name": "a\nb"}).name == "a b"


# Receipts


def test_numbers_are_read_however_they_are_typed() -> None:
    for _ in range(50):
        number = make_number()
        assert read_number(number.lower().replace("-", " ")) == number
        wrong = ("0" if number[0] != "0" else "1") + number[1:]
        with pytest.raises(InputError):
            read_number(wrong)
    assert len(make_pin()) == 14


def test_only_number_and_pin_together_open_a_report(studio: Studio, scene: Scene) -> None:
    opened = report(studio)
    other = report(studio, places=("https://elsewhere.example/x",))
    assert find_by_receipt(studio, opened.number, opened.pin).id == opened.case.id
    assert find_by_receipt(studio, opened.number, opened.pin.replace(" ", "")).id == opened.case.id
    for number, pin in (
        (opened.number, other.pin), (opened.number, ""), (make_number(), opened.pin),
        ("nonsense", opened.pin), ("' OR 1=1 --", opened.pin),
    ):  # fmt: skip
        with pytest.raises(NotClearedError, match="don't belong together"):
            find_by_receipt(studio, number, pin)


def test_guessing_locks_the_report_for_longer_and_longer(studio: Studio, scene: Scene) -> None:
    opened = report(studio)
    for _ in range(5):
        with pytest.raises(NotClearedError, match="don't belong"):
            find_by_receipt(studio, opened.number, "0000 0000 0000")
    with pytest.raises(NotClearedError, match="too many wrong"):
        find_by_receipt(studio, opened.number, opened.pin)
    scene.clock.now += timedelta(minutes=1, seconds=1)
    with pytest.raises(NotClearedError, match="don't belong"):
        find_by_receipt(studio, opened.number, "0000 0000 0000")
    scene.clock.now += timedelta(minutes=1, seconds=1)
    with pytest.raises(NotClearedError, match="too many wrong"):
        find_by_receipt(studio, opened.number, opened.pin)
    scene.clock.now += timedelta(minutes=1)
    assert find_by_receipt(studio, opened.number, opened.pin).tries == 6
    assert find_by_receipt(studio, opened.number, opened.pin).tries == 0


def test_wrong_pins_are_forgiven_with_time(studio: Studio, scene: Scene) -> None:
    """Who guesses on and on keeps the reporter out for some minutes, and not for good."""
    opened = report(studio)
    longest = timedelta(0)
    for _ in range(40):
        with pytest.raises(NotClearedError, match="don't belong"):
            find_by_receipt(studio, opened.number, "0000 0000 0000")
        with studio.database.session() as session:
            until = session.get_one(CaseRow, opened.case.id).locked_until
        if until is not None and until > stamp(scene.clock()):
            ends = datetime.fromisoformat(until)
            longest = max(longest, ends - scene.clock())
            scene.clock.now = ends
    assert timedelta(minutes=8) <= longest <= timedelta(minutes=16)
    assert find_by_receipt(studio, opened.number, opened.pin).tries > 5
    for _ in range(4):
        with pytest.raises(NotClearedError, match="don't belong"):
            find_by_receipt(studio, opened.number, "0000 0000 0000")
    scene.clock.now += timedelta(hours=1)
    with pytest.raises(NotClearedError, match="don't belong"):
        find_by_receipt(studio, opened.number, "0000 0000 0000")
    assert find_by_receipt(studio, opened.number, opened.pin).tries == 1


def test_a_pin_is_kept_nowhere(studio: Studio) -> None:
    opened = report(studio)
    digits = opened.pin.replace(" ", "").encode()
    studio.database.close()
    for path in studio.folder.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert digits not in data
            assert b"rosa@example.org" not in data, path
            assert b"The label is cut off" not in data, path


# Taking in and joining


@pytest.mark.parametrize("after", [False, True])
def test_a_report_is_there_though_the_process_dies(scene: Scene, *, after: bool) -> None:
    with pytest.raises(KilledError):
        open_case(dying(scene.studio, after=after), notice(), channel="public")
    reopened = scene.reopened()
    (case,) = list_cases(reopened)
    assert settle(reopened) == 1
    assert settle(reopened) == 0
    assert count_entries(reopened, "case.opened") == 1
    assert notice_of(reopened, case.id).reasons.startswith("The label")


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ({}, {}, True),
        ({}, {"places": ("https://VIDEOS.example.org/watch?v=1/",)}, True),
        ({}, {"places": ("https://videos.example.org/watch?v=2",)}, False),
        ({"sha256": ("a" * 64,)}, {"sha256": ("A" * 64,), "places": ("elsewhere",)}, True),
        ({"asset_id": "0" * 16, "places": ()}, {"asset_id": "0" * 16, "places": ("x y",)}, True),
        ({"asset_id": "0" * 16, "places": ()}, {"asset_id": "1" * 16, "places": ()}, False),
    ],
)
def test_reports_of_the_same_matter_are_joined(
    studio: Studio, first: dict[str, Any], second: dict[str, Any], *, same: bool
) -> None:
    one = report(studio, **first)
    two = report(studio, email="ben@example.org", **second)
    assert two.joined is same
    assert len(list_cases(studio)) == (1 if same else 2)
    if same:
        assert [each.number for each in joined_to(studio, one.case.id)] == [two.number]


def test_a_graver_report_makes_the_case_graver_and_tells_no_reporter(studio: Studio) -> None:
    one = report(studio)
    two = report(studio, "intimate", email="victim@example.org")
    lead = reread(studio, one.case)
    assert two.joined
    assert (lead.severity, lead.due) == (0, two.case.due)
    assert lead.due != one.case.due
    first = look_in(studio, find_by_receipt(studio, one.number, one.pin))
    second = look_in(studio, find_by_receipt(studio, two.number, two.pin))
    assert first.due == one.case.due
    assert two.number not in str(first)
    assert one.number not in str(second)
    say_more(studio, two.case.id, "It is on a second site too.")
    assert "second site" not in str(look_in(studio, find_by_receipt(studio, one.number, one.pin)))


@pytest.mark.parametrize("ids", list(itertools.permutations("123")))
def test_who_was_joined_a_moment_ago_comes_along(scene: Scene, ids: tuple[str, ...]) -> None:
    """Reports of one moment are in the order of their ids, which chance gives them."""
    studio = scene.studio
    zero, *taken = (
        open_case(studio, notice(sha256=files, places=()), channel="public",
                  later=bool(number), case_id=ids[number] * 32)
        for number, files in enumerate((("b" * 64,), ("a" * 64,), ("a" * 64, "b" * 64)))
    )  # fmt: skip
    settle(studio)
    assert len(list_cases(studio)) == 1
    assert len(reread(studio, zero.case).joined) == len(taken)
    assert all(reread(studio, each.case).lead_id == zero.case.id for each in taken)


def test_a_case_that_is_decided_takes_no_more_reports(studio: Studio) -> None:
    one = report(studio)
    decide(studio, one.case, UPHELD, by="cleo")
    assert not report(studio).joined


def test_manifestly_unfounded_reports_wait_for_a_person(studio: Studio) -> None:
    unfounded = Decision(outcome="unfounded", facts="There is no such video.", ground="Art. 23")
    for number in range(3):
        case = report(studio, places=(f"https://a.example/{number}",)).case
        assert not case.set_aside
        decide(studio, case, unfounded, by="cleo")
        assert "Art. 23" in str(statement_of(studio, case.id))
    waiting = report(studio, places=("https://a.example/9",)).case
    assert waiting.set_aside
    assert not waiting.running
    assert not report(studio, "child", places=("https://a.example/8",)).case.set_aside
    assert not report(studio, email="ben@example.org", places=("https://a.example/9",)).joined
    taken = take_up(studio, waiting, by="cleo")
    assert taken.running
    with pytest.raises(InputError, match="isn't waiting"):
        take_up(studio, taken, by="cleo")


# Clocks


@pytest.mark.enable_socket
def test_reminders_come_once_each_and_louder(studio: Studio, scene: Scene) -> None:
    save_desk(studio, ResponseDesk(responders=("a@b.example",), escalation=("boss@b.example",)))
    case = report(studio).case
    assert case.due == stamp(scene.clock() + timedelta(hours=72))
    assert remind(studio) == ()
    told = []
    for hours in (37, 1, 22, 12, 1, 24):
        scene.clock.now += timedelta(hours=hours)
        told.append([each.late for each in remind(studio)])
        assert remind(studio) == ()
    assert told == [[False], [], [False], [True], [], [True]]
    with mailbox() as box:
        save_mail(studio.secrets, box.server())
        deliver(studio)
    late = [each for each in box.letters if "OVERDUE" in str(each["Subject"])]
    assert len(late) == 2
    assert all("boss@b.example" in str(each["To"]) for each in late)
    assert all("label is cut off" not in str(each) for each in box.letters)


def test_the_gravest_are_told_at_once(studio: Studio) -> None:
    case = report(studio, "intimate").case
    (due,) = due_reminders(studio)
    assert (due.case.id, due.late) == (case.id, False)
    assert hours_left(case, studio.clock()) == 48


def test_the_list_begins_with_what_is_due_first(studio: Studio) -> None:
    made = {
        kind: report(studio, kind, places=(f"https://a.example/{kind}",)).case
        for kind in ("other", "child", "mislabelled", "intimate")
    }
    done = report(studio, places=("https://a.example/done",)).case
    decide(studio, done, UPHELD, by="cleo")
    order = [each.id for each in list_cases(studio)]
    assert order == [made[k].id for k in ("child", "intimate", "mislabelled", "other")] + [done.id]
    assert [each.id for each in list_cases(studio, state="decided")] == [done.id]


def test_a_case_is_found_by_its_number_or_its_id(studio: Studio) -> None:
    case = report(studio).case
    for text in (case.number, case.number.lower(), case.id, case.id[:8]):
        assert find_case(studio, text).id == case.id
    for text in ("", "%", case.id[:4], "f" * 32):
        with pytest.raises(NotFoundError):
            find_case(studio, text)


# Evidence and retention


def test_evidence_is_frozen_encrypted_and_every_look_is_noted(studio: Studio) -> None:
    case = report(studio).case
    film = os.urandom(3 << 20)
    kept = freeze(studio, case, [film[: 1 << 20], film[1 << 20 :]], name="copy.mp4", by="cleo")
    assert freeze(studio, case, [film], name="again.mp4", by="cleo").id == kept.id
    assert (kept.name, kept.size) == ("copy.mp4", len(film))
    stored = evidence_path(studio, kept.id).read_bytes()
    assert film[:64] not in stored
    with open_evidence(studio, case, kept.id, by="dana") as reader:
        assert reader.readall() == film
    assert [(e.kind, e.by) for e in read_events(studio, case.id)][-1] == ("read", "dana")
    evidence_path(studio, kept.id).write_bytes(stored[:-20] + bytes(20))
    with pytest.raises(IntegrityError):
        open_evidence(studio, case, kept.id, by="dana")
    other = report(studio, places=("https://elsewhere.example/",)).case
    with pytest.raises(NotFoundError):
        open_evidence(studio, other, kept.id, by="dana")


def test_what_is_kept_is_destroyed_in_time_and_not_before(studio: Studio, scene: Scene) -> None:
    opened = report(studio)
    case = opened.case
    kept = freeze(studio, case, [b"film"], name="copy.mp4", by="cleo")
    scene.clock.now += timedelta(days=900)
    assert sweep(studio) == 0, "an open case is kept"
    decide(studio, case, UPHELD, by="cleo")
    act(studio, reread(studio, case), "preserve", by="cleo")
    scene.clock.now += timedelta(days=216)
    assert sweep(studio) == 0, "it is preserved"
    (preserved,) = list_acts(studio, case)
    undo(studio, preserved.id, by="cleo")
    assert tick(studio).destroyed == 1
    assert tick(studio).destroyed == 0
    assert not evidence_path(studio, kept.id).exists()
    closed = reread(studio, case)
    assert (closed.state, closed.outcome, closed.readable) == ("closed", "upheld", False)
    assert list_evidence(studio, closed)[0].name is None
    assert all(event.words is None for event in read_events(studio, case.id))
    for gone in (
        lambda: notice_of(studio, case.id),
        lambda: find_by_receipt(studio, opened.number, opened.pin),
        lambda: act(studio, closed, "freeze", by="cleo"),
        lambda: freeze(studio, closed, [b"x"], name="x", by="cleo"),
    ):
        with pytest.raises(AssentError):
            gone()


def test_files_that_no_case_knows_go_after_a_day(studio: Studio, scene: Scene) -> None:
    path = evidence_path(studio, "0" * 32)
    studio.disk.make_folder(path.parent)
    path.write_bytes(b"left behind")
    scene.clock.now = studio.disk.written(path) or scene.clock.now
    sweep(studio)
    assert path.exists()
    scene.clock.now += timedelta(days=1, seconds=1)
    sweep(studio)
    assert not path.exists()


# Acts, decisions, talk


def test_acts_ask_for_what_they_need(studio: Studio) -> None:
    case = report(studio).case
    for name, given in (
        ("fly", {}), ("notify", {"to": "a@b.example"}), ("suspend", {}), ("stop-work", {}),
        ("notify", {"to": "nobody", "reasons": "because"}), ("freeze", {}),
        ("notify", {"to": ",".join(f"a{n}@b.example" for n in range(21)), "reasons": "because"}),
        ("tell-subject", {"to": "a@b.example", "words": "x", "language": "fr"}),
        ("withdrawal-link", {"person": "nobody"}),
    ):  # fmt: skip
        with pytest.raises(InputError):
            act(studio, case, name, given, by="cleo")
    assert not any(each.state == "done" for each in list_acts(studio, case))


def test_the_person_alone_withdraws_by_a_link_that_is_shown_once(
    studio: Studio, scene: Scene
) -> None:
    case = report(studio, "not-agreed").case
    done = act(studio, case, "withdrawal-link", {"person": "ada"}, by="cleo")
    assert len(done.result["_secret"]) > 20
    assert "_secret" not in list_acts(studio, case)[0].result
    with pytest.raises(RefusedError, match="can't be taken back"):
        undo(studio, done.id, by="cleo")


def test_the_letter_to_a_channel_holds_no_reporter(studio: Studio) -> None:
    case = report(studio, sha256=("a" * 64,), language="de").case
    subject, body, pdf = channel_notice(studio, case, {"reasons": "Unser Zeichen fehlt <b>."})
    assert case.number in subject
    assert CLIP in body
    assert "a" * 64 in body
    assert "Rosa" not in body
    assert pdf.startswith(b"%PDF-")
    assert pdf == channel_notice(studio, case, {"reasons": "Unser Zeichen fehlt <b>."})[2]


def test_steps_are_ticked_and_unticked(studio: Studio) -> None:
    case = report(studio).case
    check_step(studio, case, "verify", by="cleo")
    assert set(steps_done(studio, case)) == {"verify"}
    check_step(studio, case, "verify", by="cleo", done=False)
    assert steps_done(studio, case) == {}
    with pytest.raises(NotFoundError):
        check_step(studio, case, "dance", by="cleo")
    assert set_facts(studio, case, severity=1, by="cleo").severity == 1
    for wrong in ({}, {"severity": 7}, {"asset_id": "0" * 16}):
        with pytest.raises(InputError):
            set_facts(studio, case, by="cleo", **wrong)


def test_everyone_who_reported_is_answered(studio: Studio) -> None:
    one = report(studio)
    two = report(studio, email="ben@example.org", language="de")
    with pytest.raises(RefusedError, match="joined"):
        decide(studio, two.case, UPHELD, by="cleo")
    with pytest.raises(InputError, match="joined"):
        act(studio, two.case, "preserve", by="cleo")
    decide(studio, reread(studio, one.case), UPHELD, by="cleo")
    assert "found right" in str(statement_of(studio, one.case.id))
    seen = look_in(studio, find_by_receipt(studio, two.number, two.pin))
    assert "war berechtigt" in str(seen.statement)
    assert count_entries(studio, "case.decided") == 2
    complain(studio, two.case.id, "Der Ausschnitt ist noch da, schauen Sie hin.")
    first = look_in(studio, find_by_receipt(studio, one.number, one.pin))
    again = look_in(studio, find_by_receipt(studio, two.number, two.pin))
    assert (first.state, again.state) == ("decided", "complaint")
    assert reread(studio, one.case).state == "complaint"
    with pytest.raises(RefusedError, match="decided"):
        decide(studio, find_case(studio, _decided(studio)), UPHELD, by="dana")


def _decided(studio: Studio) -> str:
    case = report(studio, places=("https://third.example/",)).case
    return decide(studio, case, UPHELD, by="cleo").id


@pytest.mark.parametrize(
    "change", [{"outcome": "guilty"}, {"facts": "no"}, {"ground": ""}, {"facts": "x" * 6001}]
)
def test_a_decision_gives_reasons(change: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        Decision(**{"outcome": "upheld", "facts": "It is so.", "ground": "the law", **change})


def test_a_complaint_comes_once_and_in_time(studio: Studio, scene: Scene) -> None:
    case = report(studio).case
    with pytest.raises(RefusedError, match="nothing to complain"):
        complain(studio, case.id, "I complain about this.")
    decide(studio, case, UPHELD, by="cleo")
    with pytest.raises(InputError, match="between"):
        complain(studio, case.id, "no")
    scene.clock.now += timedelta(days=184)
    with pytest.raises(RefusedError):
        complain(studio, case.id, "I complain about this.")


def test_reporter_and_studio_write_to_each_other(studio: Studio) -> None:
    opened = report(studio)
    answer(studio, opened.case.id, "Where did you see it?", by="cleo")
    say_more(studio, opened.case.id, "In <b>class</b>.")
    seen = look_in(studio, find_by_receipt(studio, opened.number, opened.pin))
    assert [each.words for each in seen.said] == ["Where did you see it?", "In <b>class</b>."]
    for wrong in ("", "x" * 4001):
        with pytest.raises(InputError):
            say_more(studio, opened.case.id, wrong)
    for _ in range(29):
        say_more(studio, opened.case.id, "And again.")
    with pytest.raises(RefusedError, match="too many"):
        say_more(studio, opened.case.id, "And again.")


# Letters


def test_a_form_floods_nobodys_inbox(studio: Studio, scene: Scene) -> None:
    for number in range(6):
        report(studio, email="victim@example.org", places=(f"https://a.example/{number}",))
    with studio.database.session() as session:
        assert session.query(CaseMailRow).count() == 3
    scene.clock.now += timedelta(days=1, seconds=1)
    report(studio, email="VICTIM@example.org", places=("https://a.example/x",))
    with studio.database.session() as session:
        assert session.query(CaseMailRow).count() == 4


@pytest.mark.enable_socket
def test_letters_wait_until_the_server_takes_them(studio: Studio, scene: Scene) -> None:
    report(studio)
    assert deliver(studio) == (0, 1)
    with mailbox() as box:
        save_mail(studio.secrets, box.server())
        box.mood = "full"
        assert deliver(studio) == (0, 1)
        assert deliver(studio) == (0, 0), "not at once again"
        box.mood = "well"
        scene.clock.now += timedelta(minutes=6)
        assert deliver(studio) == (1, 0)
        assert deliver(studio) == (0, 0)
    assert waiting_mails(studio) == 0
    assert len(box.letters) == 1


def test_a_letter_that_nobody_takes_is_given_up_and_told(studio: Studio, scene: Scene) -> None:
    case = report(studio, email=None).case
    queue_mail(
        studio, case.id, Message(to=("a@b.example",), subject="x", body="y"), purpose="notice",
        by="cleo",
    )  # fmt: skip

    def refusing(*_: object, **__: object) -> str:
        raise InputError("no such address")

    save_mail(studio.secrets, _server())
    assert deliver(studio, transport=refusing) == (0, 1)
    assert waiting_mails(studio) == 0
    assert read_events(studio, case.id)[-1].details["state"] == "given-up"


def _server() -> MailServer:
    return Mailbox(1, "", "tls").server(trust_pem=None)


def test_the_desk_is_kept_sealed(studio: Studio) -> None:
    assert load_desk(studio) == ResponseDesk()
    desk = ResponseDesk(responders=("a@b.example",), public_url="https://v.example")
    save_desk(studio, desk)
    assert load_desk(studio) == desk
    assert desk.page("/x") == "https://v.example/x"
    for wrong in ({"responders": ("x",)}, {"public_url": "ftp://x"}):
        with pytest.raises(InputError):
            ResponseDesk(**wrong)
    studio.secrets.put("response", b"{}")
    with pytest.raises(IntegrityError):
        load_desk(studio)


# After the case


def test_a_case_can_add_a_rule_to_the_studios_own_pack(studio: Studio) -> None:
    case = report(studio).case
    with pytest.raises(RefusedError, match="once it is decided"):
        keep_retrospective(studio, case, Retrospective(happened="x", slow="", change=""), by="cleo")
    case = decide(studio, case, UPHELD, by="cleo")
    versions = []
    for words in ("Check the crop to 9:16 before a release.", "Ask the channel first."):
        rule = {"text": words, "effect": "warn"}
        answers = Retrospective(happened="It was cropped.", slow="", change="", rule=rule)
        pack = keep_retrospective(studio, case, answers, by="cleo")
        assert pack is not None
        versions.append(pack.order)
    assert versions[0] < versions[1]
    (house,) = installed_packs(studio)
    assert [rule.effect for rule in house.pack.rules] == ["warn", "warn"]
    check_set(studio)
    assert retrospective_of(studio, case) == {
        "happened": "It was cropped.", "slow": "", "change": "",
    }  # fmt: skip
    for wrong in ({"text": "x", "effect": "warn"}, {"text": "A good rule.", "effect": "allow"}):
        with pytest.raises(InputError):
            keep_retrospective(
                studio, case, Retrospective(happened="x", slow="", change="", rule=wrong), by="cleo"
            )


def test_a_case_is_handed_out_whole_and_encrypted(
    studio: Studio, tmp_path: Path, recipient: tuple[str, str]
) -> None:
    case = report(studio).case
    film = os.urandom(70_000)
    kept = freeze(studio, case, [film], name="copy.mp4", by="cleo")
    path = tmp_path / "case.age"
    hand_out(studio, case, path, recipients=[recipient[0]], to="police", by="cleo")
    assert film[:40] not in path.read_bytes()
    identity = pyrage.x25519.Identity.from_str(recipient[1])
    plain = pyrage.decrypt(path.read_bytes(), [identity])
    with tarfile.open(fileobj=io.BytesIO(plain)) as archive:
        told = json.loads(archive.extractfile("case.json").read())  # type: ignore[union-attr] # a file
        copy = archive.extractfile(f"evidence/{kept.id}").read()  # type: ignore[union-attr] # a file
    assert copy == film
    assert told["reports"][0]["notice"]["email"] == "rosa@example.org"
    assert told["evidence"][0]["sha256"] == kept.sha256
    assert whole_case(studio, case)["acts"] == []
    for wrong in ([], ["age1nothing"]):
        with pytest.raises(InputError):
            hand_out(studio, case, tmp_path / "x", recipients=wrong, to="x", by="cleo")
    with pytest.raises(InputError, match="can't be made"):
        hand_out(studio, case, path, recipients=[recipient[0]], to="x", by="cleo")


@pytest.fixture
def recipient() -> tuple[str, str]:
    identity = pyrage.x25519.Identity.generate()
    return str(identity.to_public()), str(identity)


def test_what_is_sealed_belongs_to_its_case_and_place(studio: Studio) -> None:
    one = report(studio).case
    two = report(studio, places=("https://other.example/",)).case
    with studio.database.session() as session:
        rows = [session.get_one(CaseRow, each.id) for each in (one, two)]
        first = rows[0].sealed
        rows[0].sealed, rows[1].sealed = rows[1].sealed, first
    for each in (one, two):
        with pytest.raises(IntegrityError, match="was changed"):
            notice_of(studio, each.id)
    with studio.database.session() as session:
        keys = [session.get_one(CaseRow, each.id) for each in (one, two)]
        keys[0].key = keys[1].key
    with pytest.raises(IntegrityError, match="key of a case"):
        notice_of(studio, one.id)


def test_numbers_and_hashes_say_nothing_twice(studio: Studio) -> None:
    numbers = {make_number() for _ in itertools.repeat(None, 200)}
    assert len(numbers) == 200


# What must not be lost, and what must not stay


@pytest.mark.parametrize("after", [False, True])
def test_a_decision_that_was_interrupted_is_logged_and_told_later(
    scene: Scene, *, after: bool
) -> None:
    case = report(scene.studio).case
    with pytest.raises(KilledError):
        decide(dying(scene.studio, after=after), case, UPHELD, by="cleo")
    for _ in range(2):
        tick(scene.studio)
        assert count_entries(scene.studio, "case.decided") == 1
    with scene.studio.database.session() as session:
        mails = session.query(CaseMailRow).filter_by(purpose="decision").count()
    assert mails == 1


@pytest.mark.parametrize("after", [False, True])
def test_an_act_that_was_interrupted_is_in_the_log_once(scene: Scene, *, after: bool) -> None:
    case = report(scene.studio).case
    with pytest.raises(KilledError):
        act(dying(scene.studio, after=after), case, "preserve", by="cleo")
    for _ in range(2):
        tick(scene.studio)
        assert count_entries(scene.studio, "case.acted") == 1
    (done,) = list_acts(scene.studio, case)
    assert done.state == "done"
    with pytest.raises(KilledError):
        undo(dying(scene.studio, after=after), done.id, by="cleo")
    for _ in range(2):
        tick(scene.studio)
        assert count_entries(scene.studio, "case.acted") == 2


def test_to_whom_and_in_which_words_goes_with_the_key(studio: Studio, scene: Scene) -> None:
    case = report(studio).case
    given = {"to": "victim@b.example", "words": "We are sorry, Vera."}
    act(studio, case, "tell-subject", given, by="cleo")
    assert dict(list_acts(studio, case)[0].arguments) == given
    database = (studio.folder / "studio.db").read_bytes()
    database += (studio.folder / "studio.db-wal").read_bytes()
    assert b"victim@b.example" not in database
    assert b"Vera" not in database
    decide(studio, case, UPHELD, by="cleo")
    scene.clock.now += timedelta(days=900)
    assert sweep(studio) == 1
    (done,) = list_acts(studio, case)
    assert (done.state, dict(done.arguments)) == ("done", {})


def test_a_report_that_joins_a_preserved_case_is_preserved_too(
    studio: Studio, scene: Scene
) -> None:
    case = report(studio).case
    act(studio, case, "preserve", by="cleo")
    later = report(studio, email="ben@example.org")
    assert later.joined
    decide(studio, reread(studio, case), UPHELD, by="cleo")
    scene.clock.now += timedelta(days=900)
    assert sweep(studio) == 0
    assert notice_of(studio, later.case.id).email == "ben@example.org"


def test_a_complaint_is_decided_though_a_joined_report_is_gone(
    studio: Studio, scene: Scene
) -> None:
    case = report(studio).case
    report(studio, email="ben@example.org")
    decide(studio, reread(studio, case), UPHELD, by="cleo")
    complain(studio, case.id, "The decision names the wrong video.")
    scene.clock.now += timedelta(days=900)
    assert sweep(studio) == 1
    assert decide(studio, reread(studio, case), UPHELD, by="dana").state == "decided"
    assert len(whole_case(studio, reread(studio, case))["reports"]) == 1
