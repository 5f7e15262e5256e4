"""Anchoring in all kinds of places at once: each fails for itself, and a second run goes on."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from anchoring import Calendar
from servers import TimeStampingAuthority
from studios import FailingDisk, SetClock

from assent.kit.anchors.folder import AnchorFolder
from assent.kit.errors import FetchError, IntegrityError, StorageError
from assent.kit.store.studio import Studio, open_studio
from assent.monitor.anchoring import Outcome, State, anchor
from assent.monitor.on_chain import Patience
from assent.monitor.places import AuthorityPlace, CalendarPlace, Place, save_place

pytestmark = pytest.mark.enable_socket


def no_key(place: object) -> bytes:
    raise AssertionError(f"no key is needed: {place}")


def run(studio: Studio, places: Sequence[Place]) -> list[Outcome]:
    return list(anchor(studio, places, key_of=no_key, patience=Patience.of(0)))


def places_of(studio: Studio, tsa: TimeStampingAuthority, alice: Calendar) -> tuple[Place, ...]:
    places = (
        CalendarPlace(name="alice", url=alice.url),
        AuthorityPlace(name="tsa", url=tsa.url, roots=tsa.root_pem.decode()),
    )
    for place in places:
        save_place(studio, place)
    return places


def test_both_kinds_and_again(own: Studio, tsa: TimeStampingAuthority, alice: Calendar) -> None:
    places = places_of(own, tsa, alice)
    first = run(own, places)
    assert [each.state for each in first] == [State.PENDING, State.ANCHORED]
    assert first[1].says.endswith("by CN=A,O=Clock")
    asked, given = tsa.asked, len(alice.given)
    again = run(own, places)
    assert [each.state for each in again] == [State.PENDING, State.ANCHORED]
    assert (tsa.asked, len(alice.given)) == (asked, given)
    assert again[1].says.startswith("stamped before")
    assert json.dumps([each.to_json() for each in again])


def test_what_was_pending_is_completed_later(
    own: Studio, tsa: TimeStampingAuthority, alice: Calendar
) -> None:
    place = places_of(own, tsa, alice)[0]
    run(own, [place])
    own.log.append([b'{"kind":"more"}'])
    run(own, [place])
    alice.confirm(height=900_001)
    (outcome,) = run(own, [place])
    assert outcome.state is State.ANCHORED
    assert outcome.says == (
        "in Bitcoin's block 900001, says the calendar; 1 earlier proof(s) completed"
    )
    asked = len(alice.asked)
    assert run(own, [place])[0].says == "in Bitcoin's block 900001, says the calendar"
    assert len(alice.asked) == asked


def test_a_calendar_that_takes_its_time_is_asked_for_the_rest_later(
    own: Studio, tsa: TimeStampingAuthority, alice: Calendar
) -> None:
    place = places_of(own, tsa, alice)[0]
    run(own, [place])
    for _ in range(3):
        own.log.append([b'{"kind":"more"}'])
        run(own, [place])
    alice.confirm(height=1)
    moments = iter(range(0, 10_000, 70))
    hurried = Patience(seconds=0, clock=lambda: float(next(moments)), sleep=lambda _: None)
    (outcome,) = anchor(own, [place], key_of=no_key, patience=hurried)
    assert outcome.state is State.ANCHORED
    assert "earlier" not in outcome.says
    assert "3 earlier proof(s) completed" in run(own, [place])[0].says


def test_one_place_that_fails_keeps_no_other_from_being_used(
    own: Studio, tsa: TimeStampingAuthority, alice: Calendar
) -> None:
    places = places_of(own, tsa, alice)
    alice.mood = "failing"
    calendar, stamped = run(own, places)
    assert (calendar.state, stamped.state) == (State.FAILED, State.ANCHORED)
    assert isinstance(calendar.problem, FetchError)
    alice.mood, tsa.mood = "well", "lying"
    own.log.append([b'{"kind":"more"}'])
    calendar, stamped = run(own, places)
    assert (calendar.state, stamped.state) == (State.PENDING, State.FAILED)
    assert isinstance(stamped.problem, IntegrityError)
    # What was refused was not kept, and the next run asks anew.
    tsa.mood = "well"
    assert [each.state for each in run(own, places)] == [State.PENDING, State.ANCHORED]


def test_a_calendar_that_is_down_later_loses_no_proof(
    own: Studio, tsa: TimeStampingAuthority, alice: Calendar
) -> None:
    place = places_of(own, tsa, alice)[0]
    run(own, [place])
    proof = AnchorFolder(own.log_folder).proof(own.log.size, "alice", "ots")
    for mood in ("failing", "garbled", "endless"):
        alice.mood = mood
        assert run(own, [place])[0].state is State.FAILED
        assert AnchorFolder(own.log_folder).proof(own.log.size, "alice", "ots") == proof
    alice.mood = "well"
    alice.confirm(height=1)
    assert run(own, [place])[0].state is State.ANCHORED


def test_a_damaged_old_proof_is_no_obstacle(
    own: Studio, tsa: TimeStampingAuthority, alice: Calendar
) -> None:
    place = places_of(own, tsa, alice)[0]
    run(own, [place])
    AnchorFolder(own.log_folder).write(own.log.size, "alice", "ots", b"damaged")
    own.log.append([b'{"kind":"more"}'])
    assert run(own, [place])[0].state is State.PENDING


def test_a_rewritten_log_is_not_anchored(
    own: Studio, tsa: TimeStampingAuthority, alice: Calendar
) -> None:
    places = places_of(own, tsa, alice)
    run(own, places)
    path = own.log_folder / "anchors" / str(own.log.size) / "checkpoint"
    other = own.log_folder / "anchors" / "other"
    own.log.append([b'{"kind":"more"}'])
    other.write_text(own.log.checkpoint())
    # As if the state of this size had been another one when it was anchored.
    path.parent.rename(own.log_folder / "anchors" / str(own.log.size))
    with pytest.raises(IntegrityError, match="the log was rewritten"):
        run(own, places)


def test_a_full_disk_is_told_and_the_next_run_finishes(
    own: Studio, tsa: TimeStampingAuthority, alice: Calendar
) -> None:
    places = places_of(own, tsa, alice)
    own.database.close()
    for step in range(40):
        disk = FailingDisk(step)
        broken = replace(own, disk=disk)
        try:
            outcomes = run(broken, places)
        except StorageError:
            continue
        if all(each.problem is None for each in outcomes):
            break
    else:
        raise AssertionError("it never got through")
    folder = AnchorFolder(own.log_folder)
    kept = folder.kept(own.log.size)
    assert kept is not None
    assert kept.note.decode() == own.log.checkpoint()
    assert {each.kind for each in folder.proofs(own.log.size)} == {"ots", "tsr"}


def test_the_clock_of_the_studio_counts(
    own: Studio, tsa: TimeStampingAuthority, alice: Calendar, tmp_path: Path
) -> None:
    place = places_of(own, tsa, alice)[1]
    late = open_studio(own.folder, clock=SetClock())
    (outcome,) = run(late, [place])
    assert outcome.state is State.FAILED
    assert "this machine" in outcome.says
