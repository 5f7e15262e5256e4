"""Sound is known again quieter, noisier and cut out of its middle, and silence is nobody's."""

import numpy as np
from numpy.typing import NDArray

from assent.kit.fingerprint.embedded import EmbeddedIndex
from assent.kit.fingerprint.match import SOUND_ENOUGH, Match, match
from assent.kit.fingerprint.probe import Probe
from assent.kit.fingerprint.sound_code import RATE, SoundTrackMaker
from assent.kit.fingerprint.track import Track

Sound = NDArray[np.float32]


def melody(seed: int, seconds: float = 24.0) -> Sound:
    """Noise whose colour changes every third of a second, as voices and rooms colour it."""
    rng = np.random.default_rng(seed)
    length = RATE // 3
    parts = []
    for _ in range(int(seconds * 3)):
        spectrum = np.fft.rfft(rng.normal(size=length))
        places = np.linspace(0, 1, len(spectrum))
        colour = np.interp(places, np.linspace(0, 1, 40), rng.uniform(-3, 3, 40))
        parts.append(np.fft.irfft(spectrum * np.exp(colour), length))
    made = np.concatenate(parts)
    return np.asarray(0.1 * made / made.std(), np.float32)


def taken(sound: Sound, block: int = 4096) -> tuple[Track, tuple[Probe, ...]]:
    maker = SoundTrackMaker()
    for start in range(0, len(sound), block):
        maker.add(sound[start : start + block])
    return maker.finish()


def index_of(*sounds: Sound) -> EmbeddedIndex:
    index = EmbeddedIndex()
    index.put_all((f"{number}", taken(sound)[0]) for number, sound in enumerate(sounds))
    return index


def found(sound: Sound, index: EmbeddedIndex) -> list[Match]:
    return [one for probe in taken(sound)[1] for one in match(probe, index, enough=SOUND_ENOUGH)]


def test_how_it_comes_in_blocks_changes_no_code() -> None:
    one, two = taken(melody(1))[0], taken(melody(1), block=999)[0]
    assert np.array_equal(one.codes, two.codes)
    assert np.array_equal(one.begins, two.begins)


def test_a_part_is_found_with_its_offset_quieter_and_in_noise() -> None:
    whole = melody(1)
    index = index_of(whole, melody(2))
    noise = np.random.default_rng(3).normal(0, 0.002, 8 * RATE).astype(np.float32)
    part = 0.4 * whole[10 * RATE : 18 * RATE] + noise
    one, *others = found(part.astype(np.float32), index)
    assert {each.asset_id for each in others} <= {"0"}
    assert one.asset_id == "0"
    assert abs(one.at - 10.0) < 0.6


def test_another_melody_and_silence_are_nobodys() -> None:
    index = index_of(melody(1), melody(2))
    assert found(melody(4), index) == []
    silence = np.zeros(20 * RATE, np.float32)
    track, _ = taken(silence)
    assert len(track) == 0
    assert found(silence, index) == []
    assert taken(np.zeros(0, np.float32))[0].codes.shape == (0, 32)
