"""How often the check of a recorded statement errs: living people refused, and fakes let in.

    python benchmarks/recording_checks.py
    python benchmarks/recording_checks.py --challenges 10 --only plain --only bent --json

The people are the sample performers and their mirror images. Living people follow a challenge of
their own, filmed badly in several ways. What they must not be mistaken for: the same recordings
shown for other challenges, photographs that stand, are waved about, tilted as the challenge asks
or bent while they are tilted, films in a loop or with a cut, and two people one after the other.
"""

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from recordings import Film, Performed, bent_to, known_entropy, perform, still_of, tilted_to

from assent.consent._measures import follow
from assent.consent.challenge import Challenge, draw
from assent.consent.recording import Check, RecordingFindings, Verdict, check_recording
from assent.kit.faces.frame import Frame, PictureFrame
from assent.kit.faces.watch import watch
from assent.kit.media.probe import probe
from assent.kit.media.read import read_pictures

RGB = NDArray[np.uint8]
WHEN = datetime(2026, 11, 20, tzinfo=UTC)
PEOPLE = tuple((who, mirrored) for mirrored in (False, True) for who in ("ada", "ben", "cleo"))
READING = 4.0


def challenge(number: int) -> Challenge:
    """One of many challenges, the same for the same number."""
    return draw("a-record", language="en", now=WHEN, entropy=known_entropy(f"benchmark {number}"))


@dataclass(frozen=True, slots=True)
class Case:
    """One recording to be judged."""

    kind: str
    person: str
    asked: Challenge
    performed: Performed


Make = Callable[[Performed], Performed]


def changed(change: Callable[[RGB], RGB]) -> Make:
    """Change each picture."""

    def make(performed: Performed) -> Performed:
        film = performed.film
        return replace(performed, film=lambda second: change(film(second)))

    return make


def _coded(picture: RGB) -> RGB:
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 18])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def _grainy(picture: RGB) -> RGB:
    noise = np.random.default_rng(int(picture[::16, ::16].sum())).normal(0, 14, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def _cast(picture: RGB) -> RGB:
    return np.asarray(np.clip(picture * np.array([1.25, 1.0, 0.65]), 0, 255), np.uint8)


LIVING: dict[str, Make] = {
    "plain": lambda performed: performed,
    "dim": changed(lambda picture: (picture * 0.55).astype(np.uint8)),
    "lamplight": changed(_cast),
    "grain": changed(_grainy),
    "coarse": changed(_coded),
    "soft": changed(lambda picture: np.asarray(cv2.GaussianBlur(picture, (0, 0), 1.8), np.uint8)),
    "small": changed(lambda picture: np.asarray(cv2.resize(picture, (240, 240)), np.uint8)),
    "slow camera": lambda performed: replace(performed, rate=9.0),
}
"""What may happen to a living person's recording."""


def living(count: int) -> Iterator[Case]:
    """People who follow their challenge."""
    for number in range(count):
        asked = challenge(number)
        for place, (kind, make) in enumerate(LIVING.items()):
            person, mirrored = PEOPLE[(number + place) % len(PEOPLE)]
            late = (0.0, 0.4, 0.8)[(number + place) % 3]
            performed = perform(
                person, asked, reading=READING, seed=number, late=late, mirrored=mirrored
            )
            yield Case(kind, person, asked, make(performed))


def fakes(count: int) -> Iterator[Case]:
    """What isn't a living person who follows the challenge."""
    for number in range(count):
        asked = challenge(1000 + number)
        person, other = (("ada", "ben"), ("ben", "cleo"), ("cleo", "ada"))[number % 3]
        living = perform(person, asked, reading=READING, seed=number)
        cuckoo = perform(other, asked, reading=READING, seed=number)
        degrees = (25.0, 40.0, 55.0, -40.0, -55.0)[number % 5]
        films: dict[str, Film] = {
            "still": still_of(person),
            "waved": still_of(person, wave_about=1.0, seed=number),
            "tilted": tilted_to(person, asked, reading=READING, degrees=degrees),
            "bent": bent_to(
                person, asked, reading=READING, degrees=abs(degrees), radius=(0.6, 0.35)[number % 2]
            ),
            "loop": _looped(living.film, 5.0 + number % 3),
            "cut": _skipping(living.film, 6.0, 1.0 + 0.1 * number),
            "exchange": _followed_by(living.film, cuckoo.film, 9.0),
        }
        for kind, film in films.items():
            yield Case(kind, person, asked, replace(living, film=film))


def _looped(film: Film, period: float) -> Film:
    return lambda second: film(second % period)


def _skipping(film: Film, begin: float, by: float) -> Film:
    return lambda second: film(second if second < begin else second + by)


def _followed_by(first: Film, then: Film, begin: float) -> Film:
    return lambda second: (first if second < begin else then)(second)


def judge(case: Case, folder: Path) -> RecordingFindings:
    """Write a case as a browser would, and check it."""
    recording = case.performed.write(folder / "it.mp4")
    with recording.path.open("rb") as file:
        return check_recording(
            file, challenge=case.asked, prompts=recording.prompts, name=recording.path.name
        )


def replayed(case: Case, folder: Path, others: int) -> tuple[int, int]:
    """Show a living person's recording for other challenges: (turns that fit, of how many)."""
    path = case.performed.write(folder / "it.mp4").path
    unit = float(probe(path, name="it").time_base)

    def frames() -> Iterator[tuple[float, Frame]]:
        for picture in read_pictures(path, name="it"):
            yield picture.pts * unit, PictureFrame(picture)

    seen = watch(frames(), name="it", longest=60.0)
    fit = 0
    for number in range(others):
        other = challenge(5000 + number)
        prompts = [round(READING * 1000) + sum(other.pauses[:place]) for place in range(5)]
        fit += follow(seen.seconds, seen.meshes, other, prompts).seen == other.turns
    return fit, others


def report(title: str, found: Sequence[tuple[Case, RecordingFindings]]) -> dict[str, object]:
    """Print a table: kind by kind, how many passed, and what spoke against the rest."""
    rows: dict[str, object] = {}
    print(f"\n{title}\n{'':12} {'n':>4} {'passed':>7} {'look':>5} {'failed':>7}  reasons")
    for kind in dict.fromkeys(case.kind for case, _ in found):
        ours = [findings for case, findings in found if case.kind == kind]
        counts = Counter(findings.verdict for findings in ours)
        reasons = Counter(
            each.check.value
            for findings in ours
            for each in findings.findings
            if each.verdict is not Verdict.PASSED
        )
        numbers = [counts[each] for each in (Verdict.PASSED, Verdict.LOOK, Verdict.FAILED)]
        told = ", ".join(f"{name} {count}" for name, count in reasons.most_common())
        print(f"{kind:12} {len(ours):4} {numbers[0]:7} {numbers[1]:5} {numbers[2]:7}  {told}")
        rows[kind] = {"passed": numbers[0], "look": numbers[1], "failed": numbers[2], **reasons}
    return rows


def extremes(found: Sequence[tuple[Case, RecordingFindings]]) -> dict[str, list[str]]:
    """The values of each check from the least to the greatest, as three."""
    values: dict[Check, list[float]] = {}
    for _, findings in found:
        for each in findings.findings:
            number = each.value.rstrip("%")
            if number.replace(".", "", 1).isdigit():
                values.setdefault(each.check, []).append(float(number))
    return {
        check.value: [f"{value:g}" for value in np.percentile(numbers, [0, 50, 100])]
        for check, numbers in values.items()
    }


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--challenges", type=int, default=6, help="challenges a kind of recording")
    parser.add_argument("--replays", type=int, default=500, help="other challenges a recording")
    parser.add_argument("--only", action="append", help="a kind of recording; may be repeated")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result: dict[str, object] = {}
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for title, cases in (("Living people", living), ("Not so", fakes)):
            chosen = (
                case
                for case in cases(options.challenges)
                if not options.only or case.kind in options.only
            )
            found = [(case, judge(case, folder)) for case in chosen]
            if found:
                result[title] = report(title, found)
                result[f"{title}: least, median, greatest"] = extremes(found)
        if options.replays and not options.only:
            singles = [case for case in living(options.challenges) if case.kind == "plain"]
            tries = [replayed(case, folder, options.replays) for case in singles]
            fit, of = (sum(column) for column in zip(*tries, strict=True))
            print(f"\nShown for other challenges: the turns of {fit} of {of} fit ({fit / of:.1%})")
            result["replays"] = {"fit": fit, "of": of}
    for title in ("Living people", "Not so"):
        print(f"\n{title}, each check's least, median and greatest value:")
        print(json.dumps(result.get(f"{title}: least, median, greatest"), indent=1))
    print(f"{time.monotonic() - begun:.0f} s")
    if options.json:
        print(json.dumps(result))


if __name__ == "__main__":
    main()
