"""The queue: what is to be done, in which order, and how far it is.

Whoever changes it locks one row first (`changing`), so that changes happen one after the other, in
any database and from any number of processes, and their numbers say in which order they became
visible: `events_since` misses none.

>>> from assent.kit.clock import system
>>> from assent.kit.store.database import Database
>>> queue = Queue(Database("sqlite://"), system)
>>> job = queue.put("verify", None, {"upload": "7f"})
>>> queue.get(job.id).state.value
'waiting'
"""

import uuid
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, false, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError as AlreadyThere
from sqlalchemy.orm import Session

from assent.kit.clock import Clock, stamp
from assent.kit.errors import InputError, NotFoundError
from assent.kit.jobs.job import Event, Job, State, Wish, job_of
from assent.kit.store.database import Database
from assent.kit.store.events import note_event
from assent.kit.store.work_tables import JobClockRow, JobRow

__all__ = ["Queue", "Seen", "changing", "finely", "note_ended"]

_OVER = tuple(state.value for state in State if state.over)
_UNFINISHED = tuple(state.value for state in State if not state.over)
_HELD_UP = (State.WAITING.value, State.PAUSED.value)
KEPT = 1000
"""Jobs that are over and still listed, at most."""
KEPT_FOR = timedelta(days=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Which jobs somebody may see: of these projects (None: of all), and of no project.

    Of those of no project, their own alone unless `all_loose`.
    """

    projects: frozenset[str] | None
    account: str | None = None
    all_loose: bool = False

    def condition(self) -> ColumnElement[bool]:
        """Return it as a condition of a query."""
        loose: ColumnElement[bool] = JobRow.project_id.is_(None)
        if not self.all_loose:
            own = false() if self.account is None else JobRow.account == self.account
            loose = and_(loose, own)
        if self.projects is None:
            return or_(JobRow.project_id.is_not(None), loose)
        return or_(JobRow.project_id.in_(self.projects), loose)


def finely(moment: datetime) -> str:
    """Return `moment` as RFC 3339 in UTC, to the millisecond; sorts as text."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@contextmanager
def changing(database: Database) -> Iterator[tuple[Session, int]]:
    """Yield a session that nobody else changes the queue beside, and the change's number."""
    with database.session() as session:
        number = _next(session)
        if number is None:
            # Its very first use; another process may be at the same.
            try:
                with session.begin_nested():
                    session.execute(insert(JobClockRow).values(id=1, number=0))
            except AlreadyThere:
                pass
            number = _next(session)
        assert number is not None  # noqa: S101 - the row is there now
        yield session, number


def note_ended(session: Session, row: JobRow, moment: datetime) -> None:
    """Note, for those who want to be told, that a job is over."""
    told = {"job": row.id, "work": row.kind, "state": str(row.state)}
    note_event(session, "job.ended", moment=moment, ids=told, project_id=row.project_id)


def _next(session: Session) -> int | None:
    return session.scalar(
        update(JobClockRow)
        .where(JobClockRow.id == 1)
        .values(number=JobClockRow.number + 1)
        .returning(JobClockRow.number)
    )


@dataclass(frozen=True, slots=True)
class Queue:
    """The queue in a studio's database."""

    database: Database
    clock: Clock

    def put(
        self,
        kind: str,
        project_id: str | None,
        arguments: Mapping[str, Any],
        by: str | None = None,
        *,
        key: str | None = None,
        priority: int = 0,
        not_before: datetime | None = None,
    ) -> Job:
        """Ask for work, behind all that has the same priority (the highest first).

        The same kind, project and arguments as a job that isn't over yet, or the same `key` as any
        job, give that job: asked twice, done once. Nobody takes it up before `not_before`.
        """
        with changing(self.database) as (session, number):
            row = _same(session, kind, project_id, arguments, by, key)
            if row is None:
                last = session.scalar(select(func.max(JobRow.place)))
                row = JobRow(
                    id=uuid.uuid4().hex,
                    kind=kind,
                    project_id=project_id,
                    account=by,
                    arguments=dict(arguments),
                    key=key,
                    state=State.WAITING,
                    priority=priority,
                    place=(last or 0.0) + 1.0,
                    created=stamp(self.clock()),
                    not_before=None if not_before is None else finely(not_before),
                    changed=number,
                )
                session.add(row)
        return job_of(row)

    def get(self, job_id: str) -> Job:
        """Return a job; raises `NotFoundError`."""
        with self.database.session() as session:
            return job_of(_row(session, job_id))

    def find(self, text: str) -> Job:
        """Return the job whose id begins so; raises `NotFoundError`, `InputError` for several."""
        with self.database.session() as session:
            wanted = JobRow.id.startswith(text, autoescape=True)
            rows = session.scalars(select(JobRow).where(wanted).limit(2)).all()
        if len(rows) > 1:
            raise InputError(f"several jobs begin with '{text}'", advice="Give more of the id.")
        if not rows:
            raise NotFoundError(f"there is no job '{text}'", advice="See `assent jobs list`.")
        return job_of(rows[0])

    def list(
        self,
        project_id: str | None = None,
        *,
        states: Collection[State] = tuple(State),
        kind: str | None = None,
        seen: Seen | None = None,
        limit: int = 200,
        after: str | None = None,
    ) -> tuple[Job, ...]:
        """Return jobs: those that aren't over in their order, then what is over, newest first.

        `seen` leaves out what somebody may not see; `after` is the id of the last job of the page
        before.
        """
        known = [state.value for state in states]
        wanted = select(JobRow).where(JobRow.state.in_(known))
        if project_id is not None:
            wanted = wanted.where(JobRow.project_id == project_id)
        if kind is not None:
            wanted = wanted.where(JobRow.kind == kind)
        if seen is not None:
            wanted = wanted.where(seen.condition())
        running = wanted.where(JobRow.state.in_(_UNFINISHED)).order_by(
            (JobRow.state == State.RUNNING.value).desc(), JobRow.priority.desc(), JobRow.place
        )
        over = wanted.where(JobRow.state.in_(_OVER)).order_by(
            JobRow.ended.desc(), JobRow.changed.desc()
        )
        with self.database.session() as session:
            rows = [*session.scalars(running), *session.scalars(over.limit(KEPT))]
        ids = [row.id for row in rows]
        start = ids.index(after) + 1 if after in ids else 0
        return tuple(job_of(row) for row in rows[start : start + limit])

    def cancel(self, job_id: str) -> Job:
        """End a job; one that runs is stopped within seconds. Raises `InputError` if it is over."""
        with self._change(job_id) as (session, row):
            if row.state == State.CANCELLED:
                return job_of(row)
            _require(row, State.WAITING, State.PAUSED, State.RUNNING, to="be cancelled")
            if row.state == State.RUNNING:
                row.wish = Wish.CANCEL
            else:
                row.state, row.ended = State.CANCELLED, stamp(self.clock())
                note_ended(session, row, self.clock())
        return job_of(row)

    def pause(self, job_id: str) -> Job:
        """Hold a job until it is resumed; one that runs keeps what it can. Raises `InputError`."""
        with self._change(job_id) as (_, row):
            _require(row, State.WAITING, State.PAUSED, State.RUNNING, to="be paused")
            if row.state == State.RUNNING:
                row.wish = row.wish or Wish.PAUSE
            else:
                row.state = State.PAUSED
        return job_of(row)

    def resume(self, job_id: str) -> Job:
        """Let a paused job go on, at its place in the order; raises `InputError`."""
        with self._change(job_id) as (_, row):
            _require(row, State.WAITING, State.PAUSED, State.RUNNING, to="be resumed")
            if row.state == State.PAUSED:
                row.state = State.WAITING
            elif row.wish == Wish.PAUSE:
                row.wish = None
        return job_of(row)

    def retry(self, job_id: str) -> Job:
        """Do a job that failed or was cancelled again, as the last; raises `InputError`."""
        with self._change(job_id) as (session, row):
            if row.state == State.WAITING:
                return job_of(row)
            _require(row, State.FAILED, State.CANCELLED, to="be tried again")
            row.state, row.wish, row.ended, row.started = State.WAITING, None, None, None
            row.error = row.advice = row.code = row.share = row.rate = row.seconds_left = None
            row.deaths, row.best, row.message, row.not_before = 0, 0.0, "", None
            row.place = _end(session, last=True)
        return job_of(row)

    def move(self, job_id: str, *, before: str | None = None, last: bool = False) -> Job:
        """Put a waiting job before another, or to the front, or to the end.

        It gets the priority of its new neighbour. Raises `InputError` unless both wait.
        """
        if before == job_id:
            raise InputError("a job can't be put before itself", advice="Name another job.")
        with self._change(job_id) as (session, row):
            _require(row, State.WAITING, State.PAUSED, to="be moved")
            if before is None:
                row.priority = _priority(session, last=last)
                row.place = _end(session, last=last)
            else:
                row.priority, row.place = _before(session, before)
        return job_of(row)

    def events_since(
        self, number: int, project_id: str | None = None, *, limit: int = 200
    ) -> tuple[Event, ...]:
        """Return the jobs that changed after change `number`, each as it is now, in order.

        Several changes of one job are one event, so whoever was away long gets what counts.
        """
        wanted = select(JobRow).where(JobRow.changed > number)
        if project_id is not None:
            wanted = wanted.where(JobRow.project_id == project_id)
        with self.database.session() as session:
            rows = session.scalars(wanted.order_by(JobRow.changed).limit(limit)).all()
        return tuple(Event(number=row.changed, job=job_of(row)) for row in rows)

    def newest(self) -> int:
        """Return the number of the latest change."""
        with self.database.session() as session:
            return session.scalar(select(JobClockRow.number)) or 0

    def trim(self, *, keep: int = KEPT, older_than: timedelta = KEPT_FOR) -> int:
        """Forget jobs that are over: all but the newest `keep`, and what is old; returns how many.

        Asked first without locking anything: mostly there is nothing to do.
        """
        limit = stamp(self.clock() - older_than)
        over = select(JobRow.id).where(JobRow.state.in_(_OVER))
        newest = over.order_by(JobRow.ended.desc(), JobRow.changed.desc())
        with self.database.session() as session:
            old = set(session.scalars(over.where(JobRow.ended < limit)))
            old.update(list(session.scalars(newest.offset(keep).limit(KEPT))))
        if not old:
            return 0
        with changing(self.database) as (session, _):
            gone = delete(JobRow).where(JobRow.id.in_(old), JobRow.state.in_(_OVER))
            session.execute(gone.execution_options(synchronize_session=False))
        return len(old)

    @contextmanager
    def _change(self, job_id: str) -> Iterator[tuple[Session, JobRow]]:
        with changing(self.database) as (session, number):
            row = _row(session, job_id)
            yield session, row
            row.changed = number


def _row(session: Session, job_id: str) -> JobRow:
    row = session.get(JobRow, job_id)
    if row is None:
        raise NotFoundError(f"there is no job '{job_id}'", advice="See `assent jobs list`.")
    return row


def _same(
    session: Session,
    kind: str,
    project_id: str | None,
    arguments: Mapping[str, Any],
    account: str | None,
    key: str | None,
) -> JobRow | None:
    if key is not None:
        return session.scalar(select(JobRow).where(JobRow.key == key))
    rows = session.scalars(
        select(JobRow).where(
            JobRow.kind == kind,
            JobRow.project_id == project_id,
            JobRow.account == account,
            JobRow.key.is_(None),
            JobRow.state.in_(_UNFINISHED),
        )
    )
    return next((row for row in rows if row.arguments == dict(arguments)), None)


def _end(session: Session, *, last: bool) -> float:
    """A place behind, or before, all others."""
    if last:
        return (session.scalar(select(func.max(JobRow.place))) or 0.0) + 1.0
    return (session.scalar(select(func.min(JobRow.place))) or 0.0) - 1.0


def _priority(session: Session, *, last: bool) -> int:
    """The lowest, or highest, priority of what waits."""
    extreme = func.min(JobRow.priority) if last else func.max(JobRow.priority)
    return session.scalar(select(extreme).where(JobRow.state.in_(_HELD_UP))) or 0


def _before(session: Session, job_id: str) -> tuple[int, float]:
    """The priority of a waiting job, and a place just before it."""
    other = _row(session, job_id)
    _require(other, State.WAITING, State.PAUSED, to="be moved before")
    earlier = session.scalar(select(func.max(JobRow.place)).where(JobRow.place < other.place))
    if earlier is None:
        return other.priority, other.place - 1.0
    between = (earlier + other.place) / 2
    if not earlier < between < other.place:
        # Many were put here, one before the other: there is no number left between.
        session.execute(
            update(JobRow).values(place=JobRow.place + 1.0).where(JobRow.place >= other.place)
        )
        between = earlier + 0.5
    return other.priority, between


def _require(row: JobRow, *states: State, to: str) -> None:
    if row.state not in states:
        raise InputError(
            f"a {row.kind} job that is {row.state} can't {to}", advice="See `assent jobs list`."
        )
