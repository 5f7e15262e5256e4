"""What is kept of a case is destroyed when its time is over: the key first, then the files.

What stays: number, kind, times and outcome, without anything that somebody wrote, and the log's
hashes. A case that is preserved for an authority waits until that is lifted.
"""

from datetime import timedelta

from sqlalchemy import delete, select, update

from assent.kit.clock import stamp
from assent.kit.store.case_tables import (
    CaseEventRow,
    CaseMailRow,
    CaseMarkRow,
    CaseRow,
    EvidenceRow,
)
from assent.kit.store.studio import Studio
from assent.monitor.cases.case import Case, add_event
from assent.monitor.cases.rules import rules
from assent.monitor.cases.sealing import evidence_path

__all__ = ["keep_until", "sweep"]


def keep_until(studio: Studio, case: Case) -> str:
    """Return until when a case that ends now is kept."""
    days = rules().keep_days[case.severity]
    return stamp(studio.clock() + timedelta(days=days))


def sweep(studio: Studio) -> int:
    """Destroy what is due; return of how many cases. Interrupted, the next run finishes."""
    now = stamp(studio.clock())
    with studio.database.session() as session:
        due = session.scalars(
            select(CaseRow.id).where(
                CaseRow.keep_until.is_not(None),
                CaseRow.keep_until <= now,
                CaseRow.preserved.is_(False),
                CaseRow.key.is_not(None),
            )
        ).all()
    for case_id in due:
        _destroy(studio, case_id)
    _remove_files(studio)
    return len(due)


def _destroy(studio: Studio, case_id: str) -> None:
    """Delete the key and all that was sealed under it; the files are unreadable from then on."""
    now = studio.clock()
    with studio.database.session() as session:
        row = session.get_one(CaseRow, case_id)
        row.key = row.sealed = row.reporter = row.statement = row.retrospective = None
        row.pin_hash = ""
        row.state, row.closed = "closed", stamp(now)
        session.execute(delete(CaseMarkRow).where(CaseMarkRow.case_id == case_id))
        session.execute(delete(CaseMailRow).where(CaseMailRow.case_id == case_id))
        for table in (CaseEventRow, EvidenceRow):
            session.execute(update(table).where(table.case_id == case_id).values(sealed=None))
        session.execute(
            update(EvidenceRow)
            .where(EvidenceRow.case_id == case_id, EvidenceRow.destroyed.is_(None))
            .values(destroyed=stamp(now))
        )
        add_event(session, case_id, "destroyed", by="program", now=now)


def _remove_files(studio: Studio) -> None:
    """Remove files whose key is gone, and those that no case knows of."""
    with studio.database.session() as session:
        known = {
            row.id: row.destroyed
            for row in session.execute(select(EvidenceRow.id, EvidenceRow.destroyed))
        }
    folder = evidence_path(studio, "x").parent
    for name in studio.disk.names(folder):
        # Unfinished ones and locks begin with a dot.
        if name.startswith(".") or (name in known and known[name] is None):
            continue
        written = studio.disk.written(folder / name)
        # What is being frozen at this moment has no row yet.
        if name in known or (written and written < studio.clock() - timedelta(days=1)):
            studio.disk.remove(folder / name)
