"""Projects: a brief in, the rules' answers out."""

from collections.abc import Iterable
from typing import Annotated, Any, cast

from fastapi import Response
from pydantic import ConfigDict, Field, JsonValue, StringConstraints
from sqlalchemy import select

from assent.apps.access.permissions import Action
from assent.apps.api.call import Asked, Call, Where, get, post
from assent.apps.api.paging import Cursor, Limit, page_of
from assent.apps.api.shapes import Day, Received, Told
from assent.kit.store.tables import ProjectRow
from assent.purpose.brief import EXAMPLE, Brief, RiskAnswers
from assent.purpose.library import packs_of
from assent.purpose.projects import create_project
from assent.purpose.rules import Ruling as Ruled
from assent.purpose.rules import decide

__all__ = ["OPERATIONS", "BriefIn", "Ruling", "rulings_of"]

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,59}$")]


class RiskIn(RiskAnswers):
    """Yes-or-no answers; each must be given, as true or false."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class BriefIn(Brief):
    """What the work is for, told before anything else is done."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", json_schema_extra={"examples": [cast("JsonValue", EXAMPLE)]}
    )
    starts: Day
    ends: Day
    risk: RiskIn

    def plain(self) -> Brief:
        """Return it as the rules read it."""
        return Brief.from_mapping(self.to_json())


class NewProject(Received):
    """A project to be made; without a name it gets one from its title."""

    brief: BriefIn
    name: Slug | None = Field(default=None, examples=["lesson"])


class Ruling(Told):
    """A rule that speaks of the work: what it says, its source, and what set it off."""

    id: str
    pack: str
    effect: str
    text: str
    source: str
    weak_source: bool
    status: str
    because: list[str]
    met: str
    how: str
    begins: str | None = None


class ProjectListed(Told):
    """A project in a list."""

    id: str
    name: str
    title: str
    category: str
    starts: str
    ends: str
    created: str


class ProjectTold(Told):
    """A project, and what the rules of today say of it."""

    id: str
    name: str
    created: str
    brief: dict[str, Any]
    allowed: bool
    risk: str
    shortest_side: int
    sign_off: bool
    second_reviewer: bool
    ticks: bool
    rules: list[Ruling]


class Projects(Told):
    """A page of projects."""

    items: list[ProjectListed]
    next: str | None


def rulings_of(rulings: Iterable[Ruled]) -> list[Ruling]:
    """Return rulings as they are told."""
    return [
        Ruling(
            id=each.rule,
            pack=each.pack,
            effect=each.effect,
            text=each.text,
            source=each.source,
            weak_source=each.weak,
            status=each.status,
            because=list(each.because),
            met=each.met,
            how=each.how,
            begins=None if each.begins is None else each.begins.isoformat(),
        )
        for each in rulings
    ]


def list_projects(call: Asked, cursor: Cursor = None, limit: Limit = 50) -> Projects:
    """The projects that the token may see, oldest first."""
    chosen = select(ProjectRow)
    places = {each.project_id for each in call.who.memberships}
    if None not in places or not call.may_in(Action.READ_PROJECT, None):
        seen = [p for p in places if p is not None and call.may_in(Action.READ_PROJECT, p)]
        chosen = chosen.where(ProjectRow.id.in_(seen))
    order = (ProjectRow.created, ProjectRow.id)
    rows, more = page_of(
        call.studio.database, chosen, order, kind="projects", cursor=cursor, limit=limit
    )
    return Projects(items=[_listed(row) for row in rows], next=more)


def add_project(call: Asked, new: NewProject, response: Response) -> ProjectTold:
    """Make a project of a brief; a purpose that a rule forbids is refused with the rule's name.

    The same name and brief again give the project that there is.
    """
    made = create_project(call.studio, new.brief.plain(), slug=new.name)
    response.headers["Location"] = f"/api/v1/projects/{made.slug}"
    with call.studio.database.session() as session:
        row = session.get_one(ProjectRow, made.project_id)
    return _told(call, row.id, row.slug, row.created, made.brief)


def show_project(call: Asked, project: str) -> ProjectTold:
    """A project with its brief, and what the rules of today say of it."""
    of = call.of
    return _told(call, of.id, of.slug, of.created, of.brief)


def _told(call: Call, project_id: str, slug: str, created: str, brief: Brief) -> ProjectTold:
    made = decide(brief, packs_of(call.studio), day=call.studio.clock().date())
    return ProjectTold(
        id=project_id,
        name=slug,
        created=created,
        brief=brief.to_json(),
        allowed=made.refusal is None,
        risk=made.level.name,
        shortest_side=made.level.shortest_side,
        sign_off=made.level.sign_off,
        second_reviewer=made.level.second_reviewer,
        ticks=made.level.ticks,
        rules=rulings_of(made.rulings),
    )


def _listed(row: ProjectRow) -> ProjectListed:
    brief = row.brief
    return ProjectListed(
        id=row.id,
        name=row.slug,
        title=brief["title"],
        category=brief["category"],
        starts=brief["starts"],
        ends=brief["ends"],
        created=row.created,
    )


OPERATIONS = (
    get("/projects", list_projects, Action.READ_PROJECT, where=Where.ANY, tags=["projects"]),
    post("/projects", add_project, Action.CREATE_PROJECT, tags=["projects"]),
    get("/projects/{project}", show_project, Action.READ_PROJECT, tags=["projects"]),
)
