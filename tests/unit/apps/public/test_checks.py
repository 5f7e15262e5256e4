import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from clips import Clips
from corner import make_corner

from assent.apps.public.checks import (
    BusyError,
    Check,
    Checks,
    Limits,
    TooLargeError,
    TooManyError,
)
from assent.kit.errors import FaultError, InputError, MediaError, NotFoundError
from assent.verify.apart import Lookup

FEW = Limits(largest=1000, places=3, scratch=2500, each=2, keep_s=60, kept=2, arrive_s=10)


class Hand:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def no_lookup() -> tuple[str, Lookup]:
    raise FaultError("the log can't be read now")


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def making(tmp_path: Path, hand: Hand) -> Iterator[Callable[..., Checks]]:
    made: list[Checks] = []

    def make(lookup: Callable[[], tuple[str, Lookup]] = no_lookup, **changes: int) -> Checks:
        limits = replace(FEW, **changes)
        made.append(Checks(lookup, limits=limits, monotonic=hand, folder=tmp_path))
        return made[-1]

    yield make
    for each in made:
        each.close()


def seat(checks: Checks, *, size: int = 10, address: str = "a", name: str = "a.mp4") -> Check:
    return checks.seat(name=name, size=size, address=address)


def hand_in(checks: Checks, data: bytes, **about: str) -> Check:
    check = checks.begin(seat(checks, size=len(data), **about).ticket)
    assert check.file is not None
    check.file.write(data)
    checks.enqueue(check.ticket)
    return check


def ended(checks: Checks, check: Check, *, seconds: float = 60) -> Check:
    until = time.monotonic() + seconds
    while checks.find(check.ticket).stage not in ("done", "failed"):
        assert time.monotonic() < until
        time.sleep(0.02)
    return check


def _descriptors() -> list[str]:
    """Return the open descriptors that can be looked at: that of the listing itself can't."""
    return [name for name in os.listdir("/proc/self/fd") if Path(f"/proc/self/fd/{name}").exists()]  # noqa: PTH208


def test_places_are_taken_until_there_are_none(making: Callable[..., Checks]) -> None:
    checks = making()
    first = seat(checks)
    seat(checks)
    with pytest.raises(TooManyError, match="2 files of yours"):
        seat(checks)
    seat(checks, address="b")
    with pytest.raises(BusyError) as told:
        seat(checks, address="c")
    assert 5 <= told.value.after_s <= 600
    checks.give_up(first.ticket)
    seat(checks, address="c")


def test_room_on_the_disk_is_shared_out_before_a_byte_is_sent(
    making: Callable[..., Checks],
) -> None:
    checks = making()
    seat(checks, size=1000)
    seat(checks, size=1000)
    with pytest.raises(BusyError):
        seat(checks, size=600, address="b")
    seat(checks, size=500, address="b")
    full = making(largest=1 << 60, scratch=1 << 60)
    with pytest.raises(BusyError):
        seat(full, size=1 << 59)


@pytest.mark.parametrize(
    ("size", "kind"), [(0, InputError), (-1, InputError), (1001, TooLargeError)]
)
def test_sizes_that_are_not_taken(
    making: Callable[..., Checks], size: int, kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        seat(making(), size=size)


def test_who_does_not_come_loses_the_seat(making: Callable[..., Checks], hand: Hand) -> None:
    checks = making()
    check = seat(checks)
    hand.now += 11
    with pytest.raises(NotFoundError):
        checks.begin(check.ticket)


def test_a_ticket_is_used_once_and_cannot_be_guessed(making: Callable[..., Checks]) -> None:
    checks = making()
    check = seat(checks)
    assert len(check.ticket) == 32
    checks.begin(check.ticket)
    with pytest.raises(NotFoundError, match="sent already"):
        checks.begin(check.ticket)
    for other in ("", "x", check.ticket[:-1], check.ticket.lower()):
        with pytest.raises(NotFoundError):
            checks.find(other)


def test_a_file_that_came_in_part_is_dropped(making: Callable[..., Checks], tmp_path: Path) -> None:
    checks = making()
    with pytest.raises(NotFoundError, match="no such file"):
        checks.enqueue(seat(checks).ticket)
    check = checks.begin(seat(checks, address="b").ticket)
    assert check.file is not None
    check.file.write(b"half")
    with pytest.raises(InputError, match="did not come whole"):
        checks.enqueue(check.ticket)
    with pytest.raises(NotFoundError):
        checks.find(check.ticket)
    assert list(tmp_path.iterdir()) == []


def test_a_file_never_has_a_name_and_is_closed_when_it_is_done(
    making: Callable[..., Checks], tmp_path: Path
) -> None:
    checks = making()
    check = hand_in(checks, b"whatever")
    assert list(tmp_path.iterdir()) == []
    assert isinstance(ended(checks, check).problem, FaultError)
    assert check.file is None
    open_files = [os.readlink(f"/proc/self/fd/{name}") for name in _descriptors()]  # noqa: PTH115
    assert not [each for each in open_files if str(tmp_path) in each]


def test_answers_are_forgotten_after_a_while_and_when_there_are_many(
    making: Callable[..., Checks], hand: Hand
) -> None:
    checks = making()
    made = [ended(checks, hand_in(checks, b"x", address=str(i))) for i in range(3)]
    with pytest.raises(NotFoundError):
        checks.find(made[0].ticket)
    assert checks.find(made[2].ticket).stage == "failed"
    hand.now += 61
    for each in made:
        with pytest.raises(NotFoundError):
            checks.find(each.ticket)


def test_who_waits_is_told_how_many_are_before(
    making: Callable[..., Checks],
) -> None:
    hold = threading.Event()

    def slow() -> tuple[str, Lookup]:
        hold.wait(60)
        raise FaultError("no log")

    checks = making(slow)
    first = hand_in(checks, b"1", address="a")
    while checks.find(first.ticket).stage != "examining":
        time.sleep(0.01)
    second = hand_in(checks, b"2", address="b")
    third = hand_in(checks, b"3", address="c")
    assert [checks.find(each.ticket).ahead for each in (second, third)] == [0, 1]
    assert checks.find(third.ticket).to_json() == {"stage": "waiting", "ahead": 1, "percent": 0}
    hold.set()
    ended(checks, third)


def test_names_are_cut_and_made_plain(making: Callable[..., Checks]) -> None:
    checks = making()
    assert seat(checks, name="a\u202e\x1b[31m" + "b" * 500).name.startswith("a [31mbbb")
    assert len(checks.seat(name="x" * 500, size=1, address="b").name) == 120
    checks = making()
    assert seat(checks, name="\0\n").name == "a file"


def test_files_are_examined_in_a_process_apart(
    tmp_path: Path, clips: Clips, making: Callable[..., Checks]
) -> None:
    told = make_corner(tmp_path)

    def lookup() -> tuple[str, Lookup]:
        folder = str(told.studio.log_folder)
        return told.source.now().tag, Lookup(log=folder, vkey=told.studio.log_verifier.vkey)

    checks = making(lookup, largest=1 << 30, scratch=1 << 30)
    film = ended(checks, hand_in(checks, clips.plain().read_bytes(), name="<b>.mp4"))
    assert film.result is not None
    assert (film.result["verdict"], film.result["file"]) == ("nothing-found", "<b>.mp4")
    assert film.result["source"]["entries"] == told.studio.log.size
    broken = ended(checks, hand_in(checks, b"no film at all", address="b"))
    assert isinstance(broken.problem, MediaError)
    assert "a.mp4" in str(broken.problem)
    assert "/proc" not in f"{film.result}{broken.problem}"


def test_what_nobody_thought_of_stops_no_worker(making: Callable[..., Checks]) -> None:
    asked: list[int] = []

    def broken() -> tuple[str, Lookup]:
        asked.append(1)
        raise ValueError("of a library")

    checks = making(broken)
    for _ in range(2):
        check = ended(checks, hand_in(checks, b"0123456789"), seconds=10)
        assert isinstance(check.problem, FaultError)
    assert len(asked) == 2
