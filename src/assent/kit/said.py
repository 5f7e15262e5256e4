"""Hold what came back signed to what was given out to be signed.

A signature that is made elsewhere may be over anything: what is kept, shown or logged of it must be
what was asked, and said when it was asked.

>>> from datetime import UTC, datetime
>>> asked = {"decision": "release", "time": "2026-11-01T00:00:00Z"}
>>> hold_said({**asked, "by": "eve"}, asked, now=datetime(2026, 11, 1, tzinfo=UTC), about="it")
Traceback (most recent call last):
...
assent.kit.errors.IntegrityError: what was signed is not what was to be signed about it
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from assent.kit.clock import stamp
from assent.kit.errors import IntegrityError

__all__ = ["hold_said"]

_GOOD_FOR: Final = timedelta(days=1)
_AHEAD: Final = timedelta(minutes=1)  # a clock that was set back meanwhile
_FORMAT: Final = "%Y-%m-%dT%H:%M:%SZ"


def hold_said(
    said: Mapping[str, Any], asked: Mapping[str, Any], *, now: datetime, about: str
) -> None:
    """Raise `IntegrityError` unless `said` is `asked` but for its time, and that is of today.

    Args:
        said: what was signed.
        asked: what is to be signed now; its `time` doesn't count.
        now: the time.
        about: what it concerns, for messages.
    """
    time = said.get("time")
    if {**said, "time": None} != {**asked, "time": None}:
        raise IntegrityError(
            f"what was signed is not what was to be signed about {about}",
            advice="Load the page again, and sign what it gives.",
        )
    if not isinstance(time, str) or not _lately(time, now):
        raise IntegrityError(
            f"what was signed about {about} is not of today",
            advice="Load the page again, and sign what it gives.",
        )


def _lately(time: str, now: datetime) -> bool:
    try:
        moment = datetime.strptime(time, _FORMAT).replace(tzinfo=UTC)
    except ValueError:
        return False
    return stamp(moment) == time and now - _GOOD_FOR <= moment <= now + _AHEAD
