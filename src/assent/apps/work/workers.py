"""The workers of one machine: started, started again when they end, and stopped cleanly.

    with Workers(studio, command, count=2):
        ...                      # a server, or a wait for Ctrl-C

Each is a process of its own. It gets the passphrase by a pipe, and another pipe that nothing is
ever written to: when that closes, whoever started it is gone, and it stops by itself. So no kill of
the server leaves workers behind.
"""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType

from assent.apps.work.machine import is_gone, name_worker, share_cores
from assent.apps.work.worker import ENDED_BY_ITSELF
from assent.kit.errors import StorageError
from assent.kit.jobs.claims import Claims
from assent.kit.jobs.queue import Queue
from assent.kit.store.studio import Studio
from assent.kit.vault.guard import Guard, Passphrase

__all__ = ["Workers"]

_LOOK_S = 0.3
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 30.0
_LIVED_WELL_S = 60.0
_STOP_S = 15.0
_HANGS = timedelta(seconds=90)
_PASSPHRASE = ("ASSENT_PASSPHRASE", "ASSENT_PASSPHRASE_FILE", "ASSENT_PASSPHRASE_FD")


@dataclass(slots=True, kw_only=True)
class _Place:
    """Where one worker runs, or is to run again."""

    number: int
    name: str = ""
    process: "subprocess.Popen[bytes] | None" = None
    started: float = 0.0
    wait_s: float = _FIRST_WAIT_S
    not_before: float = 0.0


class Workers:
    """Runs `count` workers from `start` to `stop`, or as a context manager.

    Args:
        studio: whose jobs they do.
        command: what starts a worker; `--name NAME` is added.
        count: how many.
        guard: what keeps the studio's root key; a passphrase is handed on to the workers.
        heavy: how many of them do heavy work at a time, and share the cores.
    """

    def __init__(
        self,
        studio: Studio,
        command: Sequence[str],
        *,
        count: int,
        guard: Guard | None = None,
        heavy: int = 1,
    ) -> None:
        self._studio = studio
        self._command = tuple(command)
        self._guard = guard
        self._heavy = heavy
        self._places = [_Place(number=number) for number in range(count)]
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._look_after, name="workers", daemon=True)
        queue = Queue(studio.database, studio.clock)
        self._claims = Claims(queue=queue, worker=name_worker())

    def __enter__(self) -> "Workers":
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def pids(self) -> tuple[int, ...]:
        """The processes that run now."""
        return tuple(
            place.process.pid
            for place in self._places
            if place.process is not None and place.process.poll() is None
        )

    def start(self) -> None:
        """Start all of them, and look after them from now on."""
        self._take_back()
        for place in self._places:
            self._spawn(place)
        self._thread.start()

    def stop(self) -> None:
        """Let each hand its job back, and end those that don't within 15 seconds."""
        self._stopping.set()
        self._thread.join()
        processes = [place.process for place in self._places if place.process is not None]
        for process in processes:
            with suppress(OSError):
                process.terminate()
        ends = time.monotonic() + _STOP_S
        for process in processes:
            try:
                process.wait(max(0.0, ends - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdin is not None:
                process.stdin.close()
        self._take_back()

    def _look_after(self) -> None:
        while not self._stopping.wait(_LOOK_S):
            for place in self._places:
                self._look_at(place)
            self._end_hanging()

    def _look_at(self, place: _Place) -> None:
        now = time.monotonic()
        if place.process is None:
            if now >= place.not_before:
                self._spawn(place)
            return
        status = place.process.poll()
        if status is None:
            return
        if place.process.stdin is not None:
            place.process.stdin.close()
        place.process = None
        # At once, so that nobody has to wait for a lease to run out.
        self._take_back()
        lived_well = now - place.started >= _LIVED_WELL_S
        if status == ENDED_BY_ITSELF or lived_well:
            place.wait_s = _FIRST_WAIT_S
        if status != ENDED_BY_ITSELF:
            place.not_before = now + place.wait_s
            place.wait_s = min(_LONGEST_WAIT_S, place.wait_s * 2)

    def _spawn(self, place: _Place) -> None:
        place.name, place.started = name_worker(place.number), time.monotonic()
        environment = share_cores(
            {k: v for k, v in os.environ.items() if k not in _PASSPHRASE}, self._heavy
        )
        handed: tuple[int, ...] = ()
        if isinstance(self._guard, Passphrase):
            handed = (_piped(self._guard.phrase),)
            environment["ASSENT_PASSPHRASE_FD"] = str(handed[0])
        try:
            place.process = subprocess.Popen(  # noqa: S603 - our own command
                [*self._command, "--name", place.name],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                env=environment,
                pass_fds=handed,
                # Ctrl-C is for whoever started us; we tell them.
                start_new_session=True,
            )
        except OSError:
            # No memory or no processes left: later, perhaps.
            place.process, place.not_before = None, time.monotonic() + place.wait_s
            place.wait_s = min(_LONGEST_WAIT_S, place.wait_s * 2)
        finally:
            for each in handed:
                os.close(each)

    def _end_hanging(self) -> None:
        """Kill workers that live but don't say so any more."""
        with suppress(StorageError):
            hanging = self._claims.overdue(_HANGS)
            for place in self._places:
                if place.name in hanging and place.process is not None:
                    place.process.send_signal(signal.SIGKILL)

    def _take_back(self) -> None:
        # A database that is busy is asked again by the next worker.
        with suppress(StorageError):
            self._claims.take_back(lambda worker: is_gone(self._studio, worker))


def _piped(secret: bytes) -> int:
    """Return a descriptor from which `secret` can be read once."""
    reading, writing = os.pipe()
    try:
        os.write(writing, secret)
    finally:
        os.close(writing)
    return reading
