from collections.abc import Callable
from itertools import count

import numpy as np
import pytest
from numpy.typing import NDArray

from assent.kit.errors import InputError
from assent.kit.watermark.key import ReadingKey
from assent.kit.watermark.sound.embed import SoundMarker
from assent.kit.watermark.sound.pattern import Pattern
from assent.kit.watermark.sound.read import SoundSearch, read_sound

Sound = NDArray[np.float32]
Marking = Callable[[Sound, int], Sound]
Coding = Callable[[Sound, int, str, int], Sound]


def numbers(search: SoundSearch) -> list[int]:
    return [mark.number for mark in search.marks]


@pytest.fixture(scope="module")
def marked_speech(marked: Marking, speech: Sound) -> Sound:
    return marked(speech, 44100)


def test_a_mark_is_read_with_its_chance_and_its_place(
    key: ReadingKey, marked_speech: Sound, number: int
) -> None:
    search = read_sound([marked_speech[0]], rate=44100, key=key)
    (mark,) = search.marks
    assert mark.number == number
    assert mark.log10_false < -20
    assert (mark.tempo, mark.pitch) == (1, 1)
    assert mark.spans[0][0] < 1
    assert mark.spans[-1][1] > 10
    assert search.heard == pytest.approx(12, abs=0.1)
    assert search.searched == ("as it was marked",)


@pytest.mark.parametrize(
    ("codec", "bits"), [("aac", 64_000), ("libmp3lame", 64_000), ("libopus", 64_000)]
)
def test_three_seconds_after_a_codec_are_enough(
    key: ReadingKey, marked_speech: Sound, number: int, through: Coding, codec: str, bits: int
) -> None:
    coded = through(marked_speech, 44100, codec, bits)[5 * 16000 : 8 * 16000]
    assert numbers(read_sound([coded], rate=16000, key=key)) == [number]


def test_sound_too_short_for_a_mark_never_tells_another_number(
    key: ReadingKey, speech: Sound, number: int
) -> None:
    pattern = Pattern.derive(key)
    read = []
    for seconds in (0.8, 1.3, 1.6, 3.0):
        sound = speech[:, 44100 : round((1 + seconds) * 44100)]
        told = []
        for other in range(12):
            marker = SoundMarker(rate=44100, number=number ^ other, pattern=pattern)
            marked = np.concatenate(list(marker.mark([sound])), axis=1)
            told += [
                n == number ^ other for n in numbers(read_sound([marked[0]], rate=44100, key=key))
            ]
        assert all(told)
        read.append(len(told))
    assert read[0] < read[-1] == 12


def test_stereo_music_is_read_from_its_down_mix(
    key: ReadingKey, marked: Marking, music: Sound, number: int, through: Coding
) -> None:
    coded = through(marked(music, 44100), 44100, "aac", 64_000)
    assert numbers(read_sound([coded * -0.3], rate=16000, key=key)) == [number]


def test_quiet_noise_is_read(key: ReadingKey, marked: Marking, noise: Sound, number: int) -> None:
    result = marked(noise, 44100)[0]
    assert numbers(read_sound([result[:132300]], rate=44100, key=key)) == [number]


def test_speech_is_read_in_noise_20_db_below_it(
    key: ReadingKey, marked_speech: Sound, number: int
) -> None:
    rng = np.random.default_rng(6)
    level = marked_speech.std() / 10
    noisy = marked_speech[0] + rng.normal(size=marked_speech.shape[1]) * level
    assert numbers(read_sound([noisy.astype(np.float32)], rate=44100, key=key)) == [number]


@pytest.mark.parametrize("speed", [0.985, 1.02])
def test_a_changed_speed_is_found(
    key: ReadingKey, marked_speech: Sound, number: int, speed: float
) -> None:
    places = np.arange(0, 6 * 44100, speed)
    played = np.interp(places, np.arange(6 * 44100), marked_speech[0, : 6 * 44100])
    search = read_sound([played.astype(np.float32)], rate=44100, key=key)
    assert numbers(search) == [number]
    assert search.marks[0].pitch == pytest.approx(speed, abs=0.004)


def test_where_the_mark_sounds_is_told(
    key: ReadingKey, marked_speech: Sound, speech: Sound, number: int
) -> None:
    other = speech[0] * 0.7
    mixed = np.concatenate([other, marked_speech[0, : 6 * 44100], other])
    search = read_sound(np.array_split(mixed, 50), rate=44100, key=key)
    assert numbers(search) == [number]
    begin, end = search.marks[0].spans[0][0], search.marks[0].spans[-1][1]
    assert begin == pytest.approx(12, abs=1.6)
    assert end == pytest.approx(18, abs=1.6)


def test_nothing_is_read_from_unmarked_sound_or_under_another_key(
    key: ReadingKey, speech: Sound, noise: Sound, marked_speech: Sound
) -> None:
    for sound, reading_key in (
        (speech[0, : 6 * 44100], key),
        (noise[0], key),
        (marked_speech[0, : 6 * 44100], ReadingKey.from_bytes(bytes(32))),
        (np.zeros(100_000, np.float32), key),
    ):
        search = read_sound([sound], rate=44100, key=reading_key)
        assert search.marks == ()
        assert len(search.searched) == 2


def test_no_sound_is_said_to_be_none(key: ReadingKey) -> None:
    search = read_sound([], rate=16000, key=key)
    assert search.searched == ("nothing: there is no sound",)
    assert search.heard == 0


def test_a_used_up_budget_ends_the_search_and_is_told(key: ReadingKey, speech: Sound) -> None:
    seconds = count()
    search = read_sound(
        np.array_split(np.tile(speech[0], 4), 40),
        rate=44100,
        key=key,
        budget_s=2,
        clock=lambda: float(next(seconds)),
    )
    assert search.searched[-1] == "stopped: the time was used up"
    assert search.heard < 40


def test_sound_that_is_no_mono_or_too_coarse_is_refused(key: ReadingKey) -> None:
    with pytest.raises(InputError, match=r"float32 \[n\]"):
        read_sound([np.zeros((2, 10), np.float32)], rate=16000, key=key)
    with pytest.raises(InputError, match="too coarse"):
        read_sound([], rate=4000, key=key)
