import io
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream

from assent.kit.errors import MediaError
from assent.kit.media.listen import holds_only_sound, listen

if TYPE_CHECKING:
    from clips import Clips


def sound_file(path: Path, codec: str) -> Path:
    """Two seconds of a tone in both of two channels, 22050 samples a second."""
    tone = np.sin(np.arange(44100) * 2 * np.pi * 440 / 22050).astype(np.float32) * 0.5
    with av.open(str(path), "w") as target:
        track = target.add_stream(codec, rate=22050, layout="stereo")
        assert isinstance(track, AudioStream)
        kind = track.codec_context.format
        wanted = AudioResampler(format=kind, layout="stereo", rate=22050)
        frame = AudioFrame.from_ndarray(np.stack([tone, tone]), "fltp", "stereo")
        frame.sample_rate = 22050
        for part in [*wanted.resample(frame), *wanted.resample(None)]:
            target.mux(track.encode(part))
        target.mux(track.encode(None))
    return path


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.wav", "pcm_s16le"), ("a.mp3", "libmp3lame"), ("a.m4a", "aac"), ("a.mka", "aac")],
)
def test_sound_files_are_heard_as_mono(tmp_path: Path, name: str, codec: str) -> None:
    path = sound_file(tmp_path / name, codec)
    heard = np.concatenate(list(listen(path, name=name, rate=16000)))
    assert heard.dtype == np.float32
    assert len(heard) == pytest.approx(32000, abs=3000)
    assert np.sqrt((heard[4000:24000] ** 2).mean()) == pytest.approx(0.5, abs=0.03)
    assert holds_only_sound(path, name=name)


def test_a_clip_is_heard_from_a_stream_and_holds_more_than_sound(clips: "Clips") -> None:
    path = clips.plain()
    heard = np.concatenate(list(listen(io.BytesIO(path.read_bytes()), name="clip", rate=16000)))
    assert len(heard) == pytest.approx(16000, abs=1100)
    assert not holds_only_sound(path, name="clip")


def test_a_late_start_is_silence(clips: "Clips") -> None:
    path = clips.late_sound()
    heard = np.concatenate(list(listen(path, name="late", rate=16000)))
    begin = int(np.argmax(np.abs(heard) > 0.01)) / 16000
    with av.open(str(path)) as source:
        frame = next(source.decode(audio=0))
        assert begin == pytest.approx(frame.time, abs=0.05)
    assert begin > 0.1


def test_nothing_is_heard_of_a_silent_clip(clips: "Clips") -> None:
    assert list(listen(clips.silent(), name="silent", rate=16000)) == []
    assert not holds_only_sound(clips.silent(), name="silent")


def test_what_is_neither_film_nor_sound_is_told(clips: "Clips", tmp_path: Path) -> None:
    noise = tmp_path / "noise.bin"
    noise.write_bytes(np.random.default_rng(1).bytes(5000))
    for path in (clips.text(), clips.empty(), clips.missing(), noise):
        with pytest.raises(MediaError, match=path.name):
            list(listen(path, name=path.name, rate=16000))
