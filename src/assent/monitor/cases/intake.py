"""Take a report in: it is on the disk before its reporter gets a receipt, and never lost after.

    opened = open_case(studio, notice, channel="public")
    opened.number, opened.pin       # shown once

What can wait is done by `settle`: entering it in the log, joining it to a case of the same file,
release or place. Whoever is killed in between leaves a case that `settle` finishes.
"""

import os
import secrets
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from assent.kit.canonical import canonical
from assent.kit.clock import stamp
from assent.kit.store.case_tables import CaseMarkRow, CaseRow
from assent.kit.store.events import note_event
from assent.kit.store.studio import Studio
from assent.kit.store.tables import DraftRow, ReleaseRow
from assent.kit.vault.stream import Entropy
from assent.monitor.cases.case import (
    RUNNING,
    Case,
    add_event,
    case_hash,
    find_case,
)
from assent.monitor.cases.letters import tell_reporter
from assent.monitor.cases.notice import Notice
from assent.monitor.cases.once import ABOUT, append_once
from assent.monitor.cases.receipt import hash_pin, make_number, make_pin
from assent.monitor.cases.rules import kind_of, rules
from assent.monitor.cases.sealing import blind, make_key, open_key

__all__ = ["CHANNELS", "Opened", "open_case", "project_of", "settle"]

CHANNELS = ("public", "api", "monitor", "cli", "studio")
"""Where reports come from; a person's from the first two is held to what the law asks for."""

_HELD_TO_THE_LAW = ("public", "api")
_AT_ONCE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A report that was taken; the PIN is told here and never again."""

    case: Case
    number: str
    pin: str
    joined: bool


def open_case(
    studio: Studio,
    notice: Notice,
    *,
    channel: str,
    later: bool = False,
    case_id: str | None = None,
    entropy: Entropy = os.urandom,
) -> Opened:
    """Take a report; once this returns it is durable.

    With `later` the log and the joining are left to `settle`. `case_id` names what is to be made by
    a request that may be sent again: a case that is there already gets another PIN, since the first
    was never told. Raises `InputError` if a person's notice lacks what its kind of case needs.
    """
    if channel in _HELD_TO_THE_LAW:
        notice.check_complete()
    pin = make_pin(entropy)
    known = None if case_id is None else _repeated(studio, case_id, pin)
    if known is not None:
        settle(studio)
        return _opened(studio, known, pin)
    row = _row(studio, notice, channel=channel, pin=pin, case_id=case_id, entropy=entropy)
    marks = _marks(studio, notice)
    with studio.database.session() as session:
        session.add(row)
        session.flush()
        for mark in marks:
            session.add(CaseMarkRow(case_id=row.id, mark=mark))
        add_event(
            session, row.id, "opened", by=channel, now=studio.clock(),
            details={"kind": row.kind, "severity": row.severity, "set_aside": row.set_aside},
        )  # fmt: skip
        note_event(
            session,
            "case.opened",
            moment=studio.clock(),
            project_id=row.project_id,
            ids={"case": row.id, "number": row.number, "kind": row.kind},
        )
    if not later:
        settle(studio)
    return _opened(studio, row.id, pin)


def _repeated(studio: Studio, case_id: str, pin: str) -> str | None:
    """Give a case that there is another PIN, and return its id; None if there is none."""
    with studio.database.session() as session:
        row = session.get(CaseRow, case_id)
        if row is None:
            return None
        row.pin_hash = hash_pin(pin)
    return case_id


def _opened(studio: Studio, case_id: str, pin: str) -> Opened:
    found = find_case(studio, case_id)
    return Opened(case=found, number=found.number, pin=pin, joined=found.lead_id is not None)


def settle(studio: Studio) -> int:
    """Join and log what was taken in and isn't yet; return how many reports that were.

    Safe to run anywhere at any time: one process settles, others wait for it.
    """
    done = 0
    studio.disk.make_folder(studio.folder / "cases")
    with studio.disk.lock(studio.folder / "cases" / ".settling"):
        while True:
            with studio.database.session() as session:
                rows = session.scalars(
                    select(CaseRow)
                    .where((CaseRow.log_index.is_(None)) | (CaseRow.log_index == ABOUT))
                    .order_by(CaseRow.opened, CaseRow.id)
                    .limit(_AT_ONCE)
                ).all()
            if not rows:
                return done
            for row in rows:
                if row.log_index is not None:
                    continue
                _join(studio, row.id)
                if row.channel in _HELD_TO_THE_LAW and row.key is not None:
                    tell_reporter(studio, find_case(studio, row.id), "receipt", by="program")
            _log(studio, rows)
            done += len(rows)


def _row(
    studio: Studio, notice: Notice, *, channel: str, pin: str, case_id: str | None, entropy: Entropy
) -> CaseRow:
    now = studio.clock()
    kind = kind_of(notice.kind)
    case_id = case_id or uuid.UUID(bytes=entropy(16), version=4).hex
    key, wrapped = make_key(studio, case_id, entropy=entropy)
    reporter = blind(studio, "reporter", notice.email.lower()) if notice.email else None
    return CaseRow(
        id=case_id,
        number=make_number(entropy),
        pin_hash=hash_pin(pin),
        kind=kind.id,
        channel=channel,
        language=notice.language,
        severity=kind.severity,
        state="open",
        opened=stamp(now),
        due=stamp(now + timedelta(hours=kind.hours)),
        salt=secrets.token_hex(32),
        key=wrapped,
        sealed=key.seal("notice", notice.to_json(), entropy=entropy),
        asset_id=notice.asset_id,
        project_id=None if notice.asset_id is None else project_of(studio, notice.asset_id),
        reporter=reporter,
        set_aside=kind.severity > 0 and _misused(studio, reporter),
    )


def project_of(studio: Studio, asset_id: str) -> str | None:
    """Return the id of the project that a release is of; None for one that nobody knows."""
    with studio.database.session() as session:
        return session.scalar(
            select(DraftRow.project_id)
            .join(ReleaseRow, ReleaseRow.draft_id == DraftRow.id)
            .where(ReleaseRow.asset_id == asset_id)
        )


def _misused(studio: Studio, reporter: str | None) -> bool:
    """Tell whether so many notices of a reporter were manifestly unfounded that more must wait."""
    if reporter is None:
        return False
    rule = rules().misuse
    since = stamp(studio.clock() - timedelta(days=rule.days))
    with studio.database.session() as session:
        count = session.scalar(
            select(func.count())
            .select_from(CaseRow)
            .where(
                CaseRow.reporter == reporter,
                CaseRow.outcome == "unfounded",
                CaseRow.opened >= since,
            )
        )
    return int(count or 0) >= rule.notices


def _marks(studio: Studio, notice: Notice) -> tuple[str, ...]:
    """Return by what the same matter is known again: file, place, release with kind of case."""
    found = {blind(studio, "file", each) for each in notice.sha256}
    found |= {blind(studio, "place", _place(each)) for each in notice.places if each}
    if notice.asset_id is not None:
        found.add(blind(studio, "release", f"{notice.asset_id} {notice.kind}"))
    return tuple(sorted(found))


def _place(text: str) -> str:
    """Return a place in one spelling: addresses differ in case and at the end only."""
    plain = text.strip().rstrip("/")
    scheme, _, rest = plain.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme.lower()}://{host.lower()}{slash}{path}" if rest else plain.lower()


def _join(studio: Studio, case_id: str) -> None:
    """Join a report to the oldest running case of the same matter, whose clock gets the stricter.

    What waits for a person joins nothing, and nothing joins it.
    """
    with studio.database.session() as session:
        row = session.get_one(CaseRow, case_id)
        lead = None if row.lead_id is not None or row.set_aside else _same(session, row)
        if lead is None:
            return
        row.lead_id = lead.id
        # What an authority asked to be kept has come to hold this report too.
        row.preserved = row.preserved or lead.preserved
        # Whoever was joined to this one a moment ago comes along.
        session.execute(update(CaseRow).where(CaseRow.lead_id == row.id).values(lead_id=lead.id))
        now = studio.clock()
        add_event(session, row.id, "joined", by="program", now=now)
        details = {"number": row.number, "channel": row.channel, "kind": row.kind}
        if row.severity < lead.severity:
            details["severity"] = str(row.severity)
            lead.severity = row.severity
        if row.due is not None and (lead.due is None or row.due < lead.due):
            lead.due = row.due
        lead.asset_id = lead.asset_id or row.asset_id
        lead.project_id = lead.project_id or row.project_id
        add_event(session, lead.id, "report", by="program", now=now, details=details)


def _same(session: Session, row: CaseRow) -> CaseRow | None:
    marks = select(CaseMarkRow.mark).where(CaseMarkRow.case_id == row.id)
    # A case that was joined leads on to the case that it was joined to.
    other = select(func.coalesce(CaseRow.lead_id, CaseRow.id)).join(
        CaseMarkRow, CaseMarkRow.case_id == CaseRow.id
    )
    leads = other.where(CaseMarkRow.mark.in_(marks), CaseRow.id != row.id)
    return session.scalars(
        select(CaseRow)
        .where(
            CaseRow.id.in_(leads),
            CaseRow.id != row.id,
            CaseRow.lead_id.is_(None),
            CaseRow.state.in_(RUNNING),
            CaseRow.set_aside.is_(False),
            (CaseRow.log_index.is_not(None)) | (CaseRow.opened <= row.opened),
        )
        # Of reports of one moment, those that wait for their own turn follow the case there is.
        .order_by(CaseRow.log_index.is_(None), CaseRow.opened, CaseRow.id)
        .limit(1)
    ).first()


def _log(studio: Studio, rows: Iterable[CaseRow]) -> None:
    """Enter reports in the log, by hashes of what was reported, and nothing else of it."""
    listed = list(rows)
    entries = []
    for row in listed:
        key = open_key(studio, row.id, row.key)
        notice = key.open("notice", str(row.sealed))
        entries.append(
            canonical(
                {
                    "kind": "case.opened",
                    "case": case_hash(row.salt, row.id, "case"),
                    "content": case_hash(row.salt, row.id, notice),
                    "time": row.opened,
                }
            )
        )
    resumed = any(row.log_index == ABOUT for row in listed)
    _note(studio, listed, [ABOUT] * len(listed))
    _note(studio, listed, append_once(studio, entries, resumed=resumed))


def _note(studio: Studio, rows: Sequence[CaseRow], indices: Sequence[int]) -> None:
    with studio.database.session() as session:
        for row, index in zip(rows, indices, strict=True):
            session.get_one(CaseRow, row.id).log_index = index
