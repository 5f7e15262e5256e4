"""Cases: opened by a studio's own systems, and read; people act in them, in the studio's pages."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Path, Query
from pydantic import Field, StringConstraints

from assent.apps.access.permissions import Action
from assent.apps.api.call import Asked, Call, Where, get, post
from assent.apps.api.paging import Cursor, Limit, paged
from assent.apps.api.problems import PermitError
from assent.apps.api.shapes import Asset, Received, Told, example
from assent.kit.errors import NotFoundError
from assent.monitor.cases.acts import list_acts
from assent.monitor.cases.case import (
    Case,
    find_case,
    hours_left,
    list_cases,
    notice_of,
    read_events,
)
from assent.monitor.cases.handling import steps_done
from assent.monitor.cases.intake import open_case, project_of
from assent.monitor.cases.notice import LONGEST, Notice, read_notice

__all__ = ["OPERATIONS", "CaseListed", "CaseOpened", "CaseTold"]

Name = Annotated[
    str, Path(pattern=r"^[0-9A-Za-z-]{8,36}$", description="A case's number, or its id.")
]
Text = Annotated[str, StringConstraints(max_length=300)]
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
State = Literal["open", "decided", "complaint", "closed"]


class NewCase(Received):
    """What is reported, in the words and with the name of who reports it.

    `kind` is one of docs/cases.md; each asks for other things. At least one of `places`, `release`
    and `sha256` is needed.
    """

    model_config = example(
        kind="mislabelled",
        reasons="The label is cut off at the top.",
        places=["https://videos.example.org/1"],
        name="Rosa Example",
        email="rosa@example.org",
        good_faith=True,
    )
    kind: Annotated[str, StringConstraints(min_length=2, max_length=40)]
    reasons: Annotated[str, StringConstraints(min_length=10, max_length=LONGEST)]
    places: list[Annotated[str, StringConstraints(max_length=2000)]] = Field([], max_length=30)
    release: Asset | None = None
    sha256: list[Hash] = Field([], max_length=20)
    relation: Literal["self", "representative", "other"] = "other"
    shown: Text | None = None
    law: Text | None = None
    name: Text | None = None
    email: Annotated[str, StringConstraints(max_length=254)] | None = None
    good_faith: bool = Field(default=False, strict=True)
    signature: Text | None = None
    language: Literal["en", "de", "es"] = "en"

    def notice(self) -> Notice:
        """Return it as it is kept; raises `InputError`."""
        fields = self.model_dump(exclude={"release"}, exclude_none=True)
        return read_notice({**fields, "asset_id": self.release})


class CaseListed(Told):
    """A case and its clock, without anything that its reporter wrote; `severity` 0 is the gravest.

    `joined` are the numbers of the reports that were joined to it.
    """

    id: str
    number: str
    kind: str
    channel: str
    severity: int
    state: str
    opened: str
    due: str | None
    hours_left: float | None
    running: bool
    set_aside: bool
    release: str | None
    project: str | None
    decided: str | None
    outcome: str | None
    closed: str | None
    joined: list[str]


class Reported(Told):
    """What was reported; who reported it is told in the studio's pages alone."""

    reasons: str
    places: list[str]
    sha256: list[str]
    relation: str
    shown: str | None
    law: str | None


class StepTold(Told):
    """A step of the case's playbook."""

    id: str
    text: str
    done: bool


class ActTold(Told):
    """Something that was done or is proposed; `state` is proposed, done or undone."""

    id: str
    act: str
    state: str
    created: str
    done: str | None
    undone: str | None


class Happened(Told):
    """A moment of the case's timeline."""

    time: str
    kind: str


class CaseTold(CaseListed):
    """A case; `report` is null once what was kept of it is destroyed."""

    report: Reported | None
    steps: list[StepTold]
    acts: list[ActTold]
    timeline: list[Happened]


class CaseOpened(Told):
    """The receipt: number and PIN belong to who reported, and the PIN is told this once."""

    number: str
    pin: str
    due: str | None


class Cases(Told):
    """A page of cases: those whose clock runs first, and of these the most urgent."""

    items: list[CaseListed]
    next: str | None


def add_case(call: Asked, new: NewCase) -> CaseOpened:
    """Take a report that reached one of your systems; the same matter joins its running case.

    The law's fields are asked for as on the public form. Where a release is named, the right to
    change cases in its project is enough.
    """
    notice = new.notice()
    project = None if notice.asset_id is None else project_of(call.studio, notice.asset_id)
    if not call.may_in(Action.CHANGE_CASES, project):
        raise PermitError("to open this case takes a part in the whole studio")
    opened = open_case(call.studio, notice, channel="api", case_id=call.operation)
    return CaseOpened(number=opened.number, pin=opened.pin, due=opened.case.due)


def list_all_cases(
    call: Asked,
    state: Annotated[State | None, Query(description="Only cases in this state.")] = None,
    project: Annotated[
        str | None, Query(max_length=60, description="Only those of the project with this id.")
    ] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Cases:
    """The cases that the token may see."""
    found = list_cases(call.studio, state=state, project_id=project)
    seen = [each for each in found if _sees(call, each)]
    page, more = paged(seen, lambda case: case.id, kind="cases", cursor=cursor, limit=limit)
    now = call.studio.clock()
    return Cases(items=[CaseListed(**_fields(each, now)) for each in page], next=more)


def show_case(call: Asked, case: Name) -> CaseTold:
    """A case: what was reported, which steps are done, and what came of it."""
    found = find_case(call.studio, case)
    if not _sees(call, found) or found.lead_id is not None:
        raise NotFoundError(f"no case '{case}'", advice="See `assent case list`.")
    studio = call.studio
    done = steps_done(studio, found)
    notice = notice_of(studio, found.id) if found.readable else None
    return CaseTold(
        **_fields(found, studio.clock()),
        report=None if notice is None else Reported(**notice.model_dump(mode="json")),
        steps=[
            StepTold(id=each.id, text=each.text, done=each.id in done)
            for each in found.playbook.step
        ],
        acts=[
            ActTold(
                id=each.id, act=each.act, state=each.state, created=each.created, done=each.done,
                undone=each.undone,
            )
            for each in list_acts(studio, found)
        ],
        timeline=[Happened(time=e.time, kind=e.kind) for e in read_events(studio, found.id)],
    )  # fmt: skip


def _sees(call: Call, case: Case) -> bool:
    return call.may_in(Action.READ_CASES, case.project_id)


def _fields(case: Case, now: datetime) -> Mapping[str, Any]:
    left = hours_left(case, now)
    return {
        **case.to_json(),
        "hours_left": None if left is None else round(left, 2),
        "release": case.asset_id,
        "project": case.project_id,
    }


_ANY = Where.ANY
OPERATIONS = (
    get("/cases", list_all_cases, Action.READ_CASES, where=_ANY, tags=["cases"]),
    post("/cases", add_case, Action.CHANGE_CASES, where=_ANY, tags=["cases"]),
    get("/cases/{case}", show_case, Action.READ_CASES, where=_ANY, tags=["cases"]),
)
