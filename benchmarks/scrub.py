"""How quickly a frame is there when one scrubs through a long draft, labels and marks on.

    python benchmarks/scrub.py
    python benchmarks/scrub.py --minutes 1 --requests 40 --json scrub.json

A clip of 1920x1080 is made of a sample scene with grain, by x264, once with a key frame each second
as cameras write them and once with its own default of ten seconds; it and a draft of it, of painted
rectangles of 400 pixels, lie encrypted in a studio. Then frames are asked of a viewing, each as a
page does: the desk is asked, the clip decoded, the rectangle laid over, the picture gated, scaled
to 960 pixels, labelled, marked, encoded and signed. Printed are the median, the 95th percentile and
the largest of the milliseconds, by the clock; and in processor time, for a machine that is busy.
Asked are frames in no order, one after the other forward and back, before, after and mask.
"""

import argparse
import json
import random
import secrets
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from render import FRAME, run_ffmpeg
from swap_truth import SAMPLES, begin

from assent.consent.clearance import Act, Clearance
from assent.consent.desk import clear_all
from assent.consent.locker import Locker
from assent.create.draft import Draft, bound_draft, digest_of, load
from assent.create.patches import Patch, cut, pack
from assent.create.render import rendering_needs
from assent.data.clips import bound_clip, clip_of
from assent.data.tracks import pack_tracks
from assent.disclose.viewing.viewings import MOST_PICTURES, Side, Viewings
from assent.kit.clock import stamp
from assent.kit.hashing import chunks_of, hash_file
from assent.kit.media.read import read_pictures
from assent.kit.media.seek import index_clip
from assent.kit.store.studio import Studio
from assent.kit.store.tables import DraftRow, FootageRow, ModelRow, SegmentRow
from assent.purpose.projects import Purpose, create_project
from assent.train.models import bound_model, model_of, training_needs

RATE = 25
KEYS = {"a key frame a second": 25, "a key frame each ten seconds": 250}
SEGMENT = 32
PATCH, X, Y = 400, 760, 300
WIDTH = 960


def main() -> None:
    """Measure both clips and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--requests", type=int, default=200, help="of each kind")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    found = {}
    for name, apart in KEYS.items():
        with tempfile.TemporaryDirectory() as folder:
            found[name] = measure(Path(folder), apart, options)
        show(name, found[name])
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")


def measure(folder: Path, apart: int, options: argparse.Namespace) -> dict[str, Any]:
    """Make clip and draft, and ask for frames."""
    clip = make_clip(folder, apart, options.minutes)
    studio, purpose, draft = prepare(folder, clip)
    viewings = Viewings(studio, clock=_always())
    started = time.perf_counter()
    viewing = viewings.open_draft(purpose, draft, by="benchmark")
    figures: dict[str, Any] = {
        "frames": draft.frames,
        "opened_ms": round(1000 * (time.perf_counter() - started)),
    }
    for kind, asked in orders(draft.frames, options.requests):
        walls, works = [], []
        for number, side in asked:
            before = time.perf_counter(), time.process_time()
            viewings.picture(viewing.id, number, by="benchmark", width=WIDTH, side=side)
            walls.append(1000 * (time.perf_counter() - before[0]))
            works.append(1000 * (time.process_time() - before[1]))
        figures[kind] = {"wall_ms": told(walls), "cpu_ms": told(works)}
    viewings.close()
    studio.database.close()
    return figures


def orders(frames: int, count: int) -> Iterator[tuple[str, list[tuple[int, Side]]]]:
    """Yield what is asked for: a name, and frames with their sides."""
    draw = random.Random(5)  # noqa: S311 - an order, no secret
    count = min(count, frames // 2, MOST_PICTURES // 8)
    anywhere = [draw.randrange(frames) for _ in range(count)]
    middle = frames // 2
    yield "random", [(number, Side.AFTER) for number in anywhere]
    yield "forward", [(middle + n, Side.AFTER) for n in range(count)]
    yield "back", [(middle - n, Side.AFTER) for n in range(count)]
    yield "before", [(number, Side.BEFORE) for number in anywhere]
    yield "mask", [(number, Side.MASK) for number in anywhere]


def _always() -> Any:  # noqa: ANN401 - a clock
    """A clock on which a second goes by at every look: a person scrubs, and is not rationed."""
    ticks = iter(range(1 << 30))
    return lambda: float(next(ticks))


def told(values: list[float]) -> dict[str, float]:
    """Return median, 95th percentile and largest."""
    low, high, most = np.percentile(values, [50, 95, 100])
    return {"p50": round(float(low), 1), "p95": round(float(high), 1), "max": round(float(most), 1)}


def show(name: str, found: Mapping[str, Any]) -> None:
    """Print a table."""
    print(f"{name}: {found['frames']} frames, opened in {found['opened_ms']} ms")
    for kind, figures in found.items():
        if isinstance(figures, dict):
            wall, cpu = figures["wall_ms"], figures["cpu_ms"]
            print(
                f"  {kind:8} {wall['p50']:7.0f} {wall['p95']:7.0f} {wall['max']:7.0f} ms"
                f"   processor {cpu['p50']:7.0f} {cpu['p95']:7.0f} {cpu['max']:7.0f} ms"
            )


def make_clip(folder: Path, apart: int, minutes: float) -> Path:
    """Return the clip: some seconds, encoded once and repeated."""
    short, clip = folder / "short.mp4", folder / "scene.mp4"
    run_ffmpeg(
        "-stream_loop", "2", "-i", str(SAMPLES / "scene1_ada.mp4"), "-vf", FRAME, "-an",
        "-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-g", str(apart), str(short),
    )  # fmt: skip
    run_ffmpeg(
        "-stream_loop", "-1", "-i", str(short), "-t", str(minutes * 60), "-c", "copy", str(clip)
    )
    return clip


def prepare(folder: Path, path: Path) -> tuple[Studio, Purpose, Draft]:
    """Make a studio in which the clip and a draft of it lie, without having painted it."""
    options = argparse.Namespace(
        source=SAMPLES / "ben_train.mp4", performer=SAMPLES / "ada_train.mp4", target=path
    )
    studio, brief, cast = begin(options, folder)
    purpose = create_project(studio, brief)
    for person in (cast.donor, cast.performer):
        cast.agree[person.handle](purpose)
    locker, now = Locker(studio), stamp(studio.clock())
    index = index_clip(path, name=path.name)
    footage = FootageRow(
        id=secrets.token_hex(16), project_id=purpose.project_id, name=path.name, sha256="",
        rights="computer-generated", people=[cast.performer.id], keep_sound=False, blob="",
        tracks_blob="", frames=len(index), created=now, binding="",
    )  # fmt: skip
    own = clear_all(studio, purpose, clip_of(footage).needs(Act.INGEST))
    with path.open("rb") as file:
        footage.sha256 = hash_file(file)
        file.seek(0)
        footage.blob = locker.put(chunks_of(file), own)
    footage.tracks_blob = locker.put([pack_tracks([])], own)
    footage.binding = locker.bind("footage", bound_clip(footage).facts, own)
    model = ModelRow(
        id=secrets.token_hex(16), project_id=purpose.project_id, name="model",
        donor_id=cast.donor.id, performer_id=cast.performer.id, state="ready", config={},
        created=now,
    )  # fmt: skip
    both = clear_all(studio, purpose, training_needs(cast.donor.id, cast.performer.id))
    model.model_blob = model.sheet_blob = locker.put([b"nothing learned"], both)
    model.binding = locker.bind("model", bound_model(model).facts, both)
    with studio.database.session() as session:
        session.add_all([footage, model])
    everyone = clear_all(studio, purpose, rendering_needs(model_of(model), clip_of(footage)))
    # The first frame's own rectangle: something that the content gate finds nothing in.
    part = cut(next(read_pictures(path, name=path.name)), (X, Y, X + PATCH, Y + PATCH))
    patches = [replace(part, pts=pts) for pts in index.stamps.tolist()]
    row = add_draft(studio, footage, model, patches, everyone)
    return studio, purpose, load(studio, row)


def add_draft(
    studio: Studio,
    footage: FootageRow,
    model: ModelRow,
    patches: list[Patch],
    clearances: tuple[Clearance, ...],
) -> DraftRow:
    """Put rectangles away as a draft."""
    locker = Locker(studio)
    row = DraftRow(
        id=secrets.token_hex(16), project_id=footage.project_id, model_id=model.id,
        footage_id=footage.id, model_blob=str(model.model_blob), state="complete",
        created=stamp(studio.clock()), frames=len(patches), replaced=len(patches),
    )  # fmt: skip
    segments = []
    for number, start in enumerate(range(0, len(patches), SEGMENT)):
        part = patches[start : start + SEGMENT]
        segments.append(
            SegmentRow(
                draft_id=row.id,
                number=number,
                blob=locker.put(pack(part), clearances),
                frames=len(part),
                replaced=len(part),
                last_pts=part[-1].pts,
                binding="",
            )
        )
    blobs = [segment.blob for segment in segments]
    row.digest = digest_of(row, model.donor_id, clip_of(footage), blobs)
    row.binding = locker.bind("draft", bound_draft(row).facts, clearances)
    with studio.database.session() as session:
        session.add(row)
        session.flush()
        session.add_all(segments)
    return row


if __name__ == "__main__":
    main()
