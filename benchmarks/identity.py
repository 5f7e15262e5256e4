"""How surely a face is told from another's: false matches, false non-matches, and what hides who.

    python benchmarks/identity.py [--clip PERSON=FILE ...] [--frames N] [--json FILE] [--svg FILE]

Each sample performer is enrolled from their consent statement, as the studio does it. Pictures of
them from other clips, plain and disguised in each way of `_disguises`, are matched with everybody's
enrolment; pictures mixed of two people are matched with both. Printed: for each disguise how many
faces are found, how far they are, and in which zone they fall; the error rates at several borders
with their 95 % intervals (Wilson); and what so few people can't tell. Every picture counts by
itself: the studio embeds the best of each second, and needs all of a track to agree.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from _disguises import DISGUISES, morph
from numpy.typing import NDArray

from assent.consent.enrolment import enrol_from_statement
from assent.kit.faces.calibration import SAME_PERSON, SURE, Zone, zone_of
from assent.kit.faces.detect import DlibDetector
from assent.kit.faces.embed import FaceEmbedder
from assent.kit.faces.geometry import Landmarks
from assent.kit.faces.identity import Gallery, nearest
from assent.kit.faces.mesh import MeshFinder, landmarks_of
from assent.kit.media.picture import to_rgb
from assent.kit.media.probe import probe
from assent.kit.media.read import read_pictures

SAMPLES = Path(__file__).parents[1] / "samples"
PEOPLE = ("ada", "ben", "cleo")
CLIPS = (("ada", "ada_train"), ("ben", "ben_train"), ("cleo", "cleo_train"), ("ada", "scene1_ada"))
THRESHOLDS = (0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7)
SHARES = (0.2, 0.35, 0.5)
PLAIN = "as filmed"
# A 95 % interval reaches so many standard deviations to each side.
_DEVIATIONS = 1.96

Rgb = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Trial:
    """One picture, matched with everyone; `distances` is None where no face was found."""

    person: str
    disguise: str
    distances: dict[str, float] | None


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of trials, with the bounds between which it lies in 19 of 20 such measurements."""

    count: int
    of: int
    low: float
    high: float


def main() -> None:
    """Measure and print; write what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clip", action="append", default=[], metavar="PERSON=FILE")
    parser.add_argument("--frames", type=int, default=16, help="pictures from each clip")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--svg", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    clips = [(person, SAMPLES / f"{name}.mp4") for person, name in CLIPS]
    clips += [
        (person, Path(file)) for person, _, file in (c.partition("=") for c in arguments.clip)
    ]
    report = measure(clips, frames=arguments.frames)
    sys.stdout.write(told(report))
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(report, indent=1))
    if arguments.svg is not None:
        arguments.svg.write_text(drawn(report))


def measure(clips: Sequence[tuple[str, Path]], *, frames: int) -> dict[str, Any]:
    """Match pictures of the clips, and mixtures of them, with everyone's enrolment."""
    eyes = _Eyes()
    gallery = {name: _enrolled(name) for name in PEOPLE}
    shown = {
        (person, path): list(eyes.faces(path, frames)) for person, path in clips
    }  # fmt: skip
    trials = [
        trial
        for (person, _), faces in shown.items()
        for trial in _disguised(eyes, gallery, person, faces)
    ]
    first = {person: faces for (person, _), faces in reversed(shown.items())}
    return summary(trials, list(_mixed(eyes, gallery, first)), gallery)


def summary(
    trials: Sequence[Trial], mixtures: Sequence[dict[str, Any]], gallery: Gallery
) -> dict[str, Any]:
    """Return what the trials say together."""
    pairs = len(list(combinations(gallery, 2)))
    return {
        "people": len(gallery),
        "pairs": pairs,
        "pairs_wrong_at_most": 1 - 0.05 ** (1 / pairs),
        "disguises": [_row(name, trials) for name in DISGUISES],
        "rates": [
            {
                "threshold": threshold,
                "false_match": asdict(false_matches(trials, threshold)),
                "false_non_match": asdict(false_non_matches(trials, threshold)),
                "false_non_match_plain": asdict(
                    false_non_matches([t for t in trials if t.disguise == PLAIN], threshold)
                ),
            }
            for threshold in sorted({*THRESHOLDS, *np.linspace(0.1, 1.0, 91).round(2).tolist()})
        ],
        "mixtures": list(mixtures),
    }


def false_matches(trials: Sequence[Trial], threshold: float) -> Rate:
    """How often somebody else's enrolment is nearer than `threshold`."""
    strange = [
        distance < threshold
        for trial in trials
        for name, distance in (trial.distances or {}).items()
        if name != trial.person
    ]
    return wilson(sum(strange), len(strange))


def false_non_matches(trials: Sequence[Trial], threshold: float) -> Rate:
    """How often one's own enrolment isn't nearer than `threshold`."""
    own = [trial.distances[trial.person] >= threshold for trial in trials if trial.distances]
    return wilson(sum(own), len(own))


def wilson(count: int, of: int) -> Rate:
    """Return `count` of `of` with its interval after Wilson (1927), for chance alone.

    Pictures of one clip resemble each other, so that the truth may lie farther off.
    """
    if of == 0:
        return Rate(0, 0, 0.0, 1.0)
    share, square = count / of, _DEVIATIONS**2
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = (
        _DEVIATIONS * np.sqrt(share * (1 - share) / of + square / (4 * of**2)) / (1 + square / of)
    )
    return Rate(count, of, max(0.0, middle - half), min(1.0, middle + half))


class _Eyes:
    """What the studio sees with."""

    def __init__(self) -> None:
        self._detector = DlibDetector()
        self._finder = MeshFinder()
        self._embedder = FaceEmbedder()

    def faces(self, path: Path, count: int) -> Iterator[tuple[Rgb, Landmarks]]:
        """Yield pictures of a clip that show one face, evenly spread."""
        step = max(1, probe(path, name=path.name).frames // count)
        for number, picture in enumerate(read_pictures(path, name=path.name)):
            if number % step == step // 2:
                rgb = to_rgb(picture)
                points = self.find(rgb)
                if points is not None:
                    yield rgb, points

    def find(self, rgb: Rgb) -> Landmarks | None:
        """The landmarks of the surest face, if there is one."""
        found = self._detector.find(rgb)
        return landmarks_of(self._finder.fit(rgb, found[0].box).points) if found else None

    def match(self, rgb: Rgb, gallery: Gallery) -> dict[str, float] | None:
        """How far the picture's face is from everyone; None if there is no face."""
        points = self.find(rgb)
        if points is None:
            return None
        embedding = self._embedder.embed(rgb, points)
        return {name: nearest(embedding, {name: own}).distance for name, own in gallery.items()}


def _enrolled(name: str) -> NDArray[np.float32]:
    with (SAMPLES / f"{name}_statement.mp4").open("rb") as statement:
        return enrol_from_statement(statement, name=name).embeddings


def _disguised(
    eyes: _Eyes, gallery: Gallery, person: str, faces: Sequence[tuple[Rgb, Landmarks]]
) -> Iterator[Trial]:
    for number, (rgb, points) in enumerate(faces):
        for name, disguise in DISGUISES.items():
            yield Trial(person, name, eyes.match(disguise(rgb, points, number), gallery))


def _mixed(
    eyes: _Eyes, gallery: Gallery, shown: dict[str, list[tuple[Rgb, Landmarks]]]
) -> Iterator[dict[str, Any]]:
    for one, other in combinations(gallery, 2):
        for share in SHARES:
            found = [
                eyes.match(morph(*first, *second, share), gallery)
                for first, second in list(zip(shown[one], shown[other], strict=False))[:6]
            ]
            seen = [each for each in found if each]
            for person in (one, other):
                distances = [each[person] for each in seen]
                yield {
                    "of": one,
                    "with": other,
                    "share": share,
                    "matched_with": person,
                    "nearest": round(min(distances), 3),
                    "median": round(float(np.median(distances)), 3),
                }


def _row(name: str, trials: Sequence[Trial]) -> dict[str, Any]:
    of = [trial for trial in trials if trial.disguise == name]
    own = [trial.distances[trial.person] for trial in of if trial.distances]
    strange = [
        distance
        for trial in of
        for person, distance in (trial.distances or {}).items()
        if person != trial.person
    ]
    return {
        "disguise": name,
        "pictures": len(of),
        "found": len(own),
        "median": round(float(np.median(own)), 3),
        "farthest": round(max(own), 3),
        "nearest_stranger": round(min(strange), 3),
        "zones": {zone.value: sum(zone_of(distance) is zone for distance in own) for zone in Zone},
        "strangers": {
            zone.value: sum(zone_of(distance) is zone for distance in strange) for zone in Zone
        },
    }


def told(report: dict[str, Any]) -> str:
    """Return the report as text."""
    lines = [
        f"{'':<24}{'pictures':>9}{'found':>7}{'median':>8}{'farthest':>10}"
        f"{'same':>7}{'unsure':>8}{'other':>7}{'stranger':>10}{'same':>7}{'unsure':>8}"
    ]
    for row in report["disguises"]:
        zones, strange = row["zones"], row["strangers"]
        lines.append(
            f"{row['disguise']:<24}{row['pictures']:>9}{row['found']:>7}{row['median']:>8.2f}"
            f"{row['farthest']:>10.2f}{zones['same']:>7}{zones['unsure']:>8}{zones['other']:>7}"
            f"{row['nearest_stranger']:>10.2f}{strange['same']:>7}{strange['unsure']:>8}"
        )
    lines += ["", f"{'threshold':<12}{'false matches':>30}{'false non-matches':>30}{'plain':>26}"]
    for each in report["rates"]:
        if each["threshold"] in THRESHOLDS:
            rates = ("false_match", "false_non_match", "false_non_match_plain")
            shown = [_interval(each[name]) for name in rates]
            lines.append(f"{each['threshold']:<12.2f}{shown[0]:>30}{shown[1]:>30}{shown[2]:>26}")
    lines += ["", f"{'mixture':<28}{'matched with':>14}{'nearest':>9}{'median':>8}"]
    for each in report["mixtures"]:
        name = f"{each['of']}, {each['share']:.0%} {each['with']}"
        lines.append(
            f"{name:<28}{each['matched_with']:>14}{each['nearest']:>9.2f}{each['median']:>8.2f}"
        )
    lines += [
        "",
        f"{report['people']} people make {report['pairs']} pairs. Even if none is mistaken for "
        f"another, up to {report['pairs_wrong_at_most']:.0%} of all pairs of people may be (95 %).",
    ]
    return "\n".join(lines) + "\n"


def _interval(rate: dict[str, Any]) -> str:
    share = rate["count"] / max(rate["of"], 1)
    return f"{rate['count']}/{rate['of']} {share:.1%} ({rate['low']:.1%}-{rate['high']:.1%})"


def drawn(report: dict[str, Any]) -> str:
    """Return the error rates over the threshold as an SVG drawing."""
    curves = (
        ("false_match", "#b3261e", "strangers let in"),
        ("false_non_match", "#1b5e9e", "people refused, all disguises"),
        ("false_non_match_plain", "#2e7d32", "people refused, as filmed"),
    )
    left, top, width, height = 56, 16, 620, 260

    def at(threshold: float, share: float) -> str:
        return f"{left + width * (threshold - 0.2) / 0.7:.1f},{top + height * (1 - share):.1f}"

    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 700 330" font-family="sans-serif" '
        'font-size="12" role="img" aria-label="Error rates over the distance">',
        '<rect width="700" height="330" fill="#fff"/>',
        _band(at, SURE, SAME_PERSON),
    ]
    for share in (0, 0.25, 0.5, 0.75, 1):
        x, y = at(0.2, share).split(",")
        parts.append(f'<path d="M{at(0.2, share)}L{at(0.9, share)}" stroke="#ddd"/>')
        parts.append(
            f'<text x="{float(x) - 6}" y="{float(y) + 4}" text-anchor="end">{share:.0%}</text>'
        )
    for threshold in np.arange(0.2, 0.91, 0.1):
        x, y = at(float(threshold), 0).split(",")
        parts.append(
            f'<text x="{x}" y="{float(y) + 18}" text-anchor="middle">{threshold:.1f}</text>'
        )
    for row, (name, colour, words) in enumerate(curves):
        rates = [r for r in report["rates"] if 0.2 <= r["threshold"] <= 0.9]
        for bound, dash in (("share", "none"), ("low", "2 3"), ("high", "2 3")):
            line = " ".join(at(r["threshold"], _share(r[name], bound)) for r in rates)
            wide = 2 if bound == "share" else 1
            parts.append(
                f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="{wide}" '
                f'stroke-dasharray="{dash}"/>'
            )
        parts.append(f'<path d="M300,{110 + 20 * row}h22" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<text x="328" y="{114 + 20 * row}">{words}</text>')
    parts.append('<text x="366" y="322" text-anchor="middle">distance taken as the border</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _band(at: Any, low: float, high: float) -> str:  # noqa: ANN401 - a function of two numbers
    corner, other = at(low, 1).split(","), at(high, 0).split(",")
    width, height = float(other[0]) - float(corner[0]), float(other[1]) - float(corner[1])
    return (
        f'<rect x="{corner[0]}" y="{corner[1]}" width="{width:.1f}" height="{height:.1f}" '
        'fill="#fff3cd"/>'
    )


def _share(rate: dict[str, Any], bound: str) -> float:
    return float(rate["count"] / max(rate["of"], 1) if bound == "share" else rate[bound])


if __name__ == "__main__":
    cv2.setNumThreads(1)
    main()
