"""The whole ceremony, with a camera: for Ada, and for Ben who poses as Ada."""

import re
from pathlib import Path

import pytest
from browsing import Sitter, browser_with, everything, foreseen, lesson, newcomer, served
from playwright.sync_api import Playwright, expect
from recordings import known_entropy, perform
from studios import PRODUCER, brief_with, terms_for

from assent.consent.ceremony import accept, offer
from assent.consent.clearance import Act, Modality
from assent.consent.desk import clear
from assent.consent.ground import vouch
from assent.consent.people import add_person, find_person
from assent.consent.receipt import sign_record
from assent.consent.reviewing import list_waiting
from assent.kit.errors import NotClearedError
from assent.kit.hashing import hash_file
from assent.kit.signing import from_pem, new_key, public_of
from assent.kit.store.studio import Studio, create_studio
from assent.purpose.projects import create_project

READING = 9.0
SEED = "s0"
"""Draws turns to both sides in turn, and long pauses: a busy machine has time for its camera."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def camera_of(person: str, folder: Path) -> dict[str, Path]:
    """Return the film and the sound of `person` who does what the server will ask for."""
    performed = perform(person, foreseen(known_entropy(SEED)), reading=READING, late=0.2)
    return {
        "camera": performed.write_camera(folder / f"{person}.mjpeg"),
        "voice": performed.write_voice(folder / f"{person}.wav"),
    }


def small_films(folder: Path) -> Studio:
    return create_studio(folder / "studio", name="Small Films", contact="consent@example.org")


class SlowMachineError(Exception):
    """The fake camera or the browser fell behind: the recording rightly didn't pass."""


FELL_BEHIND = re.compile(
    r"pictures a second|The picture stopped|turns, or not when it should|turns of the head were"
)
"""What is told of a recording when the machine, not the person, is to blame."""


def test_ada_consents_in_her_browser(playwright: Playwright, tmp_path: Path) -> None:
    """From the link to a live record that the desk clears, with a key that only she has."""
    told = ""
    for attempt in range(3):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        try:
            ada_consents(playwright, folder)
        except SlowMachineError as slow:
            told = str(slow)
        else:
            return
    pytest.fail(f"this machine is too busy for a camera: {told}")


def ada_consents(playwright: Playwright, folder: Path) -> None:
    """Go all the way; raise `SlowMachineError` if the recording failed for want of time alone."""
    studio = small_films(folder)
    with (
        served(studio, entropy=known_entropy(SEED)) as running,
        browser_with(playwright, **camera_of("ada", folder)) as browser,
    ):
        purpose = lesson(running)
        ada = newcomer(running)
        link = running.link(purpose, ada, everything(purpose))
        sitter = Sitter.at(browser)
        sitter.begin(link)
        sitter.choose_everything()
        assert sitter.page.locator("input[type=file]").count() == 0
        with pytest.raises(NotClearedError):
            clear(studio, purpose, person_id=ada.id, acts=[Act.INGEST])
        sitter.record(reading=READING)
        told = sitter.page.locator("#result").inner_text()
        if FELL_BEHIND.search(told):
            raise SlowMachineError(told)
        assert told == "Thank you, the recording is good."
        sitter.page.get_by_role("link", name="Continue").click()
        key = sitter.sign_with_file(folder)
        expect(sitter.page.locator(".state.live")).to_have_count(1)
        assert sitter.said == []
    clear(studio, purpose, person_id=ada.id, acts=list(Act), modalities=list(Modality))
    # What the page gave her to keep is the key, in a form that the command line reads.
    kept = from_pem(key.read_bytes(), name=key.name)
    assert public_of(kept).thumbprint() == find_person(studio, "ada").key_id


def known_ada(studio: Studio, samples: Path) -> None:
    """Ada has agreed to another project before; a member of the studio vouched for her clip."""
    today = studio.clock().date()
    days = {"starts": today.isoformat(), "ends": today.replace(year=today.year + 1).isoformat()}
    purpose = create_project(studio, brief_with(title="An earlier film", **days))
    ada = add_person(studio, handle="ada", name="Ada Aldous", key=public_of(PRODUCER))
    with (samples / "ada_statement.mp4").open("rb") as clip:
        record = offer(studio, purpose, ada, terms_for(purpose), statement_sha256=hash_file(clip))
        kim = new_key()
        member = add_person(studio, handle="kim", name="Kim", key=public_of(kim), staff=True)
        ground = vouch(studio, record, member, kim, reason="I filmed her")
        accept(studio, sign_record(record, PRODUCER), statement=clip, name=clip.name, ground=ground)


def test_ben_poses_as_ada(playwright: Playwright, tmp_path: Path, samples: Path) -> None:
    """He has her link, and does all that is asked; but the studio knows her face."""
    studio = small_films(tmp_path)
    known_ada(studio, samples)
    with (
        served(studio, entropy=known_entropy(SEED)) as running,
        browser_with(playwright, **camera_of("ben", tmp_path)) as browser,
    ):
        purpose = lesson(running)
        ada = find_person(studio, "ada")
        sitter = Sitter.at(browser)
        sitter.begin(running.link(purpose, ada, everything(purpose)))
        sitter.choose_everything()
        sitter.record(reading=READING)
        told = sitter.page.locator("#result").inner_text()
        assert "not the one that the studio knows as yours" in told
        assert not sitter.page.locator("#next").is_visible()
        sitter.page.goto(f"{running.origin}/consent/sign")
        assert sitter.page.url.endswith("/consent/record")
        with pytest.raises(NotClearedError):
            clear(studio, purpose, person_id=ada.id, acts=[Act.INGEST])
    assert list_waiting(studio) == ()
