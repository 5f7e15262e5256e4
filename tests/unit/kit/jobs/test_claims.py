from collections.abc import Sequence
from datetime import timedelta

import pytest
from studios import SetClock

from assent.kit.errors import MediaError
from assent.kit.jobs.claims import LEASE, MOST_DEATHS, Claim, Claims, Progress
from assent.kit.jobs.job import Job, Wish
from assent.kit.jobs.queue import Queue
from assent.kit.store.database import Database


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def queue(clock: SetClock) -> Queue:
    return Queue(Database("sqlite://"), clock)


def put(queue: Queue, *names: str) -> list[Job]:
    return [queue.put("render", None, {"name": name}) for name in names]


def worker(queue: Queue, name: str = "one") -> Claims:
    return Claims(queue=queue, worker=name)


def take(claims: Claims) -> Claim:
    claim = claims.claim(lambda job: ())
    assert claim is not None
    return claim


def cant_tell(worker: str) -> bool | None:
    return None


def test_nobody_gets_what_another_has(queue: Queue) -> None:
    put(queue, "a")
    assert take(worker(queue, "one")).job.state == "running"
    assert worker(queue, "two").claim(lambda job: ()) is None


def test_a_slot_holds_one_job_and_the_next_takes_another(queue: Queue) -> None:
    put(queue, "a", "b", "c")

    def needs(job: Job) -> Sequence[Sequence[str]]:
        return (("gpu:0", "gpu:1"),)

    claims = worker(queue)
    first, second = claims.claim(needs), claims.claim(needs)
    assert first is not None
    assert second is not None
    assert (first.holds, second.holds) == (("gpu:0",), ("gpu:1",))
    assert claims.claim(needs) is None
    claims.finish(first, {})
    third = claims.claim(needs)
    assert third is not None
    assert (third.job.arguments["name"], third.holds) == ("c", ("gpu:0",))


def test_what_has_to_wait_for_a_slot_lets_others_pass(queue: Queue) -> None:
    put(queue, "big", "big too", "small")

    def needs(job: Job) -> Sequence[Sequence[str]]:
        return (("cpu:0",),) if "big" in job.arguments["name"] else ()

    claims = worker(queue)
    taken = [claims.claim(needs), claims.claim(needs)]
    assert [each and each.job.arguments["name"] for each in taken] == ["big", "small"]


def test_work_on_the_same_thing_is_never_done_side_by_side(queue: Queue) -> None:
    put(queue, "a", "b")

    def needs(job: Job) -> Sequence[Sequence[str]]:
        return (("cpu:0", "cpu:1"), ("model:m",))

    claims = worker(queue)
    assert claims.claim(needs) is not None
    assert claims.claim(needs) is None


def test_a_kind_that_a_worker_does_not_know_is_left_to_others(queue: Queue) -> None:
    put(queue, "strange", "known")
    claim = worker(queue).claim(lambda job: None if job.arguments["name"] == "strange" else ())
    assert claim is not None
    assert claim.job.arguments["name"] == "known"


def test_progress_is_told_and_a_wish_heard(queue: Queue) -> None:
    (job,) = put(queue, "a")
    claims = worker(queue)
    claim = take(claims)
    progress = Progress(share=0.5, rate=8.0, seconds_left=4.0, message="rendering")
    assert claims.beat(claim, progress) is None
    told = queue.get(job.id)
    assert (told.share, told.rate, told.seconds_left, told.message) == (0.5, 8.0, 4.0, "rendering")
    claims.beat(claim, Progress(share=0.6, details={"loss": 1.0}))
    claims.beat(claim, Progress(share=0.7, details={"faces": 2}))
    assert queue.get(job.id).details == {"loss": 1.0, "faces": 2}
    queue.pause(job.id)
    assert claims.wish(claim) is Wish.PAUSE
    assert claims.beat(claim) is Wish.PAUSE


def test_a_beat_without_news_is_no_event(queue: Queue) -> None:
    put(queue, "a")
    claims = worker(queue)
    claim = take(claims)
    seen = queue.events_since(0)[-1].number
    claims.beat(claim)
    assert queue.events_since(seen) == ()


@pytest.mark.parametrize(
    ("wish", "state"), [("cancel", "cancelled"), ("pause", "paused"), (None, "waiting")]
)
def test_stopped_it_becomes_what_was_wished(queue: Queue, wish: str | None, state: str) -> None:
    (job,) = put(queue, "a")
    claims = worker(queue)
    claim = take(claims)
    if wish:
        getattr(queue, wish)(job.id)
    assert claims.stop(claim)
    after = queue.get(job.id)
    assert (after.state, after.wish, after.worker) == (state, None, None)


def test_a_failure_is_told_with_its_advice_and_can_be_tried_again(queue: Queue) -> None:
    (job,) = put(queue, "a")
    claims = worker(queue)
    claims.fail(take(claims), MediaError("a.mp4 is empty", advice="Export it again."))
    failed = queue.get(job.id)
    assert (failed.state, failed.error, failed.advice) == (
        "failed", "a.mp4 is empty", "Export it again.",
    )  # fmt: skip
    assert failed.code == 2
    queue.retry(job.id)
    assert take(claims).job.attempt == 2
    assert queue.get(job.id).error is None


def test_what_was_done_before_the_cancel_was_heard_is_done(queue: Queue) -> None:
    (job,) = put(queue, "a")
    claims = worker(queue)
    claim = take(claims)
    queue.cancel(job.id)
    assert claims.finish(claim, {})
    assert (queue.get(job.id).state, queue.get(job.id).wish) == ("done", None)


def test_a_job_is_taken_up_again_once_its_lease_ran_out(queue: Queue, clock: SetClock) -> None:
    (job,) = put(queue, "a")
    one, two = worker(queue, "one"), worker(queue, "two")
    lost = take(one)
    clock.now += LEASE
    assert two.take_back(cant_tell) == ()
    clock.now += timedelta(milliseconds=1)
    assert [each.id for each in two.take_back(cant_tell)] == [job.id]
    again = take(two)
    # The first wakes up: it must see that it is late, and can do no harm.
    assert one.beat(lost, Progress(share=0.9)) is Wish.LOST
    assert one.wish(lost) is Wish.LOST
    assert not one.finish(lost, {})
    assert not one.fail(lost, MediaError("x"))
    assert not one.stop(lost)
    assert queue.get(job.id).state == "running"
    assert two.finish(again, {})


def test_the_same_worker_that_lost_a_job_and_got_it_again_is_held_apart(
    queue: Queue, clock: SetClock
) -> None:
    put(queue, "a")
    claims = worker(queue)
    lost = take(claims)
    clock.now += timedelta(minutes=1)
    claims.take_back(cant_tell)
    again = take(claims)
    assert claims.beat(lost) is Wish.LOST
    assert claims.beat(again) is None


def test_beats_keep_a_lease_for_as_long_as_it_takes(queue: Queue, clock: SetClock) -> None:
    put(queue, "a")
    claims = worker(queue)
    claim = take(claims)
    for _ in range(5):
        clock.now += timedelta(seconds=20)
        claims.beat(claim)
    assert worker(queue, "two").take_back(cant_tell) == ()


def test_who_is_known_to_live_keeps_its_job_and_who_is_known_dead_loses_it_at_once(
    queue: Queue, clock: SetClock
) -> None:
    put(queue, "a")
    take(worker(queue, "one"))
    two = worker(queue, "two")
    assert [job.attempt for job in two.take_back(lambda name: name == "one")] == [1]
    take(worker(queue, "one"))
    clock.now += timedelta(hours=1)
    assert two.take_back(lambda name: False) == ()


def test_slots_of_a_dead_worker_are_free_again(queue: Queue) -> None:
    put(queue, "a")
    claims = worker(queue)
    assert claims.claim(lambda job: (("gpu:0",),)) is not None
    claims.take_back(lambda name: True)
    assert claims.claim(lambda job: (("gpu:0",),)) is not None


def test_a_job_that_keeps_ending_its_workers_is_given_up(queue: Queue) -> None:
    (job,) = put(queue, "a")
    claims = worker(queue)
    for _ in range(MOST_DEATHS):
        assert queue.get(job.id).state == "waiting"
        claim = take(claims)
        claims.beat(claim, Progress(share=0.25))
        claims.take_back(lambda name: True)
        if queue.get(job.id).state == "failed":
            break
    # The first attempt had got somewhere, so it counts once; those after it got no further.
    assert queue.get(job.id).state == "failed"
    assert "ended 3 times" in str(queue.get(job.id).error)
    queue.retry(job.id)
    assert take(claims).job.state == "running"


def test_a_job_that_gains_ground_is_not_given_up(queue: Queue) -> None:
    (job,) = put(queue, "a")
    claims = worker(queue)
    for turn in range(1, 9):
        claim = take(claims)
        claims.beat(claim, Progress(share=turn / 10))
        claims.take_back(lambda name: True)
    assert queue.get(job.id).state == "waiting"


def test_a_dead_worker_s_job_that_was_to_be_cancelled_is(queue: Queue) -> None:
    (job,) = put(queue, "a")
    claims = worker(queue)
    take(claims)
    queue.cancel(job.id)
    claims.take_back(lambda name: True)
    assert queue.get(job.id).state == "cancelled"
