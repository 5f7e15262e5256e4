"""Attack a marked film and read it: one trial, or many in worker processes.

A module of attacks offers `ATTACKS`, names, and `run_attack(name, src, outdir)`, which writes a
file into the empty folder `outdir` and may return its path.
"""

import importlib.util
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np

from assent.kit.watermark.known import Known
from marks import marking
from marks.peers import PEERS

__all__ = ["Job", "Trial", "attack", "load_attacks", "run_jobs"]

_LOGGED = 10_000  # releases in the log that a copy is held against
READERS: dict[str, Callable[[Path], marking.Reading]] = {
    # By the processor's time: whatever else runs on the machine must not cost the reader its own.
    "assent": lambda path: marking.read(path, clock=time.process_time),
    **{name: peer.read for name, peer in PEERS.items()},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One attack on one marked film: `module` is the file that offers it."""

    scheme: str
    film: Path
    asset_id: int
    attack: str
    module: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What came of a job; `broken` is the attack's own failure, empty if it worked.

    `recovered` if the identifier was read bit by bit; `told` if it was, or else was picked from
    ten thousand known ones.
    """

    job: Job
    recovered: bool
    told: bool
    wrong: bool
    reading: marking.Reading | None
    broken: str


@cache
def load_attacks(path: Path) -> ModuleType:
    """Import a module of attacks from its file."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{path} is no Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def attack(module: ModuleType, name: str, film: Path, folder: Path) -> Path:
    """Run one attack; return what it returned, or else the file that it made.

    Paths are given as `Path`, and once more as text to a module that can't take those.
    """
    failures: list[Exception] = []
    for number, kind in enumerate((Path, str)):
        outdir = folder / str(number)
        outdir.mkdir()
        try:
            returned = module.run_attack(name, kind(film), kind(outdir))
            return _made(returned, outdir)
        except Exception as error:  # noqa: BLE001 - anybody's module may raise anything
            failures.append(error)
    raise failures[0]


def _made(returned: object, outdir: Path) -> Path:
    if isinstance(returned, str | Path):
        for path in (Path(returned), outdir / returned):
            if path.is_file():
                return path
    files = [path for path in outdir.rglob("*") if path.is_file()]
    if not files:
        raise FileNotFoundError("the attack made no file")
    return max(files, key=lambda path: path.stat().st_mtime_ns)


def try_one(job: Job) -> Trial:
    """Attack, and read."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            copy = attack(load_attacks(job.module), job.attack, job.film, Path(folder))
        except Exception as error:  # noqa: BLE001 - as above
            broken = f"{type(error).__name__}: {error}"
            return Trial(
                job=job, recovered=False, told=False, wrong=False, reading=None, broken=broken
            )
        try:
            reading = READERS[job.scheme](copy)
            told = _pick(copy, job) if reading.asset_id is None else reading.asset_id
        except Exception as error:  # noqa: BLE001 - a copy that nobody can decode is not recovered
            says = f"unreadable: {type(error).__name__}: {error}"
            reading = marking.Reading(
                asset_id=None, confidence=0, statistic=0, seconds=0, says=says
            )
            told = None
    return Trial(
        job=job,
        recovered=reading.asset_id == job.asset_id,
        told=told == job.asset_id,
        wrong=not {reading.asset_id, told} <= {None, job.asset_id},
        reading=reading,
        broken="",
    )


def _pick(copy: Path, job: Job) -> int | None:
    """Return which of a log's releases a copy is told to be, if any."""
    if job.scheme != "assent":
        return None
    others = np.random.default_rng(0).integers(0, 2**64, _LOGGED - 1, dtype=np.uint64)
    known = Known([*map(int, others), job.asset_id])
    return marking.read(copy, clock=time.process_time, known=known).asset_id


def run_jobs(jobs: Sequence[Job], workers: int) -> Iterator[Trial]:
    """Yield the trials in the jobs' order, from `workers` processes."""
    if workers <= 1:
        yield from _one_by_one(jobs)
        return
    with ProcessPoolExecutor(workers, get_context("spawn"), _settle) as pool:
        yield from pool.map(try_one, jobs)


def _one_by_one(jobs: Iterable[Job]) -> Iterator[Trial]:
    _settle()
    for job in jobs:
        yield try_one(job)


def _settle() -> None:
    cv2.setNumThreads(1)
