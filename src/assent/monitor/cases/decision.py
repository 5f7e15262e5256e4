"""The decision of a case, with its reasons, and what can be said against it.

A decision is a statement of reasons (DSA Art. 17(3)) in the reporter's language, signed by the
studio and entered in the log as a hash. Each report that was joined to the case gets one of its
own. A complaint (Art. 20) is decided by somebody else than who decided before.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from assent.kit.canonical import canonical
from assent.kit.clock import stamp
from assent.kit.errors import InputError, RefusedError, SignOffError
from assent.kit.signing import sign, verify
from assent.kit.store.case_tables import CaseRow
from assent.kit.store.events import note_event
from assent.kit.store.studio import Studio
from assent.monitor.cases.case import (
    RUNNING,
    Case,
    add_event,
    case_hash,
    find_case,
    joined_to,
    key_of,
    row_of,
    told_case,
)
from assent.monitor.cases.letters import tell_reporter
from assent.monitor.cases.notice import clean
from assent.monitor.cases.once import ABOUT, append_once
from assent.monitor.cases.retention import keep_until
from assent.monitor.cases.rules import rules
from assent.monitor.cases.words import say

__all__ = ["OUTCOMES", "Decision", "can_complain", "complain", "decide", "finish", "statement_of"]

OUTCOMES = ("upheld", "partly", "rejected", "unfounded")
"""What can come of a case; `unfounded` is for what manifestly never had a ground (Art. 23)."""

_KIND = "assent-case-decision+jws"
_LONGEST = 6000


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is decided, and why.

    Attributes:
        outcome: one of `OUTCOMES`.
        facts: the facts and circumstances that it rests on.
        ground: the law, or the terms or the consent record, and why it applies.
        restriction: what was done with the release; nothing, if nothing was.
        scope: where and for how long that holds.
        automated: whether automated means were used to find the content.
    """

    outcome: str
    facts: str
    ground: str
    restriction: str = ""
    scope: str = ""
    automated: bool = False

    def __post_init__(self) -> None:
        """Raise `InputError` for a decision without reasons."""
        if self.outcome not in OUTCOMES:
            raise InputError(
                f"a case is not decided as '{self.outcome[:40]}'",
                advice=f"It is one of: {', '.join(OUTCOMES)}.",
            )
        for name in ("facts", "ground", "restriction", "scope"):
            text = clean(getattr(self, name))
            if len(text) > _LONGEST:
                raise InputError(f"{name} is longer than {_LONGEST} characters")
            object.__setattr__(self, name, text)
        if len(self.facts) < 10 or len(self.ground) < 3:
            raise InputError(
                "a decision gives its reasons: the facts and the ground",
                advice="Say what was found, and which law, term or record decides it.",
            )


def decide(studio: Studio, case: Case, decision: Decision, *, by: str) -> Case:
    """Decide a case, and tell everyone who reported it.

    Raises `RefusedError` if no decision is due, `SignOffError` if a complaint would be decided by
    who decided before.
    """
    if case.lead_id is not None:
        raise RefusedError("this report was joined to another case", advice="Decide that one.")
    if case.state not in RUNNING:
        raise RefusedError("this case is decided", advice="Its reporter can complain about it.")
    with studio.database.session() as session:
        before = row_of(session, case.id).decided_by
    if case.state == "complaint" and before == by:
        raise SignOffError(
            f"{by} decided this case before",
            advice="Somebody else decides about a complaint (DSA Art. 20(6)).",
        )
    # A report that was joined can be gone before its complaint is decided.
    reports = (case, *(each for each in joined_to(studio, case.id) if each.readable))
    for each in reports:
        _keep(studio, each, decision, by=by)
    finish(studio)
    return find_case(studio, case.id)


def finish(studio: Studio) -> int:
    """Log and tell the decisions that aren't yet; return of how many reports.

    For a process that was killed in between; safe to run anywhere at any time.
    """
    studio.disk.make_folder(studio.folder / "cases")
    with studio.disk.lock(studio.folder / "cases" / ".deciding"):
        with studio.database.session() as session:
            rows = session.scalars(
                select(CaseRow)
                .where(
                    CaseRow.statement.is_not(None),
                    (CaseRow.decision_index.is_(None)) | (CaseRow.decision_index == ABOUT),
                )
                .order_by(CaseRow.decided, CaseRow.id)
            ).all()
        for row in rows:
            if row.decision_index is not None:
                continue
            text = statement_of(studio, row.id) or ""
            tell_reporter(
                studio, told_case(row), "decision", by=str(row.decided_by), statement=text
            )
        _log(studio, rows)
    return len(rows)


def statement_of(studio: Studio, case_id: str) -> str | None:
    """Return the statement of reasons as text in the reporter's language, or None if undecided.

    Raises `IntegrityError` if it isn't what was signed.
    """
    with studio.database.session() as session:
        row = row_of(session, case_id)
    if row.statement is None:
        return None
    token = key_of(studio, case_id).open("statement", row.statement)["token"]
    return render(verify(token, studio.signing_key, kind=_KIND), row.language)


def render(told: dict[str, Any], language: str) -> str:
    """Return a signed decision as text."""
    parts = [say(language, f"outcome_{told['outcome']}")]
    parts += [
        say(language, f"statement_{name}", **{name: told[name]})
        for name in ("restriction", "scope", "facts", "ground")
        if told[name]
    ]
    parts.append(say(language, f"statement_automated_{'yes' if told['automated'] else 'no'}"))
    parts.append(say(language, "statement_redress"))
    if told["outcome"] == "unfounded":
        parts.append(say(language, "statement_misuse"))
    return "\n\n".join(parts)


def can_complain(row: CaseRow, now: datetime) -> bool:
    """Tell whether the reporter can still complain: once, for as long as the rules say."""
    if row.decided is None or row.complained is not None or row.state == "closed":
        return False
    ends = datetime.fromisoformat(row.decided) + timedelta(days=rules().complaint.days)
    return now < ends


def complain(studio: Studio, case_id: str, text: str) -> None:
    """Take a reporter's complaint; its clock runs, and somebody else decides."""
    now, words = studio.clock(), clean(text)
    if not 10 <= len(words) <= _LONGEST:
        raise InputError(
            f"a complaint has between 10 and {_LONGEST} characters",
            advice="Say in a sentence or more why the decision is wrong.",
        )
    with studio.database.session() as session:
        row = row_of(session, case_id)
        if not can_complain(row, now):
            raise RefusedError(
                "there is nothing to complain about, or the time for it is over",
                advice="You can turn to an out-of-court dispute settlement body or a court.",
            )
        lead = row if row.lead_id is None else row_of(session, row.lead_id)
        lead_id = lead.id
    sealed = key_of(studio, case_id).seal("event", {"text": words})
    due = stamp(now + timedelta(hours=rules().complaint.hours))
    with studio.database.session() as session:
        row, lead = row_of(session, case_id), row_of(session, lead_id)
        row.complained = stamp(now)
        if lead.state != "complaint":
            lead.state, lead.reopened, lead.due, lead.keep_until = (
                "complaint",
                stamp(now),
                due,
                None,
            )
        row.keep_until = None
        add_event(session, case_id, "complaint", by="reporter", now=now, sealed=sealed)
        if lead_id != case_id:
            details = {"number": row.number}
            add_event(session, lead_id, "complaint", by="reporter", now=now, details=details)
        _note(studio, session, lead)
    tell_reporter(studio, find_case(studio, case_id), "complaint", by="program")


def _keep(studio: Studio, case: Case, decision: Decision, *, by: str) -> None:
    """Sign a decision for one report and keep it, sealed."""
    now = studio.clock()
    document = {
        **asdict(decision), "studio": studio.id, "case": case.number, "kind": case.kind,
        "opened": case.opened, "decided": stamp(now), "complaint": case.state == "complaint",
        "redress_days": rules().complaint.days,
    }  # fmt: skip
    token = sign(document, studio.signing_key, kind=_KIND)
    sealed = key_of(studio, case.id).seal("statement", {"token": token})
    with studio.database.session() as session:
        row = row_of(session, case.id)
        row.state, row.due, row.outcome = "decided", None, decision.outcome
        row.decided, row.decided_by, row.statement = stamp(now), by, sealed
        row.decision_index = None
        row.keep_until = keep_until(studio, case)
        details = {"outcome": decision.outcome, "complaint": case.state == "complaint"}
        add_event(session, case.id, "decided", by=by, now=now, details=details)
        _note(studio, session, row)


def _log(studio: Studio, rows: Sequence[CaseRow]) -> None:
    entries = []
    for row in rows:
        token = key_of(studio, row.id).open("statement", str(row.statement))["token"]
        entries.append(
            canonical(
                {
                    "kind": "case.decided",
                    "case": case_hash(row.salt, row.id, "case"),
                    "content": case_hash(row.salt, row.id, token),
                    "time": str(row.decided),
                }
            )
        )
    resumed = any(row.decision_index == ABOUT for row in rows)
    _note_indices(studio, rows, [ABOUT] * len(rows))
    _note_indices(studio, rows, append_once(studio, entries, resumed=resumed))


def _note_indices(studio: Studio, rows: Sequence[CaseRow], indices: Sequence[int]) -> None:
    with studio.database.session() as session:
        for row, index in zip(rows, indices, strict=True):
            row_of(session, row.id).decision_index = index


def _note(studio: Studio, session: Any, row: CaseRow) -> None:  # noqa: ANN401 - a session
    note_event(
        session, "case.changed", moment=studio.clock(), project_id=row.project_id,
        ids={"case": row.id, "number": row.number, "state": row.state},
    )  # fmt: skip
