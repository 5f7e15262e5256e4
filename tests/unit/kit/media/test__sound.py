from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from assent.kit.media._sound import (
    DUCKED,
    aac_bit_rate,
    aac_layout,
    aac_rate,
    mix_notice,
    resample_mono,
)

RATE = 8000


def blocks_of(samples: NDArray[np.float32], size: int) -> Iterator[NDArray[np.float32]]:
    for start in range(0, samples.shape[1], size):
        yield samples[:, start : start + size]


@pytest.mark.parametrize("size", [1, 7, 1024, 100_000])
def test_the_programme_is_ducked_below_the_notice_and_comes_back(size: int) -> None:
    programme = np.full((2, 2 * RATE), 0.5, np.float32)
    notice = np.full(RATE, 0.25, np.float32)
    mixed = np.concatenate(
        list(mix_notice(blocks_of(programme, size), notice, channels=2, rate=RATE)), axis=1
    )
    assert mixed.shape == programme.shape
    assert np.allclose(mixed[:, :RATE], 0.25 + DUCKED * 0.5)
    back = round(0.4 * RATE)
    coming = mixed[0, RATE : RATE + back]
    assert coming[0] == pytest.approx(DUCKED * 0.5)
    assert (np.diff(coming) > 0).all()
    assert np.array_equal(mixed[:, RATE + back :], programme[:, RATE + back :])
    assert np.array_equal(programme, np.full((2, 2 * RATE), 0.5, np.float32))


def test_a_notice_longer_than_the_programme_is_heard_to_its_end() -> None:
    programme = np.zeros((2, RATE // 2), np.float32)
    notice = np.linspace(0, 0.5, RATE, dtype=np.float32)
    mixed = np.concatenate(
        list(mix_notice(blocks_of(programme, 999), notice, channels=2, rate=RATE)), axis=1
    )
    assert np.array_equal(mixed, np.tile(notice, (2, 1)))


def test_a_loud_mix_stays_within_full_scale() -> None:
    programme = np.ones((1, RATE), np.float32)
    notice = np.ones(RATE, np.float32)
    mixed = next(mix_notice(iter([programme]), notice, channels=1, rate=RATE))
    assert mixed.max() == 1.0


def test_resampling_keeps_length_and_level() -> None:
    time = np.arange(22050) / 22050
    tone = (0.5 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)
    got = resample_mono(tone, 22050, 48000)
    assert abs(len(got) - 48000) <= 64
    assert np.sqrt((got[1000:-1000] ** 2).mean()) == pytest.approx(0.5 / np.sqrt(2), rel=0.01)
    assert np.array_equal(resample_mono(tone, 22050, 22050), tone)


def test_what_aac_carries() -> None:
    assert (aac_rate(44100), aac_rate(192_000), aac_rate(11_127)) == (44100, 48000, 48000)
    assert [aac_layout(channels) for channels in (1, 2, 3, 6, 8)] == [
        "mono",
        "stereo",
        "stereo",
        "5.1",
        "7.1",
    ]


@pytest.mark.parametrize(
    ("rate", "channels", "bits"),
    [(48000, 1, 192_000), (44100, 2, 192_000), (48000, 6, 576_000), (16000, 1, 96_000)],
)
def test_aac_gets_bits_enough_and_no_more_than_fit(rate: int, channels: int, bits: int) -> None:
    assert aac_bit_rate(rate, channels) == bits
