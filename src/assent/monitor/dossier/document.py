"""What a dossier is made of, whatever it is written as: sections of text, facts and tables.

A cell's state is said in words wherever it is shown in colour.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = [
    "Block",
    "Cell",
    "Dossier",
    "Facts",
    "Section",
    "State",
    "Table",
    "Text",
    "facts",
    "table",
    "to_minute",
]

State = Literal["", "good", "warn", "bad"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A value; `mono` is for hashes and ids."""

    text: str
    state: State = ""
    mono: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A paragraph."""

    text: str
    state: State = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Names with their values."""

    rows: tuple[tuple[str, Cell], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table; `widths` are the columns' shares of the width."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    widths: tuple[float, ...]


Block = Text | Facts | Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A numbered part; `open` are points that somebody has to deal with."""

    id: str
    title: str
    blocks: tuple[Block, ...]
    open: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """The whole; `facts` stand on its first page."""

    title: str
    subtitle: str
    made: str
    facts: tuple[tuple[str, Cell], ...]
    sections: tuple[Section, ...]

    @property
    def open_points(self) -> tuple[tuple[Section, str], ...]:
        """Every open point with its section."""
        return tuple((section, point) for section in self.sections for point in section.open)


def cell(value: object, *, mono: bool = False) -> Cell:
    """Return a cell that says `value`."""
    if isinstance(value, Cell):
        return value
    return Cell(text="-" if value in (None, "") else str(value), mono=mono)


def facts(*rows: tuple[str, object]) -> Facts:
    """Return facts of names and values."""
    return Facts(rows=tuple((name, cell(value)) for name, value in rows))


def to_minute(moment: str) -> str:
    """Return an ISO moment in UTC as people read it, for cells that are narrow."""
    return f"{moment[:10]} {moment[11:16]}"


def table(
    caption: str, columns: Sequence[tuple[str, float]], rows: Iterable[Sequence[object]]
) -> Table | Text:
    """Return a table of (name, share of the width) columns, or a sentence if it has no rows."""
    made = tuple(tuple(cell(value) for value in row) for row in rows)
    if not made:
        return Text(text=f"{caption}: none.")
    return Table(
        caption=caption,
        columns=tuple(name for name, _ in columns),
        rows=made,
        widths=tuple(share for _, share in columns),
    )
