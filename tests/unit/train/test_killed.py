"""Killed a hundred times while it trains and saves: nothing is lost but the step under way."""

import json
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from casts import RIGHTS, Cast, Stage, cut_clip

from assent.consent.locker import Locker
from assent.consent.retention import sweep
from assent.data.ingest import ingest
from assent.kit.store.tables import ModelRow
from assent.train.models import list_models, training_needs

HERE = Path(__file__).parent
TIMES = 100
STEPS = 3  # that each run is asked for beyond what is saved


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a killed run had come to; see `killing.py`."""

    told: list[int]
    at: list[float]
    seconds: float
    killed: bool


class Killer:
    """Starts training and kills it, in another process."""

    def __init__(self, cast: Cast, folder: Path) -> None:
        paths = [str(HERE.parents[1]), str(HERE.parents[2] / "benchmarks"), *sys.path]
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "killing.py"), str(folder), cast.slug, str(cast.now)],
            env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(paths)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def run(self, iterations: int, after: int = 0, delay: float | None = None) -> Run:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        order = {"iterations": iterations, "after": after, "delay": delay}
        print(json.dumps(order), file=self._process.stdin, flush=True)
        told = self._process.stdout.readline()
        assert told, "training failed"
        return Run(**json.loads(told))

    def stop(self) -> None:
        self._process.communicate()


@pytest.fixture(scope="module")
def glimpsed(agreed: Cast) -> Cast:
    """Six frames of each of the two, so that training begins at once."""

    def film(stage: Stage) -> None:
        for member in (stage.ben, stage.ada):
            handle = member.person.handle
            path = stage.studio.folder.with_name(f"{handle}_glimpsed.mp4")
            cut_clip(path, f"{handle}_statement.mp4", frames=6)
            ingest(stage.studio, stage.purpose, path, [member.person], rights=RIGHTS)

    return agreed.then("glimpsed", film)


@pytest.fixture
def stage(glimpsed: Cast, tmp_path: Path) -> Stage:
    return glimpsed.open_copy(tmp_path / "studio")


@pytest.fixture
def killer(glimpsed: Cast, stage: Stage) -> Iterator[Killer]:
    stage.studio.database.close()
    killer = Killer(glimpsed, stage.studio.folder)
    yield killer
    killer.stop()


def row_of(stage: Stage) -> ModelRow | None:
    rows = list_models(stage.studio, stage.purpose)
    return rows[0] if rows else None


def blobs(stage: Stage) -> set[str]:
    folder = stage.studio.vault_folder
    return {path.name for path in folder.rglob("*") if path.is_file()}


def check_whole(stage: Stage, row: ModelRow) -> None:
    """All that the database speaks of is in the vault and is what was stored."""
    asking = stage.asking(training_needs(stage.ben.id, stage.ada.id))
    locker = Locker(stage.studio)
    for blob in (row.checkpoint_blob, row.model_blob, row.sheet_blob):
        assert blob is None or locker.read(blob, asking())
    if row.state == "ready":
        assert row.model_blob is not None
    assert len(row.losses or []) == row.iterations


@pytest.mark.slow
def test_killed_a_hundred_times_it_loses_one_step_at_most(stage: Stage, killer: Killer) -> None:
    rng = random.Random(20)  # noqa: S311 - when to kill is no secret
    whole = killer.run(STEPS)
    assert (whole.told, whole.killed) == ([1, 2, 3], False)
    start, step = whole.at[0], (whole.at[-1] - whole.at[0]) / (STEPS - 1)
    longest = [start, *[1.5 * step] * (STEPS - 1), 1.5 * (whole.seconds - whole.at[-1])]
    before = row_of(stage)
    assert before is not None
    stray, readied, killed = len(blobs(stage)), 0, Counter[int]()
    for _ in range(TIMES):
        after = rng.randrange(STEPS + 1)
        run = killer.run(before.iterations + STEPS, after, rng.random() * longest[after])
        now = row_of(stage)
        assert now is not None
        # It went on exactly where the last save was,
        reached = range(before.iterations + 1, before.iterations + 1 + len(run.told))
        assert run.told == list(reached)
        # and of what it then did, the last step at most is lost.
        last = before.iterations + len(run.told)
        assert max(before.iterations, last - 1) <= now.iterations <= last
        assert (now.losses or [])[: before.iterations] == before.losses
        check_whole(stage, now)
        killed[after] += run.killed
        readied += now.model_blob != before.model_blob
        before = now
    # Kills fell into the start, between steps and saves, and into the end.
    assert len(killed) == STEPS + 1
    assert killed.total() > TIMES / 2
    assert before.iterations > TIMES / 2
    assert readied > 0
    # What the killed processes left in the vault is ciphertext without an owner.
    assert len(blobs(stage)) <= stray + 4 * killed.total()
    done = killer.run(before.iterations + 1)
    assert (done.told, done.killed) == ([before.iterations + 1], False)
    stage.clock.now += timedelta(days=2)
    sweep(stage.studio)
    assert len(blobs(stage)) == stray


def test_killed_before_its_first_save_it_begins_anew(stage: Stage, killer: Killer) -> None:
    for delay in (0.0, 0.02, 0.05):
        killer.run(STEPS, 0, delay)
    killer.run(STEPS, 1, 0.0)
    row = row_of(stage)
    assert row is None or row.iterations <= 1
    assert killer.run(STEPS).told[-1] == STEPS
