"""The time, passed in wherever it matters so that tests and faults can set it.

>>> clock = fixed(datetime(2026, 11, 1, tzinfo=UTC))
>>> clock().isoformat()
'2026-11-01T00:00:00+00:00'
"""

from collections.abc import Callable
from datetime import UTC, datetime

__all__ = ["Clock", "fixed", "stamp", "system"]

Clock = Callable[[], datetime]
"""Returns the current time with a time zone."""


def system() -> datetime:
    """Return the machine's time in UTC."""
    return datetime.now(UTC)


def fixed(moment: datetime) -> Clock:
    """Return a clock that always shows `moment`."""
    return lambda: moment


def stamp(moment: datetime) -> str:
    """Return `moment` as RFC 3339 in UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
