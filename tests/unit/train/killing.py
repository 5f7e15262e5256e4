"""Trains in processes that are killed: `python killing.py STUDIO PROJECT NOW`.

Each line on standard input, a JSON object, starts `fit` in a process of its own, which saves after
every step, and kills it with SIGKILL; a line on standard output tells what it had come to. The
process that does so has loaded everything already and forks, since loading takes longer than
training does.

    {"iterations": 7, "after": 3, "delay": 0.01}
    {"told": [1, 2, 3], "at": [0.2, 0.21, 0.22], "seconds": 0.23, "killed": true}

`after` is how many steps are let pass before the `delay` begins, in seconds; without, the process
is let end.
"""

import json
import os
import signal
import sys
import time
from datetime import datetime
from pathlib import Path

import torch._dynamo
import torch.onnx  # noqa: F401 - needed once a model is kept
from casts import MODEL, SMALL

from assent.consent.desk import clear_all
from assent.consent.people import find_person
from assent.kit.store.studio import open_studio
from assent.purpose.projects import find_project
from assent.train.fit import fit
from assent.train.models import training_needs


def main() -> None:
    """Do what each line says."""
    folder, slug, now = Path(sys.argv[1]), sys.argv[2], datetime.fromisoformat(sys.argv[3])
    for line in sys.stdin:
        print(json.dumps(start(folder, slug, now, **json.loads(line))), flush=True)  # noqa: T201


def start(
    folder: Path, slug: str, now: datetime, *, iterations: int, after: int, delay: float | None
) -> dict[str, object]:
    """Train in a child, kill it, and return what it told."""
    began = time.monotonic()
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ours)
        code = 1
        try:
            train(folder, slug, now, iterations, theirs)
            code = 0
        finally:
            os._exit(code)
    os.close(theirs)
    told, at = [], []
    with os.fdopen(ours) as reports:
        for report in reports if after or delay is None else ():
            told.append(int(report))
            at.append(time.monotonic() - began)
            if delay is not None and len(told) == after:
                break
        if delay is not None:
            time.sleep(delay)
            os.kill(child, signal.SIGKILL)
        told += [int(report) for report in reports]
    _, status = os.waitpid(child, 0)
    seconds = time.monotonic() - began
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise SystemExit(f"training failed with {os.WEXITSTATUS(status)}")
    return {"told": told, "at": at, "seconds": seconds, "killed": os.WIFSIGNALED(status)}


def train(folder: Path, slug: str, now: datetime, iterations: int, told: int) -> None:
    """Train as `assent train` does, saving after each step, and tell each step."""
    studio = open_studio(folder, clock=lambda: now)
    purpose = find_project(studio, slug)
    ben, ada = find_person(studio, "ben"), find_person(studio, "ada")
    needs = training_needs(ben.id, ada.id)
    fit(
        studio,
        purpose,
        ben,
        ada,
        clear_all(studio, purpose, needs),
        ask_again=lambda: clear_all(studio, purpose, needs),
        name=MODEL,
        seconds=None,
        iterations=iterations,
        config=SMALL,
        save_every_s=0.0,
        on_progress=lambda state: _tell(told, state.iteration),
    )


def _tell(told: int, iteration: int) -> None:
    os.write(told, f"{iteration}\n".encode())


if __name__ == "__main__":
    main()
