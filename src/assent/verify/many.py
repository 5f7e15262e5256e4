"""Many files: several processes at once, a line for each file, and on again after a stop.

A line is written as soon as its file is done. Run again with the lines that there are, files whose
size and time of change are the same are passed over. Nothing else of a file is kept.
"""

import csv
import io
import json
import queue
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assent.kit.errors import AssentError, InputError
from assent.kit.fetch.urls import is_url
from assent.kit.progress import Progress, nothing
from assent.verify.apart import Bounds, Examiner, Lookup
from assent.verify.findings import plain
from assent.verify.remote import fetched, name_in

__all__ = ["COLUMNS", "Job", "csv_line", "done_before", "examine_many", "find_files", "json_line"]

COLUMNS = (
    "target", "size", "changed", "verdict", "asset_id", "consent_withdrawn", "ended", "sha256",
    "summary", "problem", "checked", "verifier", "log", "entries",
)  # fmt: skip
"""What a line of CSV holds."""

_SUFFIXES = frozenset(
    """
    .3gp .aac .aif .aiff .avi .caf .flac .jpeg .jpg .m2ts .m4a .m4v .mkv .mov .mp3 .mp4 .mxf .oga
    .ogg .opus .png .ts .wav .webm
    """.split()  # noqa: SIM905 - easier to read than a list
)
_PATIENCE_S = 0.2
# What a spreadsheet would take for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A file to examine: `target` is what it was called, a path or an address.

    `own` says that the address was named as the caller's own, so may be in a private network.
    """

    target: str
    own: bool = False

    @property
    def name(self) -> str:
        """What to call it in findings."""
        return name_in(self.target) if is_url(self.target) else Path(self.target).name

    def mark(self) -> tuple[int, int]:
        """Return its size and time of change in nanoseconds; zeros for what has none."""
        try:
            state = Path(self.target).stat()
        except OSError:
            return 0, 0
        return state.st_size, state.st_mtime_ns

    @contextmanager
    def opened(self, progress: Progress = nothing) -> Iterator[Path]:
        """Yield a path to its bytes, which are fetched if it is at an address."""
        if is_url(self.target):
            with fetched(self.target, own=self.own, progress=progress) as path:
                yield path
        else:
            yield Path(self.target)


def find_files(targets: Iterable[str], *, own: bool = False) -> list[Job]:
    """Return what is named, and of folders all that may be video, sound or stills, once each.

    Links in folders are not followed: one may lead round in a circle.
    """
    found: list[str] = []
    for target in targets:
        path = Path(target)
        if is_url(target) or not path.is_dir():
            found.append(target)
            continue
        found += sorted(
            str(each)
            for each in path.rglob("*")
            if each.suffix.lower() in _SUFFIXES and each.is_file() and not each.is_symlink()
        )
    return [Job(target=target, own=own) for target in dict.fromkeys(found)]


def examine_many(
    jobs: Sequence[Job],
    lookup: Lookup,
    *,
    workers: int,
    bounds: Bounds | None = None,
    describe: Callable[[Mapping[str, Any]], Mapping[str, Any]],
) -> Generator[dict[str, Any], None, None]:
    """Yield a line for each job as it is done, in no certain order.

    `describe` makes a result of findings. A file that can't be examined has a `problem` instead.
    Raises what the first file does if the log or bundle can't be opened.
    """
    waiting: queue.SimpleQueue[Job] = queue.SimpleQueue()
    for job in jobs:
        waiting.put(job)
    done: queue.SimpleQueue[dict[str, Any] | BaseException | None] = queue.SimpleQueue()
    over = threading.Event()
    examiners = [Examiner(lookup, bounds=bounds) for _ in range(min(workers, len(jobs)))]
    threads = [
        threading.Thread(target=_work, args=(each, waiting, done, over, describe))
        for each in examiners
    ]
    for thread in threads:
        thread.start()
    try:
        yield from _until_done(done, len(threads))
    finally:
        over.set()
        for examiner, thread in zip(examiners, threads, strict=True):
            while thread.is_alive():
                # Ends the process that the thread may be waiting for.
                examiner.kill()
                thread.join(_PATIENCE_S)
            examiner.stop()


def _until_done(
    done: "queue.SimpleQueue[dict[str, Any] | BaseException | None]", workers: int
) -> Iterator[dict[str, Any]]:
    while workers:
        line = done.get()
        if isinstance(line, BaseException):
            raise line
        if line is None:
            workers -= 1
        else:
            yield line


def _work(
    examiner: Examiner,
    waiting: "queue.SimpleQueue[Job]",
    done: "queue.SimpleQueue[dict[str, Any] | BaseException | None]",
    over: threading.Event,
    describe: Callable[[Mapping[str, Any]], Mapping[str, Any]],
) -> None:
    try:
        examiner.start()
        while not over.is_set():
            try:
                job = waiting.get_nowait()
            except queue.Empty:
                break
            done.put(_line(examiner, job, describe))
    except BaseException as error:  # noqa: BLE001 - told to who waits
        done.put(error)
    done.put(None)


def _line(
    examiner: Examiner, job: Job, describe: Callable[[Mapping[str, Any]], Mapping[str, Any]]
) -> dict[str, Any]:
    size, changed = job.mark()
    line: dict[str, Any] = {"target": job.target, "size": size, "changed": changed}
    try:
        with job.opened() as path:
            found = examiner.examine(path, name=job.name)
    except AssentError as error:
        return {**line, "problem": plain(str(error))}
    return {**line, "result": describe(found)}


def json_line(line: Mapping[str, Any]) -> str:
    """Return a line of JSON Lines."""
    return json.dumps(line, ensure_ascii=True, separators=(",", ":")) + "\n"


def csv_line(line: Mapping[str, Any] | None = None) -> str:
    """Return a line of CSV, or the heading."""
    made = io.StringIO()
    row = COLUMNS if line is None else [_cell(_value(line, name)) for name in COLUMNS]
    csv.writer(made, lineterminator="\n").writerow(row)
    return made.getvalue()


def _value(line: Mapping[str, Any], name: str) -> object:
    result = line.get("result", {})
    if name == "verifier":
        return result.get("verifier", {}).get("version", "")
    if name in ("log", "entries"):
        return result.get("source", {}).get(name, "")
    return line.get(name, result.get(name, ""))


def _cell(value: object) -> str:
    """Return a value as text that a spreadsheet shows and doesn't run."""
    text = "" if value is None else plain(str(value))
    return f"'{text}" if text.startswith(_FORMULA) else text


def done_before(text: str, *, as_csv: bool) -> dict[str, tuple[int, int]]:
    """Return size and time of change by target, of the whole lines of an earlier run.

    Raises `InputError` if they are no such lines. A last line that was cut off doesn't count.
    """
    lines = text.splitlines(keepends=True)
    whole = [line for line in lines if line.endswith("\n")]
    try:
        rows: list[Mapping[str, Any]] = (
            list(csv.DictReader(whole)) if as_csv else [json.loads(line) for line in whole]
        )
        if as_csv and whole and whole[0] != csv_line():
            raise InputError("the file holds other columns")
        return {
            str(row["target"]).removeprefix("'"): (int(row["size"]), int(row["changed"]))
            for row in rows
        }
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise InputError(
            "the file to go on with is not one that this command wrote",
            advice="Name another file with --out, or remove that one.",
        ) from error
