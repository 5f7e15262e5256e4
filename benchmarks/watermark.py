"""What the picture mark survives, what it costs to look at, and how long it takes.

    python benchmarks/watermark.py --make-clips clips
    python benchmarks/watermark.py --clips clips
    python benchmarks/watermark.py --clips clips --attacks mine.py --jobs 2 --json
    python benchmarks/watermark.py --clips clips --false-positives 100000 --jobs 2
    python benchmarks/watermark.py --clips clips --hostile
    python benchmarks/watermark.py --clips clips --looks pictures

Every film of a folder is marked as a release is, handled in every way of the suite (or of a
module that offers `ATTACKS` and `run_attack(name, src, outdir)`), and read as `assent verify` does.
A trial counts as recovered if all 64 bits of the identifier are right. Printed for each attack:
the share recovered, the mean confidence and statistic of those readings, and the reader's time of
one processor.

For each film: the mark's luma PSNR before any codec; how far VMAF falls, and the file grows,
against the same H.264 encode at CRF 20 without the mark; frames marked a second, fitting included,
without codec; the time to read the marked film; the time of a search that finds nothing, in the
film without mark. Times include decoding and are taken one film at a time, before the attacks.
"""

import argparse
import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from fnmatch import fnmatch
from pathlib import Path
from statistics import fmean
from typing import Any

from marks import attacks, hostile, marking
from marks import false_positives as chance
from marks.likeness import vmaf
from marks.looks import draw_looks
from marks.peers import PEERS, Peer
from marks.pictures import make_films
from marks.trials import Job, Trial, load_attacks, run_jobs

from assent.kit.errors import AssentError

HERE = Path(__file__).parent
OURS = HERE / "marks" / "attacks.py"
SUFFIXES = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v")
PROCESSORS = len(os.sched_getaffinity(0))
QUALITY_CRF = 20
KEYS = ("psnr_y", "vmaf_drop", "bitrate_overhead", "embed_fps", "read_s", "failed_search_s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One film's own figures; ratios against the same film without the mark."""

    film: str
    size: str
    frames: int
    psnr_y: float
    vmaf_drop: float
    bitrate_overhead: float
    bytes_without: int
    bytes_with: int
    embed_fps: float
    read_s: float
    failed_search_s: float
    found_in_clean: bool


def main() -> None:
    """Do what the options ask for."""
    options = read_options()
    if options.make_clips:
        for path in make_films(options.make_clips):
            print(path)
    if options.clips:
        examine(options, find_films(options.clips, options.films))


def examine(options: argparse.Namespace, films: Sequence[Path]) -> None:
    """Do with the films what was asked for, and print the report."""
    if options.looks:
        for film in films:
            print(*draw_looks(film, options.looks, asset_id=asset_of(film)), sep="\n")
        return
    with tempfile.TemporaryDirectory() as folder:
        if options.false_positives:
            report = chance.report(options.false_positives, films, options.jobs)
            text = chance.render(report)
        elif options.hostile:
            report = hostile.report(films, Path(folder))
            text = hostile.render(report)
        else:
            report = measure(options, films, Path(folder))
            text = render(report)
    print(json.dumps(report, indent=1) if options.json else text)


def read_options() -> argparse.Namespace:
    """Return the command's options."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    add = parser.add_argument
    add("--clips", type=Path, help="folder of films to mark")
    add("--attacks", type=Path, default=OURS, help="module of attacks, instead of our own suite")
    add("--json", action="store_true", help="print one JSON object")
    add("--peers", action="store_true", help="other marks on the same films and attacks too")
    add("--only", nargs="+", default=["*"], metavar="PATTERN", help="attacks, such as 'crop-*'")
    add("--films", nargs="+", default=["*"], metavar="PATTERN", help="films, such as 'head*'")
    add("--limit", type=int, help="at most this many trials, spread over attacks and films")
    add("--jobs", type=int, default=PROCESSORS, help="processes that attack and read")
    add("--no-figures", action="store_true", help="attacks only: no PSNR, VMAF, sizes, times")
    add("--false-positives", type=int, metavar="N", help="decode N times what carries no mark")
    add("--hostile", action="store_true", help="removal and forgery with several films or the key")
    add("--looks", type=Path, metavar="DIR", help="write frames with the mark, and differences")
    add("--make-clips", type=Path, metavar="DIR", help="write films of all kinds into a folder")
    options = parser.parse_args()
    if not (options.clips or options.make_clips):
        parser.error("give --clips, --make-clips, or both")
    return options


def measure(options: argparse.Namespace, films: Sequence[Path], work: Path) -> dict[str, Any]:
    """Mark the films, take their figures, attack them, read them; return the report."""
    names = [
        name
        for name in load_attacks(options.attacks.resolve()).ATTACKS
        if any(fnmatch(name, pattern) for pattern in options.only)
    ]
    if not names:
        raise SystemExit("no attack goes by such a name")
    marked, figures, refused = {}, [], {}
    for number, film in enumerate(films):
        tell(f"marking {film.name}")
        target = work / str(number) / f"{film.stem}.mp4"
        target.parent.mkdir()
        try:
            embedded = marking.embed(film, target, asset_id=asset_of(film))
        except AssentError as error:
            refused[film.name] = str(error)
            continue
        marked[film] = target
        if not options.no_figures:
            figures.append(take_figures(film, target, embedded, work))
    if not marked:
        raise SystemExit(f"none of the films can be marked: {refused}")
    jobs = plan("assent", marked, names, options)
    trials = [tell_trial(trial) for trial in run_jobs(jobs, options.jobs)]
    report = summarise(trials, figures) | {"refused": refused}
    if options.peers:
        report["peers"] = {
            name: measure_peer(name, peer, list(marked), names, options, work)
            for name, peer in PEERS.items()
            if peer.installed()
        }
    return report


def find_films(folder: Path, patterns: Iterable[str]) -> list[Path]:
    """List a folder's films whose names fit, by name."""
    films = [
        path
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in SUFFIXES
        and any(fnmatch(path.name, f"{pattern}*") for pattern in patterns)
    ]
    if not films:
        raise SystemExit(f"no film in {folder} goes by such a name")
    return films


def asset_of(film: Path) -> int:
    """Return the identifier that a film is marked with, drawn from its name."""
    return int.from_bytes(hashlib.sha256(film.name.encode()).digest()[:8], "big")


def take_figures(film: Path, marked: Path, embedded: marking.Embedded, work: Path) -> Figures:
    """Hold a marked film against the same film without the mark."""
    with_mark, without = work / "with.mp4", work / "without.mp4"
    marking.embed(film, with_mark, asset_id=asset_of(film), crf=QUALITY_CRF)
    marking.copy_plain(film, without, crf=QUALITY_CRF)
    clean = marking.read(without)
    return Figures(
        film=film.stem,
        size=marking.size_of(film),
        frames=embedded.frames,
        psnr_y=embedded.psnr_y,
        vmaf_drop=vmaf(without, film) - vmaf(with_mark, film),
        bitrate_overhead=with_mark.stat().st_size / without.stat().st_size - 1,
        bytes_without=without.stat().st_size,
        bytes_with=with_mark.stat().st_size,
        embed_fps=marking.marking_rate(film, asset_id=asset_of(film)),
        read_s=marking.read(marked).seconds,
        failed_search_s=clean.seconds,
        found_in_clean=clean.asset_id is not None,
    )


def plan(
    scheme: str,
    marked: dict[Path, Path],
    names: Sequence[str],
    options: argparse.Namespace,
) -> list[Job]:
    """List the trials; with a limit, that many, each film and each attack about as often."""
    jobs = [
        Job(
            scheme=scheme,
            film=copy,
            asset_id=asset_of(film),
            attack=name,
            module=options.attacks.resolve(),
        )
        for name in names
        for film, copy in marked.items()
    ]
    if options.limit is None or options.limit >= len(jobs):
        return jobs
    # Drawn by hash: the same jobs each time, and none of them favoured.
    drawn = sorted(jobs, key=lambda job: _lot(f"{job.attack}/{job.film.name}"))[: options.limit]
    return [job for job in jobs if job in drawn]


def _lot(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def measure_peer(
    name: str,
    peer: Peer,
    films: Sequence[Path],
    names: Sequence[str],
    options: argparse.Namespace,
    work: Path,
) -> dict[str, Any]:
    """Do the same with another mark, which has no figures of its own here but PSNR."""
    folder = work / name
    folder.mkdir()
    marked, psnr = {}, []
    for film in films:
        tell(f"marking {film.name} by {name}")
        marked[film] = folder / f"{film.stem}.mp4"
        psnr.append(peer.embed(film, marked[film], asset_id=asset_of(film)).psnr_y)
    jobs = plan(name, marked, names, options)
    trials = [tell_trial(trial) for trial in run_jobs(jobs, options.jobs)]
    return summarise(trials, []) | {"psnr_y": fmean(psnr)}


def summarise(trials: Sequence[Trial], figures: Sequence[Figures]) -> dict[str, Any]:
    """Return the report: shares over all trials, by attack, by class and by film."""
    valid = [trial for trial in trials if not trial.broken]
    report: dict[str, Any] = {
        "recovered": share(valid),
        "recovered_from_10000": sum(trial.told for trial in valid) / max(len(valid), 1),
        "trials": len(valid),
        "wrong": sum(trial.wrong for trial in valid),
    }
    for key in (
        "psnr_y",
        "vmaf_drop",
        "bitrate_overhead",
        "embed_fps",
        "read_s",
        "failed_search_s",
    ):
        report[key] = fmean(getattr(one, key) for one in figures) if figures else None
    if figures:
        before, after = (
            sum(getattr(f, k) for f in figures) for k in ("bytes_without", "bytes_with")
        )
        report["bitrate_overhead_of_all"] = after / before - 1
    kinds = attacks.classes()
    report["attacks"] = {
        name: row | {"class": kinds.get(name, "other")}
        for name, row in grouped(valid, lambda trial: trial.job.attack).items()
    }
    report["classes"] = grouped(valid, lambda trial: kinds.get(trial.job.attack, "other"))
    report["films"] = grouped(valid, lambda trial: trial.job.film.stem)
    report["figures"] = [asdict(one) for one in figures]
    report["lost"] = [
        f"{trial.job.attack} on {trial.job.film.stem}" for trial in valid if not trial.recovered
    ]
    report["broken"] = {
        f"{trial.job.attack} on {trial.job.film.stem}": trial.broken
        for trial in trials
        if trial.broken
    }
    return report


def grouped(trials: Sequence[Trial], key: Callable[[Trial], str]) -> dict[str, dict[str, Any]]:
    """Return each group's share, mean confidence of what was recovered, and mean reading time."""
    groups: dict[str, list[Trial]] = {}
    for trial in trials:
        groups.setdefault(key(trial), []).append(trial)
    return {
        name: {
            "share": share(group),
            "told": sum(trial.told for trial in group) / len(group),
            "trials": len(group),
            "confidence": _mean(t.reading.confidence for t in group if t.reading and t.recovered),
            "statistic": _mean(t.reading.statistic for t in group if t.reading and t.recovered),
            "read_s": _mean(t.reading.seconds for t in group if t.reading),
        }
        for name, group in groups.items()
    }


def share(trials: Sequence[Trial]) -> float:
    """Return the share of trials whose payload was recovered."""
    return sum(trial.recovered for trial in trials) / max(len(trials), 1)


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return fmean(listed) if listed else 0.0


def render(report: dict[str, Any]) -> str:
    """Return the report as tables."""
    head = f"{'attack':<30}{'class':<9}{'recovered':>10}{'told':>8}"
    lines = [f"{head}{'confidence':>13}{'z':>7}{'read s':>8}"]
    for name, row in report["attacks"].items():
        lines.append(f"{name:<30}{row['class']:<9}{_row(row)}")
    for title in ("classes", "films"):
        lines += ["", title]
        lines += [f"{name:<39}{_row(row)}" for name, row in report[title].items()]
    lines.append(
        f"{'all':<39}{report['recovered']:>9.1%}{report['recovered_from_10000']:>9.1%}"
        f" of {report['trials']} trials (told: or picked from 10,000 known identifiers)"
    )
    lines += ["", *_figure_lines(report)] if report["figures"] else []
    for name, peer in report.get("peers", {}).items():
        lines.append(
            f"{name}: {peer['recovered']:.1%} of {peer['trials']} trials, "
            f"{peer['psnr_y']:.1f} dB PSNR-Y"
        )
    for word in ("broken", "refused"):
        lines += [f"{word}: {name}: {why[:200]}" for name, why in report.get(word, {}).items()]
    if report["wrong"]:
        lines.append(f"WRONG identifiers reported: {report['wrong']}")
    return "\n".join(lines)


def _row(row: dict[str, Any]) -> str:
    return (
        f"{row['share']:>9.1%}{row['told']:>9.1%}{row['confidence']:>13.6f}{row['statistic']:>7.1f}"
        f"{row['read_s']:>8.2f}"
    )


def _figure_lines(report: dict[str, Any]) -> list[str]:
    forms = ("9.2f", "10.2f", "9.1%", "10.1f", "8.2f", "14.2f")
    head = f"{'film':<22}{'size':<11}{'PSNR-Y':>9}{'VMAF drop':>10}{'bits':>9}"
    lines = [f"{head}{'embed fps':>10}{'read s':>8}{'failed search':>14}"]
    for one in report["figures"]:
        cells = "".join(format(one[key], form) for key, form in zip(KEYS, forms, strict=True))
        warning = "  FOUND WITHOUT MARK" if one["found_in_clean"] else ""
        lines.append(f"{one['film']:<22}{one['size']:<11}{cells}{warning}")
    cells = "".join(format(report[key], form) for key, form in zip(KEYS, forms, strict=True))
    lines.append(f"{'mean':<33}{cells}")
    lines.append(f"{'all films together':<52}{report['bitrate_overhead_of_all']:>9.1%}")
    return lines


def tell(text: str) -> None:
    """Say what is being done, where it doesn't disturb the report."""
    print(text, file=sys.stderr, flush=True)


def tell_trial(trial: Trial) -> Trial:
    """Say what came of a trial."""
    result = "broken" if trial.broken else "read" if trial.recovered else "LOST"
    seconds = f"{trial.reading.seconds:.1f} s, {trial.reading.says}" if trial.reading else ""
    tell(f"{result:<7}{trial.job.attack:<28}{trial.job.film.stem:<24}{seconds}")
    return trial


if __name__ == "__main__":
    main()
