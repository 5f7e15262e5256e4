import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from sqlalchemy import URL
from studios import SetClock

from assent.apps.work import broadcast
from assent.apps.work.broadcast import Broadcast, Item
from assent.kit.errors import TooOftenError
from assent.kit.jobs.job import Job
from assent.kit.jobs.queue import Queue
from assent.kit.store.database import Database


@pytest.fixture
def queue(tmp_path: Path) -> Queue:
    url = URL.create("sqlite", database=str(tmp_path / "studio.db"))
    return Queue(Database(url), SetClock())


def put(queue: Queue, name: str) -> Job:
    return queue.put("render", None, {"name": name})


def everybody(job: Job) -> bool:
    return True


async def take(heard: AsyncGenerator[Item | None], count: int) -> list[str]:
    names = []
    async with asyncio.timeout(20):
        async for item in heard:
            if item is not None:
                names.append(str(item.job.arguments["name"]))
            if len(names) == count:
                break
    await heard.aclose()
    return names


def test_dozens_hear_the_same_with_one_look_for_all(queue: Queue) -> None:
    looks = 0

    class Counted(Queue):
        def events_since(self, number: int, *more: str | None, limit: int = 200):  # type: ignore[no-untyped-def]
            nonlocal looks
            looks += 1
            return super().events_since(number, *more, limit=limit)

    async def run() -> list[list[str]]:
        told = Broadcast(Counted(queue.database, queue.clock))
        listening = [
            asyncio.create_task(take(told.listen(None, everybody, seconds=60), 2))
            for _ in range(60)
        ]
        await asyncio.sleep(0.2)
        assert told.listening == 60
        for name in "ab":
            put(queue, name)
        heard = await asyncio.gather(*listening)
        assert told.listening == 0
        return heard

    assert asyncio.run(run()) == [["a", "b"]] * 60
    assert looks < 30


def test_who_comes_back_hears_what_was_missed_and_who_is_new_what_is_not_over(
    queue: Queue,
) -> None:
    first = put(queue, "a")
    put(queue, "b")
    queue.cancel(first.id)
    number = queue.events_since(0)[0].number

    async def run() -> tuple[list[str], list[str]]:
        told = Broadcast(queue)
        missed = await take(told.listen(number, everybody, seconds=60), 1)
        return missed, await take(told.listen(None, everybody, seconds=60), 1)

    assert asyncio.run(run()) == (["a"], ["b"])


def test_nobody_hears_what_does_not_concern_them(queue: Queue) -> None:
    async def run() -> list[str]:
        told = Broadcast(queue)
        task = asyncio.create_task(
            take(told.listen(None, lambda job: job.arguments["name"] == "b", seconds=60), 1)
        )
        await asyncio.sleep(0.1)
        for name in "ab":
            put(queue, name)
        return await task

    assert asyncio.run(run()) == ["b"]


def test_it_ends_after_its_time_and_says_that_it_lives(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcast, "_QUIET_S", 0.05)

    async def run() -> list[Item | None]:
        return [item async for item in Broadcast(queue).listen(None, everybody, seconds=0.3)]

    heard = asyncio.run(run())
    assert len(heard) >= 2
    assert set(heard) == {None}


def test_not_more_than_may_listen(queue: Queue) -> None:
    async def run() -> None:
        told = Broadcast(queue, most=2, of_one=1)
        told.check_room("kim")
        tasks = []
        for who, others in (("kim", ("lee",)), ("lee", ())):
            heard = take(told.listen(None, everybody, seconds=60, by=who), 1)
            tasks.append(asyncio.create_task(heard))
            while told.listening < len(tasks):
                await asyncio.sleep(0.01)
            with pytest.raises(TooOftenError, match="too many pages"):
                told.check_room(who)
            for other in others:
                told.check_room(other)
        with pytest.raises(TooOftenError):
            told.check_room("max")
        put(queue, "a")
        await asyncio.gather(*tasks)
        told.check_room("kim")

    asyncio.run(run())


def test_who_does_not_keep_up_is_let_go(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broadcast, "_BEHIND", 3)

    async def run() -> int:
        told, count = Broadcast(queue), 0
        heard = told.listen(0, everybody, seconds=60)
        put(queue, "first")
        async for _ in heard:
            count += 1
            if count == 1:
                for number in range(9):
                    put(queue, str(number))
                await asyncio.sleep(1.2)
        return count

    assert asyncio.run(run()) < 9
