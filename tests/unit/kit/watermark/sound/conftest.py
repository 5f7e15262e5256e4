"""Sounds of several kinds, a marker and codecs for the tests of the sound mark."""

import io
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from numpy.typing import NDArray

from assent.kit.watermark.key import ReadingKey
from assent.kit.watermark.sound.embed import SoundMarker
from assent.kit.watermark.sound.pattern import Pattern

SAMPLES = Path(__file__).parents[5] / "samples"
NUMBER = 0xC0FFEE42

Sound = NDArray[np.float32]
Marking = Callable[[Sound, int], Sound]
Passing = Callable[[Sound, int, int], Sound]


@pytest.fixture(scope="session")
def key() -> ReadingKey:
    return ReadingKey.from_bytes(bytes(range(32)))


@pytest.fixture(scope="session")
def pattern(key: ReadingKey) -> Pattern:
    return Pattern.derive(key)


@pytest.fixture(scope="session")
def number() -> int:
    return NUMBER


@pytest.fixture(scope="session")
def speech() -> Sound:
    """Twelve seconds of a computed voice, float32 [1, n] at 44100."""
    return decoded((SAMPLES / "ada_train.mp4").read_bytes(), 44100)[None, : 12 * 44100]


@pytest.fixture(scope="session")
def music() -> Sound:
    """Eight seconds of plucked chords and a snare, float32 [2, n] at 44100."""
    rng = np.random.default_rng(3)
    rate, seconds = 44100, 8
    sound = np.zeros((2, (seconds + 2) * rate))
    t = np.arange(2 * rate) / rate
    for beat in range(4 * seconds):
        pitch = 110 * 2 ** (rng.choice([0, 3, 5, 7, 10, 12, 15, 19]) / 12)
        waves = (
            np.sin(2 * np.pi * pitch * k * t) * np.exp(-t * (1.5 + 0.7 * k)) / k
            for k in range(1, 30)
        )
        note = np.sum(list(waves), axis=0) * 0.2
        if beat % 2:
            note += rng.normal(size=len(t)) * np.exp(-t * 20) * 0.1
        begin = beat * rate // 4
        sides = rng.uniform(0.3, 1, (2, 1))
        sound[:, begin : begin + len(t)] += sides * note
    return (sound[:, : seconds * rate] * 0.4).astype(np.float32)


@pytest.fixture(scope="session")
def noise() -> Sound:
    """Five seconds of quiet white noise, float32 [1, n] at 44100."""
    return (np.random.default_rng(1).normal(size=(1, 5 * 44100)) * 0.01).astype(np.float32)


@pytest.fixture(scope="session")
def marked(pattern: Pattern) -> Marking:
    """Return a function that marks sound [channels, n] in blocks of 1024."""

    def mark(sound: Sound, rate: int) -> Sound:
        marker = SoundMarker(rate=rate, number=NUMBER, pattern=pattern)
        blocks = (sound[:, i : i + 1024] for i in range(0, sound.shape[1], 1024))
        return np.concatenate(list(marker.mark(blocks)), axis=1)

    return mark


@pytest.fixture(scope="session")
def through() -> Callable[[Sound, int, str, int], Sound]:
    """Return a function that codes sound and gives it back as mono at 16000."""

    def code(sound: Sound, rate: int, codec: str, bits: int) -> Sound:
        container = {"aac": "mp4", "libmp3lame": "mp3", "libopus": "ogg"}[codec]
        layout = {1: "mono", 2: "stereo"}[sound.shape[0]]
        file = io.BytesIO()
        with av.open(file, "w", format=container) as target:
            own = 48000 if codec == "libopus" else rate
            track = target.add_stream(codec, rate=own, layout=layout)
            assert isinstance(track, AudioStream)
            track.codec_context.bit_rate = bits
            wanted = track.codec_context.format
            resampler = AudioResampler(format=wanted, layout=layout, rate=own)
            frame = AudioFrame.from_ndarray(np.ascontiguousarray(sound), "fltp", layout)
            frame.sample_rate = rate
            for part in [*resampler.resample(frame), *resampler.resample(None)]:
                target.mux(track.encode(part))
            target.mux(track.encode(None))
        return decoded(file.getvalue(), 16000)

    return code


def decoded(data: bytes, rate: int) -> Sound:
    resampler = AudioResampler(format="fltp", layout="mono", rate=rate)
    with av.open(io.BytesIO(data), "r") as source:
        parts = [p for frame in source.decode(audio=0) for p in resampler.resample(frame)]
        parts += resampler.resample(None)
    return np.concatenate([part.to_ndarray()[0] for part in parts]).astype(np.float32)
