"""Where copies of releases were seen, and how they stand there."""

from collections.abc import Iterable

from starlette.responses import Response

from assent.apps.access.permissions import Action
from assent.apps.studio.page import Visit, get, post
from assent.monitor.watch.reach import Dashboard, dashboard
from assent.monitor.watch.sources import find_source, set_paused
from assent.purpose.projects import list_projects, look_up

__all__ = ["PAGES"]

_WORDS = {
    "unlabelled": "without label",
    "ended": "ended",
    "scope": "outside scope",
    "unsure": "unsure",
    "allowed": "as it should be",
}
_TALL = 88  # of the chart's bars, in its own units


def monitor_page(visit: Visit) -> Response:
    """Show the figures of the projects that who asks may see."""
    shown = dashboard(visit.studio, projects=_projects(visit))
    return visit.show("monitor.html", shown=shown, words=_WORDS, bars=list(_bars(shown)))


def _projects(visit: Visit) -> list[str]:
    projects = (look_up(visit.studio, slug) for slug, _ in list_projects(visit.studio))
    return [each.id for each in projects if visit.who.may(Action.READ_MONITOR, each.id)]


def _bars(shown: Dashboard) -> Iterable[dict[str, object]]:
    most = max([week.copies for week in shown.weeks] or [0])
    for number, week in enumerate(shown.weeks):
        tall = round(_TALL * week.copies / most) if most else 0
        wrong = round(_TALL * week.wrong / most) if most else 0
        yield {"x": number * 24, "tall": tall, "wrong": wrong, "week": week}


def change_source(visit: Visit) -> Response:
    """Let a source wait, or go on."""
    source = find_source(visit.studio, visit.path("source"))
    set_paused(visit.studio, source.name, paused=not source.paused)
    done = "goes on" if source.paused else "waits"
    return visit.see("/monitor", notice=f"{source.name} {done}.")


PAGES = (
    get("/monitor", monitor_page, Action.READ_MONITOR),
    post("/monitor/sources/{source}", change_source, Action.CHANGE_MONITOR),
)
