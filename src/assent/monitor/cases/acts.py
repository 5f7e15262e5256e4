"""What a studio can do in a case; each act says whether it can be taken back.

    act(studio, case, "suspend", by="cleo")                 # reversible: one person
    proposed = propose(studio, case, "revoke", by="cleo")   # for good: two people sign it
    undo(studio, act_id, by="cleo")

The act counts once it is done; its row is written first, so that one that was interrupted is seen
as proposed and can be done again.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from sqlalchemy import select

from assent.consent.holds import hold, lift
from assent.consent.invitations import invite_home
from assent.consent.people import find_person
from assent.kit.canonical import canonical
from assent.kit.clock import stamp
from assent.kit.errors import InputError, NotFoundError, RefusedError, SignOffError
from assent.kit.store.case_tables import ActRow, CaseRow
from assent.kit.store.events import note_event
from assent.kit.store.studio import Studio
from assent.monitor.cases import release_acts
from assent.monitor.cases.case import (
    Case,
    add_event,
    case_hash,
    find_case,
    key_of,
    row_of,
)
from assent.monitor.cases.evidence import freeze_release
from assent.monitor.cases.letters import notify_channels, tell_subject
from assent.monitor.cases.once import ABOUT, append_once

__all__ = [
    "ACTS",
    "Act",
    "Done",
    "act",
    "enter",
    "find_act",
    "list_acts",
    "perform",
    "propose",
    "undo",
]

Reversal = Literal["reversible", "sent", "final"]
Perform = Callable[[Studio, Case, Mapping[str, Any], str], dict[str, Any]]
Undo = Callable[[Studio, Case, Mapping[str, Any], str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Something that can be done.

    Attributes:
        id: its name.
        title: what it does, for a button.
        says: what happens, and what of it can't be taken back.
        reversal: `reversible`; `sent`, which can be followed by a correction and not called back;
            `final`, which two people sign.
        arguments: names of what must be given.
        perform: does it and returns what is to be known of it.
        takes_back: undoes it, if anything does.
    """

    id: str
    title: str
    says: str
    reversal: Reversal
    perform: Perform
    arguments: tuple[str, ...] = ()
    takes_back: Undo | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """An act of a case; `state` is proposed, done or undone."""

    id: str
    case_id: str
    act: str
    state: str
    created: str
    by: str
    arguments: Mapping[str, Any]
    approvals: tuple[str, ...]
    done: str | None
    undone: str | None
    result: Mapping[str, Any]

    @property
    def rule(self) -> Act:
        """What it is."""
        return ACTS[self.act]


def act(
    studio: Studio, case: Case, name: str, arguments: Mapping[str, Any] | None = None, *, by: str
) -> Done:
    """Do something; raises `SignOffError` if two people must sign it first."""
    rule = _rule(name)
    if rule.reversal == "final":
        raise SignOffError(
            f"'{name}' can't be taken back: two people sign it",
            advice="Propose it and let a second person sign: `assent case act`.",
        )
    return perform(studio, propose(studio, case, name, arguments, by=by), by=by)


def propose(
    studio: Studio, case: Case, name: str, arguments: Mapping[str, Any] | None = None, *, by: str
) -> Done:
    """Write down what is to be done, and return it; raises `InputError` if something is missing."""
    rule = _rule(name)
    given = {key: value for key, value in (arguments or {}).items() if value not in (None, "")}
    missing = [each for each in rule.arguments if each not in given]
    if missing:
        raise InputError(f"'{name}' needs: {', '.join(missing)}", advice=rule.says)
    _check_open(case)
    row = ActRow(
        id=uuid.uuid4().hex, case_id=case.id, act=name, state="proposed",
        created=stamp(studio.clock()), by=by,
        sealed=key_of(studio, case.id).seal("act", given),
    )  # fmt: skip
    with studio.database.session() as session:
        session.add(row)
        if rule.reversal == "final":
            details = {"act": name, "id": row.id}
            add_event(session, case.id, "proposed", by=by, now=studio.clock(), details=details)
    return _told(studio, row)


def perform(studio: Studio, proposed: Done, *, by: str) -> Done:
    """Do what was proposed, and note it; `approval.approve` asks the second person first."""
    case = find_case(studio, proposed.case_id)
    _check_open(case)
    result = proposed.rule.perform(studio, case, proposed.arguments, by)
    now = studio.clock()
    with studio.database.session() as session:
        row = session.get_one(ActRow, proposed.id)
        row.state, row.done, row.result = "done", stamp(now), _public(result)
        details = {"act": row.act, "id": row.id, **row.result}
        add_event(session, case.id, "act", by=by, now=now, details=details)
        _changed(studio, session, case)
    enter(studio)
    # What is told once, such as a link, is kept nowhere.
    return replace(_told(studio, row), result=result)


def undo(studio: Studio, act_id: str, *, by: str) -> Done:
    """Take an act back; raises `RefusedError` if nothing can."""
    done = find_act(studio, act_id)
    takes_back = done.rule.takes_back
    if takes_back is None:
        raise RefusedError(f"'{done.act}' can't be taken back", advice=done.rule.says)
    if done.state != "done":
        raise RefusedError(f"this act is {done.state}: there is nothing to take back")
    case = find_case(studio, done.case_id)
    takes_back(studio, case, done.arguments, by)
    now = studio.clock()
    with studio.database.session() as session:
        row = session.get_one(ActRow, done.id)
        row.state, row.undone, row.log_index = "undone", stamp(now), None
        details = {"act": row.act, "id": row.id}
        add_event(session, case.id, "undone", by=by, now=now, details=details)
        _changed(studio, session, case)
    enter(studio)
    return _told(studio, row)


def find_act(studio: Studio, act_id: str) -> Done:
    """Return the act whose id begins so; raises `NotFoundError`."""
    with studio.database.session() as session:
        found = session.scalars(
            select(ActRow).where(ActRow.id.startswith(act_id, autoescape=True))
        ).all()
    if len(found) != 1 or len(act_id) < 6:
        raise NotFoundError(f"no act '{act_id[:40]}'", advice="See `assent case show`.")
    return _told(studio, found[0])


def list_acts(studio: Studio, case: Case) -> tuple[Done, ...]:
    """Return the acts of a case, oldest first."""
    with studio.database.session() as session:
        rows = session.scalars(
            select(ActRow).where(ActRow.case_id == case.id).order_by(ActRow.created, ActRow.id)
        ).all()
    return tuple(_told(studio, row) for row in rows)


def _rule(name: str) -> Act:
    if name not in ACTS:
        raise InputError(f"there is no act '{name[:40]}'", advice=f"One of: {', '.join(ACTS)}.")
    return ACTS[name]


def _check_open(case: Case) -> None:
    if case.lead_id is not None:
        raise InputError(
            "this report was joined to another case", advice="Act in the case that it belongs to."
        )
    if not case.readable:
        raise InputError("this case was closed and what was kept of it destroyed")


def _public(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a result may stand in the timeline."""
    return {key: value for key, value in result.items() if not key.startswith("_")}


def _changed(studio: Studio, session: Any, case: Case) -> None:  # noqa: ANN401 - a session
    note_event(
        session, "case.changed", moment=studio.clock(), project_id=case.project_id,
        ids={"case": case.id, "number": case.number},
    )  # fmt: skip


def enter(studio: Studio) -> int:
    """Enter in the log what was done or undone and isn't there; return how many acts that were.

    Whoever is killed before leaves it to the next one; safe to run anywhere at any time.
    """
    studio.disk.make_folder(studio.folder / "cases")
    with studio.disk.lock(studio.folder / "cases" / ".acting"):
        with studio.database.session() as session:
            found = session.execute(
                select(ActRow, CaseRow.salt)
                .join(CaseRow, CaseRow.id == ActRow.case_id)
                .where(
                    ActRow.state.in_(("done", "undone")),
                    (ActRow.log_index.is_(None)) | (ActRow.log_index == ABOUT),
                )
                .order_by(ActRow.done, ActRow.id)
            ).all()
        if found:
            rows = [row for row, _ in found]
            entries = [_entry(row, salt) for row, salt in found]
            resumed = any(row.log_index == ABOUT for row in rows)
            _note_indices(studio, rows, [ABOUT] * len(rows))
            _note_indices(studio, rows, append_once(studio, entries, resumed=resumed))
    return len(found)


def _entry(row: ActRow, salt: str) -> bytes:
    moment = row.undone if row.state == "undone" else row.done
    what = {
        "act": row.act, "id": row.id, "state": row.state, "time": moment,
        "approvals": list(row.approvals),
    }  # fmt: skip
    entry = {
        "kind": "case.acted",
        "case": case_hash(salt, row.case_id, "case"),
        "content": case_hash(salt, row.case_id, what),
        "time": moment,
    }
    return canonical(entry)


def _note_indices(studio: Studio, rows: Sequence[ActRow], indices: Sequence[int]) -> None:
    with studio.database.session() as session:
        for row, index in zip(rows, indices, strict=True):
            session.get_one(ActRow, row.id).log_index = index


def _told(studio: Studio, row: ActRow) -> Done:
    try:
        arguments = key_of(studio, row.case_id).open("act", row.sealed)
    except NotFoundError:
        # The case's time is over, and what was written for it is gone with its key.
        arguments = {}
    return Done(
        id=row.id, case_id=row.case_id, act=row.act, state=row.state, created=row.created,
        by=row.by, arguments=arguments, approvals=tuple(row.approvals), done=row.done,
        undone=row.undone, result=row.result,
    )  # fmt: skip


# What each act does


def _project(case: Case) -> str:
    if case.project_id is None:
        raise InputError(
            "this case belongs to no project",
            advice="Say which release it is of: `assent case set --asset`.",
        )
    return case.project_id


def _stop(studio: Studio, case: Case, arguments: Mapping[str, Any], by: str) -> dict[str, Any]:
    hold(studio, _project(case), case_id=case.id, number=case.number)
    return {"stopped": True}


def _go_on(studio: Studio, case: Case, arguments: Mapping[str, Any], by: str) -> None:
    lift(studio, _project(case), case_id=case.id)


def _freeze(studio: Studio, case: Case, arguments: Mapping[str, Any], by: str) -> dict[str, Any]:
    whole = arguments.get("files") not in ("no", False)
    return {"frozen": len(freeze_release(studio, case, by=by, files=whole))}


def _preserve(studio: Studio, case: Case, arguments: Mapping[str, Any], by: str) -> dict[str, Any]:
    _set_preserved(studio, case, preserved=True)
    return {"preserved": True}


def _release_preserved(studio: Studio, case: Case, arguments: Mapping[str, Any], by: str) -> None:
    _set_preserved(studio, case, preserved=False)


def _set_preserved(studio: Studio, case: Case, *, preserved: bool) -> None:
    with studio.database.session() as session:
        row_of(session, case.id).preserved = preserved
        for follower in session.scalars(select(CaseRow).where(CaseRow.lead_id == case.id)):
            follower.preserved = preserved


def _link(studio: Studio, case: Case, arguments: Mapping[str, Any], by: str) -> dict[str, Any]:
    """Make a link to the person's own place; the link itself is told once and kept nowhere."""
    person = find_person(studio, str(arguments["person"]))
    return {"person": person.id, "_secret": invite_home(studio, person)}


ACTS: Mapping[str, Act] = {
    each.id: each
    for each in (
        Act(
            id="freeze", title="Freeze the evidence", reversal="reversible", perform=_freeze,
            says="Keeps encrypted copies of the release's record and files for this case. They go "
            "when the case's time is over; nothing else changes.",
            takes_back=lambda studio, case, arguments, by: None,
        ),
        Act(
            id="stop-work", title="Stop work on the project", reversal="reversible", perform=_stop,
            says="Nobody is cleared for anything in this project until it is taken back; what is "
            "being rendered or trained stops by itself.",
            takes_back=_go_on,
        ),
        Act(
            id="suspend", title="Suspend the release", reversal="reversible",
            perform=release_acts.suspend,
            says="Verification and the public record say at once that it should not be shown for "
            "the time being.",
            takes_back=release_acts.take_back("suspend"),
        ),
        Act(
            id="take-down", title="Take the release down", reversal="reversible",
            perform=release_acts.take_down,
            says="Its files leave the releases folder; a tombstone stays and the log says so. They "
            "can be put back as long as the evidence is kept. Copies elsewhere are not concerned.",
            takes_back=release_acts.take_back("take-down"),
        ),
        Act(
            id="correct", title="Name the corrected release", reversal="reversible",
            perform=release_acts.correct, arguments=("successor",),
            says="Verification and the public record lead from this release to the one that takes "
            "its place.",
            takes_back=release_acts.take_back("correct"),
        ),
        Act(
            id="revoke", title="Revoke the credential", reversal="final",
            perform=release_acts.revoke,
            says="For good: the log and the status list say that this release's credential is "
            "revoked, and nothing takes that back. Two people sign.",
        ),
        Act(
            id="notify", title="Send the notice to channels", reversal="sent",
            perform=notify_channels, arguments=("to", "reasons"),
            says="Sends the filled notice by e-mail, with a PDF. It can't be called back; another "
            "message can correct it.",
        ),
        Act(
            id="tell-subject", title="Tell the person concerned", reversal="sent",
            perform=tell_subject, arguments=("to", "words"),
            says="Sends your words with care contacts by e-mail. It can't be called back.",
        ),
        Act(
            id="withdrawal-link", title="Give a link to their own place", reversal="sent",
            perform=_link, arguments=("person",),
            says="Makes a one-time link with which the person can end their own consent. Nobody "
            "ends it for them.",
        ),
        Act(
            id="preserve", title="Preserve for an authority", reversal="reversible",
            perform=_preserve,
            says="What was kept of this case is not destroyed until that is taken back. Hand it "
            "out with `assent case export`.",
            takes_back=_release_preserved,
        ),
    )
}  # fmt: skip
