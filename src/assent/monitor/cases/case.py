"""One case as the studio works on it: what was reported, its state, its clock, its timeline.

    for case in list_cases(studio):
        print(case.number, case.kind, case.due)

A case that was joined to another shows that one's state; whoever reported it learns of no other.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from assent.kit.canonical import canonical
from assent.kit.clock import stamp
from assent.kit.errors import InputError, NotFoundError
from assent.kit.store.case_tables import CaseEventRow, CaseRow
from assent.kit.store.studio import Studio
from assent.monitor.cases.notice import Notice
from assent.monitor.cases.receipt import read_number
from assent.monitor.cases.rules import Kind, Playbook, kind_of, playbook_of
from assent.monitor.cases.sealing import CaseKey, open_key

__all__ = [
    "Case",
    "Event",
    "add_event",
    "case_hash",
    "find_case",
    "hours_left",
    "joined_to",
    "key_of",
    "lead_of",
    "list_cases",
    "notice_of",
    "read_events",
    "row_of",
    "told_case",
]

RUNNING = ("open", "complaint")
"""States in which a clock runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A case without anything that its reporter wrote.

    `severity` 0 is the gravest. `joined` are the numbers of the reports that were joined to it.
    """

    id: str
    number: str
    kind: str
    channel: str
    language: str
    severity: int
    state: str
    opened: str
    due: str | None
    asset_id: str | None
    project_id: str | None
    lead_id: str | None
    set_aside: bool
    decided: str | None
    outcome: str | None
    closed: str | None
    keep_until: str | None
    preserved: bool
    readable: bool
    joined: tuple[str, ...] = ()

    @property
    def rule(self) -> Kind:
        """The business rule of its kind."""
        return kind_of(self.kind)

    @property
    def playbook(self) -> Playbook:
        """What is to be done in cases like it."""
        return playbook_of(self.severity)

    @property
    def running(self) -> bool:
        """Whether a clock runs."""
        return self.state in RUNNING and self.lead_id is None and not self.set_aside

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values; nothing in them is about a person."""
        told = {name: getattr(self, name) for name in self.__slots__}
        return {**told, "joined": list(self.joined), "running": self.running}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened; `words` are what somebody wrote, if the key is still there."""

    number: int
    time: str
    kind: str
    by: str
    details: dict[str, Any]
    words: str | None = None


def list_cases(
    studio: Studio, *, state: str | None = None, project_id: str | None = None,
    joined: bool = False,
) -> tuple[Case, ...]:  # fmt: skip
    """Return the cases, those whose clock runs first and of these the most urgent.

    `state` and `project_id` narrow the list; with `joined` those that were joined to another too.
    """
    chosen = select(CaseRow)
    if state is not None:
        chosen = chosen.where(CaseRow.state == state)
    if project_id is not None:
        chosen = chosen.where(CaseRow.project_id == project_id)
    if not joined:
        chosen = chosen.where(CaseRow.lead_id.is_(None))
    with studio.database.session() as session:
        rows = session.scalars(chosen).all()
        followers = _followers(session)
    cases = [told_case(row, followers.get(row.id, ())) for row in rows]
    return tuple(
        sorted(cases, key=lambda c: (not c.running, c.due or "~", c.severity, c.opened, c.id))
    )


def find_case(studio: Studio, text: str) -> Case:
    """Return the case with that number, or whose id begins so; raises `NotFoundError`."""
    try:
        number = read_number(text)
    except InputError:
        number = ""
    with studio.database.session() as session:
        found = session.scalars(
            select(CaseRow).where(
                (CaseRow.number == number) | (CaseRow.id.startswith(text, autoescape=True))
            )
        ).all()
        if len(found) != 1 or len(text) < 6:
            raise NotFoundError(f"no case '{text[:40]}'", advice="See `assent case list`.")
        followers = _followers(session, found[0].id)
    return told_case(found[0], followers.get(found[0].id, ()))


def lead_of(studio: Studio, case: Case) -> Case:
    """Return the case that this one was joined to, or the case itself."""
    return case if case.lead_id is None else find_case(studio, case.lead_id)


def joined_to(studio: Studio, case_id: str) -> tuple[Case, ...]:
    """Return the reports that were joined to a case, oldest first."""
    with studio.database.session() as session:
        rows = session.scalars(
            select(CaseRow).where(CaseRow.lead_id == case_id).order_by(CaseRow.opened, CaseRow.id)
        ).all()
    return tuple(told_case(row) for row in rows)


def row_of(session: Session, case_id: str) -> CaseRow:
    """Return a case's row."""
    return session.get_one(CaseRow, case_id)


def key_of(studio: Studio, case_id: str) -> CaseKey:
    """Return the key of a case; raises `NotFoundError` once it was destroyed."""
    with studio.database.session() as session:
        wrapped = row_of(session, case_id).key
    return open_key(studio, case_id, wrapped)


def notice_of(studio: Studio, case_id: str) -> Notice:
    """Return what was reported; raises `NotFoundError` once it was destroyed."""
    key = key_of(studio, case_id)
    with studio.database.session() as session:
        sealed = row_of(session, case_id).sealed
    return Notice.model_validate(key.open("notice", str(sealed)))


def add_event(
    session: Session,
    case_id: str,
    kind: str,
    *,
    by: str,
    now: datetime,
    details: dict[str, Any] | None = None,
    sealed: str | None = None,
) -> None:
    """Note what happened; `details` hold nothing about a person, words are sealed."""
    session.add(
        CaseEventRow(
            case_id=case_id, time=stamp(now), kind=kind, by=by, details=details or {},
            sealed=sealed,
        )
    )  # fmt: skip


def read_events(studio: Studio, case_id: str) -> tuple[Event, ...]:
    """Return a case's timeline, oldest first."""
    with studio.database.session() as session:
        wrapped = row_of(session, case_id).key
        rows = session.scalars(
            select(CaseEventRow)
            .where(CaseEventRow.case_id == case_id)
            .order_by(CaseEventRow.number)
        ).all()
    key = open_key(studio, case_id, wrapped) if wrapped is not None else None
    return tuple(
        Event(
            number=row.number,
            time=row.time,
            kind=row.kind,
            by=row.by,
            details=row.details,
            words=key.open("event", row.sealed)["text"] if key and row.sealed else None,
        )
        for row in rows
    )


def hours_left(case: Case, now: datetime) -> float | None:
    """Return the hours until an answer is due, negative once it is late; None if no clock runs."""
    if not case.running or case.due is None:
        return None
    return (datetime.fromisoformat(case.due) - now).total_seconds() / 3600


def case_hash(salt: str, case_id: str, what: object) -> str:
    """Return the salted SHA-256 (hex) by which the log names something of a case."""
    content = canonical({"case": case_id, "what": what})
    return hashlib.sha256(salt.encode() + b"." + content).hexdigest()


def told_case(row: CaseRow, joined: tuple[str, ...] = ()) -> Case:
    """Return a row as the case that it is."""
    return Case(
        id=row.id, number=row.number, kind=row.kind, channel=row.channel, language=row.language,
        severity=row.severity, state=row.state, opened=row.opened, due=row.due,
        asset_id=row.asset_id, project_id=row.project_id, lead_id=row.lead_id,
        set_aside=row.set_aside, decided=row.decided, outcome=row.outcome, closed=row.closed,
        keep_until=row.keep_until, preserved=row.preserved, readable=row.key is not None,
        joined=joined,
    )  # fmt: skip


def _followers(session: Session, lead_id: str | None = None) -> dict[str, tuple[str, ...]]:
    chosen = select(CaseRow.lead_id, CaseRow.number).where(CaseRow.lead_id.is_not(None))
    if lead_id is not None:
        chosen = chosen.where(CaseRow.lead_id == lead_id)
    found: dict[str, tuple[str, ...]] = {}
    for lead, number in session.execute(chosen.order_by(CaseRow.opened)):
        if lead is None:
            continue
        found[lead] = (*found.get(lead, ()), number)
    return found
