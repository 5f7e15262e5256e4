"""Jobs: what runs, what waits in which order, how it ended; live, on every page."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response, StreamingResponse

from assent.apps.access.jobs import may_see, seen_by
from assent.apps.access.permissions import Action
from assent.apps.studio.page import Visit, get, post
from assent.apps.work.broadcast import Broadcast
from assent.apps.work.kinds import KINDS
from assent.kit.errors import InputError, NotFoundError, TooOftenError
from assent.kit.jobs.job import Job, State
from assent.kit.jobs.queue import Queue
from assent.purpose.projects import look_up

__all__ = ["PAGES", "last_failed"]

_LISTENS_S = 300.0
_SHOWN, _SHOWN_OVER = 400, 30
_OVER = tuple(state for state in State if state.over)
_UNFINISHED = tuple(state for state in State if not state.over)


ASKED: Mapping[State, tuple[tuple[str, str], ...]] = {
    State.WAITING: (("first", "Do next"), ("pause", "Pause"), ("cancel", "Cancel")),
    State.RUNNING: (("pause", "Pause"), ("cancel", "Cancel")),
    State.PAUSED: (("resume", "Go on"), ("cancel", "Cancel")),
    State.FAILED: (("retry", "Try again"),),
    State.CANCELLED: (("retry", "Try again"),),
    State.DONE: (),
}
"""What can be asked of a job in each state, and how its button is called."""


def jobs_page(visit: Visit) -> Response:
    """Show the jobs of all projects that concern who asks."""
    queue, seen_of = _queue(visit), seen_by(visit.who)
    unfinished = queue.list(states=_UNFINISHED, seen=seen_of, limit=_SHOWN)
    over = queue.list(states=_OVER, seen=seen_of, limit=_SHOWN_OVER)
    seen = [*unfinished, *over]
    names = {each: _project(visit, each) for each in {job.project_id for job in seen}}
    return visit.show(
        "jobs.html",
        unfinished=unfinished,
        over=over,
        titles={name: kind.title for name, kind in KINDS.items()},
        projects=names,
        changes=lambda job: may_see(visit.who, job, Action.CHANGE_JOBS),
        about=about,
        asked=ASKED,
    )


def job_data(visit: Visit) -> Response:
    """Return one job, for a script."""
    return JSONResponse(_job(visit, Action.READ_JOBS).to_json())


def change_job(visit: Visit) -> Response:
    """Cancel, pause, resume or retry a job, or put it first or last."""
    job, queue, what = _job(visit, Action.CHANGE_JOBS), _queue(visit), visit.path("what")
    changes: Mapping[str, Callable[[], Job]] = {
        "cancel": lambda: queue.cancel(job.id),
        "pause": lambda: queue.pause(job.id),
        "resume": lambda: queue.resume(job.id),
        "retry": lambda: queue.retry(job.id),
        "first": lambda: queue.move(job.id),
        "last": lambda: queue.move(job.id, last=True),
    }
    if what not in changes:
        raise InputError("a job can't be changed so", advice="Go back to the jobs.")
    changed = changes[what]()
    if "application/json" in visit.request.headers.get("accept", ""):
        return JSONResponse(changed.to_json())
    return visit.see("/jobs")


async def events(visit: Visit) -> Response:
    """Tell what changes, as server-sent events; `Last-Event-ID` says what is known already."""
    broadcast = visit.house.services.get(Broadcast, lambda: Broadcast(_queue(visit)))
    may = await run_in_threadpool(lambda: visit.who)
    by = may.account_id or (visit.session.id if visit.session else "")
    try:
        broadcast.check_room(by)
    except TooOftenError as error:
        # Nobody reads a page here.
        told_no = {"error": str(error), "advice": error.advice}
        return JSONResponse(told_no, 429, headers={"Retry-After": "30"})
    known = visit.request.headers.get("last-event-id", "")
    since = int(known) if known.isascii() and known.isdigit() and len(known) < 16 else None

    async def told() -> AsyncIterator[str]:
        yield "retry: 2000\n\n"
        heard = broadcast.listen(since, lambda job: may_see(may, job), seconds=_LISTENS_S, by=by)
        try:
            async for item in heard:
                if item is None:
                    yield ": still here\n\n"
                else:
                    yield f"id: {item.number}\nevent: job\ndata: {item.text}\n\n"
        finally:
            await heard.aclose()

    return StreamingResponse(
        told(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
    )


def last_failed(jobs: Sequence[Job]) -> Job | None:
    """Return the newest of the jobs that are over, if it failed."""
    last = next((job for job in jobs if job.state.over), None)
    return last if last is not None and last.state is State.FAILED else None


def about(job: Job) -> str:
    """Return what a job is about, in a few words."""
    named = ("name", "footage", "donor", "draft", "model", "form")
    values = [job.arguments.get(each) for each in named]
    result = (job.result or {}).get("name")
    return str(next((each for each in (result, *values) if each), ""))[:60]


def _job(visit: Visit, action: Action) -> Job:
    job = _queue(visit).get(visit.path("job"))
    if not may_see(visit.who, job, Action.READ_JOBS) or not may_see(visit.who, job, action):
        raise NotFoundError(f"there is no job '{visit.path('job')}'", advice="See your jobs.")
    return job


def _project(visit: Visit, project_id: str | None) -> tuple[str, str] | None:
    """The name in the address, and the title."""
    if project_id is None:
        return None
    project = look_up(visit.studio, project_id)
    return project.slug, project.brief.title


def _queue(visit: Visit) -> Queue:
    return Queue(visit.studio.database, visit.studio.clock)


PAGES = (
    get("/jobs", jobs_page, Action.READ_JOBS),
    get("/jobs/{job}", job_data, Action.READ_JOBS, shows=False),
    post("/jobs/{job}/{what}", change_job, Action.CHANGE_JOBS),
    get("/events", events, Action.READ_JOBS, raw=True),
)
