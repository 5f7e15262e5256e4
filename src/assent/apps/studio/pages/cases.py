"""Cases: what was reported, which clock runs, what is done about it, and what came of it.

The same pages lie beside all projects, for who works for the whole studio, and in each project,
for who works for that one alone.
"""

from collections.abc import Callable
from typing import Any

from starlette.responses import JSONResponse, Response

from assent.apps.access.permissions import Action
from assent.apps.access.subjects import may_lead_home
from assent.apps.studio.page import Page, Visit, get, post
from assent.apps.studio.signing import keep_signature, offer_signature, person_named, signers
from assent.consent.people import list_people
from assent.kit.errors import InputError, NotClearedError, NotFoundError
from assent.kit.store.tables import DraftRow, ReleaseRow
from assent.monitor.cases.acts import ACTS, Done, act, find_act, list_acts, propose, undo
from assent.monitor.cases.approval import approval_to_sign, approve, approvers_of
from assent.monitor.cases.case import (
    Case,
    find_case,
    hours_left,
    joined_to,
    list_cases,
    notice_of,
    read_events,
)
from assent.monitor.cases.decision import OUTCOMES, Decision, decide, statement_of
from assent.monitor.cases.evidence import list_evidence
from assent.monitor.cases.handling import check_step, set_facts, steps_done, take_up
from assent.monitor.cases.intake import open_case, settle
from assent.monitor.cases.notice import read_notice
from assent.monitor.cases.retrospective import Retrospective, keep_retrospective, retrospective_of
from assent.monitor.cases.rules import rules
from assent.monitor.cases.talk import answer
from assent.purpose.projects import look_up
from assent.safeguard.claims import reviewers_of

__all__ = ["PAGES"]

_TOLD = {"upheld": "Found right", "partly": "Found right in part", "rejected": "Not found right",
         "unfounded": "Manifestly unfounded"}  # fmt: skip
_FIELDS = ("to", "reasons", "words", "person", "successor", "language")


def cases_page(visit: Visit) -> Response:
    """List the cases, the most urgent first."""
    settle(visit.studio)
    project_id = visit.project.id if visit.page.of_project else None
    cases = list_cases(visit.studio, project_id=project_id)
    now = visit.studio.clock()
    return visit.show(
        "cases.html", cases=[(each, hours_left(each, now)) for each in cases],
        base=_base(visit), kinds=rules().kinds,
    )  # fmt: skip


def case_page(visit: Visit) -> Response:
    """Show a case."""
    case = _case(visit)
    studio = visit.studio
    common: dict[str, Any] = {
        "case": case,
        "base": _base(visit),
        "left": hours_left(case, studio.clock()),
    }
    if not case.readable:
        return visit.show("case_gone.html", events=read_events(studio, case.id), **common)
    reports = (case, *(each for each in joined_to(studio, case.id) if each.readable))
    acts = list_acts(studio, case)
    return visit.show(
        "case.html",
        reports=[
            (each, notice_of(studio, each.id),
             [e for e in read_events(studio, each.id) if e.words])
            for each in reports
        ],
        done=steps_done(studio, case),
        acts=acts,
        offered=list(ACTS.values()),
        titles={name: rule.title for name, rule in ACTS.items()},
        waiting=[each for each in acts if _waits(each)],
        evidence=list_evidence(studio, case),
        events=read_events(studio, case.id),
        statement=statement_of(studio, case.id),
        learned=retrospective_of(studio, case),
        outcomes=[(each, _TOLD[each]) for each in OUTCOMES],
        people=_people(visit),
        **common,
    )  # fmt: skip


def act_page(visit: Visit) -> Response:
    """Show an act that two people sign, and ask for a signature."""
    case, proposed = _case(visit), _act(visit)
    signed = approvers_of(visit.studio, proposed)
    left = [each for each in _signers(visit, case) if each not in signed]
    return visit.show(
        "case_act.html", case=case, proposed=proposed, base=_base(visit), signed=signed,
        signers=signers(visit, left) if _waits(proposed) else [],
    )  # fmt: skip


def open_now(visit: Visit) -> Response:
    """Take in what somebody told the studio."""
    notice = read_notice(
        {
            "kind": visit.field("kind"), "reasons": visit.field("reasons"),
            "places": tuple(line for line in visit.field("places").splitlines() if line.strip()),
            "asset_id": visit.field("asset").strip() or None,
        }
    )  # fmt: skip
    opened = open_case(visit.studio, notice, channel="studio")
    told = (
        f"Report {opened.number}, PIN {opened.pin}: give both to who reported, they are told once."
    )
    return visit.see(f"{_base(visit)}/{opened.case.lead_id or opened.case.id}", notice=told)


def act_now(visit: Visit) -> Response:
    """Do something; what two people sign is proposed."""
    case, name = _case(visit), visit.field("act")
    if visit.field("sure") != "yes":
        raise InputError("nothing was done", advice="Tick that you have read what it does.")
    given = {each: visit.field(each) for each in _FIELDS}
    if given["person"] and given["person"] not in _people(visit):
        raise NotFoundError(
            "there is nobody of that name to whom you may make a link",
            advice="Load the page again.",
        )
    if name in ACTS and ACTS[name].reversal == "final":
        waiting = [e for e in list_acts(visit.studio, case) if e.act == name and _waits(e)]
        made = waiting[0] if waiting else propose(visit.studio, case, name, by=visit.who.handle)
        return visit.see(f"{_base(visit)}/{case.id}/acts/{made.id}")
    done = act(visit.studio, case, name, given, by=visit.who.handle)
    told = f"Done: {done.rule.title.lower()}."
    if "_secret" in done.result:
        told += f" Link, shown once: /c/{done.result['_secret']}"
    return _back(visit, told)


def undo_now(visit: Visit) -> Response:
    """Take an act back."""
    _case(visit)
    done = undo(visit.studio, _act(visit).id, by=visit.who.handle)
    return _back(visit, f"Taken back: {done.rule.title.lower()}.")


def sign_prepare(visit: Visit) -> Response:
    """Return what a person signs; the page must show this very act."""
    case, proposed = _case(visit), _act(visit)
    if visit.data.get("shown") != proposed.id:
        raise NotClearedError("this page is too old", advice="Load the page again.")
    person = person_named(visit, _signers(visit, case))
    return offer_signature(visit, person, approval_to_sign(visit.studio, proposed, person.key))


def sign_now(visit: Visit) -> Response:
    """Keep a signature; with the second one the act is done."""
    case, proposed = _case(visit), _act(visit)
    person = person_named(visit, _signers(visit, case))
    approve(visit.studio, proposed.id, person, keep_signature(visit, person))
    return JSONResponse({"next": visit.request.url.path.rpartition("/")[0]})


def step_now(visit: Visit) -> Response:
    """Tick a step of the playbook, or take the tick back."""
    done = visit.field("done") == "yes"
    check_step(
        visit.studio, _case(visit), visit.field("step"), by=visit.who.handle, done=done
    )  # fmt: skip
    return _back(visit)


def set_now(visit: Visit) -> Response:
    """Say which release it is, how grave it is, or that it is looked at."""
    case, by = _case(visit), visit.who.handle
    if visit.field("take") == "yes":
        take_up(visit.studio, case, by=by)
        return _back(visit, "The clock runs.")
    severity, asset = visit.field("severity"), visit.field("asset").strip()
    if asset and visit.page.of_project:
        visit.must_be_of_project(_project_of(visit, asset))
    set_facts(
        visit.studio, case, by=by, asset_id=asset or None,
        severity=int(severity) if severity in ("0", "1", "2", "3") else None,
    )  # fmt: skip
    return _back(visit, "Kept.")


def answer_now(visit: Visit) -> Response:
    """Write to one of those who reported."""
    case = _case(visit)
    reports = {each.id for each in (case, *joined_to(visit.studio, case.id))}
    if visit.field("report") not in reports:
        raise NotFoundError("there is no such report in this case")
    answer(visit.studio, visit.field("report"), visit.field("text"), by=visit.who.handle)
    return _back(visit, "They see it with their number and PIN.")


def decide_now(visit: Visit) -> Response:
    """Decide the case with reasons."""
    names = ("outcome", "facts", "ground", "restriction", "scope")
    given = {name: visit.field(name) for name in names}
    made = Decision(**given, automated=visit.field("automated") == "yes")
    decide(visit.studio, _case(visit), made, by=visit.who.handle)
    return _back(visit, "Decided. Everyone who reported it is told.")


def learn_now(visit: Visit) -> Response:
    """Look back on a decided case, and perhaps add a house rule."""
    text = visit.field("rule").strip()
    if text and not visit.who.may(Action.CHANGE_CASES):
        raise NotClearedError(
            "a house rule counts for every project",
            advice="Leave it empty, or ask somebody who works for the whole studio.",
        )
    rule = {"text": text, "effect": visit.field("effect") or "warn"} if text else None
    answers = Retrospective(
        happened=visit.field("happened"), slow=visit.field("slow"), change=visit.field("change"),
        rule=rule,
    )  # fmt: skip
    pack = keep_retrospective(visit.studio, _case(visit), answers, by=visit.who.handle)
    return _back(visit, f"Kept; house rules {pack.version} count from now on." if pack else "Kept.")


def _case(visit: Visit) -> Case:
    """Return the case of the path, if it is one of the project of the path where there is one."""
    case = find_case(visit.studio, visit.path("case"))
    if visit.page.of_project:
        visit.must_be_of_project(case.project_id)
    if case.lead_id is not None:
        raise NotFoundError(
            "this report was joined to another case", advice="Open the case that it belongs to."
        )
    return case


def _people(visit: Visit) -> list[str]:
    """Return the handles of those to whose own place who asks may make a link."""
    return [
        each.handle
        for each in list_people(visit.studio)
        if not each.staff and may_lead_home(visit.studio, visit.who, Action.CHANGE_CASES, each.id)
    ]


def _project_of(visit: Visit, asset_id: str) -> str | None:
    with visit.studio.database.session() as session:
        row = session.get(ReleaseRow, asset_id)
        draft = session.get(DraftRow, row.draft_id) if row else None
        return draft.project_id if draft else None


def _act(visit: Visit) -> Done:
    found = find_act(visit.studio, visit.path("act"))
    if found.case_id != _case(visit).id:
        raise NotFoundError("there is no such act in this case")
    return found


def _waits(done: Done) -> bool:
    return done.state == "proposed" and done.rule.reversal == "final"


def _signers(visit: Visit, case: Case) -> tuple[str, ...]:
    """Return the handles of those who may sign what is final."""
    staff = [each.handle for each in list_people(visit.studio) if each.staff]
    if case.project_id is not None:
        staff += reviewers_of(look_up(visit.studio, case.project_id).brief)
    return tuple(dict.fromkeys(staff))


def _base(visit: Visit) -> str:
    return f"/p/{visit.project.slug}/cases" if visit.page.of_project else "/cases"


def _back(visit: Visit, notice: str = "") -> Response:
    return visit.see(f"{_base(visit)}/{_case(visit).id}", notice=notice)


_SEEN: dict[str, Callable[[Visit], Response]] = {
    "": cases_page, "/{case}": case_page, "/{case}/acts/{act}": act_page,
}  # fmt: skip
_CHANGED: dict[str, Callable[[Visit], Response]] = {
    "": open_now, "/{case}/acts": act_now, "/{case}/acts/{act}/undo": undo_now,
    "/{case}/acts/{act}/key": sign_prepare, "/{case}/acts/{act}/signature": sign_now,
    "/{case}/steps": step_now, "/{case}/facts": set_now, "/{case}/answer": answer_now,
    "/{case}/decision": decide_now, "/{case}/learned": learn_now,
}  # fmt: skip


def _pages(base: str) -> list[Page]:
    looked = [get(f"{base}{path}", handler, Action.READ_CASES) for path, handler in _SEEN.items()]
    changed: list[Any] = [
        post(f"{base}{path}", handler, Action.CHANGE_CASES) for path, handler in _CHANGED.items()
    ]
    return [*looked, *changed]


PAGES: tuple[Page, ...] = (*_pages("/cases"), *_pages("/p/{project}/cases"))
