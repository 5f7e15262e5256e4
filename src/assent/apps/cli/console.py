"""How commands speak: results on standard output, progress and errors on standard error."""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from assent.kit.progress import Progress as Report

__all__ = ["err", "out", "progress_bar", "show_json", "show_table"]

# What goes to a file or another program is never wrapped or cut short: it can be searched by line.
_UNBOUNDED = 10_000

out = Console(highlight=False, width=None if sys.stdout.isatty() else _UNBOUNDED)
err = Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else _UNBOUNDED)

# Without a terminal a line now and then is enough.
_LINE_EVERY_S = 10.0


def show_json(value: object) -> None:
    """Print `value` as JSON on standard output."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def show_table(
    columns: Sequence[str], rows: Sequence[Sequence[Any]], *, title: str | None = None
) -> None:
    """Print a table, or say that there is nothing."""
    if not rows:
        out.print("[dim]nothing yet[/dim]")
        return
    table = Table(*columns, title=title, title_justify="left", header_style="bold", box=None)
    for row in rows:
        table.add_row(*(str(cell) for cell in row))
    out.print(table)


class _Rate(ProgressColumn):
    """Units a second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:.1f}/s", style="cyan")


@contextmanager
def progress_bar() -> Iterator[Report]:
    """Yield a function that draws a bar with rate and time left, one for each stage."""
    if not err.is_terminal:
        yield _Lines().report
        return
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(compact=True),
        TextColumn("[dim]{task.fields[note]}"),
        console=err,
        transient=True,
    )
    stages: dict[str, Any] = {}

    def report(stage: str, done: int, total: int) -> None:
        name, _, note = stage.partition("|")
        if name not in stages:
            stages[name] = bar.add_task(name, total=total or None, note="")
        bar.update(stages[name], completed=done, total=total or None, note=note)

    with bar:
        yield report


class _Lines:
    """Progress for logs: a line when a stage begins and every ten seconds."""

    def __init__(self) -> None:
        self._stage = ""
        self._said = 0.0
        self._began = 0.0

    def report(self, stage: str, done: int, total: int) -> None:
        name, _, note = stage.partition("|")
        now = time.monotonic()
        if name != self._stage:
            self._stage, self._began, self._said = name, now, float("-inf")
        if now - self._said < _LINE_EVERY_S:
            return
        self._said = now
        err.print(f"{name}: {self._state(done, total, now - self._began)} {note}".rstrip())

    @staticmethod
    def _state(done: int, total: int, elapsed: float) -> str:
        if not total:
            return str(done)
        text = f"{done}/{total}"
        if done and elapsed > 1:
            left = elapsed / done * max(0, total - done)
            text += f", {done / elapsed:.1f}/s, {left:.0f} s left"
        return text
