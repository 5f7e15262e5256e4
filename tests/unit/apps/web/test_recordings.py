import time
from datetime import timedelta

import pytest
from studios import Scene

from assent.apps.web.recordings import Recording, Recordings
from assent.consent.sitting import Checked
from assent.kit.errors import InputError, MediaError, NotClearedError

PASSED = Checked(passed=True, findings={})


def wait_for(recording: Recording) -> None:
    while recording.state in ("arriving", "checking"):
        time.sleep(0.005)


@pytest.fixture
def recordings(scene: Scene) -> Recordings:
    """What a server holds."""
    return Recordings(scene.studio)


def test_a_recording_is_encrypted_and_vanishes(scene: Scene, recordings: Recordings) -> None:
    held = recordings.begin("one", nonce="n")
    held.scratch.write(b"a face and a voice" * 10_000)
    recordings.check(held, lambda recording: PASSED)
    wait_for(held)
    assert held.ready
    assert len(held.sha256) == 64
    for path in scene.studio.folder.rglob("*"):
        assert not path.is_file() or b"a face and a voice" not in path.read_bytes()
    recordings.forget("one")
    assert held.scratch.closed
    with pytest.raises(InputError, match="there is no recording yet"):
        recordings.need("one")


def test_a_new_one_takes_the_place_of_the_old(recordings: Recordings) -> None:
    first = recordings.begin("one", nonce="a")
    second = recordings.begin("one", nonce="b")
    assert first.scratch.closed
    assert recordings.find("one") is second


def test_what_does_not_pass_needs_a_person(recordings: Recordings) -> None:
    held = recordings.begin("one", nonce="n")
    recordings.check(held, lambda recording: Checked(passed=False, findings={}))
    wait_for(held)
    assert (held.state, held.ready) == ("failed", False)
    held.to_person = True
    assert held.ready


def test_what_cant_be_checked_at_all(recordings: Recordings) -> None:
    def broken(recording: Recording) -> Checked:
        raise MediaError("it is no film")

    held = recordings.begin("one", nonce="n")
    recordings.check(held, broken)
    wait_for(held)
    assert (held.state, held.told, held.ready) == ("broken", "it is no film", False)
    held.to_person = True
    assert not held.ready


def test_they_are_forgotten_in_time(scene: Scene, recordings: Recordings) -> None:
    held = recordings.begin("one", nonce="n")
    scene.clock.now += timedelta(hours=1)
    assert recordings.find("one") is None
    assert held.scratch.closed


def test_there_is_room_for_so_many(recordings: Recordings) -> None:
    for number in range(40):
        recordings.begin(str(number), nonce="n")
    with pytest.raises(NotClearedError, match="the studio is busy"):
        recordings.begin("one more", nonce="n")
    recordings.close()
    assert recordings.find("1") is None
