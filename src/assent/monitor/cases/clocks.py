"""The clocks of cases: how much is left, who is reminded when, and who is told when one ran out.

    tick(studio)        # now and then: `assent case remind` from a timer

At half and at four fifths of the time, when it is over, and once a day after that; the gravest at
once. Each reminder is noted, so that running it twice reminds once.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from assent.kit.clock import stamp
from assent.kit.errors import NotFoundError
from assent.kit.mail import Message, send
from assent.kit.store.case_tables import CaseEventRow, CaseRow
from assent.kit.store.studio import Studio
from assent.monitor.cases.acts import enter
from assent.monitor.cases.case import Case, add_event, hours_left, list_cases
from assent.monitor.cases.decision import finish
from assent.monitor.cases.desk import ResponseDesk, load_desk
from assent.monitor.cases.intake import settle
from assent.monitor.cases.outbox import Send, deliver, queue_mail
from assent.monitor.cases.retention import sweep
from assent.monitor.cases.words import say

__all__ = ["Reminder", "Ticked", "due_reminders", "remind", "tick"]

_STEPS = (0.5, 0.8, 1.0)
_AT_ONCE = 1
"""The severity up to which somebody is told as soon as a case is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminder:
    """A reminder that is due; `step` names it for good, `late` that the clock has run out."""

    case: Case
    step: str
    late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticked:
    """What one run did."""

    settled: int
    reminded: tuple[Reminder, ...]
    sent: int
    waiting: int
    destroyed: int


def tick(studio: Studio, *, transport: Send = send) -> Ticked:
    """Settle what came in, remind, send, and destroy what is kept no longer."""
    settled = settle(studio) + finish(studio)
    enter(studio)
    reminded = remind(studio)
    sent, waiting = deliver(studio, transport=transport)
    return Ticked(
        settled=settled, reminded=reminded, sent=sent, waiting=waiting, destroyed=sweep(studio)
    )


def due_reminders(studio: Studio) -> tuple[Reminder, ...]:
    """Return the reminders that nobody had yet: of each case the newest."""
    now = studio.clock()
    with studio.database.session() as session:
        known = {
            (case_id, details.get("step"))
            for case_id, details in session.execute(
                select(CaseEventRow.case_id, CaseEventRow.details).where(
                    CaseEventRow.kind == "reminded"
                )
            )
        }
        begun = {
            row.id: row.reopened for row in session.execute(select(CaseRow.id, CaseRow.reopened))
        }
    found = []
    for case in list_cases(studio):
        step = _step(case, begun.get(case.id), now)
        if step is not None and (case.id, step) not in known:
            late = (hours_left(case, now) or 0) <= 0 and case.running
            found.append(Reminder(case=case, step=step, late=late))
    return tuple(found)


def remind(studio: Studio) -> tuple[Reminder, ...]:
    """Write the reminders that are due to those who respond, and note them."""
    desk = load_desk(studio)
    reminders = due_reminders(studio)
    for each in reminders:
        _write(studio, desk, each)
        details = {"step": each.step, "late": each.late}
        with studio.database.session() as session:
            add_event(
                session, each.case.id, "reminded", by="program", now=studio.clock(),
                details=details,
            )  # fmt: skip
    return reminders


def _step(case: Case, reopened: str | None, now: datetime) -> str | None:
    """Return the name of the last reminder that should have gone out, or None."""
    if case.set_aside and case.state == "open":
        return "set-aside"
    if not case.running or case.due is None:
        return None
    begun = reopened if case.state == "complaint" and reopened else case.opened
    start, due = datetime.fromisoformat(begun), datetime.fromisoformat(case.due)
    if now >= due:
        return f"{begun} late {(now - due) // timedelta(days=1)}"
    share = (now - start) / (due - start) if due > start else 1.0
    passed = [step for step in _STEPS if share >= step]
    if passed:
        return f"{begun} {passed[-1]}"
    return f"{begun} new" if case.severity <= _AT_ONCE else None


def _write(studio: Studio, desk: ResponseDesk, reminder: Reminder) -> None:
    case = reminder.case
    to = desk.responders + (desk.escalation if reminder.late else ())
    if not to:
        return
    hours = hours_left(case, studio.clock())
    left = "waits for a person" if hours is None else say(
        "en", "due_over" if reminder.late else "due_left", hours=f"{abs(hours):.0f}"
    )  # fmt: skip
    values = {
        "number": case.number, "kind": case.kind, "severity": case.severity,
        "due": case.due or stamp(studio.clock()), "left": left,
    }  # fmt: skip
    message = Message(
        to=tuple(dict.fromkeys(to)),
        subject=say("en", "remind_subject", number=case.number, left=left),
        body=say("en", "remind", **values),
    )
    try:
        queue_mail(studio, case.id, message, purpose="reminder", by="program")
    except NotFoundError:
        # A running case has its key; one that was damaged is still reminded of on the page.
        return
