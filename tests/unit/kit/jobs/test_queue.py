import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from studios import NOON, SetClock

from assent.kit.errors import InputError, NotFoundError
from assent.kit.jobs.claims import Claims
from assent.kit.jobs.job import Job, State
from assent.kit.jobs.queue import Queue, Seen
from assent.kit.store.database import Database
from assent.kit.store.events import events_since
from assent.kit.store.tables import ProjectRow


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def queue(clock: SetClock) -> Queue:
    database = Database("sqlite://")
    with database.session() as session:
        session.add_all(
            ProjectRow(id=name, slug=name, brief={}, created="2026-11-20T12:00:00Z")
            for name in ("film", "play")
        )
    return Queue(database, clock)


def put(queue: Queue, name: str, project: str | None = "film", **options: int) -> Job:
    return queue.put("render", project, {"name": name}, **options)  # type: ignore[arg-type] # priority


def names(queue: Queue, *states: State) -> list[str]:
    listed = queue.list(states=states or tuple(State))
    return [str(job.arguments["name"]) for job in listed]


def claim(queue: Queue, worker: str = "one") -> Job:
    taken = Claims(queue=queue, worker=worker).claim(lambda job: ())
    assert taken is not None
    return taken.job


def finish(queue: Queue) -> Job:
    claims = Claims(queue=queue, worker="one")
    taken = claims.claim(lambda job: ())
    assert taken is not None
    assert claims.finish(taken, {"draft": "d"})
    return queue.get(taken.job.id)


def test_a_job_is_what_was_asked_for(queue: Queue) -> None:
    job = queue.put("train", "film", {"donor": "b"}, by="kim")
    assert queue.get(job.id) == job
    assert (job.kind, job.project_id, job.account, job.state) == ("train", "film", "kim", "waiting")
    assert (job.arguments, job.created, job.share) == ({"donor": "b"}, "2026-11-20T12:00:00Z", None)
    assert job.to_json()["state"] == "waiting"
    assert "worker" not in job.to_json()


def test_asked_twice_it_is_done_once(queue: Queue) -> None:
    first = put(queue, "a")
    assert put(queue, "a").id == first.id
    assert put(queue, "b").id != first.id
    assert put(queue, "a", "play").id != first.id
    queue.cancel(first.id)
    assert put(queue, "a").id != first.id


def test_a_key_names_one_job_for_ever(queue: Queue) -> None:
    first = queue.put("hook", None, {}, key="k")
    queue.cancel(first.id)
    assert queue.put("hook", None, {"other": 1}, key="k").id == first.id
    assert queue.put("hook", None, {}).id != first.id


def test_it_is_found_by_the_beginning_of_its_id(queue: Queue) -> None:
    job = put(queue, "a")
    assert queue.find(job.id[:8]) == job
    put(queue, "b")
    with pytest.raises(InputError, match="several jobs"):
        queue.find("")
    for text in ("%", "zz"):
        with pytest.raises(NotFoundError, match="no job"):
            queue.find(text)
    with pytest.raises(NotFoundError, match="no job"):
        queue.get("zz")


def test_in_the_order_asked_for_and_the_highest_priority_first(queue: Queue) -> None:
    for name in ("a", "b"):
        put(queue, name)
    put(queue, "urgent", priority=5)
    assert names(queue) == ["urgent", "a", "b"]
    assert [claim(queue).arguments["name"] for _ in range(3)] == ["urgent", "a", "b"]


def test_not_before_its_time(queue: Queue, clock: SetClock) -> None:
    queue.put("hook", None, {}, not_before=NOON + timedelta(seconds=5))
    claims = Claims(queue=queue, worker="one")
    assert claims.claim(lambda job: ()) is None
    clock.now += timedelta(seconds=5)
    assert claims.claim(lambda job: ()) is not None


def test_listed_are_what_runs_then_what_waits_then_what_is_over(
    queue: Queue, clock: SetClock
) -> None:
    for name in ("first", "second", "running", "waiting"):
        put(queue, name)
    finish(queue)
    clock.now += timedelta(seconds=1)
    finish(queue)
    claim(queue)
    assert names(queue) == ["running", "waiting", "second", "first"]
    assert names(queue, State.DONE) == ["second", "first"]
    put(queue, "elsewhere", "play")
    assert len(queue.list("film")) == 4
    page = queue.list("film", limit=2)
    assert [job.id for job in page] == [job.id for job in queue.list("film")[:2]]
    rest = queue.list("film", limit=9, after=page[-1].id)
    assert [str(job.arguments["name"]) for job in rest] == ["second", "first"]


def test_what_somebody_may_not_see_takes_no_place_in_their_list(queue: Queue) -> None:
    for number in range(5):
        put(queue, f"theirs {number}", "play")
    own, loose = put(queue, "own"), queue.put("verify", None, {"upload": "1"}, by="kim")
    other = queue.put("verify", None, {"upload": "2"}, by="lee")
    film = frozenset({"film"})

    def seen(wanted: Seen, **more: Any) -> list[str]:  # noqa: ANN401 - as `list` takes them
        return [job.id for job in queue.list(seen=wanted, **more)]

    assert seen(Seen(projects=film), limit=1) == [own.id]
    assert seen(Seen(projects=film, account="kim")) == [own.id, loose.id]
    assert seen(Seen(projects=frozenset(), all_loose=True)) == [loose.id, other.id]
    assert len(seen(Seen(projects=None))) == 6
    assert len(seen(Seen(projects=None, all_loose=True))) == 8
    assert seen(Seen(projects=None, all_loose=True), kind="verify") == [loose.id, other.id]


def test_moved_to_the_front_the_end_and_before_another(queue: Queue) -> None:
    a, b, c = (put(queue, name) for name in "abc")
    queue.move(c.id)
    assert names(queue) == ["c", "a", "b"]
    queue.move(c.id, last=True)
    assert names(queue) == ["a", "b", "c"]
    queue.move(c.id, before=b.id)
    assert names(queue) == ["a", "c", "b"]
    urgent = put(queue, "urgent", priority=3)
    queue.move(b.id, before=urgent.id)
    assert names(queue) == ["b", "urgent", "a", "c"]
    queue.move(b.id, last=True)
    assert names(queue) == ["urgent", "a", "c", "b"]
    with pytest.raises(InputError, match="before itself"):
        queue.move(a.id, before=a.id)


def test_moved_often_enough_to_run_out_of_numbers_between(queue: Queue) -> None:
    first, *others = (put(queue, str(number)) for number in range(4))
    for turn in range(200):
        queue.move(others[turn % 2].id, before=others[2].id)
    assert names(queue) == ["0", "1", "2", "3"]
    assert first.id == queue.list()[0].id


def test_a_running_job_stays_where_it_is(queue: Queue) -> None:
    a, b = put(queue, "a"), put(queue, "b")
    claim(queue)
    with pytest.raises(InputError, match="running can't be moved"):
        queue.move(a.id)
    with pytest.raises(InputError, match="running can't be moved before"):
        queue.move(b.id, before=a.id)


def test_cancelled_before_it_began(queue: Queue) -> None:
    job = put(queue, "a")
    assert queue.cancel(job.id).state is State.CANCELLED
    assert queue.cancel(job.id).ended is not None
    assert Claims(queue=queue, worker="one").claim(lambda job: ()) is None


def test_paused_it_waits_for_somebody_to_resume_it(queue: Queue) -> None:
    a = put(queue, "a")
    put(queue, "b")
    assert queue.pause(a.id).state is State.PAUSED
    assert claim(queue).arguments["name"] == "b"
    assert Claims(queue=queue, worker="one").claim(lambda job: ()) is None
    assert queue.resume(a.id).state is State.WAITING
    assert claim(queue).id == a.id


def test_what_runs_is_told_what_is_wished(queue: Queue) -> None:
    job = put(queue, "a")
    claim(queue)
    assert queue.pause(job.id).wish == "pause"
    assert queue.resume(job.id).wish is None
    queue.pause(job.id)
    # Who cancels means it, also once somebody had paused; who pauses then changes nothing.
    assert queue.cancel(job.id).wish == "cancel"
    assert queue.pause(job.id).wish == "cancel"
    assert queue.resume(job.id).wish == "cancel"


def test_retried_it_begins_anew_behind_the_others(queue: Queue) -> None:
    a = put(queue, "a")
    put(queue, "b")
    queue.cancel(a.id)
    again = queue.retry(a.id)
    assert (again.state, again.ended, again.error) == ("waiting", None, None)
    assert queue.retry(a.id).state is State.WAITING
    assert names(queue) == ["b", "a"]


@pytest.mark.parametrize("what", [Queue.cancel, Queue.pause, Queue.resume, Queue.retry])
def test_what_is_done_is_done(queue: Queue, what: Callable[[Queue, str], Job]) -> None:
    put(queue, "a")
    job = finish(queue)
    assert (job.state, job.share, job.result) == ("done", 1.0, {"draft": "d"})
    with pytest.raises(InputError, match="done can't be"):
        what(queue, job.id)


def test_events_tell_each_job_as_it_is_now_in_order(queue: Queue) -> None:
    start = queue.newest()
    a, b = put(queue, "a"), put(queue, "b", "play")
    queue.cancel(a.id)
    events = queue.events_since(start)
    assert [(event.job.id, event.job.state) for event in events] == [
        (b.id, "waiting"),
        (a.id, "cancelled"),
    ]
    assert [event.number for event in events] == [start + 2, start + 3]
    assert queue.events_since(events[-1].number) == ()
    assert [event.job.id for event in queue.events_since(start, "film")] == [a.id]
    assert [event.job.id for event in queue.events_since(start, limit=1)] == [b.id]
    assert queue.newest() == start + 3


def test_history_is_trimmed_and_nothing_else(queue: Queue, clock: SetClock) -> None:
    for number in range(5):
        put(queue, str(number))
        clock.now += timedelta(seconds=1)
        queue.cancel(queue.list(states=[State.WAITING])[0].id)
    waiting = put(queue, "waiting")
    assert queue.trim() == 0
    assert queue.trim(keep=3) == 2
    assert names(queue) == ["waiting", "4", "3", "2"]
    clock.now += timedelta(days=91)
    assert queue.trim() == 3
    assert [job.id for job in queue.list()] == [waiting.id]


def test_numbers_never_go_back(queue: Queue) -> None:
    numbers = []
    for name in "abc":
        put(queue, name)
        numbers.append(queue.newest())
    assert all(later > earlier for earlier, later in itertools.pairwise(numbers))


def test_an_end_is_noted_once_for_who_wants_to_be_told(queue: Queue) -> None:
    job = put(queue, "a")
    queue.cancel(job.id)
    queue.cancel(job.id)
    put(queue, "b")
    done = finish(queue)
    with queue.database.session() as session:
        noted = events_since(session, 0)
    assert [(each.kind, each.project_id, each.ids) for each in noted] == [
        ("job.ended", "film", {"job": job.id, "work": "render", "state": "cancelled"}),
        ("job.ended", "film", {"job": done.id, "work": "render", "state": "done"}),
    ]
