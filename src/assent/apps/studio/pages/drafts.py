"""Step 5: the drafts of a project, and the player in which one looks at them frame by frame."""

from dataclasses import dataclass

from starlette.responses import JSONResponse, Response

from assent.apps.access.permissions import Action
from assent.apps.studio.page import Visit, get, post
from assent.apps.studio.pages.jobs import last_failed
from assent.apps.studio.summaries import Qualities
from assent.apps.work.kinds import enqueue
from assent.consent.clearance import Clearance
from assent.consent.desk import clear_all
from assent.create.draft import Draft, list_drafts, load
from assent.create.report import donor_poses
from assent.data.clips import list_clips
from assent.kit.errors import NotFoundError
from assent.kit.imaging.colour import Colour
from assent.kit.jobs.queue import Queue
from assent.kit.store.tables import DraftRow
from assent.train.models import list_models

__all__ = ["PAGES"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A draft in the list."""

    row: DraftRow
    clip: str
    model: str


def drafts_page(visit: Visit) -> Response:
    """List the drafts, newest first, and offer to render a scene."""
    clips = list_clips(visit.studio, visit.purpose)
    models = list_models(visit.studio, visit.purpose)
    names = {clip.id: clip.name for clip in clips} | {row.id: row.name for row in models}
    listed = [
        Listed(row=row, clip=names.get(row.footage_id, ""), model=names.get(row.model_id, ""))
        for row in reversed(list_drafts(visit.studio, visit.purpose))
    ]
    ready = [row for row in models if row.state == "ready"]
    jobs = Queue(visit.studio.database, visit.studio.clock).list(visit.project.id, kind="render")
    return visit.show(
        "drafts.html",
        listed=listed,
        clips=clips,
        models=ready,
        colours=[each.value for each in Colour],
        jobs=[job for job in jobs if not job.state.over],
        failed=last_failed(jobs),
    )


def render_scene(visit: Visit) -> Response:
    """Put a render into the queue."""
    arguments = {
        "footage": visit.field("footage"),
        "model": visit.field("model"),
        "colour": visit.field("colour") or Colour.TOUCH.value,
    }
    enqueue(visit.studio, "render", visit.project.id, arguments, by=visit.who.account_id)
    return visit.see(f"/p/{visit.project.slug}/drafts", notice="The scene waits to be rendered.")


def draft_page(visit: Visit) -> Response:
    """Show the player."""
    draft = _draft(visit)
    return visit.show(
        "draft.html",
        draft=draft,
        clip=draft.clip,
        review=_has(visit, "review"),
        repair=_has(visit, "repair"),
    )


def _has(visit: Visit, page: str) -> str | None:
    """Return the path of a page of the same draft, if there is one."""
    path = {"review": "/p/{project}/review/{draft}", "repair": "/p/{project}/drafts/{draft}/repair"}
    there = path[page] in visit.house.paths
    return path[page] if there else None


def quality(visit: Visit) -> Response:
    """Tell how good a draft is, in figures; no picture is looked at."""
    draft = _draft(visit)
    needs = draft.needs(to_release=False)

    def ask() -> tuple[Clearance, ...]:
        return clear_all(visit.studio, visit.purpose, needs)

    report = visit.house.services.get(Qualities, lambda: Qualities(visit.studio)).of(draft, ask)
    return JSONResponse(
        {
            **report.as_dict(),
            "rows": report.rows(),
            "donor": donor_poses(visit.studio, draft, ask()),
        }
    )


def _draft(visit: Visit) -> Draft:
    wanted = visit.path("draft")
    for row in list_drafts(visit.studio, visit.purpose):
        if row.id == wanted:
            return load(visit.studio, row)
    raise NotFoundError("there is no such draft", advice="Go back to the drafts.")


_DRAFT = "/p/{project}/drafts/{draft}"

PAGES = (
    get("/p/{project}/drafts", drafts_page, Action.READ_DRAFTS),
    post("/p/{project}/drafts", render_scene, Action.RENDER),
    get(_DRAFT, draft_page, Action.READ_DRAFTS),
    get(f"{_DRAFT}/quality", quality, Action.READ_DRAFTS, shows=False),
)
