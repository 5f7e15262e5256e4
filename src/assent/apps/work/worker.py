"""A worker: one process that takes jobs up one after the other, and shows that it lives.

While it works, a thread of its own renews the job's lease, stores how far it is and hears what is
wished. Work that doesn't stop in time when it is told to ends with its process: everything that is
done here survives that, and whoever started the process starts another.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from assent.apps.hooks.herald import Herald
from assent.apps.work.kinds import KINDS, Work, kind_of
from assent.apps.work.machine import Machine, is_gone, see_gpu, sweep
from assent.apps.work.telling import Teller
from assent.apps.work.uploads import Uploads
from assent.kit.errors import AssentError, FaultError, StoppedError, StorageError
from assent.kit.jobs.claims import Claim, Claims
from assent.kit.jobs.job import Job, Wish
from assent.kit.jobs.queue import Queue
from assent.kit.store.studio import Studio

__all__ = ["ENDED_BY_ITSELF", "Worker"]

ENDED_BY_ITSELF = 75
"""Exit status of a worker that ended with its work, which would not stop: start another."""

_BEAT_S = 0.5
_RENEW_S = 8.0
_TEND_S = 3600.0
_GRACE_S = {Wish.CANCEL: 3.0, Wish.LOST: 3.0, Wish.PAUSE: 60.0, None: 10.0}
"""Seconds for which work may go on after it was told to stop; None: the worker itself is."""


@dataclass(kw_only=True)
class Worker:
    """Does jobs until it is told to stop.

    Attributes:
        name: whose leases these are; no other worker ever has it.
        machine: how many slots of which devices there are.
        stopping: set to end it: the job is handed back, and goes on elsewhere.
        idle_s: seconds between looks at an empty queue.
        leave: ends the process at once.
    """

    studio: Studio
    name: str
    machine: Machine
    stopping: threading.Event = field(default_factory=threading.Event)
    idle_s: float = 1.0
    leave: Callable[[int], Any] = os._exit

    def __post_init__(self) -> None:
        self._claims = Claims(
            queue=Queue(self.studio.database, self.studio.clock), worker=self.name
        )
        self._tended = float("-inf")
        self._herald = Herald(self.studio)

    def run(self) -> None:
        """Take jobs up until `stopping` is set."""
        while not self.stopping.is_set():
            if not self._one():
                self.stopping.wait(self.idle_s)

    def _one(self) -> bool:
        """Do a job, if there is one; a database that fails now may work later."""
        try:
            self._claims.take_back(lambda worker: is_gone(self.studio, worker))
            self._tend()
            self._herald.tick()
            claim = self._claims.claim(self._needs)
        except StorageError:
            return False
        if claim is None:
            return False
        on_gpu = see_gpu(claim.holds)
        self.do(claim)
        if on_gpu:
            # What a process took of a GPU it gives back when it ends.
            self.leave(ENDED_BY_ITSELF)
        return True

    def do(self, claim: Claim) -> None:
        """Do a job and tell how it ended."""
        teller = Teller(stages=KINDS[claim.job.kind].stages)
        with self._watched(claim, teller):
            try:
                result = self._work(claim.job, teller)
            except StoppedError:
                self._tell(lambda: self._claims.stop(claim))
            except AssentError as error:
                found = error
                self._tell(lambda: self._claims.fail(claim, found))
            except Exception as error:  # noqa: BLE001 - the job fails, not the worker
                fault = _fault(error)
                self._tell(lambda: self._claims.fail(claim, fault))
            else:
                self._tell(lambda: self._claims.finish(claim, result))

    def _work(self, job: Job, teller: Teller) -> dict[str, Any]:
        kind, arguments = kind_of(job)
        work = Work(
            studio=self.studio,
            job=job,
            progress=teller.progress,
            tell=teller.tell,
            stop=lambda: teller.stopped,
            details=teller.detail,
        )
        return dict(kind.does(work, arguments))

    @contextmanager
    def _watched(self, claim: Claim, teller: Teller) -> Iterator[None]:
        over = threading.Event()
        thread = threading.Thread(
            target=self._watch, args=(claim, teller, over), name="heartbeat", daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _watch(self, claim: Claim, teller: Teller, over: threading.Event) -> None:
        """Renew the lease, store progress and hear wishes until the work is over."""
        renewed = time.monotonic()
        told_since: float | None = None
        while not over.wait(_BEAT_S):
            news = teller.news()
            try:
                if news is not None or time.monotonic() - renewed >= _RENEW_S:
                    wish = self._claims.beat(claim, news)
                    renewed = time.monotonic()
                else:
                    wish = self._claims.wish(claim)
            except StorageError:
                # A lease outlasts a busy database.
                continue
            if wish is None and not self.stopping.is_set():
                teller.stopped, told_since = False, None
                continue
            teller.stopped = True
            told_since = told_since if told_since is not None else time.monotonic()
            if time.monotonic() - told_since > _GRACE_S[wish]:
                # Whoever finds the job without its worker does with it what was wished.
                self.leave(ENDED_BY_ITSELF)

    def _tell(self, how: Callable[[], object]) -> None:
        """Tell how a job ended, also if the database is busy or its disk full for a while."""
        for wait in (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 0.0):
            with suppress(StorageError):
                how()
                return
            # At the latest when its lease has run out it is done again.
            self.stopping.wait(wait)

    def _needs(self, job: Job) -> Sequence[Sequence[str]] | None:
        """What a job must hold here; None for a kind that a newer version knows."""
        if job.kind not in KINDS:
            return None
        try:
            kind, arguments = kind_of(job)
        except AssentError:
            # It will fail and say why.
            return ()
        alone = kind.alone(arguments)
        own = [] if alone is None else [[f"{job.project_id}/{alone}"]]
        return [*self.machine.slots(kind.devices(arguments)), *own]

    def _tend(self) -> None:
        """Forget old jobs and uploads now and then."""
        if time.monotonic() - self._tended < _TEND_S:
            return
        self._tended = time.monotonic()
        self._claims.queue.trim()
        Uploads(self.studio).sweep()
        sweep(self.studio)


def _fault(error: Exception) -> FaultError:
    return FaultError(
        f"something went wrong inside Assent: {type(error).__name__}: {error}",
        advice="Nothing was lost. Try again; if it fails again, report it with this message.",
    )
