"""Correcting by hand: how fast a frame is seen again, how little is rendered anew, what it gains.

    python benchmarks/repair.py
    python benchmarks/repair.py --minutes 1 --json

A 1080p film with a face of about 420 pixels is taken into a studio in a temporary folder, and one
frame of it is rendered: cold (the clip, the model and the frames around it are opened and decoded),
again after a stroke of the brush, after a landmark was moved, and one frame further. Then the
sample scene is rendered with landmarks that were spoilt on purpose over some of its frames, and
with a hole in the mask over others; both are repaired by a few keyframes, rendered again, and held
against the truth before and after (`_truth.py`), in those frames alone. Nothing is released.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from _truth import Report, compare
from numpy.typing import NDArray
from render import make_clip
from swap_truth import SAMPLES, Shown, begin, frames

from assent.consent.clearance import Clearance
from assent.consent.desk import clear_all
from assent.consent.locker import Locker
from assent.create.draft import Draft
from assent.create.one_frame import Bench
from assent.create.patches import apply, unpack
from assent.create.render import render, rendering_needs
from assent.create.repair.document import Repairs, read_repairs
from assent.create.repair.store import Shot, held, keep
from assent.data.clips import bound_clip, find_clip
from assent.data.ingest import ingest
from assent.data.tracks import pack_tracks
from assent.kit.faces.align import align
from assent.kit.faces.mesh import landmarks_of
from assent.kit.media.picture import to_rgb
from assent.kit.media.read import read_pictures
from assent.kit.store.studio import Studio
from assent.kit.store.tables import DraftRow, FootageRow, SegmentRow
from assent.purpose.projects import Purpose, create_project
from assent.train.fit import fit
from assent.train.models import training_needs

SPOILT, HOLE = range(40, 57), range(100, 121)
"""Frames whose landmarks are spoilt, and whose mask has a hole."""
APART = 4
"""Frames from one keyframe to the next."""
FRAME = 200
MOUTH = (48, 51, 54, 57)
LARGEST = {"mode": "erase", "points": [[5000, 6300], [5000, 7600]], "size": 90, "soft": 400}


@dataclass(frozen=True)
class Work:
    """A studio with a shot in it."""

    studio: Studio
    purpose: Purpose
    shot: Shot

    def cleared(self) -> tuple[Clearance, ...]:
        """Everyone, cleared for a render."""
        needs = rendering_needs(self.shot.model, self.shot.clip)
        return clear_all(self.studio, self.purpose, needs)

    def document(self, **parts: object) -> Repairs:
        """Return a document of the clip."""
        return read_repairs({"clip": self.shot.clip.sha256, **parts})

    def rendered(self, **parts: object) -> Draft:
        """Render with repairs."""
        here = held(self.studio, self.shot).number
        keep(self.studio, self.shot, self.document(**parts), self.cleared(), expected=here)
        return render(
            self.studio, self.purpose, self.shot.model, self.shot.clip, self.cleared(),
            ask_again=self.cleared,
        )  # fmt: skip

    def segments(self, draft: Draft) -> list[str]:
        """Return the blobs of a draft's segments."""
        with self.studio.database.session() as session:
            rows = session.query(SegmentRow).filter_by(draft_id=draft.id).order_by("number")
            return [row.blob for row in rows]

    def pictures(self, draft: Draft) -> Iterator[NDArray[np.uint8]]:
        """Yield a draft's frames as RGB."""
        locker = Locker(self.studio)
        patches = (
            patch
            for blob in self.segments(draft)
            for patch in unpack(locker.read(blob, self.cleared()))
        )
        with self.shot.clip.open(locker, self.cleared()) as footage:
            for picture, patch in zip(
                read_pictures(footage, name=self.shot.clip.name), patches, strict=True
            ):
                yield to_rgb(apply(patch, picture))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--minutes", type=float, default=1.0, help="of training")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        large = Path(folder) / "large.mp4"
        make_clip(large)
        (Path(folder) / "one").mkdir()
        (Path(folder) / "gain").mkdir()
        figures = {
            **one_frame(prepare(Path(folder) / "one", large, 0.1)),
            **gain(prepare(Path(folder) / "gain", SAMPLES / "scene1_ada.mp4", options.minutes)),
        }
    if options.json:
        print(json.dumps(figures))
    else:
        print("\n".join(f"{name:>28}: {value}" for name, value in figures.items()))


def prepare(folder: Path, scene: Path, minutes: float) -> Work:
    """Make a studio with a scene, and a model for it."""
    shown = Shown(time.monotonic())
    options = argparse.Namespace(
        source=SAMPLES / "ben_train.mp4", performer=SAMPLES / "ada_train.mp4", target=scene
    )
    studio, brief, cast = begin(options, folder)
    purpose = create_project(studio, brief)
    for person in (cast.donor, cast.performer):
        cast.agree[person.handle](purpose)
    for clip, person in (
        (cast.donor_footage, cast.donor),
        (cast.performer_footage, cast.performer),
        (scene, cast.performer),
    ):
        ingest(studio, purpose, clip, [person], rights=cast.rights, progress=shown)
    needs = training_needs(cast.donor.id, cast.performer.id)
    model = fit(
        studio, purpose, cast.donor, cast.performer, clear_all(studio, purpose, needs),
        ask_again=lambda: clear_all(studio, purpose, needs), name="model", seconds=60 * minutes,
        iterations=None,
    )  # fmt: skip
    taken = find_clip(studio, purpose, scene.name)
    return Work(studio, purpose, Shot(project_id=purpose.project_id, clip=taken, model=model))


def one_frame(work: Work) -> dict[str, float]:
    """Time a single frame, cold and again after each kind of change."""
    stroke = [{"first": FRAME - 20, "last": FRAME + 20,
               "keys": [{"frame": FRAME, "strokes": [LARGEST]}]}]  # fmt: skip
    landmark = [{"first": FRAME - 4, "last": FRAME + 4, "ease": 2,
                 "keys": [{"frame": FRAME, "points": {"57": [0, 30]}}]}]  # fmt: skip
    times: dict[str, float] = {}

    def timed(name: str, act: Callable[[], object]) -> None:
        began = time.perf_counter()
        act()
        times[f"one_frame_ms_{name}"] = round(1000 * (time.perf_counter() - began))

    opened: list[Bench] = []

    def cold() -> None:
        opened.append(Bench(work.studio, work.purpose, work.shot, work.cleared))
        opened[0].frame(FRAME, work.document())

    timed("cold", cold)
    bench = opened[0]
    timed("warm", lambda: bench.frame(FRAME, work.document()))
    timed("stroke", lambda: bench.frame(FRAME, work.document(masks=stroke)))
    settings = {"sharpen": 300, "grow": -20}
    timed("setting", lambda: bench.frame(FRAME, work.document(masks=stroke, settings=settings)))
    moved = work.document(masks=stroke, shapes=landmark)
    timed("landmark", lambda: bench.frame(FRAME, moved))
    timed("next_frame", lambda: bench.frame(FRAME + 1, moved))
    timed("elsewhere", lambda: bench.frame(FRAME + 150, moved))
    bench.close()
    return times


def gain(work: Work) -> dict[str, Any]:
    """Spoil landmarks and mask, repair them by keyframes, and hold both to the truth."""
    well = work.rendered()
    spoilt, keys = spoil(work)
    hole = {"first": HOLE[0], "last": HOLE[-1], "keys": [{"frame": HOLE[0], "strokes": [LARGEST]}]}
    before = spoilt.rendered(masks=[hole])
    filled = {
        **hole,
        "keys": [{"frame": HOLE[0], "strokes": [{**LARGEST, "mode": "paint", "size": 130}]}],
    }
    shapes = [{"first": SPOILT[0], "last": SPOILT[-1], "keys": keys}]
    after = spoilt.rendered(masks=[hole, filled], shapes=shapes)
    old, new = spoilt.segments(before), spoilt.segments(after)
    figures: dict[str, Any] = {
        "keyframes": len(keys),
        "frames_spoilt": len(SPOILT),
        "segments": len(new),
        "segments_rendered_anew": sum(a != b for a, b in zip(old, new, strict=True)),
    }
    for name, span in (("landmarks", SPOILT), ("mask", HOLE)):
        for when, draft, shot in (
            ("well", well, work),
            ("spoilt", before, spoilt),
            ("repaired", after, spoilt),
        ):
            report = measured(shot, draft, span)
            figures[f"{name}_{when}"] = {
                "gain": round(report.gain, 3), "detail": round(report.detail, 3),
                "ssim": round(report.ssim, 3), "jitter": round(report.jitter, 2),
            }  # fmt: skip
    return figures


def spoil(work: Work) -> tuple[Work, list[dict[str, Any]]]:
    """Let the face's landmarks drift away over some frames, as a tracker's do.

    Returns the same shot with them, and the keyframes by which somebody puts them back where they
    see the face to be.
    """
    locker, cleared = Locker(work.studio), work.cleared()
    own = [each for each in cleared if each.person_id in work.shot.clip.people]
    tracks, keys = [], []
    for track in work.shot.clip.tracks(locker, cleared):
        meshes, landmarks = track.meshes.copy(), track.landmarks.copy()
        for place, number in enumerate(track.index.tolist()):
            if number not in SPOILT:
                continue
            matrix = align(track.landmarks[place], size=1, coverage=1.0)
            back = np.linalg.inv(matrix[:, :2])
            drift = np.sin(np.pi * (number - SPOILT[0] + 1) / (len(SPOILT) + 1))
            meshes[place, :, :2] += (back @ (0.12 * drift, -0.10 * drift)).astype(np.float32)
            landmarks[place] = landmarks_of(meshes[place])
            if (number - SPOILT[0]) % APART == 0:
                there = align(landmarks[place], size=1, coverage=1.0)[:, :2]
                away = there @ (track.landmarks[place] - landmarks[place]).mean(0)
                x, y = (round(1000 * float(each)) for each in away)
                keys.append({"frame": number, "x": x, "y": y})
        tracks.append(replace(track, meshes=meshes, landmarks=landmarks))
    with work.studio.database.session() as session:
        row = session.get_one(FootageRow, work.shot.clip.id)
        row.tracks_blob = locker.put([pack_tracks(tracks)], own)
        bound = bound_clip(row)
        row.binding = locker.bind(bound.kind, bound.facts, own)
        # As if it had been taken in like that: nothing is taken over from renders of other tracks.
        session.query(DraftRow).update({DraftRow.state: "rendering"})
    clip = find_clip(work.studio, work.purpose, work.shot.clip.name)
    return Work(work.studio, work.purpose, replace(work.shot, clip=clip)), keys


def measured(work: Work, draft: Draft, span: range) -> Report:
    """Hold some frames of a draft to the truth."""
    landmarks = np.load(SAMPLES / "scene1_ada_with_ben_face.npz")["landmarks68"][:, 0]

    def within(pictures: Iterator[NDArray[np.uint8]]) -> list[NDArray[np.uint8]]:
        return [picture for number, picture in enumerate(pictures) if number in span]

    return compare(
        within(work.pictures(draft)),
        within(frames(SAMPLES / "scene1_ada.mp4")),
        within(frames(SAMPLES / "scene1_ada_with_ben_face.mp4")),
        landmarks[span[0] : span[-1] + 1],
    )


if __name__ == "__main__":
    main()
