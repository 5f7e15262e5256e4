"""What came back signed is what was given out to be signed, lately."""

from datetime import UTC, datetime
from typing import Any

import pytest

from assent.kit.errors import IntegrityError
from assent.kit.said import hold_said

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
ASKED = {"decision": "release", "time": "2026-11-02T12:00:00Z"}


@pytest.mark.parametrize(
    "time", ["2026-11-02T12:00:00Z", "2026-11-01T12:00:00Z", "2026-11-02T12:01:00Z"]
)
def test_what_was_asked_lately_is_taken(time: str) -> None:
    hold_said({**ASKED, "time": time}, ASKED, now=NOW, about="it")


@pytest.mark.parametrize(
    "time",
    [
        "2026-11-01T11:59:59Z", "2026-11-02T12:01:01Z", "2026-11-2T12:00:00Z", "Ada was here",
        "", 5, None, ["2026-11-02T12:00:00Z"],
    ],
)  # fmt: skip
def test_a_time_that_is_not_of_today_is_refused(time: object) -> None:
    with pytest.raises(IntegrityError, match="not of today"):
        hold_said({**ASKED, "time": time}, ASKED, now=NOW, about="it")


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"decision": "release"},
        {"time": ASKED["time"]},
        {**ASKED, "decision": "no"},
        {**ASKED, "more": "Ada was here"},
    ],
)
def test_anything_else_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError):
        hold_said(said, ASKED, now=NOW, about="it")
