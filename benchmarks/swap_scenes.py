"""What hard scenes do to a face replacement of ours: light, grade, noise, hands, cuts.

    python benchmarks/swap_scenes.py
    python benchmarks/swap_scenes.py --only lamp --only hand --minutes 1 --json

One model is trained, as in `swap_truth.py`. The target and its truth are then changed in the same
way (a lamp is lit before both, a hand is laid over both), and each changed target goes the
product's own path to a released file, which is held against its changed truth. A scene that the
product refuses is a row with what it said. The first row is the target as it was shot.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from _changes import (
    ball,
    blurred,
    box,
    coloured,
    dark,
    graded,
    hand,
    moving,
    noisy,
    relit,
    scaled,
    write_clip,
)
from _truth import compare
from numpy.typing import NDArray
from swap_truth import Shown, begin, frames, identities, read_options

from assent.kit.errors import AssentError
from assent.kit.store.studio import Studio
from assent.purpose.brief import Brief
from assent.story import Cast, tell

Rgb = NDArray[np.uint8]
Points = NDArray[np.floating]
Take = tuple[list[Rgb], Points]
Row = dict[str, float | str]

COLUMNS = ("gain", "ssim", "floor_ssim", "detail", "sharpness", "identity", "jitter", "frames")


@dataclass(frozen=True, slots=True)
class Setup:
    """How a scene is changed: its pictures with their landmarks [T, 68, 2], and how it is kept."""

    stage: Callable[[Sequence[Rgb], Points], Take]
    quality: int = 12
    """The encoder's rate factor."""
    grain: float = 0.0
    """The sensor's noise, grey levels: another on the target than on its truth, so that the
    untouched target is not near the truth for its noise."""


def each(
    change: Callable[[Rgb, int, Points], Rgb], *, quality: int = 12, grain: float = 0.0
) -> Setup:
    """Change every picture by itself, given its number and landmarks."""

    def stage(pictures: Sequence[Rgb], points: Points) -> Take:
        return [change(rgb, index, points[index]) for index, rgb in enumerate(pictures)], points

    return Setup(stage, quality, grain)


def parcel(pictures: Sequence[Rgb], points: Points) -> Take:
    """A narrow parcel crosses the picture twice."""
    steps = 1.3 * (2 * np.arange(len(pictures)) / len(pictures) % 1) - 0.15
    return [box(rgb, place) for rgb, place in zip(pictures, steps, strict=True)], points


def waving(pictures: Sequence[Rgb], points: Points) -> Take:
    """A hand passes before the mouth from one side to the other and back."""
    wave = 110 * np.cos(2 * np.pi * np.arange(len(pictures)) / 60)
    mouths = points[:, 48:68].mean(1)
    return [
        hand(rgb, (float(mouth[0] + by), float(mouth[1] + 10)), 70)
        for rgb, mouth, by in zip(pictures, mouths, wave, strict=True)
    ], points


def interview(pictures: Sequence[Rgb], points: Points) -> Take:
    """A microphone stands before the mouth."""
    x, y = points[:, 57].mean(0)
    return [ball(rgb, (float(x), float(y) + 6), 44) for rgb in pictures], points


def quick(pictures: Sequence[Rgb], points: Points) -> Take:
    """Every third frame only, blurred by the movement."""
    few, places = list(pictures[::3]), points[::3].astype(np.float32)
    around = np.concatenate([places[:1], places, places[-1:]])
    return [moving(rgb, *around[at : at + 3 : 2]) for at, rgb in enumerate(few)], places


def jump_cuts(pictures: Sequence[Rgb], points: Points) -> Take:
    """The performance in another order: cuts in the middle of movements."""
    pieces = np.array_split(np.arange(len(pictures)), 5)
    order = np.concatenate([pieces[number] for number in (3, 0, 4, 1, 2)])
    return [pictures[index] for index in order], points[order]


def far_away(pictures: Sequence[Rgb], points: Points) -> Take:
    """The same frame, the set at 0.45 of its size: a face of about 48 pixels."""
    small, at = [], 100
    for rgb in pictures:
        little = scaled(rgb, 0.45)
        sheet = np.full_like(rgb, 118)
        sheet[at : at + little.shape[0], at : at + little.shape[1]] = little
        small.append(sheet)
    factor = scaled(pictures[0], 0.45).shape[1] / pictures[0].shape[1]
    return small, points * factor + at


def close_up(pictures: Sequence[Rgb], points: Points) -> Take:
    """2.5 times the size."""
    factor = scaled(pictures[0], 2.5).shape[1] / pictures[0].shape[1]
    return [scaled(rgb, 2.5) for rgb in pictures], points * factor


SCENES: dict[str, Setup] = {
    "as shot": each(lambda rgb, index, points: rgb),
    "lamp": each(lambda rgb, index, points: relit(rgb, points, angle=np.pi)),
    "moving lamp": each(lambda rgb, index, points: relit(rgb, points, angle=index / 12)),
    "grade": each(lambda rgb, index, points: graded(rgb)),
    "coloured light": each(lambda rgb, index, points: coloured(rgb)),
    "dark": each(lambda rgb, index, points: dark(rgb, grain=0), grain=2.0),
    "noise": each(lambda rgb, index, points: rgb, grain=10.0),
    "soft": each(lambda rgb, index, points: blurred(rgb, 2.0)),
    "quick": Setup(quick),
    "compressed": each(lambda rgb, index, points: rgb, quality=38),
    "parcel": Setup(parcel),
    "hand": Setup(waving),
    "microphone": Setup(interview),
    "jump cuts": Setup(jump_cuts),
    "far away": Setup(far_away),
    "close up": Setup(close_up),
}


def main() -> None:
    """Train once, then film, replace, release and measure each scene; print a table."""
    options = read_scene_options()
    landmarks = np.load(options.landmarks)["landmarks68"][:, 0]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        studio, brief, cast = begin(options, place)
        rows: dict[str, Row] = {}
        for name in options.only or SCENES:
            rows[name] = measure(options, place, name, landmarks, studio, brief, cast)
            # Both have agreed now.
            cast = replace(cast, agree=dict.fromkeys(cast.agree, lambda purpose: None))
            if not options.json:
                print_row(name, rows[name], heading=len(rows) == 1)
    if options.json:
        print(json.dumps(rows))


def read_scene_options() -> argparse.Namespace:
    """Return the options: those of `swap_truth.py` and `--only`."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--only", action="append", choices=SCENES, help="this scene; repeatable")
    own, rest = parser.parse_known_args()
    sys.argv[1:] = rest
    return argparse.Namespace(**vars(read_options()), only=own.only)


def measure(
    options: argparse.Namespace,
    place: Path,
    name: str,
    landmarks: Points,
    studio: Studio,
    brief: Brief,
    cast: Cast,
) -> Row:
    """Change target and truth alike, walk the story, and return the figures."""
    setup = SCENES[name]
    word = name.replace(" ", "-")
    clips = {}
    points = landmarks
    for role, source, seed in (("target", options.target, 0), ("truth", options.truth, 10_000)):
        pictures, points = setup.stage(list(frames(source)), landmarks)
        grainy = (noisy(rgb, seed + at, deviation=setup.grain) for at, rgb in enumerate(pictures))
        clips[role] = write_clip(
            place / f"{word}-{role}.mp4", grainy, quality=setup.quality, sound_from=source
        )
    print(f"-- {name}", file=sys.stderr)
    began = time.monotonic()
    try:
        ending = tell(
            studio,
            brief,
            replace(cast, performance=clips["target"]),
            minutes=options.minutes,
            progress=Shown(began),
        )
    except AssentError as error:
        return {"refused": str(error)}
    released = ending.released.path
    if options.out is not None:
        options.out.with_stem(f"{options.out.stem}-{word}").write_bytes(released.read_bytes())
    report = asdict(
        compare(frames(released), frames(clips["target"]), frames(clips["truth"]), points)
    )
    seen = argparse.Namespace(**{**vars(options), "target": clips["target"]})
    return {
        **{key: round(value, 4) for key, value in report.items()},
        **identities(released, seen),
        "seconds": round(time.monotonic() - began, 1),
    }


def print_row(name: str, row: Row, *, heading: bool) -> None:
    """Print one line of the table."""
    if heading:
        print(f"{'scene':>16} " + " ".join(f"{column:>10}" for column in COLUMNS))
    values = " ".join(f"{row[column]:>10}" for column in COLUMNS if column in row)
    print(f"{name:>16} {values or 'refused: ' + str(row['refused'])}", flush=True)


if __name__ == "__main__":
    main()
