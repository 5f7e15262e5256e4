"""Render, review, seal and release the clip of a prepared studio, and say what each stage took.

    python benchmarks/_stages.py FOLDER

`benchmarks/render.py` starts this in a process of its own, so that its peak of memory is that of
these stages alone. It prints one JSON object.
"""

import json
import sys
import time
from collections.abc import Collection
from pathlib import Path

from assent.consent.clearance import AskAgain
from assent.consent.desk import Need, clear_all
from assent.create.render import render, rendering_needs
from assent.data.clips import find_clip
from assent.disclose.release import release
from assent.disclose.seal import seal
from assent.kit.content.gate import ContentGate
from assent.kit.store.studio import Studio, open_studio
from assent.purpose.projects import Purpose, find_project
from assent.safeguard.review import review
from assent.train.models import find_model

__all__ = ["MODEL", "PROJECT", "SCENE"]

PROJECT, MODEL, SCENE = "benchmark", "benchmark", "scene.mp4"
_MAKING = "labelling, marking, encoding"


class Stages:
    """Notes when a stage begins, in seconds of the wall clock and of all processors."""

    def __init__(self) -> None:
        self._stage = ""
        self._since = (0.0, 0.0)
        self.spent: dict[str, dict[str, float]] = {}

    def begin(self, stage: str) -> None:
        """End the stage before and begin this one; an empty name ends the last one."""
        now = time.monotonic(), time.process_time()
        if self._stage:
            wall, processors = (round(b - a, 3) for a, b in zip(self._since, now, strict=True))
            self.spent[self._stage] = {"s": wall, "cpu_s": processors, "peak_mb": peak_mb()}
        self._stage, self._since = stage, now

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Hear from the seal where it is; takes what `assent.kit.progress.Progress` takes."""
        if stage == "signing":
            self.begin("sign, check, log")
        elif stage == _MAKING and done == 1:
            self.begin("label, mark, encode")


def main() -> None:
    """Run the stages in the studio and print their times."""
    studio = open_studio(Path(sys.argv[1]))
    purpose = find_project(studio, PROJECT)
    model, clip = find_model(studio, purpose, MODEL), find_clip(studio, purpose, SCENE)
    stages = Stages()

    stages.begin("render")
    asking = ask(studio, purpose, rendering_needs(model, clip))
    draft = render(studio, purpose, model, clip, asking(), ask_again=asking)

    stages.begin("review")
    asking = ask(studio, purpose, draft.needs(to_release=True))
    reviewed = review(studio, purpose, draft, asking(), ask_again=asking, gate=ContentGate())
    if reviewed.approved is None:
        raise SystemExit("the draft was not approved")

    stages.begin("fit the mark")
    video = seal(
        studio, purpose, reviewed.approved, asking(), ask_again=asking, progress=stages
    )  # fmt: skip

    stages.begin("check again, release")
    made = release(studio, purpose, video)
    stages.begin("")
    figures = {
        "frames": draft.frames,
        "replaced": draft.replaced,
        "stages": stages.spent,
        "peak_mb": peak_mb(),
        "bytes": made.path.stat().st_size,
    }
    print(json.dumps(figures))


def peak_mb() -> int:
    """Return the most memory that this process has held so far.

    Not `getrusage`'s: on Linux that begins with the peak of the process that started this one.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    (held,) = (line.split()[1] for line in lines if line.startswith("VmHWM:"))
    return int(held) // 1024


def ask(studio: Studio, purpose: Purpose, needs: Collection[Need]) -> AskAgain:
    """Return what asks the desk for `needs`."""
    return lambda: clear_all(studio, purpose, needs)


if __name__ == "__main__":
    main()
