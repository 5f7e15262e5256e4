from pathlib import Path

import numpy as np
import pytest
from clips import Clips
from numpy.typing import NDArray

from assent.kit.media.voice import hear_voice, voice_in

RATE = 8000


def sound(kind: str, seconds: float = 8.0) -> NDArray[np.float32]:
    """Sound that is no voice."""
    random, time = np.random.default_rng(1), np.arange(round(seconds * RATE)) / RATE
    made = {
        "silence": np.zeros(len(time)),
        "hiss": random.normal(0, 0.05, len(time)),
        "hum": 0.2 * np.sin(2 * np.pi * 50 * time),
        "taps": (random.random(len(time)) < 0.0005) * random.normal(0, 0.5, len(time)),
        "steady tone": 0.01 * np.sin(2 * np.pi * 220 * time),
    }
    return made[kind].astype(np.float32)


@pytest.mark.parametrize("person", ["ada", "ben", "cleo"])
def test_a_voice_is_heard(samples: Path, person: str) -> None:
    heard = hear_voice(samples / f"{person}_statement.mp4", name="it", longest=30.0)
    assert heard.between(0.0, 3.0) > 0.7
    assert -40 < heard.level < -10


@pytest.mark.parametrize("kind", ["silence", "hiss", "hum", "taps", "steady tone"])
def test_other_sound_is_no_voice(kind: str) -> None:
    heard = voice_in([sound(kind)])
    assert heard.between(0.0, 8.0) < 0.3


def test_a_voice_is_heard_above_hiss(samples: Path) -> None:
    whole = hear_voice(samples / "ben_statement.mp4", name="it", longest=30.0)
    only = hear_voice(samples / "ben_statement.mp4", name="it", longest=1.0)
    assert only.between(0.0, 30.0) < whole.between(0.0, 30.0)
    assert len(only.voiced) <= 50


def test_blocks_may_be_of_any_size() -> None:
    time = np.arange(4 * RATE) / RATE
    syllables = (np.sin(2 * np.pi * 3 * time) > 0) * np.sign(np.sin(2 * np.pi * 150 * time))
    whole = (0.1 * syllables).astype(np.float32)
    pieces = np.split(whole, [10, 11, 5000, 5000, 20000])
    assert voice_in(pieces).voiced.tolist() == voice_in([whole]).voiced.tolist()
    assert 1.5 < voice_in([whole]).between(0.0, 4.0) < 2.5


def test_who_speaks_without_a_pause_is_heard() -> None:
    time = np.arange(4 * RATE) / RATE
    steady = (0.2 * np.sign(np.sin(2 * np.pi * 150 * time))).astype(np.float32)
    assert voice_in([steady]).between(0.0, 4.0) > 3.5


def test_without_sound_nothing_is_heard(clips: Clips) -> None:
    heard = hear_voice(clips.plain(sound=None), name="it", longest=5.0)
    assert heard.between(0.0, 60.0) == 0.0
    assert heard.level == float("-inf")
