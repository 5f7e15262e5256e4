from datetime import UTC, datetime, timedelta, timezone

import pytest

from assent.kit.clock import fixed, stamp, system

MOMENT = datetime(2026, 11, 1, 23, 30, 15, 999999, tzinfo=UTC)


def test_the_systems_time_has_a_zone() -> None:
    assert system().tzinfo is UTC
    assert system() <= system()


def test_a_fixed_clock_stands_still() -> None:
    clock = fixed(MOMENT)
    assert clock() is clock() is MOMENT


@pytest.mark.parametrize("hours", [-12, 0, 5.5, 14])
def test_a_stamp_is_utc_to_the_second(hours: float) -> None:
    elsewhere = MOMENT.astimezone(timezone(timedelta(hours=hours)))
    assert stamp(elsewhere) == "2026-11-01T23:30:15Z"


def test_stamps_sort_as_text() -> None:
    moments = [MOMENT + timedelta(hours=7 * n) for n in range(-50, 50)]
    stamps = [stamp(moment) for moment in moments]
    assert stamps == sorted(stamps)
