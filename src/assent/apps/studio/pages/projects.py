"""The list of projects, and a project as its path of eight steps."""

from dataclasses import dataclass

from sqlalchemy import select
from starlette.responses import Response

from assent.apps.access.permissions import Action, Role
from assent.apps.studio.page import Visit, get
from assent.apps.studio.steps import Step, steps_of
from assent.kit.store.tables import ProjectRow
from assent.purpose.brief import Brief
from assent.purpose.projects import Project

__all__ = ["PAGES"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A project in the list."""

    project: Project
    roles: tuple[Role, ...]
    steps: tuple[Step, ...]

    @property
    def now(self) -> Step:
        """The step that it is at."""
        return next((each for each in self.steps if each.state == "now"), self.steps[-1])


def projects_page(visit: Visit) -> Response:
    """List the projects that the visitor has a role in."""
    with visit.studio.database.session() as session:
        rows = session.scalars(select(ProjectRow).order_by(ProjectRow.created.desc())).all()
    shown = []
    for row in rows:
        roles = visit.who.roles_in(row.id)
        if roles:
            project = Project(
                id=row.id, slug=row.slug, brief=Brief.from_mapping(row.brief), created=row.created
            )
            shown.append(
                Shown(
                    project=project,
                    roles=tuple(sorted(roles)),
                    steps=steps_of(visit.studio, project)
                    if visit.may(Action.READ_PROJECT, project)
                    else (),
                )
            )
    return visit.show("projects.html", shown=shown, new="/new" in visit.house.paths)


def project_page(visit: Visit) -> Response:
    """Show a project as the path that it takes."""
    return visit.show("steps.html", brief=visit.project.brief)


PAGES = (
    get("/", projects_page, Action.ENTER),
    get("/p/{project}", project_page, Action.READ_PROJECT),
)
