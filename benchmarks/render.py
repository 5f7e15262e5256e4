"""How fast a cleared clip becomes a sealed file, against a plain transcode of the same clip.

    python benchmarks/render.py
    python benchmarks/render.py --seconds 20 200 --json

A sample scene is scaled up and padded to 1920x1080, with a face of about 420 pixels and grain, and
taken into a studio in a temporary folder. What is timed is everything from there to the released
file: render, review, label, mark, encode, sign, log, and the check of the released bytes. Before
and after it ffmpeg transcodes the clip (libx264 veryfast, CRF 18, sound copied); the ratio is that
of the times, beside it that of the processors' time, which other programs on the machine disturb
less. The model has learned next to nothing: painting takes as long with a good one.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from _stages import MODEL, PROJECT, SCENE
from swap_truth import SAMPLES, Shown, begin

from assent.consent.desk import clear_all
from assent.data.ingest import ingest
from assent.purpose.projects import create_project
from assent.train.fit import fit
from assent.train.models import training_needs

PEER = ("-c:v", "libx264", "-preset", "veryfast", "-crf", "18", "-c:a", "copy")
# The sample's 384 lines become 1080; the grain is uniform noise of +-4 grey levels, like a
# sensitive film's.
FRAME = "scale=1080:1080:flags=lanczos,pad=1920:1080:420:0:color=0x606060,noise=c0s=4:c0f=t"


def main() -> None:
    """Measure each length and print."""
    options = read_options()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        short = work / "short.mp4"
        make_clip(short)
        for seconds in options.seconds:
            rows.append(measure(work, short, seconds, options.iterations))
            if not options.json:
                show(rows[-1])
    if options.json:
        print(json.dumps(rows))
    elif len(rows) > 1:
        print(
            f"peak of memory, longest to shortest: {rows[-1]['peak_mb'] / rows[0]['peak_mb']:.3f}"
        )


def read_options() -> argparse.Namespace:
    """Return the command's options."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--seconds", type=int, nargs="+", default=[20], help="lengths of the clip")
    parser.add_argument("--iterations", type=int, default=4, help="of training")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def make_clip(path: Path) -> None:
    """Write 20 seconds at 1920x1080 with grain."""
    source = str(SAMPLES / "scene1_ada.mp4")
    run_ffmpeg(
        "-stream_loop", "-1", "-i", source, "-t", "20", "-vf", FRAME, "-pix_fmt", "yuv420p",
        "-c:v", "libx264", "-preset", "veryfast", "-crf", "18", "-c:a", "aac", str(path),
    )  # fmt: skip


def measure(work: Path, short: Path, seconds: int, iterations: int) -> dict[str, Any]:
    """Take the clip into a new studio, time its way out of it and the peer's."""
    folder = work / str(seconds)
    folder.mkdir()
    scene = folder / SCENE
    run_ffmpeg(
        "-stream_loop", "-1", "-i", str(short), "-t", str(seconds), "-c", "copy", str(scene)
    )  # fmt: skip
    prepare(folder, scene, iterations)
    before = transcode(scene, folder)
    stages = Path(__file__).with_name("_stages.py")
    done = subprocess.run(
        [sys.executable, str(stages), str(folder / "studio")], capture_output=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr.decode())
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    after = transcode(scene, folder)
    shutil.rmtree(folder / "studio")
    peer_s, peer_cpu_s = ((a + b) / 2 for a, b in zip(before, after, strict=True))
    spent = figures["stages"].values()
    ours_s, ours_cpu_s = (sum(stage[unit] for stage in spent) for unit in ("s", "cpu_s"))
    return {
        "seconds": seconds,
        "processors": len(os.sched_getaffinity(0)),
        **figures,
        "fps": round(figures["frames"] / ours_s, 2),
        "peer_fps": round(figures["frames"] / peer_s, 2),
        "of_peer": round(peer_s / ours_s, 3),
        "cpu_ms_a_frame": round(1000 * ours_cpu_s / figures["frames"], 1),
        "peer_cpu_ms_a_frame": round(1000 * peer_cpu_s / figures["frames"], 1),
        "of_peer_by_cpu": round(peer_cpu_s / ours_cpu_s, 3),
    }


def prepare(folder: Path, scene: Path, iterations: int) -> None:
    """Make the studio: consents, footage, and a model that has hardly learned."""
    shown = Shown(time.monotonic())
    options = argparse.Namespace(
        source=SAMPLES / "ben_train.mp4", performer=SAMPLES / "ada_train.mp4", target=scene
    )
    studio, brief, cast = begin(options, folder)
    purpose = create_project(studio, brief, slug=PROJECT)
    for person in (cast.donor, cast.performer):
        cast.agree[person.handle](purpose)
    for clip, person in (
        (cast.donor_footage, cast.donor),
        (cast.performer_footage, cast.performer),
        (scene, cast.performer),
    ):
        ingest(studio, purpose, clip, [person], rights=cast.rights, progress=shown)
    needs = training_needs(cast.donor.id, cast.performer.id)
    fit(
        studio, purpose, cast.donor, cast.performer, clear_all(studio, purpose, needs),
        ask_again=lambda: clear_all(studio, purpose, needs), name=MODEL, seconds=None,
        iterations=iterations,
    )  # fmt: skip
    studio.database.close()


def transcode(scene: Path, folder: Path) -> tuple[float, float]:
    """Return the seconds that a plain transcode takes, by the wall clock and by the processors."""
    began, spent = time.monotonic(), children_seconds()
    run_ffmpeg("-i", str(scene), *PEER, str(folder / "plain.mp4"))
    return time.monotonic() - began, children_seconds() - spent


def run_ffmpeg(*arguments: str) -> None:
    """Run ffmpeg: imageio-ffmpeg's where it is installed, else the system's."""
    program = "ffmpeg"
    if find_spec("imageio_ffmpeg"):
        import imageio_ffmpeg

        program = imageio_ffmpeg.get_ffmpeg_exe()
    subprocess.run([program, "-v", "error", "-y", *arguments], check=True)


def children_seconds() -> float:
    """Return the processors' time of finished child processes."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def show(row: dict[str, Any]) -> None:
    """Print one length's figures."""
    print(
        f"{row['seconds']} s at 1920x1080, {row['frames']} frames, {row['processors']} processors"
    )
    total = sum(stage["s"] for stage in row["stages"].values())
    for name, stage in row["stages"].items():
        a_frame = 1000 * stage["cpu_s"] / row["frames"]
        share = f"{stage['s']:7.2f} s {stage['s'] / total:6.1%}"
        print(f"{name:>24}: {share} {a_frame:7.1f} ms cpu {stage['peak_mb']:6.0f} MB so far")
    print(f"{'clip to sealed file':>24}: {row['fps']:7.2f} frames a second")
    print(f"{'plain transcode':>24}: {row['peer_fps']:7.2f} frames a second")
    print(f"{'of the transcode':>24}: {row['of_peer']:7.1%} by the clock")
    print(f"{'':>24}  {row['of_peer_by_cpu']:7.1%} by the processors' time")
    print(f"{'peak of memory':>24}: {row['peak_mb']:7} MB")


if __name__ == "__main__":
    main()
