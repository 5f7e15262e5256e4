import tracemalloc
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from assent.kit.errors import InputError
from assent.kit.watermark.sound.embed import SoundMarker
from assent.kit.watermark.sound.pattern import Pattern

Sound = NDArray[np.float32]


def mark(sound: Sound, rate: int, pattern: Pattern, size: int) -> Sound:
    marker = SoundMarker(rate=rate, number=7, pattern=pattern)
    blocks = (sound[:, i : i + size] for i in range(0, sound.shape[1], size))
    return np.concatenate(list(marker.mark(blocks)), axis=1)


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000])
@pytest.mark.parametrize("samples", [1, 100, 30_000])
def test_as_many_samples_come_out_as_go_in(rate: int, samples: int, pattern: Pattern) -> None:
    sound = np.random.default_rng(0).normal(size=(2, samples)).astype(np.float32) * 0.1
    assert mark(sound, rate, pattern, 700).shape == sound.shape


def test_no_sound_stays_no_sound(pattern: Pattern) -> None:
    assert list(SoundMarker(rate=48000, number=7, pattern=pattern).mark([])) == []


def test_the_size_of_blocks_does_not_matter(pattern: Pattern, speech: Sound) -> None:
    sound = speech[:, :100_000]
    assert np.allclose(
        mark(sound, 44100, pattern, 1000), mark(sound, 44100, pattern, 33_333), atol=1e-6
    )


def test_digital_silence_stays_digital_silence(pattern: Pattern) -> None:
    assert not mark(np.zeros((2, 50_000), np.float32), 44100, pattern, 4096).any()


def test_silence_within_sound_stays_below_hearing(pattern: Pattern, speech: Sound) -> None:
    sound = speech[:, :200_000].copy()
    sound[:, 80_000:160_000] = 0
    quiet = mark(sound, 44100, pattern, 4096)[:, 82_000:158_000]
    assert not quiet.any()


def test_what_is_added_stays_far_below_the_sound(
    pattern: Pattern, speech: Sound, music: Sound, noise: Sound
) -> None:
    for sound in (speech, music, noise):
        added = mark(sound, 44100, pattern, 4096) - sound
        assert 14 < 10 * np.log10((sound**2).mean() / (added**2).mean()) < 40


def test_sound_is_not_shifted(pattern: Pattern, music: Sound) -> None:
    result = mark(music, 44100, pattern, 4096)
    shifts = range(-3, 4)
    alike = [float((np.roll(result, s, axis=1) * music).sum()) for s in shifts]
    assert shifts[int(np.argmax(alike))] == 0


def test_channels_are_changed_alike_so_that_silence_on_one_side_stays(
    pattern: Pattern, speech: Sound
) -> None:
    sound = np.concatenate([speech[:, :90_000], np.zeros((1, 90_000), np.float32)])
    result = mark(sound, 44100, pattern, 4096)
    assert not result[1].any()
    assert (result[0] != sound[0]).any()


def test_an_hour_takes_no_more_memory_than_a_minute(pattern: Pattern) -> None:
    def blocks(count: int) -> Iterator[Sound]:
        rng = np.random.default_rng(0)
        for _ in range(count):
            yield rng.normal(size=(1, 8000)).astype(np.float32)

    peaks = []
    for count in (4, 24):
        tracemalloc.start()
        for _ in SoundMarker(rate=8000, number=7, pattern=pattern).mark(blocks(count)):
            pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]


def test_a_number_that_does_not_fit_is_refused(pattern: Pattern) -> None:
    with pytest.raises(InputError, match="32 bits"):
        SoundMarker(rate=48000, number=1 << 32, pattern=pattern)
