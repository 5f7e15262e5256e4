"""Jobs: what was asked for, how far it is, and how it ended; told as it happens, too."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from assent.apps.access.jobs import may_see, seen_by
from assent.apps.access.permissions import Action
from assent.apps.api.call import Asked, Call, Where, get, post
from assent.apps.api.paging import Cursor, Limit, paged
from assent.apps.api.problems import InvalidError, LimitError, PermitError
from assent.apps.api.shapes import Told, example
from assent.kit.errors import FaultError, NotFoundError
from assent.kit.jobs.job import Job, State

__all__ = ["OPERATIONS", "JobError", "JobTold", "job_told", "started"]

_MOST = 1000
_MOST_STREAMS, _MOST_STREAMS_IN_ALL = 10, 100
_LOOKS_S = 0.5
_SSE = "text/event-stream"


class JobTold(Told):
    """A piece of work: what, how far, and what came of it; `result` holds ids and figures."""

    model_config = example(
        id="0f6c2d9e4b1a4c7f8d3e5a6b7c8d9e0f",
        kind="render",
        project="6f1e…",
        state="running",
        share=0.42,
        rate=11.5,
        seconds_left=38.0,
        message="rendering",
        created="2026-11-20T12:00:00Z",
        started="2026-11-20T12:00:03Z",
        ended=None,
        error=None,
        advice=None,
        result=None,
        attempt=1,
    )
    id: str
    kind: str
    project: str | None
    state: State
    share: float | None
    rate: float | None
    seconds_left: float | None
    message: str
    created: str
    started: str | None
    ended: str | None
    error: str | None
    advice: str | None
    result: dict[str, Any] | None
    attempt: int


class Jobs(Told):
    """A page of jobs: those that aren't over in their order, then what is over, newest first."""

    items: list[JobTold]
    next: str | None


class JobError(FaultError):
    """A job that failed or was cancelled; the message and the advice are the job's."""

    def __init__(self, job: JobTold) -> None:
        super().__init__(job.error or f"the {job.kind} job was {job.state}", advice=job.advice)
        self.job = job


def job_told(job: Job) -> JobTold:
    """Return a job as it is told."""
    return JobTold(
        id=job.id,
        kind=job.kind,
        project=job.project_id,
        state=job.state,
        share=job.share,
        rate=job.rate,
        seconds_left=job.seconds_left,
        message=job.message,
        created=job.created,
        started=job.started,
        ended=job.ended,
        error=job.error,
        advice=job.advice,
        result=None if job.result is None else dict(job.result),
        attempt=job.attempt,
    )


def _sees(call: Call, job: Job) -> bool:
    return may_see(call.who, job)


def find_job(call: Call, job_id: str) -> Job:
    """Return a job that they may see; raises `NotFoundError`, the same for whatever reason."""
    job = call.api.queue.get(job_id)
    if not _sees(call, job):
        raise NotFoundError(f"there is no job '{job_id}'", advice="See `assent jobs list`.")
    return job


Only = Annotated[State | None, Query(description="Only jobs in this state.")]
Of = Annotated[
    str | None, Query(max_length=60, description="Only jobs of the project with this id.")
]


def list_jobs(
    call: Asked, project: Of = None, state: Only = None, cursor: Cursor = None, limit: Limit = 50
) -> Jobs:
    """The jobs that the token may see."""
    states = tuple(State) if state is None else (state,)
    seen = call.api.queue.list(project, states=states, seen=seen_by(call.who), limit=_MOST)
    page, more = paged(seen, lambda job: job.id, kind="jobs", cursor=cursor, limit=limit)
    return Jobs(items=[job_told(each) for each in page], next=more)


def show_job(call: Asked, job: str) -> JobTold:
    """A job: how far it is, or how it ended."""
    return job_told(find_job(call, job))


def _changed(call: Call, job_id: str, what: str) -> JobTold:
    job = find_job(call, job_id)
    if not may_see(call.who, job, Action.CHANGE_JOBS):
        raise PermitError(f"this takes the scope '{Action.CHANGE_JOBS.value}' in its project")
    return job_told(getattr(call.api.queue, what)(job_id))


def cancel_job(call: Asked, job: str) -> JobTold:
    """End a job; one that runs stops within seconds."""
    return _changed(call, job, "cancel")


def pause_job(call: Asked, job: str) -> JobTold:
    """Hold a job until it is resumed."""
    return _changed(call, job, "pause")


def resume_job(call: Asked, job: str) -> JobTold:
    """Let a paused job go on."""
    return _changed(call, job, "resume")


def retry_job(call: Asked, job: str) -> JobTold:
    """Do a job that failed or was cancelled again."""
    return _changed(call, job, "retry")


After = Annotated[
    int | None,
    Query(ge=0, le=2**53, description="Tell what changed after this event; else what comes."),
]
Wait = Annotated[
    int, Query(ge=0, le=600, description="Seconds after which the stream ends; ask again then.")
]


async def tell_events(
    call: Asked, request: Request, after: After = None, wait: Wait = 30
) -> StreamingResponse:
    """Changes of jobs as they happen, as server-sent events.

    Each event's data is a job as it is then. Whoever was away goes on with `Last-Event-ID`, or
    `after`, and misses none.
    """
    last = request.headers.get("last-event-id")
    if last is not None and not (last.isascii() and last.isdigit() and len(last) < 16):
        raise InvalidError("Last-Event-ID is not the number of an event")
    own = sum(each == call.token.id for each in call.api.listening.values())
    if own >= _MOST_STREAMS or len(call.api.listening) >= _MOST_STREAMS_IN_ALL:
        raise LimitError("too many streams of events are open", retry_after=5)
    newest = await run_in_threadpool(call.api.queue.newest)
    since = int(last) if last is not None else newest if after is None else after
    return StreamingResponse(
        _stream(call, request, since, time.monotonic() + wait), media_type=_SSE
    )


async def _stream(call: Call, request: Request, since: int, ends: float) -> AsyncIterator[str]:
    stream = object()
    call.api.listening[stream] = call.token.id
    try:
        yield "retry: 1000\n\n"
        while True:
            for event in await run_in_threadpool(call.api.queue.events_since, since):
                since = event.number
                if _sees(call, event.job):
                    told = json.dumps(job_told(event.job).model_dump(mode="json"))
                    yield f"id: {since}\nevent: job\ndata: {told}\n\n"
            if time.monotonic() >= ends or await request.is_disconnected():
                return
            await asyncio.sleep(_LOOKS_S)
    finally:
        del call.api.listening[stream]


def started(call: Call, kind: str, arguments: dict[str, Any], *, project_id: str | None) -> JobTold:
    """Put work into the queue, once for each idempotency key, and return its job."""
    from assent.apps.work.kinds import enqueue

    job = enqueue(
        call.studio,
        kind,
        project_id,
        {name: value for name, value in arguments.items() if value is not None},
        by=call.who.account_id,
        key=f"api:{call.operation}",
    )
    return job_told(job)


_EVENTS = {200: {"content": {_SSE: {"schema": {"type": "string"}}}}}
OPERATIONS = (
    get("/jobs", list_jobs, Action.READ_JOBS, where=Where.ANY, tags=["jobs"]),
    get(
        "/jobs/events",
        tell_events,
        Action.READ_JOBS,
        where=Where.ANY,
        tags=["jobs"],
        response_class=StreamingResponse,
        responses=_EVENTS,
    ),
    get("/jobs/{job}", show_job, Action.READ_JOBS, where=Where.ANY, tags=["jobs"]),
    *(
        post(
            f"/jobs/{{job}}/{name}",
            function,
            Action.CHANGE_JOBS,
            where=Where.ANY,
            status=200,
            tags=["jobs"],
        )
        for name, function in (
            ("cancel", cancel_job),
            ("pause", pause_job),
            ("resume", resume_job),
            ("retry", retry_job),
        )
    ),
)
