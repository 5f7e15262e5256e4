"""What this machine offers to jobs, and which of its workers live.

A worker holds a lock on a file of its own for as long as its process lives, whatever ends it. So
another one on the same machine knows at once that it is gone, and never takes a job from one that
was merely held up.
"""

import os
import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from assent.kit.store.studio import Studio

__all__ = [
    "Machine",
    "alive",
    "give_way",
    "is_gone",
    "name_worker",
    "see_gpu",
    "share_cores",
    "sweep",
]

_NICE = 15
_AUTOGROUP = Path("/proc/self/autogroup")
_ASKED_AT_MOST, _BETWEEN_S = 20, 0.12
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
_LEFT_FOR = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Slots of devices, by the device's kind; each holds one job at a time.

    Attributes:
        name: which machine this is.
        counts: how many slots there are of each kind.
    """

    name: str
    counts: dict[str, int]

    @classmethod
    def here(cls, heavy: int | None = None) -> "Machine":
        """Return this machine: a slot for heavy work for each two cores, or as many as `heavy`."""
        cores = len(os.sched_getaffinity(0))
        gpus = [each for each in Path("/dev").glob("nvidia[0-9]*") if each.name[6:].isdigit()]
        counts = {"cpu-heavy": heavy or max(1, cores // 2), "gpu": len(gpus)}
        return cls(name=platform.node() or "here", counts=counts)

    def slots(self, kinds: Sequence[str]) -> list[list[str]]:
        """Return the names of the slots of the first kind that this machine has; none for none."""
        for kind in kinds:
            if self.counts.get(kind):
                return [[f"{self.name}/{kind}/{n}" for n in range(self.counts[kind])]]
        return []


def see_gpu(holds: Sequence[str]) -> bool:
    """Let this process see the GPU of which it holds the slot and no other; tell if it has one.

    It counts only before the process uses a GPU for the first time.
    """
    mine = [name.rsplit("/", 1)[1] for name in holds if "/gpu/" in name]
    os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(mine)
    return bool(mine)


def give_way() -> None:
    """Let every process that somebody waits for go before this one, at processor and disk.

    The kernel takes the disk's turn from the niceness. A batch process doesn't cut in when it wakes
    up either, which is what a page that is being made would notice. Linux may share the processor
    out among sessions first, and compare niceness only within one (sched(7), autogroup); so a
    session of its own gives way as a whole.
    """
    os.setpriority(os.PRIO_PROCESS, 0, max(_NICE, os.getpriority(os.PRIO_PROCESS, 0)))
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    if os.getsid(0) == os.getpid():
        # Not every kernel has it.
        with suppress(OSError):
            _ask_for_session()


def _ask_for_session() -> None:
    """Make the session nicer; the kernel takes one wish in a tenth of a second, from anyone."""
    for _ in range(_ASKED_AT_MOST):
        with suppress(BlockingIOError):
            _AUTOGROUP.write_text(f"{_NICE}")
            return
        time.sleep(_BETWEEN_S)


def share_cores(environment: Mapping[str, str], jobs: int) -> dict[str, str]:
    """Return an environment in which each of `jobs` at a time uses its part of the cores.

    Without it each takes all of them, and as many threads as cores times jobs get in each other's
    way. What somebody has set already holds.

    >>> share_cores({"OMP_NUM_THREADS": "3"}, 1000)["OMP_NUM_THREADS"]
    '3'
    >>> share_cores({}, 1000)["OMP_NUM_THREADS"]
    '1'
    """
    part = str(max(1, len(os.sched_getaffinity(0)) // jobs))
    # Threads that wait for the next piece of work shall sleep, not spin.
    return {"OMP_WAIT_POLICY": "PASSIVE", **dict.fromkeys(_THREADS, part), **environment}


def name_worker(number: int = 0) -> str:
    """Return a name for a worker of this machine that no other has."""
    return f"{platform.node() or 'here'}:{os.getpid()}-{number}-{os.urandom(6).hex()}"


@contextmanager
def alive(studio: Studio, worker: str) -> Iterator[None]:
    """Let other processes of this machine see that `worker` lives, until the block ends."""
    studio.disk.make_folder(_folder(studio))
    with studio.disk.try_lock(_lock(studio, worker)):
        yield
    studio.disk.remove(_lock(studio, worker))


def is_gone(studio: Studio, worker: str) -> bool | None:
    """Tell whether a worker's process has ended; None if it is another machine's."""
    if worker.rpartition(":")[0] != (platform.node() or "here"):
        return None
    if not _lock(studio, worker).exists():
        return True
    with studio.disk.try_lock(_lock(studio, worker)) as mine:
        return mine


def sweep(studio: Studio) -> None:
    """Remove the files of workers that are gone for long."""
    for name in studio.disk.names(_folder(studio)):
        path = _folder(studio) / name
        written = studio.disk.written(path)
        if written is None or studio.clock() - written < _LEFT_FOR:
            continue
        with studio.disk.try_lock(path) as mine:
            if mine:
                studio.disk.remove(path)


def _folder(studio: Studio) -> Path:
    return studio.folder / "work"


def _lock(studio: Studio, worker: str) -> Path:
    return _folder(studio) / f"{worker.replace(':', '-').replace('/', '-')}.lock"
