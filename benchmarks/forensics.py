"""How well the forensic second opinion tells replaced faces from faces as filmed.

    python benchmarks/forensics.py                                # Assent's own fakes, about 20 min
    python benchmarks/forensics.py --real DIR --fake DIR --json   # anybody's films

Without folders, methods that the network was not taught with replace faces: the exemplar engine,
the autoencoder, cut-outs, and a renderer that puts one face's shape and skin on another head. Cleo,
who performs or whose face it is in each pair, was not taught either. Real and replaced films then
go the same ways: four rate factors, three sizes, noise, a grade, two codings, Assent's label. Each
film is judged in stretches of two seconds, by every sixth picture. Reported are the area under the
ROC curve before anything is withheld, and what happens at the working point: how many genuine
stretches are suspected, how many replaced ones are found, and of how many nothing is said.
Intervals are 95 %: of the area and of what is found, by drawing whole films anew (bootstrap), since
stretches of one film are alike; of false alarms Wilson's, over stretches, so too narrow where films
are few.
"""

import argparse
import io
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from _changes import graded, noisy
from numpy.typing import NDArray

from assent.kit.errors import AssentError
from assent.kit.forensics.judge import FEWEST, Judge
from assent.kit.media.picture import to_rgb
from assent.kit.media.read import read_pictures

Rgb = NDArray[np.uint8]

SAMPLES = Path(__file__).parents[1] / "samples"
STRETCH, EVERY = 50, 6
PAIRS = (("cleo_train", "ben_train"), ("cleo_train", "ada_train"), ("scene1_ada", "cleo_train"))
GENUINE = ("cleo_train", "cleo_statement", "scene1_ada", "two_people", "ben_statement")
RENDERED = "scene1_ada_with_ben_face"
UNSEEN = "cleo"
RATES = (18, 23, 28, 36)
WAYS: Mapping[str, Callable[[Rgb, int], Rgb]] = {
    "as filmed": lambda rgb, number: rgb,
    "smaller": lambda rgb, number: _sized(rgb, 0.7),
    "larger": lambda rgb, number: _sized(rgb, 1.5),
    "noise": lambda rgb, number: noisy(rgb, number, deviation=6.0),
    "grade": lambda rgb, number: graded(rgb),
    "label": lambda rgb, number: _labelled(rgb),
}
DRAWS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What was said of one stretch of a film."""

    film: str
    """What it is drawn anew by: stretches of one film in all its forms belong together."""
    group: str
    rate: int
    way: str
    fake: bool
    odds: float | None
    """None: it abstains before anything is counted."""


def main() -> None:
    """Judge, count, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--real", type=Path, help="a folder of films as they were shot")
    parser.add_argument("--fake", type=Path, help="a folder of films with replaced faces")
    parser.add_argument("--minutes", type=float, default=2.0, help="to train each autoencoder")
    parser.add_argument("--quick", action="store_true", help="CRF 28 alone, without autoencoders")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    judge = Judge()
    if options.real or options.fake:
        told = [*_of_folder(options.real, judge, False), *_of_folder(options.fake, judge, True)]
    else:
        told = list(_of_own(judge, options.minutes, quick=options.quick))
    report = summed_up(told, judge.scale.doubt)
    if options.json:
        print(json.dumps(report, indent=1))
    else:
        _print(report)


def _of_folder(folder: Path | None, judge: Judge, fake: bool) -> Iterator[Told]:
    for film in sorted(folder.iterdir()) if folder else []:
        try:
            pictures = [
                to_rgb(picture)
                for picture in islice(read_pictures(film, name=film.name), 0, 5000, EVERY)
            ]
        except AssentError as error:
            sys.stderr.write(f"{film.name}: {error}\n")
            continue
        for first in range(0, len(pictures), STRETCH // EVERY):
            part = pictures[first : first + STRETCH // EVERY]
            yield _told(judge, part, film.name, "given", 0, "as given", fake)


def _of_own(judge: Judge, minutes: float, *, quick: bool) -> Iterator[Told]:
    from _fakes import METHODS, watch

    scenes = {name: watch(SAMPLES / f"{name}.mp4") for pair in PAIRS for name in pair}
    for name in GENUINE:
        frames = _frames(name)
        yield from _all_ways(judge, frames, name, "genuine", quick=quick)
    frames = _frames(RENDERED)
    yield from _all_ways(judge, frames, RENDERED, "rendered", quick=quick)
    for method, replace in METHODS.items():
        if quick and method == "autoencoder":
            continue
        options = {"minutes": minutes} if method == "autoencoder" else {}
        for performer, donor in PAIRS:
            sys.stderr.write(f"{method}: {donor} on {performer}\n")
            frames = replace(scenes[performer], scenes[donor], **options)
            yield from _all_ways(judge, frames, f"{performer}+{donor}", method, quick=quick)


def _frames(name: str) -> list[Rgb]:
    return [to_rgb(each) for each in read_pictures(SAMPLES / f"{name}.mp4", name=name)]


def _all_ways(
    judge: Judge, frames: Sequence[Rgb], film: str, group: str, *, quick: bool
) -> Iterator[Told]:
    for way, change in WAYS.items():
        changed = [change(rgb, number) for number, rgb in enumerate(frames)]
        for rate in (28,) if quick else RATES:
            shown = coded(changed, rate)
            yield from _by_stretches(judge, shown, film, group, rate, way)
        if way == "as filmed":
            twice = coded(coded(changed, 26), 28)
            yield from _by_stretches(judge, twice, film, group, 28, "coded twice")


def _by_stretches(
    judge: Judge, shown: Sequence[Rgb], film: str, group: str, rate: int, way: str
) -> Iterator[Told]:
    for first in range(0, len(shown) - STRETCH // 2, STRETCH):
        part = shown[first : first + STRETCH : EVERY]
        yield _told(judge, part, film, group, rate, way, group != "genuine")


def _told(
    judge: Judge, part: Sequence[Rgb], film: str, group: str, rate: int, way: str, fake: bool
) -> Told:
    crops = [crop for rgb in part for crop in judge.faces(rgb) if not crop.why_not]
    looks = [judge.look(crop) for crop in crops]
    enough = len(looks) >= FEWEST
    return Told(
        film=film,
        group=group,
        rate=rate,
        way=way,
        fake=fake,
        odds=judge.scale.odds(np.array([e.logit for e in looks])) if enough else None,
    )


def coded(frames: Sequence[Rgb], rate: int) -> list[Rgb]:
    """The frames through H.264 at a rate factor, in memory."""
    sink = io.BytesIO()
    height, width = (side // 2 * 2 for side in frames[0].shape[:2])
    with av.open(sink, "w", format="matroska") as film:
        options = {"crf": str(rate), "preset": "medium"}
        stream: Any = film.add_stream("libx264", rate=Fraction(25), options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for each in frames:
            cut = np.ascontiguousarray(each[:height, :width])
            film.mux(stream.encode(av.VideoFrame.from_ndarray(cut, format="rgb24")))
        film.mux(stream.encode(None))
    sink.seek(0)
    with av.open(sink, "r") as film:
        pictures = film.decode(video=0)
        return [np.asarray(each.to_ndarray(format="rgb24"), np.uint8) for each in pictures]


def _labelled(rgb: Rgb) -> Rgb:
    at = 12, rgb.shape[0] - 14
    white = (255, 255, 255)
    return np.asarray(
        cv2.putText(rgb.copy(), "AI + MODIFIED", at, cv2.FONT_HERSHEY_SIMPLEX, 0.6, white, 2),
        np.uint8,
    )


def _sized(rgb: Rgb, factor: float) -> Rgb:
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(rgb, None, fx=factor, fy=factor, interpolation=how), np.uint8)


def summed_up(told: Sequence[Told], doubt: float) -> dict[str, Any]:
    """Figures of all films, and by method, rate and way; genuine films count in each."""
    parts: dict[str, Callable[[Told], bool]] = {"all": lambda each: True}
    for group in sorted({each.group for each in told if each.fake}):
        parts[group] = lambda each, group=group: each.group == group or not each.fake  # type: ignore[misc]
    for rate in sorted({each.rate for each in told}):
        parts[f"CRF {rate}"] = lambda each, rate=rate: each.rate == rate  # type: ignore[misc]
    if any(UNSEEN in each.film for each in told):
        parts["unseen person"] = lambda each: UNSEEN in each.film
    for way in sorted({each.way for each in told}):
        parts[way] = lambda each, way=way: each.way == way  # type: ignore[misc]
    return {
        name: figures([each for each in told if chosen(each)], doubt)
        for name, chosen in parts.items()
    }


def figures(told: Sequence[Told], doubt: float) -> dict[str, Any]:
    """AUC with its interval, and shares at the working point."""
    rng = np.random.default_rng(7)
    films = sorted({(each.film, each.fake) for each in told})
    by_film = {film: [e for e in told if (e.film, e.fake) == film] for film in films}
    drawn, drawn_found = [], []
    for _ in range(DRAWS):
        again = [by_film[films[n]] for n in rng.integers(len(films), size=len(films))]
        value = area([each for part in again for each in part])
        if value is not None:
            drawn.append(value)
            part = [each for part in again for each in part if each.fake]
            drawn_found.append(_share(part, lambda odds: odds > doubt))
    real, fake = ([e for e in told if e.fake is kind] for kind in (False, True))
    suspected = sum(e.odds is not None and e.odds > doubt for e in real)
    return {
        "auc": area(told),
        "auc_interval": _interval(drawn),
        "false_positives": _share(real, lambda odds: odds > doubt),
        "false_positives_interval": wilson(suspected, len(real)),
        "found": _share(fake, lambda odds: odds > doubt),
        "found_interval": _interval(drawn_found),
        "unjudged": _share(told, lambda odds: False, unjudged=True),
        "found_at_1_percent": _found_at(real, fake, 0.01),
        "found_at_5_percent": _found_at(real, fake, 0.05),
        "genuine": len(real),
        "replaced": len(fake),
        "genuine_films": len({e.film for e in real}),
        "replaced_films": len({e.film for e in fake}),
    }


def _interval(drawn: Sequence[float | None]) -> list[float] | None:
    values = [each for each in drawn if each is not None]
    return np.percentile(values, (2.5, 97.5)).round(4).tolist() if values else None


def wilson(hits: int, of: int) -> list[float] | None:
    """Wilson's 95 % interval of a share (Journal of the American Statistical Association, 1927)."""
    if not of:
        return None
    z, share = 1.96, hits / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    reach = z / (1 + z * z / of) * np.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return [round(float(max(0.0, middle - reach)), 4), round(float(middle + reach), 4)]


def area(told: Sequence[Told]) -> float | None:
    """Area under the ROC curve of what was judged (Mann and Whitney's statistic)."""
    real, fake = (
        np.array([e.odds for e in told if e.fake is kind and e.odds is not None])
        for kind in (False, True)
    )
    if not len(real) or not len(fake):
        return None
    above = (fake[:, None] > real).mean() + 0.5 * (fake[:, None] == real).mean()
    return round(float(above), 4)


def _share(
    told: Sequence[Told], holds: Callable[[float], bool], *, unjudged: bool = False
) -> float | None:
    if not told:
        return None
    return round(
        sum(unjudged if each.odds is None else holds(each.odds) for each in told) / len(told), 4
    )


def _found_at(real: Sequence[Told], fake: Sequence[Told], share: float) -> float | None:
    """Share of replaced films above the odds that `share` of the genuine ones exceed."""
    odds = [each.odds for each in real if each.odds is not None]
    if not odds or not fake:
        return None
    border = float(np.quantile(odds, 1 - share))
    return _share(fake, lambda value: value > border)


def _print(report: Mapping[str, Any]) -> None:
    columns = ("auc", "auc_interval", "false_positives", "found", "found_interval", "unjudged")
    print(f"{'':14}" + "".join(f"{name:>18}" for name in (*columns, "genuine", "replaced")))
    for name, row in report.items():
        print(f"{name:14}" + "".join(f"{row[c]!s:>18}" for c in (*columns, "genuine", "replaced")))


if __name__ == "__main__":
    main()
