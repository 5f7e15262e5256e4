"""What is shown to the camera in place of a living subject who does what was asked."""

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest
from attempts import turned_away
from clips import Clips
from recordings import (
    Film,
    Performed,
    Recording,
    bent_to,
    known_entropy,
    perform,
    still_of,
    tilted_to,
)

from assent.consent.challenge import Challenge, Turn, draw
from assent.consent.recording import LARGEST, RecordingFindings, Verdict, check_recording

READING = 3.0
WHEN = datetime(2026, 11, 20, tzinfo=UTC)
CHALLENGE = draw("a-record", language="en", now=WHEN, entropy=known_entropy("attacks"))
OTHER = draw("a-record", language="en", now=WHEN, entropy=known_entropy("others"))


class Sink(io.BytesIO):
    """A file that says it is larger than any recording."""

    def seek(self, offset: int, whence: int = 0) -> int:
        return LARGEST + 1 if whence == 2 else super().seek(offset, whence)


def ada(challenge: Challenge = CHALLENGE) -> Performed:
    return replace(perform("ada", challenge, reading=READING, seed=3, rate=9.0), sound=None)


def small(film: Film) -> Film:
    return lambda second: np.asarray(cv2.resize(film(second), (288, 288)), np.uint8)


def judged(recording: Recording, challenge: Challenge = CHALLENGE) -> RecordingFindings:
    with recording.path.open("rb") as file:
        return check_recording(
            file, challenge=challenge, prompts=recording.prompts, name=recording.path.name
        )


@pytest.fixture
def shown(tmp_path: Path) -> Callable[[Film], RecordingFindings]:
    """Show something to the camera for as long as a recording lasts."""

    def show(film: Film) -> RecordingFindings:
        return judged(replace(ada(), film=small(film)).write(tmp_path / "shown.mp4"))

    return show


Show = Callable[[Film], RecordingFindings]


def test_a_photograph(shown: Show) -> None:
    """A photograph stands before the camera."""
    turned_away(shown(still_of("ada")), "turns", "mouth", "frozen")


def test_a_photograph_waved_about(shown: Show) -> None:
    """A photograph is held in the hand, moved and tilted."""
    turned_away(shown(still_of("ada", wave_about=1.0, seed=2)), "turns", "mouth")


def test_a_photograph_tilted_as_asked(shown: Show) -> None:
    """A photograph is turned to the sides as the challenge asks, steeply."""
    film = tilted_to("ada", CHALLENGE, reading=READING, degrees=-55.0)
    turned_away(shown(film), "turns", "mouth")


def test_a_photograph_bent(shown: Show) -> None:
    """A photograph is bent round like a face, and turned as the challenge asks."""
    film = bent_to("ada", CHALLENGE, reading=READING, degrees=40.0, radius=0.5)
    turned_away(shown(film), "turns", "mouth")


def test_a_video_of_another_challenge(shown: Show) -> None:
    """A ready-made video is shown, in which the subject follows other prompts."""
    turned_away(shown(ada(OTHER).film), "turns")


def test_a_video_in_a_loop(shown: Show) -> None:
    """A short film of the subject is shown again and again."""
    film = ada().film
    turned_away(shown(lambda second: film(second % 4.5)), "turns", "repeats")


def test_a_video_put_together(shown: Show) -> None:
    """Pieces of film are put together so that the turns are right."""
    film = ada().film
    cut = READING + sum(CHALLENGE.pauses[:2]) / 1000 + 1.1
    turned_away(shown(lambda second: film(second if second < cut else second - 0.9)), "cuts")


def test_a_head_that_always_shakes(shown: Show) -> None:
    """A film of a head that turns to both sides all the time."""
    pairs = (Turn.LEFT, Turn.RIGHT) * 3
    busy = replace(CHALLENGE, turns=pairs[:5], pauses=(2600,) * 5)
    film = perform("ada", busy, reading=0.5, seed=3).film
    turned_away(shown(lambda second: film(second * 2 % 13)), "turns")


def test_another_face_in_the_second_half(shown: Show) -> None:
    """Ada begins, and Ben takes her place."""
    first, second = ada().film, perform("ben", CHALLENGE, reading=READING, seed=3).film
    turned_away(shown(lambda at: first(at) if at < 9.0 else second(at)), "same")


def test_somebody_beside(tmp_path: Path) -> None:
    """Somebody sits beside the subject."""
    first, second = ada().film, perform("ben", CHALLENGE, reading=READING, seed=4).film

    def film(at: float) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        both = np.concatenate([first(at), second(at)], axis=1)
        return np.asarray(cv2.resize(both, (576, 288)), np.uint8)

    recording = replace(ada(), film=film).write(tmp_path / "both.mp4")
    turned_away(judged(recording), "alone")


def test_too_short(tmp_path: Path) -> None:
    """A recording ends before the last turn."""
    recording = replace(ada(), seconds=READING + 4.0, film=small(ada().film)).write(
        tmp_path / "short.mp4"
    )
    turned_away(judged(recording), "length", "turns")


def test_prompts_of_ones_own() -> None:
    """A page that was tampered with shows the prompts when they suit a ready-made video."""
    prompts = [prompt + 400 * number for number, prompt in enumerate(ada().prompts)]
    found = check_recording(
        io.BytesIO(b"never read"), challenge=CHALLENGE, prompts=prompts, name="it"
    )
    turned_away(found, "prompts")


def test_too_large() -> None:
    """A file larger than any recording is uploaded."""
    found = check_recording(Sink(b"film"), challenge=CHALLENGE, prompts=ada().prompts, name="it")
    turned_away(found, "readable")


@pytest.mark.parametrize(
    "make",
    [
        Clips.empty,
        Clips.text,
        Clips.truncated,
        Clips.damaged,
        Clips.cut_short,
        Clips.sound_only,
        Clips.picture_only,
        Clips.playlist,
        Clips.script,
    ],
)
def test_hostile_files(clips: Clips, make: Callable[[Clips], Path]) -> None:
    """A file is uploaded that is empty, text, broken, no film, or names other files to open."""
    data = make(clips).read_bytes()
    found = check_recording(io.BytesIO(data), challenge=CHALLENGE, prompts=ada().prompts, name="it")
    turned_away(found, "readable")
    assert found.verdict is Verdict.FAILED


def test_enormous_pictures(clips: Clips) -> None:
    """A film of enormous pictures is uploaded, small enough in bytes, to keep the studio busy."""
    data = clips.plain("wide.mp4", width=4096, height=64, frames=5, sound=None).read_bytes()
    found = check_recording(io.BytesIO(data), challenge=CHALLENGE, prompts=ada().prompts, name="it")
    turned_away(found, "readable")
    assert "pixels a side" in found.findings[0].value


def test_a_film_without_end(tmp_path: Path) -> None:
    """A film of hours is uploaded, small enough in bytes."""
    grey = np.full((64, 64, 3), 90, np.uint8)
    long = replace(
        ada(), film=lambda _: grey, times=[float(second) for second in range(0, 9000, 1)]
    )
    turned_away(judged(long.write(tmp_path / "long.mp4")), "readable")
