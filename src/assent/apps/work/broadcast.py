"""Tells any number of listeners how far jobs are, with one look at the database for all of them.

A listener is a queue of its own in the event loop, no thread. One that doesn't keep up is let go:
it comes back and says what it knew last, as browsers do by themselves.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from dataclasses import dataclass, field

from starlette.concurrency import run_in_threadpool

from assent.kit.errors import StorageError, TooOftenError
from assent.kit.jobs.job import Event, Job, State
from assent.kit.jobs.queue import Queue

__all__ = ["Broadcast", "Item"]

_EVERY_S = 0.5
_QUIET_S = 15.0
_BEHIND = 500
_UNFINISHED = tuple(state for state in State if not state.over)


@dataclass(frozen=True, slots=True)
class Item:
    """An event, written out once for all who hear it."""

    number: int
    job: Job
    text: str


@dataclass(slots=True, eq=False)
class _Listener:
    items: "asyncio.Queue[Item]" = field(default_factory=lambda: asyncio.Queue(_BEHIND))
    by: str = ""
    behind: bool = False


class Broadcast:
    """The changes of one queue; `most` may listen at once, `of_one` for one account."""

    def __init__(self, queue: Queue, *, most: int = 200, of_one: int = 12) -> None:
        self._queue = queue
        self._most = most
        self._of_one = of_one
        self._listeners: set[_Listener] = set()
        self._task: asyncio.Task[None] | None = None
        self._began: asyncio.Future[None]
        self._seen = 0

    @property
    def listening(self) -> int:
        """How many listen now."""
        return len(self._listeners)

    def check_room(self, by: str) -> None:
        """Raise `TooOftenError` if no more may listen, or no more for `by`."""
        own = sum(each.by == by for each in self._listeners)
        if own >= self._of_one or len(self._listeners) >= self._most:
            raise TooOftenError(
                "too many pages are following jobs", advice="Close some, or reload in a minute."
            )

    async def listen(
        self, since: int | None, may: Callable[[Job], bool], *, seconds: float, by: str = ""
    ) -> AsyncGenerator[Item | None]:
        """Yield to `by` what changes after change `since`, and None where it was quiet.

        Without `since`, first what isn't over yet.

        Ends after `seconds`: whoever goes on listening is asked again who they are.
        """
        loop = asyncio.get_running_loop()
        ends = loop.time() + seconds
        listener = _Listener(by=by)
        self._listeners.add(listener)
        try:
            await self._start()
            last = self._seen if since is None else since
            for item in await (self._now() if since is None else self._since(since)):
                last = max(last, item.number)
                if may(item.job):
                    yield item
            while loop.time() < ends and not listener.behind:
                heard: Item | None = None
                with suppress(TimeoutError):
                    heard = await asyncio.wait_for(listener.items.get(), _QUIET_S)
                if heard is None:
                    yield None
                elif heard.number > last and may(heard.job):
                    yield heard
        finally:
            self._listeners.discard(listener)

    async def _start(self) -> None:
        if self._task is None or self._task.done():
            self._began = asyncio.get_running_loop().create_future()
            self._task = asyncio.create_task(self._look(self._began))
        # Another listener may be let go meanwhile, not what all of them wait for.
        await asyncio.shield(self._began)

    async def _look(self, began: "asyncio.Future[None]") -> None:
        """Look for changes as long as somebody listens."""
        try:
            self._seen = await run_in_threadpool(self._queue.newest)
        except StorageError as error:
            began.set_exception(error)
            return
        began.set_result(None)
        while self._listeners:
            with suppress(StorageError):
                for item in await self._since(self._seen):
                    self._seen = item.number
                    self._tell(item)
            await asyncio.sleep(_EVERY_S)

    def _tell(self, item: Item) -> None:
        for listener in self._listeners:
            try:
                listener.items.put_nowait(item)
            except asyncio.QueueFull:
                listener.behind = True

    async def _now(self) -> list[Item]:
        jobs = await run_in_threadpool(lambda: self._queue.list(states=_UNFINISHED))
        events = [Event(number=job.changed, job=job) for job in jobs]
        return [_item(event) for event in sorted(events, key=lambda each: each.number)]

    async def _since(self, number: int) -> list[Item]:
        events = await run_in_threadpool(self._queue.events_since, number)
        return [_item(event) for event in events]


def _item(event: Event) -> Item:
    return Item(event.number, event.job, json.dumps(event.job.to_json(), separators=(",", ":")))
