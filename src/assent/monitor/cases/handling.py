"""What the studio notes of a case while it works on it: which release, how grave, which steps."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from assent.kit.clock import stamp
from assent.kit.errors import InputError, NotFoundError, RefusedError
from assent.kit.store.case_tables import ActRow
from assent.kit.store.studio import Studio
from assent.kit.store.tables import DraftRow, ReleaseRow
from assent.monitor.cases.case import Case, Event, add_event, find_case, read_events, row_of
from assent.monitor.cases.rules import playbook_of

__all__ = ["check_step", "set_facts", "steps_done", "take_up"]

_OF_THE_RELEASE = frozenset({"stop-work", "suspend", "take-down", "correct", "revoke"})


def set_facts(
    studio: Studio, case: Case, *, asset_id: str | None = None, severity: int | None = None, by: str
) -> Case:
    """Say which release a case is of, or how grave it is; a graver case gets no later a term."""
    details: dict[str, object] = {}
    with studio.database.session() as session:
        row = row_of(session, case.id)
        if asset_id not in (None, row.asset_id):
            _check_free(session, case)
        if asset_id is not None:
            row.asset_id, row.project_id = asset_id, _project_of(studio, asset_id)
            details["asset"] = asset_id
        if severity is not None:
            row.severity = playbook_of(severity).severity
            details["severity"] = severity
        if not details:
            raise InputError("nothing was said", advice="Give --asset or --severity.")
        add_event(session, case.id, "set", by=by, now=studio.clock(), details=details)
    return find_case(studio, case.id)


def take_up(studio: Studio, case: Case, *, by: str) -> Case:
    """Let the clock of a report run that waited for a person."""
    if not case.set_aside:
        raise InputError("this case isn't waiting")
    now = studio.clock()
    with studio.database.session() as session:
        row = row_of(session, case.id)
        row.set_aside, row.due = False, stamp(now + timedelta(hours=case.rule.hours))
        add_event(session, case.id, "taken-up", by=by, now=now)
    return find_case(studio, case.id)


def check_step(studio: Studio, case: Case, step: str, *, by: str, done: bool = True) -> None:
    """Tick a step of the playbook, or take the tick back."""
    if step not in {each.id for each in case.playbook.step}:
        raise NotFoundError(f"there is no step '{step[:40]}'", advice="See `assent case show`.")
    with studio.database.session() as session:
        details = {"step": step, "done": done}
        add_event(session, case.id, "step", by=by, now=studio.clock(), details=details)


def steps_done(studio: Studio, case: Case) -> dict[str, Event]:
    """Return the last tick of each step that is ticked."""
    found: dict[str, Event] = {}
    for event in read_events(studio, case.id):
        if event.kind == "step" and event.details["done"]:
            found[str(event.details["step"])] = event
        elif event.kind == "step":
            found.pop(str(event.details["step"]), None)
    return found


def _check_free(session: Session, case: Case) -> None:
    """Raise `RefusedError` if an act stands, or was signed, that is of the release so far."""
    acts = session.scalars(select(ActRow).where(ActRow.case_id == case.id))
    for each in acts:
        if each.act in _OF_THE_RELEASE and (each.state == "done" or each.approvals):
            raise RefusedError(
                f"'{each.act}' was done or signed for the release that the case names",
                advice="Take it back first, or open another case for the other release.",
            )


def _project_of(studio: Studio, asset_id: str) -> str:
    with studio.database.session() as session:
        found = session.scalar(
            select(DraftRow.project_id)
            .join(ReleaseRow, ReleaseRow.draft_id == DraftRow.id)
            .where(ReleaseRow.asset_id == asset_id)
        )
    if found is None:
        raise NotFoundError(f"no release {asset_id}", advice="See `assent monitor releases`.")
    return found
