"""What a worker does with the queue: take a job up, say that it lives, hand back what came of it.

A claim is worth what its lease is: a worker renews it while it works (`beat`), and whoever finds
one that ran out takes the job back (`take_back`). The number of the attempt is on every change, so
that a worker which was thought dead, and wasn't, can change nothing any more.

What a job needs for itself, a slot of a device or the model that it trains, is a row of which there
can be one alone: no two jobs hold it, whatever the workers do.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from assent.kit.clock import stamp
from assent.kit.errors import AssentError, FaultError
from assent.kit.jobs.job import Job, State, Wish, job_of
from assent.kit.jobs.queue import Queue, changing, finely, note_ended
from assent.kit.store.work_tables import JobHoldRow, JobRow

__all__ = ["LEASE", "MOST_DEATHS", "Claim", "Claims", "Needs", "Progress"]

LEASE = timedelta(seconds=30)
MOST_DEATHS = 3
"""Workers that may end while at a job, with nothing gained between, before it is given up."""
_LOOKED_AT = 100

Needs = Callable[[Job], Sequence[Sequence[str]] | None]
"""Says what a job must hold: one name of each group, the first that is free; None: not for here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A job that a worker has to itself, and what it holds."""

    job: Job
    holds: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a job is; as the fields of `Job`."""

    share: float | None = None
    rate: float | None = None
    seconds_left: float | None = None
    message: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """The claims of one worker, whose name no other worker ever has."""

    queue: Queue
    worker: str
    lease: timedelta = LEASE

    def claim(self, needs: Needs) -> Claim | None:
        """Take up the first job that waits and for which everything that it needs is free."""
        # Mostly there is none: only who finds one locks the queue.
        with self.queue.database.session() as session:
            if not self._waiting(session):
                return None
        with changing(self.queue.database) as (session, number):
            held = set(session.scalars(select(JobHoldRow.name)))
            for row in self._waiting(session):
                names = _free(needs(job_of(row)), held)
                if names is not None:
                    return self._take(session, row, names, number)
        return None

    def beat(self, claim: Claim, progress: Progress | None = None) -> Wish | None:
        """Renew a claim's lease, tell how far the job is, and return what is wished of it."""
        with changing(self.queue.database) as (session, number):
            row = self._own(session, claim)
            if row is None:
                return Wish.LOST
            row.lease = self._until()
            if progress is not None:
                _note(row, progress)
                row.changed = number
            return None if row.wish is None else Wish(row.wish)

    def wish(self, claim: Claim) -> Wish | None:
        """Return what is wished of a job, without renewing anything."""
        with self.queue.database.session() as session:
            row = self._own(session, claim)
            if row is None:
                return Wish.LOST
            return None if row.wish is None else Wish(row.wish)

    def finish(self, claim: Claim, result: Mapping[str, Any]) -> bool:
        """Tell that the job is done; False if it is somebody else's by now."""
        return self._end(claim, State.DONE, result=dict(result))

    def fail(self, claim: Claim, error: AssentError) -> bool:
        """Tell why the job could not be done, and what to do; False as `finish`."""
        return self._end(
            claim, State.FAILED, error=str(error), advice=error.advice, code=error.exit_code
        )

    def stop(self, claim: Claim) -> bool:
        """Hand a job back that was stopped: as is wished of it, or to wait. False as `finish`."""
        with changing(self.queue.database) as (session, number):
            row = self._own(session, claim)
            if row is None:
                return False
            self._put_down(session, row, number)
        return True

    def take_back(self, is_gone: Callable[[str], bool | None]) -> tuple[Job, ...]:
        """Let jobs wait again whose worker is gone, and return them.

        `is_gone` is asked about each worker: True and False are taken as known; None means that the
        lease tells. A job that keeps ending its workers is given up.
        """
        with self.queue.database.session() as session:
            gone = [row.id for row in session.scalars(_running()) if self._lost(row, is_gone)]
        if not gone:
            return ()
        taken = []
        with changing(self.queue.database) as (session, number):
            for row in session.scalars(_running().where(JobRow.id.in_(gone))):
                # Somebody may have been quicker.
                if self._lost(row, is_gone):
                    self._bury(session, row, number)
                    taken.append(row)
        return tuple(job_of(row) for row in taken)

    def overdue(self, by: timedelta) -> tuple[str, ...]:
        """Return the workers whose leases ran out that long ago: they hang, or are gone."""
        limit = finely(self.queue.clock() - by)
        with self.queue.database.session() as session:
            rows = session.scalars(_running().where(JobRow.lease < limit))
            return tuple(str(row.worker) for row in rows)

    def _waiting(self, session: Session) -> Sequence[JobRow]:
        now = finely(self.queue.clock())
        return session.scalars(
            select(JobRow)
            .where(
                JobRow.state == State.WAITING,
                JobRow.not_before.is_(None) | (JobRow.not_before <= now),
            )
            .order_by(JobRow.priority.desc(), JobRow.place)
            .limit(_LOOKED_AT)
        ).all()

    def _take(self, session: Session, row: JobRow, names: Sequence[str], number: int) -> Claim:
        row.state, row.worker, row.lease = State.RUNNING, self.worker, self._until()
        row.started, row.attempt, row.changed = stamp(self.queue.clock()), row.attempt + 1, number
        row.rate = row.seconds_left = row.wish = None
        row.message = ""
        session.add_all(JobHoldRow(name=name, job_id=row.id) for name in names)
        session.flush()
        return Claim(job=job_of(row), holds=tuple(names))

    def _until(self) -> str:
        return finely(self.queue.clock() + self.lease)

    def _own(self, session: Session, claim: Claim) -> JobRow | None:
        row = session.get(JobRow, claim.job.id)
        mine = (State.RUNNING, self.worker, claim.job.attempt)
        return row if row and (row.state, row.worker, row.attempt) == mine else None

    def _end(self, claim: Claim, state: State, **told: Any) -> bool:  # noqa: ANN401 - columns
        with changing(self.queue.database) as (session, number):
            row = self._own(session, claim)
            if row is None:
                return False
            for name, value in told.items():
                setattr(row, name, value)
            if state is State.DONE:
                row.share = 1.0
            self._leave(session, row, state, number)
        return True

    def _put_down(self, session: Session, row: JobRow, number: int) -> None:
        state = {Wish.CANCEL: State.CANCELLED, Wish.PAUSE: State.PAUSED}.get(
            Wish(row.wish) if row.wish else Wish.LOST, State.WAITING
        )
        self._leave(session, row, state, number)

    def _bury(self, session: Session, row: JobRow, number: int) -> None:
        """Take a job from a worker that is gone."""
        gained = (row.share or 0.0) > row.best
        row.deaths = 1 if gained else row.deaths + 1
        row.best = max(row.best, row.share or 0.0)
        if row.deaths < MOST_DEATHS or row.wish is not None:
            self._put_down(session, row, number)
            return
        error = FaultError(
            f"the worker ended {row.deaths} times while at this",
            advice="See whether the machine has run out of memory; a clip that does this should be "
            "reported. Then try again.",
        )
        row.error, row.advice, row.code = str(error), error.advice, error.exit_code
        self._leave(session, row, State.FAILED, number)

    def _leave(self, session: Session, row: JobRow, state: State, number: int) -> None:
        row.state, row.changed = state, number
        row.worker = row.lease = row.wish = row.rate = row.seconds_left = None
        row.ended = None
        if state.over:
            row.ended = stamp(self.queue.clock())
            note_ended(session, row, self.queue.clock())
        session.execute(delete(JobHoldRow).where(JobHoldRow.job_id == row.id))

    def _lost(self, row: JobRow, is_gone: Callable[[str], bool | None]) -> bool:
        gone = is_gone(row.worker or "")
        return gone if gone is not None else (row.lease or "") < finely(self.queue.clock())


def _running() -> Any:  # noqa: ANN401 - a statement
    return select(JobRow).where(JobRow.state == State.RUNNING)


def _note(row: JobRow, progress: Progress) -> None:
    row.share, row.rate, row.seconds_left = progress.share, progress.rate, progress.seconds_left
    row.message = progress.message
    if progress.details:
        row.details = {**row.details, **progress.details}


def _free(groups: Sequence[Sequence[str]] | None, held: set[str]) -> list[str] | None:
    """Return the first free name of each group; None if one of them has none."""
    if groups is None:
        return None
    chosen: list[str] = []
    for names in groups:
        free = next((name for name in names if name not in held and name not in chosen), None)
        if free is None:
            return None
        chosen.append(free)
    return chosen
