"""The queue of long work, and the workers that do it."""

import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from assent.apps.cli.console import err, out, progress_bar, show_json, show_table
from assent.apps.cli.options import AsJson, Limit, StudioFolder, keeper_of, the_studio
from assent.kit.errors import AssentError, InputError
from assent.kit.jobs.job import Job, State
from assent.kit.jobs.queue import Queue
from assent.kit.store.studio import Studio, open_studio
from assent.kit.vault.guard import Guard
from assent.purpose.projects import look_up

__all__ = ["Heavy", "Processes", "follow", "register", "workers_of"]

PANEL = "Work in the background"
HERE = Path()
_LOOK_S = 0.5

jobs = typer.Typer(no_args_is_help=True, help="Long work: what waits, what runs, how it ended.")

JobId = Annotated[str, typer.Argument(help="The job's id or its beginning.", metavar="JOB")]
Processes = Annotated[
    int | None,
    typer.Option("--workers", help="Jobs at once; by default half the cores and one.", min=0),
]
Heavy = Annotated[
    int | None,
    typer.Option("--heavy", help="Heavy jobs at once; by default half the cores.", min=1),
]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    for name, command in (
        ("list", list_), ("show", show), ("watch", watch), ("cancel", cancel), ("pause", pause),
        ("resume", resume), ("retry", retry), ("move", move),
    ):  # fmt: skip
        jobs.command(name)(command)
    app.add_typer(jobs, name="jobs", rich_help_panel=PANEL)
    app.command("worker", rich_help_panel=PANEL)(worker)


def list_(
    project: Annotated[
        str | None, typer.Option("--project", "-p", help="Of this project alone.")
    ] = None,
    state: Annotated[list[State] | None, typer.Option(help="In this state alone; repeat.")] = None,
    limit: Limit = 50,
    studio: StudioFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """List jobs: what runs, what waits in its order, and what is over, newest first."""
    opened = the_studio(studio)
    project_id = None if project is None else look_up(opened, project).id
    found = _queue(opened).list(project_id, states=state or tuple(State), limit=limit)
    if as_json:
        show_json([job.to_json() for job in found])
        return
    show_table(
        ("job", "what", "state", "done", "left", ""),
        [(job.id[:8], job.kind, _state(job), _share(job), _left(job), _word(job)) for job in found],
    )


def show(name: JobId, studio: StudioFolder = HERE, as_json: AsJson = False) -> None:
    """Show all about a job."""
    job = _queue(the_studio(studio)).find(name)
    if as_json:
        show_json(job.to_json())
        return
    told = {name: value for name, value in job.to_json().items() if value not in (None, {}, "")}
    show_table(("", ""), list(told.items()))


def watch(name: JobId, studio: StudioFolder = HERE, as_json: AsJson = False) -> None:
    """Follow a job until it is over, with its progress; the exit code is the job's."""
    opened = the_studio(studio)
    job = follow(opened, _queue(opened).find(name))
    if as_json:
        show_json(job.to_json())
    _end(job)


def cancel(name: JobId, studio: StudioFolder = HERE) -> None:
    """End a job, within seconds."""
    _change(studio, name, "cancel")


def pause(name: JobId, studio: StudioFolder = HERE) -> None:
    """Hold a job; training and rendering go on later where they stopped, others begin anew."""
    _change(studio, name, "pause")


def resume(name: JobId, studio: StudioFolder = HERE) -> None:
    """Let a paused job go on."""
    _change(studio, name, "resume")


def retry(name: JobId, studio: StudioFolder = HERE) -> None:
    """Do a job that failed or was cancelled again."""
    _change(studio, name, "retry")


def move(
    name: JobId,
    before: Annotated[str | None, typer.Option(help="Before this job.", metavar="JOB")] = None,
    last: Annotated[bool, typer.Option("--last", help="Behind all others.")] = False,
    studio: StudioFolder = HERE,
) -> None:
    """Put a waiting job to the front, before another, or behind all."""
    if before is not None and last:
        raise InputError("--before and --last are both given", advice="Give one of them.")
    queue = _queue(the_studio(studio))
    other = None if before is None else queue.find(before).id
    job = queue.move(queue.find(name).id, before=other, last=last)
    out.print(f"Job {job.id[:8]} ({job.kind}) was moved.")


def worker(
    workers: Processes = None,
    heavy: Heavy = None,
    name: Annotated[str | None, typer.Option("--name", hidden=True)] = None,
    studio: StudioFolder = HERE,
) -> None:
    """Do the jobs of the queue until interrupted; `assent studio` does so by itself.

    A worker that is killed loses nothing: its job is taken up again, and goes on where it stopped.
    """
    if name is not None:
        _be_a_worker(studio, name, heavy)
        return
    guard = keeper_of(studio)
    opened = open_with(studio, guard)
    running = workers_of(opened, guard, workers=workers, heavy=heavy)
    with running:
        err.print("Doing jobs. Stop with Ctrl-C; what is not done goes on later.")
        stop = threading.Event()
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, lambda *_: stop.set())
        stop.wait()


def open_with(folder: Path, guard: Guard) -> Studio:
    """Open a studio of which the guard is known."""
    from assent.apps.cli.options import token_access

    return open_studio(folder, guard=guard, token=token_access())


def workers_of(studio: Studio, guard: Guard, *, workers: int | None, heavy: int | None) -> Any:  # noqa: ANN401 - what does the jobs is imported by who needs it
    """Return the workers of a studio, to be started."""
    from assent.apps.work.machine import Machine
    from assent.apps.work.workers import Workers

    slots = Machine.here(heavy).counts["cpu-heavy"]
    cores = len(os.sched_getaffinity(0))
    count = max(1, cores // 2) + 1 if workers is None else workers
    entry = "from assent.apps.cli.main import main; main()"
    command = [
        sys.executable,
        "-P",
        "-c",
        entry,
        "worker",
        "--studio",
        str(studio.folder.absolute()),
    ]
    command += [] if heavy is None else ["--heavy", str(heavy)]
    return Workers(studio, command, count=count, guard=guard, heavy=max(1, min(slots, count)))


def follow(studio: Studio, job: Job) -> Job:
    """Draw a job's progress until it is over, and return how it ended."""
    queue = _queue(studio)
    with progress_bar() as progress:
        while not job.state.over:
            done, total = job.details.get("done", 0), job.details.get("total", 0)
            if job.state is State.RUNNING and job.message:
                stage, _, note = job.message.partition(": ")
                progress(f"{stage}|{note}", int(done), int(total))
            else:
                progress(job.state.value, 0, 0)
            time.sleep(_LOOK_S)
            job = queue.get(job.id)
    return job


def _be_a_worker(folder: Path, name: str, heavy: int | None) -> None:
    """Be one of the processes that `Workers` starts."""
    from assent.apps.work.machine import Machine, alive, give_way
    from assent.apps.work.worker import Worker

    give_way()
    stopping = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: stopping.set())
    threading.Thread(target=_wait_for_the_end, args=(stopping,), daemon=True).start()
    studio = the_studio(folder)
    with alive(studio, name):
        Worker(studio=studio, name=name, machine=Machine.here(heavy), stopping=stopping).run()


def _wait_for_the_end(stopping: threading.Event) -> None:
    """Set `stopping` once who started this process is gone."""
    # Not through `sys.stdin`, whose lock would be held when the process ends.
    while os.read(0, 64):
        pass
    stopping.set()


def _queue(studio: Studio) -> Queue:
    return Queue(studio.database, studio.clock)


def _change(folder: Path, name: str, what: str) -> None:
    queue = _queue(the_studio(folder))
    job: Job = getattr(queue, what)(queue.find(name).id)
    asked = f", and is asked to {job.wish}" if job.wish else ""
    out.print(f"Job {job.id[:8]} ({job.kind}) is {job.state.value}{asked}.")


def _end(job: Job) -> None:
    if job.state is State.DONE:
        out.print(f"Job {job.id[:8]} ({job.kind}) is done.")
        return
    if job.state is State.CANCELLED:
        raise AssentError(f"job {job.id[:8]} was cancelled", advice="See `assent jobs retry`.")
    err.print(f"[bold red]{job.error}[/bold red]", soft_wrap=True)
    err.print(job.advice or "", soft_wrap=True, markup=False)
    raise typer.Exit(job.code or 1)


def _state(job: Job) -> str:
    return f"{job.state.value} ({job.wish})" if job.wish else job.state.value


def _share(job: Job) -> str:
    return "" if job.share is None else f"{job.share:.0%}"


def _left(job: Job) -> str:
    return "" if job.seconds_left is None else f"{job.seconds_left:.0f} s"


def _word(job: Job) -> str:
    return job.error or job.message
