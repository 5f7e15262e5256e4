"""The benchmark of the sound mark counts right, and its handlings do what they are called."""

import numpy as np
import pytest
import watermark_sound as bench


@pytest.fixture(scope="module")
def music() -> bench.Sound:
    return bench.plucked(0.5)[:, : 2 * bench.RATE]


def test_figures_of_one_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    silent = {"as it is": bench.HANDLINGS["as it is"], "silenced": lambda s: s * 0}
    monkeypatch.setattr(bench, "HANDLINGS", silent)
    noise = np.random.default_rng(1).normal(size=(1, 5 * bench.RATE)).astype(np.float32) * 0.1
    report = bench.measure({"noise": noise}, crops=2, seconds=3.0)
    assert report["recovered"] == {"as it is": 1.0, "silenced": 0.0}
    assert report["by_kind"] == {"noise": 0.5}
    assert report["confidence"]["as it is"] < -9
    assert 15 < report["quality"]["noise"]["snr"] < 30
    assert report["quality"]["noise"]["nmr"] < 0
    assert report["false"] == {"unmarked_sounds": 1, "reported": 0}


def test_noise_as_loud_as_the_sound_is_above_the_mask(music: bench.Sound) -> None:
    loud = bench.compare(music, bench.noised(music, snr=0))
    assert loud["snr"] == pytest.approx(0, abs=3)
    assert loud["nmr"] > 10
    assert loud["above_mask"] > 0.5


@pytest.mark.parametrize("name", bench.HANDLINGS)
def test_handlings_keep_sound_sound(name: str, music: bench.Sound) -> None:
    changed = bench.HANDLINGS[name](music)
    assert changed.shape[0] in (1, 2)
    assert 0.9 < changed.shape[1] / music.shape[1] < 1.1
    assert np.isfinite(changed).all()
    assert float(np.abs(changed).max()) > 0.01
