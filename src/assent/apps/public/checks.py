"""Files that strangers want examined: who may send one, what waits, what was found.

    checks = Checks(lookup, limits=Limits())
    check = checks.seat(name="clip.mp4", size=5_000_000, address="192.0.2.1")
    with_file = checks.begin(check.ticket)      # its file is open for writing
    checks.enqueue(check.ticket)
    checks.find(check.ticket).result

A seat is taken before a byte is sent, so that who can't be served is told at once and honestly. The
file has no name and is gone once it was examined, in a process apart that may write none.
"""

import os
import secrets
import tempfile
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Condition, Thread
from typing import Any, BinaryIO, Literal

from assent.kit.clock import Clock, system
from assent.kit.disk import Disk
from assent.kit.errors import AssentError, FaultError, InputError, NotFoundError, RefusedError
from assent.verify.apart import Bounds, Examiner, Lookup
from assent.verify.findings import plain
from assent.verify.result import result_of

__all__ = ["BusyError", "Check", "Checks", "Limits", "Stage", "TooLargeError", "TooManyError"]

Stage = Literal["seated", "receiving", "waiting", "examining", "done", "failed"]

_OPEN = ("seated", "receiving", "waiting", "examining")
_FIRST_GUESS_S = 20.0
_LONGEST_NAME = 120
# Never so full that others on the machine can't write any more.
_LEFT_FREE = 1 << 30


class TooLargeError(InputError):
    """The file is larger than is taken."""

    advice = "Verify it on your own machine: `assent verify`."


class BusyError(FaultError):
    """All places are taken; `after_s` says when to come back."""

    advice = "Come back in a while, or verify it on your own machine: `assent verify`."

    def __init__(self, message: str, *, after_s: int) -> None:
        super().__init__(message)
        self.after_s = after_s


class TooManyError(RefusedError):
    """One address has too many files here at once."""

    advice = "Wait until those that you sent are done."


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What is taken on.

    Attributes:
        largest: bytes of a file.
        places: files that are being received, wait or are examined, together.
        scratch: bytes of them all.
        each: places for one address.
        workers: files that are examined at once.
        seconds: time that one may be examined.
        memory: bytes that it may take.
        arrive_s: seconds in which the first byte must come.
        keep_s: seconds that an answer is kept.
        kept: answers that are kept, at most.
    """

    largest: int = 256 << 20
    places: int = 16
    scratch: int = 2 << 30
    each: int = 2
    workers: int = 1
    seconds: float = 180.0
    memory: int = 3 << 30
    arrive_s: float = 30.0
    keep_s: float = 900.0
    kept: int = 200


@dataclass(slots=True, kw_only=True)
class Check:
    """One file on its way; `ahead` is how many are before it, `share` how far its examination."""

    ticket: str
    name: str
    size: int
    address: str
    since: float
    stage: Stage = "seated"
    ahead: int = 0
    share: float = 0.0
    file: BinaryIO | None = field(default=None, repr=False)
    result: Mapping[str, Any] | None = None
    problem: AssentError | None = None

    def to_json(self) -> dict[str, Any]:
        """Return what the one who sent it may know while it waits."""
        return {"stage": self.stage, "ahead": self.ahead, "percent": round(100 * self.share)}


class Checks:
    """Takes files, examines them one after the other, keeps the answers for a while.

    Args:
        lookup: what they are held against now, and a name of its state: a new state means a new
            process.
        limits: what is taken on.
        clock: the time that answers carry.
        monotonic: a clock that never goes back.
        disk: what makes the files without names.
        folder: where; the system's folder for such if None.
    """

    def __init__(
        self,
        lookup: Callable[[], tuple[str, Lookup]],
        *,
        limits: Limits | None = None,
        clock: Clock = system,
        monotonic: Callable[[], float] = time.monotonic,
        disk: Disk | None = None,
        folder: Path | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self._lookup = lookup
        self._clock = clock
        self._monotonic = monotonic
        self._disk = disk or Disk()
        self._folder = folder or Path(tempfile.gettempdir())
        self._known: dict[str, Check] = {}
        self._queue: deque[Check] = deque()
        self._turn = Condition()
        self._workers: list[Thread] = []
        self._examiners: set[Examiner] = set()
        self._closed = False
        self._took_s = _FIRST_GUESS_S

    def seat(self, *, name: str, size: int, address: str) -> Check:
        """Return a place for a file of `size` bytes.

        Raises `TooLargeError`, `TooManyError` or `BusyError`, and `InputError` for no size.
        """
        if size <= 0:
            raise InputError("the file is empty", advice="Choose a video, a picture or a sound.")
        if size > self.limits.largest:
            raise TooLargeError(f"files of at most {self.limits.largest >> 20} MB are taken here")
        with self._turn:
            self._forget()
            here = [each for each in self._known.values() if each.stage in _OPEN]
            if sum(each.address == address for each in here) >= self.limits.each:
                raise TooManyError(f"there are {self.limits.each} files of yours here already")
            room = self.limits.scratch - sum(each.size for each in here)
            if len(here) >= self.limits.places or size > room or not self._has_room(size):
                raise BusyError("all places are taken", after_s=self._guess(len(here)))
            check = Check(
                ticket=secrets.token_urlsafe(24),
                name=plain(name)[:_LONGEST_NAME] or "a file",
                size=size,
                address=address,
                since=self._monotonic(),
            )
            self._known[check.ticket] = check
            return check

    def begin(self, ticket: str) -> Check:
        """Return a check whose file may be sent now; `NotFoundError` if there is none such."""
        with self._turn:
            check = self.find(ticket)
            if check.stage != "seated":
                raise NotFoundError("this file was sent already")
            check.file = self._disk.scratch(self._folder)
            check.stage = "receiving"
            return check

    def enqueue(self, ticket: str) -> None:
        """Let a file that has come wait for its turn; `InputError` if it isn't whole."""
        with self._turn:
            check = self.find(ticket)
            file = check.file
            if check.stage != "receiving" or file is None:
                raise NotFoundError("there is no such file")
            if os.fstat(file.fileno()).st_size != check.size:
                self._drop(check)
                raise InputError("the file did not come whole", advice="Send it again.")
            check.stage, check.since = "waiting", self._monotonic()
            self._queue.append(check)
            self._hire()
            self._turn.notify()

    def give_up(self, ticket: str) -> None:
        """Forget a file that did not come."""
        with self._turn:
            check = self._known.get(ticket)
            if check is not None and check.stage in ("seated", "receiving"):
                self._drop(check)

    def find(self, ticket: str) -> Check:
        """Return a check; `NotFoundError` if there is none, or no longer."""
        with self._turn:
            self._forget()
            check = self._known.get(ticket)
            if check is None:
                raise NotFoundError(
                    "there is no such answer, or no longer", advice="Send the file again."
                )
            check.ahead = self._queue.index(check) if check in self._queue else 0
            return check

    def close(self) -> None:
        """Stop; what is being examined is let go."""
        with self._turn:
            self._closed = True
            for examiner in self._examiners:
                examiner.kill()
            self._turn.notify_all()
        for worker in self._workers:
            worker.join()
        with self._turn:
            for check in list(self._known.values()):
                self._drop(check)

    def _has_room(self, size: int) -> bool:
        room = os.statvfs(self._folder)
        return room.f_bavail * room.f_frsize > size + _LEFT_FREE

    def _guess(self, here: int) -> int:
        return min(600, max(5, round(self._took_s * max(1, here) / self.limits.workers / 2)))

    def _forget(self) -> None:
        """Drop seats that nobody came to, and old answers."""
        now = self._monotonic()
        for check in list(self._known.values()):
            age = now - check.since
            late = check.stage == "seated" and age > self.limits.arrive_s
            old = check.stage in ("done", "failed") and age > self.limits.keep_s
            if late or old:
                self._drop(check)
        ended = [each for each in self._known.values() if each.stage in ("done", "failed")]
        for check in ended[: max(0, len(ended) - self.limits.kept)]:
            self._drop(check)

    def _drop(self, check: Check) -> None:
        self._known.pop(check.ticket, None)
        file, check.file = check.file, None
        if file is not None:
            file.close()

    def _hire(self) -> None:
        while len(self._workers) < self.limits.workers:
            worker = Thread(target=self._work, name="examining", daemon=True)
            self._workers.append(worker)
            worker.start()

    def _work(self) -> None:
        known, examiner = "", None
        while (check := self._next()) is not None:
            try:
                state, lookup = self._lookup()
                if examiner is None or state != known:
                    examiner, known = self._renew(examiner, lookup), state
                self._examine(check, examiner)
            except AssentError as error:
                self._end(check, problem=error)
            except Exception as error:  # noqa: BLE001 - who waits behind it is served all the same
                says = f"the file could not be examined ({type(error).__name__})"
                self._end(check, problem=FaultError(says))
        self._renew(examiner, None)

    def _next(self) -> Check | None:
        with self._turn:
            while not self._queue and not self._closed:
                self._turn.wait()
            if self._closed:
                return None
            check = self._queue.popleft()
            check.stage, check.since = "examining", self._monotonic()
            return check

    def _renew(self, old: Examiner | None, lookup: Lookup | None) -> Examiner | None:
        bounds = Bounds(seconds=self.limits.seconds, memory=self.limits.memory)
        new = None if lookup is None else Examiner(lookup, bounds=bounds)
        with self._turn:
            if old is not None:
                self._examiners.discard(old)
                old.stop()
            if new is not None:
                self._examiners.add(new)
        return new

    def _examine(self, check: Check, examiner: Examiner | None) -> None:
        def progress(stage: str, done: int, total: int) -> None:
            check.share = max(check.share, done / total if total else 0.0)

        if examiner is None or check.file is None:
            raise FaultError("there is nothing to examine")
        # By way of this process, so that the one that examines can open it too.
        path = Path(f"/proc/{os.getpid()}/fd/{check.file.fileno()}")
        began = self._monotonic()
        found = examiner.examine(path, name=check.name, progress=progress)
        self._took_s = 0.7 * self._took_s + 0.3 * (self._monotonic() - began)
        self._end(check, result=result_of(found, now=self._clock()))

    def _end(
        self,
        check: Check,
        *,
        result: Mapping[str, Any] | None = None,
        problem: AssentError | None = None,
    ) -> None:
        with self._turn:
            check.result, check.problem = result, problem
            check.stage, check.since = ("done" if result else "failed"), self._monotonic()
            file, check.file = check.file, None
        if file is not None:
            file.close()
