"""Real processes: what is killed is taken up again, by one alone, and goes on where it stopped."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from casts import Cast, Stage
from commands import ENTRY

from assent.apps.cli.jobs import workers_of
from assent.apps.work.kinds import enqueue
from assent.apps.work.workers import Workers
from assent.kit.clock import system
from assent.kit.jobs.job import Job, State
from assent.kit.jobs.queue import Queue
from assent.kit.vault.guard import Cost, Passphrase, Unguarded

MANY = 1_000_000


def until(what: Callable[[], bool], seconds: float = 120) -> None:
    ends = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < ends, "too long"
        time.sleep(0.1)


def train(stage: Stage, name: str, iterations: int = MANY) -> Job:
    arguments = {
        "donor": "ben", "performer": "ada", "engine": "autoencoder", "iterations": iterations,
        "name": name,
    }  # fmt: skip
    return enqueue(stage.studio, "train", stage.purpose.project_id, arguments)


@pytest.fixture
def stage(filmed: Cast, tmp_path: Path) -> Stage:
    return filmed.open_copy(tmp_path / "studio")


@pytest.fixture
def queue(stage: Stage) -> Queue:
    return Queue(stage.studio.database, system)


@pytest.fixture
def workers(stage: Stage) -> Iterator[Workers]:
    made = workers_of(stage.studio, Unguarded(), workers=2, heavy=1)
    with made as running:
        yield running


def learned(queue: Queue, job: Job) -> int:
    return int(queue.get(job.id).details.get("iteration", 0))


@pytest.mark.slow
def test_two_workers_and_one_slot(workers: Workers, stage: Stage, queue: Queue) -> None:
    jobs = [train(stage, name) for name in ("one", "two")]
    until(lambda: learned(queue, jobs[0]) > 0)
    assert len(workers.pids) == 2
    assert [queue.get(job.id).state for job in jobs] == ["running", "waiting"]
    # Whoever is killed is replaced, and its job goes on: nothing else is begun meanwhile.
    before = queue.get(jobs[0].id)
    pid = _pid_of(workers, str(before.worker))
    os.kill(pid, signal.SIGKILL)
    until(lambda: queue.get(jobs[0].id).attempt == 2)
    until(lambda: len(workers.pids) == 2)
    assert queue.get(jobs[1].id).state == "waiting"
    queue.cancel(jobs[0].id)
    until(lambda: queue.get(jobs[0].id).state is State.CANCELLED)
    until(lambda: learned(queue, jobs[1]) > 0)


def _pid_of(workers: Workers, name: str) -> int:
    for pid in workers.pids:
        if name.encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
            return pid
    raise AssertionError(f"no process is called {name}")


@pytest.mark.slow
def test_a_clean_stop_hands_the_job_back_with_all_that_was_learned(
    stage: Stage, queue: Queue
) -> None:
    job = train(stage, "one")
    with workers_of(stage.studio, Unguarded(), workers=1, heavy=1) as running:
        until(lambda: learned(queue, job) >= 2)
        pids = running.pids
    after = queue.get(job.id)
    assert (after.state, after.worker) == (State.WAITING, None)
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    with workers_of(stage.studio, Unguarded(), workers=1, heavy=1):
        until(lambda: queue.get(job.id).attempt == 2)
        until(lambda: learned(queue, job) > int(after.details["iteration"]))


def test_workers_open_a_studio_that_a_passphrase_keeps(stage: Stage, queue: Queue) -> None:
    guard = Passphrase(b"a few random words", cost=Cost(mebibytes=8, passes=1))
    stage.studio.secrets.guard_anew(guard)
    job = enqueue(
        stage.studio, "render", stage.purpose.project_id, {"footage": "no", "model": "no"}
    )
    with workers_of(stage.studio, guard, workers=1, heavy=1):
        until(lambda: queue.get(job.id).state.over)
    assert "no model 'no'" in str(queue.get(job.id).error)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.enable_socket
def test_the_server_is_killed_while_jobs_run_and_work_goes_on_after_its_restart(
    stage: Stage, queue: Queue, request: pytest.FixtureRequest
) -> None:
    jobs = [train(stage, name) for name in ("one", "two", "three")]
    done = train(stage, "short", iterations=2)
    queue.move(done.id)

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])

    def serve() -> "subprocess.Popen[bytes]":
        server = subprocess.Popen(
            [
                sys.executable, "-c", ENTRY, "studio", "--studio", str(stage.studio.folder),
                "--port", port, "--workers", "3", "--heavy", "2",
            ],
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        request.addfinalizer(server.wait)
        request.addfinalizer(server.kill)
        return server

    server = serve()
    until(lambda: all(learned(queue, job) >= 1 for job in jobs[:2]), 240)
    assert queue.get(done.id).state is State.DONE
    running = [job for job in jobs if queue.get(job.id).state is State.RUNNING]
    assert len(running) == 2
    names = [str(queue.get(job.id).worker) for job in running]
    server.kill()
    server.wait()
    # Its workers notice: they keep what was learned, hand the jobs back and end.
    until(lambda: all(queue.get(job.id).state is State.WAITING for job in jobs), 60)
    until(lambda: not _alive(names), 30)
    known = [learned(queue, job) for job in running]
    server = serve()
    until(lambda: all(queue.get(job.id).attempt == 2 for job in running), 120)
    until(lambda: all(learned(queue, j) > k for j, k in zip(running, known, strict=True)), 120)
    assert queue.get(done.id).state is State.DONE
    assert queue.get(jobs[2].id).state is State.WAITING
    server.send_signal(signal.SIGTERM)
    server.wait(60)
    assert {queue.get(job.id).state for job in jobs} == {State.WAITING}


def _alive(names: list[str]) -> list[str]:
    lines = [
        path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.parent.exists()
    ]
    return [name for name in names if any(name.encode() in line for line in lines)]
