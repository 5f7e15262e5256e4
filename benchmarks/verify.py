"""How long a release of 60 s at 1080p takes to verify, which layer costs what, and how much memory.

    python benchmarks/verify.py
    python benchmarks/verify.py --seconds 10 --json

A release is made first (about two minutes), into a temporary folder. Then it is verified as the
command does it, in a process of its own, and the wall clock, the processors' time and the most
memory held are those of that process, its start included. The share of each layer is measured
apart, each layer alone in this process; where two processors are free they run side by side.
"""

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from _released_film import make_release

from assent.kit.c2pa.read import read, type_of
from assent.kit.fingerprint.video import VideoFingerprint
from assent.kit.hashing import hash_file
from assent.kit.media.picture import Picture, luma8
from assent.kit.media.probe import probe
from assent.kit.media.read import read_shown
from assent.kit.watermark.read import read_mark
from assent.verify.apart import Examiner, Lookup
from assent.verify.label import LabelWatch
from assent.verify.public import PublicLog, open_log
from assent.verify.sound import hear

SHARE = 1 / 5
"""Of the playing time, on two processors."""


def main() -> None:
    """Make the release, verify it, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path, log = make_release(Path(folder), seconds=options.seconds)
        whole = verify(path, log)
        layers = {name: cost(run) for name, run in steps(path, open_log(log)).items()}
    allowed = options.seconds * SHARE
    figures = {"seconds": options.seconds, "allowed_s": allowed, **whole, "layers_cpu_s": layers}
    if options.json:
        print(json.dumps(figures, indent=2))
        return
    print(f"verdict {whole['verdict']}; {options.seconds} s of 1080p, allowed {allowed:.1f} s")
    print(f"  wall {whole['wall_s']:6.1f} s   {'within' if whole['wall_s'] < allowed else 'OVER'}")
    print(f"  processors {whole['cpu_s']:6.1f} s, half of it {whole['cpu_s'] / 2:.1f} s")
    print(f"  most memory {whole['peak_mb']} MB")
    total = sum(layers.values())
    for name, seconds in layers.items():
        print(f"  {name:<36}{seconds:6.2f} s of processors  {seconds / total:5.0%}")


def verify(path: Path, log: Path) -> dict[str, Any]:
    """Verify the release in a process of its own and return what it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    with Examiner(Lookup(log=str(log))) as examiner:
        found = examiner.examine(path, name=path.name)
        held = peak_mb(examiner.pid)
    wall = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)
    return {
        "verdict": found["verdict"],
        "wall_s": round(wall, 2),
        "cpu_s": round(spent, 2),
        "peak_mb": held,
    }


def peak_mb(pid: int | None) -> int:
    """Return the most memory that a process has held so far.

    Not `getrusage`'s: on Linux that begins with the peak of the process that started this one.
    """
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (held,) = (line.split()[1] for line in lines if line.startswith("VmHWM:"))
    return int(held) // 1024


def cost(run: Callable[[], object]) -> float:
    """Return the processors' time that a function takes, in seconds."""
    began = time.process_time()
    run()
    return round(time.process_time() - began, 3)


def steps(path: Path, log: PublicLog) -> dict[str, Callable[[], object]]:
    """Return each layer's work by its name; what needs pictures gets them decoded."""
    clip = probe(path, name=path.name)
    step = max(1, clip.frames // 64)
    some = [
        shown.take()
        for index, shown in enumerate(read_shown(path, name=path.name))
        if index % step == 0 and index < 64 * step
    ]
    return {
        "pictures decoded": partial(decode, path),
        "hash of the file": partial(hash_whole, path),
        "manifest": partial(read_manifest, path, log),
        "watermark": partial(find_mark, some, log),
        "fingerprint": partial(take_fingerprint, some, clip.duration),
        "label": partial(look_for_label, some, clip.duration),
        "sound": partial(hear, path, log, sha256="", name=path.name),
        "log and consent": partial(open_log, path.parent / "studio" / "log"),
    }


def decode(path: Path) -> None:
    """Decode every picture."""
    for _ in read_shown(path, name=path.name):
        pass


def read_manifest(path: Path, log: PublicLog) -> None:
    """Read the credential and check it, the hash of the pictures included."""
    with path.open("rb") as file:
        mime = type_of(file.read(16))
        if mime is not None:
            read(file, mime=mime, anchors_pem=log.root_pem)


def hash_whole(path: Path) -> None:
    """Hash the file."""
    with path.open("rb") as file:
        hash_file(file)


def take_fingerprint(some: list[Picture], duration: float) -> None:
    """Take a fingerprint of five pictures a second."""
    taken = VideoFingerprint()
    for number in range(round(duration * 5)):
        taken.add(luma8(some[number % len(some)]))
    taken.finish()


def look_for_label(some: list[Picture], duration: float) -> None:
    """Look for the label as often as in a film of this length."""
    watch = LabelWatch(duration=duration)
    for number, picture in enumerate(some):
        at = number * duration / len(some)
        if watch.wants(at):
            watch.look(picture, at)


def find_mark(some: list[Picture], log: PublicLog) -> None:
    """Read the mark in eight places."""
    for part in range(0, len(some), 8):
        read_mark((luma8(picture) for picture in some[part : part + 8]), key=log.reading_key)


if __name__ == "__main__":
    main()
