"""How templates write days, times, numbers and lengths; the same everywhere."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

__all__ = ["FILTERS", "write_count", "write_day", "write_length", "write_size", "write_time"]

_MONTHS = "January February March April May June July August September October November December"
_KIB = 1024


def write_day(moment: str | date) -> str:
    """Return a day as people write it: 3 November 2026."""
    day = moment if isinstance(moment, date) else datetime.fromisoformat(moment).date()
    return f"{day.day} {_MONTHS.split()[day.month - 1]} {day.year}"


def write_time(moment: str) -> str:
    """Return a moment as people write it: 3 November 2026, 14:05 UTC."""
    return f"{write_day(moment)}, {moment[11:16]} UTC"


def write_count(number: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun: 1 clip, 2 clips."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def write_length(seconds: float) -> str:
    """Return a length of time: 42 s, 3 min 5 s, 2 h 10 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def write_size(count: int) -> str:
    """Return a number of bytes: 512 B, 3.4 MiB."""
    size, units = float(count), ["B", "KiB", "MiB", "GiB", "TiB"]
    while size >= _KIB and len(units) > 1:
        size, units = size / _KIB, units[1:]
    return f"{size:.0f} {units[0]}" if units[0] == "B" else f"{size:.1f} {units[0]}"


FILTERS: Mapping[str, Callable[..., Any]] = {
    "day": write_day,
    "time": write_time,
    "counted": write_count,
    "lasting": write_length,
    "size": write_size,
}
