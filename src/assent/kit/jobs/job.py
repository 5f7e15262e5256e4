"""A job as everybody sees it: what is to be done, how far it is, and how it ended.

>>> State.DONE.over, State.PAUSED.over
(True, False)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from assent.kit.store.work_tables import JobRow

__all__ = ["Event", "Job", "State", "Wish", "job_of"]


class State(StrEnum):
    """Where a job stands."""

    WAITING = "waiting"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def over(self) -> bool:
        """Whether nothing more happens unless somebody asks for it again."""
        return self in (State.DONE, State.FAILED, State.CANCELLED)


class Wish(StrEnum):
    """What a running job is asked to do."""

    CANCEL = "cancel"
    PAUSE = "pause"
    LOST = "lost"
    """To stop at once and touch nothing: the job is somebody else's by now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One piece of work; it carries ids, never a permission.

    Attributes:
        account: who asked for it; None for the command line.
        wish: "cancel" or "pause" while it runs and has been asked to.
        share: 0..1, how much is done; None while that is unknown.
        rate: units a second (frames, iterations, bytes; `message` says of what).
        seconds_left: an estimate.
        message: what is being done.
        details: what a kind of job tells besides, such as the losses of a training.
        error: why it failed, with `advice`; `code` is the exit code of that kind of error.
        result: ids and figures of what was made.
        attempt: how often a worker has taken it up.
    """

    id: str
    kind: str
    project_id: str | None
    account: str | None
    arguments: Mapping[str, Any]
    state: State
    priority: int
    place: float
    created: str
    changed: int
    started: str | None
    ended: str | None
    wish: str | None
    share: float | None
    rate: float | None
    seconds_left: float | None
    message: str
    details: Mapping[str, Any]
    error: str | None
    advice: str | None
    code: int | None
    result: Mapping[str, Any] | None
    attempt: int
    worker: str | None

    def to_json(self) -> dict[str, Any]:
        """Return everything that may be shown."""
        hidden = {"worker", "place"}
        return {name: getattr(self, name) for name in self.__slots__ if name not in hidden}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something changed: the job as it is now, and the number of that change."""

    number: int
    job: Job


def job_of(row: JobRow) -> Job:
    """Return the job that `row` stands for."""
    own = {name: getattr(row, name) for name in Job.__slots__ if name != "state"}
    return Job(state=State(row.state), **own)
