"""What the studio and a reporter say to each other, and what a reporter sees of their report.

Nobody who reported learns whether others did: what they see is of their own report alone.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from assent.kit.clock import stamp
from assent.kit.errors import InputError, RefusedError
from assent.kit.store.case_tables import CaseEventRow, CaseRow
from assent.kit.store.events import note_event
from assent.kit.store.studio import Studio
from assent.monitor.cases.case import Event, add_event, key_of, read_events, row_of
from assent.monitor.cases.decision import can_complain, statement_of
from assent.monitor.cases.notice import clean
from assent.monitor.cases.rules import kind_of, rules

__all__ = ["Seen", "answer", "look_in", "say_more"]

_LONGEST = 4000
_MOST = 30
_SHOWN = ("message", "answer", "complaint")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A report as its reporter sees it; `state` is received, decided or complaint."""

    number: str
    kind: str
    state: str
    opened: str
    due: str | None
    decided: str | None
    statement: str | None
    can_complain: bool
    can_write: bool
    said: tuple[Event, ...]


def look_in(studio: Studio, row: CaseRow) -> Seen:
    """Return what the reporter of `row` sees; find the row with number and PIN."""
    if row.key is None:
        raise RefusedError(
            "this report is closed, and what was kept of it was destroyed",
            advice="Report anew if it goes on.",
        )
    with studio.database.session() as session:
        lead = row if row.lead_id is None else row_of(session, row.lead_id)
    decided = row.decided is not None
    # Somebody else's complaint is not told.
    complaint = row.complained is not None and lead.state == "complaint"
    state = "complaint" if complaint else "decided" if decided else "received"
    said = tuple(e for e in read_events(studio, row.id) if e.kind in _SHOWN and e.words)
    return Seen(
        number=row.number, kind=row.kind, state=state, opened=row.opened,
        due=_due(row) if complaint or not decided else None,
        decided=row.decided, statement=statement_of(studio, row.id),
        can_complain=can_complain(row, studio.clock()), can_write=len(said) < _MOST, said=said,
    )  # fmt: skip


def _due(row: CaseRow) -> str:
    """Return the term of this report alone: one that others made stricter would tell of them."""
    begun, hours = row.opened, kind_of(row.kind).hours
    if row.complained is not None:
        begun, hours = row.complained, rules().complaint.hours
    return stamp(datetime.fromisoformat(begun) + timedelta(hours=hours))


def say_more(studio: Studio, case_id: str, text: str) -> None:
    """Take what a reporter adds to their report."""
    _say(studio, case_id, text, kind="message", by="reporter")


def answer(studio: Studio, case_id: str, text: str, *, by: str) -> None:
    """Write to a reporter; they read it with number and PIN."""
    _say(studio, case_id, text, kind="answer", by=by)


def _say(studio: Studio, case_id: str, text: str, *, kind: str, by: str) -> None:
    words = clean(text)
    if not 1 <= len(words) <= _LONGEST:
        raise InputError(f"a message has between 1 and {_LONGEST} characters")
    sealed = key_of(studio, case_id).seal("event", {"text": words})
    with studio.database.session() as session:
        count = session.scalar(
            select(func.count())
            .select_from(CaseEventRow)
            .where(CaseEventRow.case_id == case_id, CaseEventRow.kind == kind)
        )
        if int(count or 0) >= _MOST:
            raise RefusedError(
                "there are too many messages in this report", advice="Write to the studio."
            )
        row = row_of(session, case_id)
        add_event(session, case_id, kind, by=by, now=studio.clock(), sealed=sealed)
        if row.lead_id is not None and kind == "message":
            details = {"number": row.number}
            add_event(
                session, row.lead_id, "message", by="reporter", now=studio.clock(),
                details=details,
            )  # fmt: skip
        note_event(
            session, "case.changed", moment=studio.clock(), project_id=row.project_id,
            ids={"case": row.lead_id or row.id, "number": row.number, "state": row.state},
        )  # fmt: skip
