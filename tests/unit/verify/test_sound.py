"""Sound travels alone: what verification says of it, with and without a picture."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from casts import SAMPLES, Cast, Stage
from numpy.typing import NDArray

from assent.kit.errors import MediaError
from assent.kit.watermark.sound.embed import SoundMarker
from assent.kit.watermark.sound.pattern import Pattern
from assent.verify.examine import examine
from assent.verify.findings import Findings, Layer, Status, Verdict
from assent.verify.sound import hear

Sound = NDArray[np.float32]
RATE = 44100


@pytest.fixture(scope="module")
def shown(released: Cast, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return released.open_copy(tmp_path_factory.mktemp("heard") / "studio")


@pytest.fixture(scope="module")
def speech() -> Sound:
    resampler = AudioResampler(format="fltp", layout="mono", rate=RATE)
    with av.open(str(SAMPLES / "ben_train.mp4")) as source:
        parts = [p for frame in source.decode(audio=0) for p in resampler.resample(frame)]
    return np.concatenate([part.to_ndarray() for part in parts], axis=1)[:, : 8 * RATE]


@pytest.fixture(scope="module")
def marked(shown: Stage, speech: Sound) -> Callable[[str], Sound]:
    """Return a function that marks the speech with an asset id."""

    def mark(asset_id: str) -> Sound:
        pattern = Pattern.derive(shown.studio.reading_key)
        marker = SoundMarker(rate=RATE, number=int(asset_id[-8:], 16), pattern=pattern)
        return np.concatenate(list(marker.mark([speech])), axis=1)

    return mark


def write_sound(path: Path, sound: Sound, codec: str, bits: int | None = 64_000) -> Path:
    with av.open(str(path), "w") as target:
        rate = 48000 if codec == "libopus" else RATE
        track = target.add_stream(codec, rate=rate, layout="mono")
        assert isinstance(track, AudioStream)
        track.codec_context.bit_rate = bits
        for frame in _frames(sound, track.codec_context.format.name, rate):
            target.mux(track.encode(frame))
        target.mux(track.encode(None))
    return path


def _frames(sound: Sound, kind: str, rate: int) -> Iterator[AudioFrame]:
    resampler = AudioResampler(format=kind, layout="mono", rate=rate)
    frame = AudioFrame.from_ndarray(np.ascontiguousarray(sound), "fltp", "mono")
    frame.sample_rate = RATE
    yield from resampler.resample(frame)
    yield from resampler.resample(None)


def put_sound(target: Path, picture: Path, sound: Path) -> Path:
    """Write the picture of one file and the sound of another, packet for packet."""
    with (
        av.open(str(picture)) as seen,
        av.open(str(sound)) as heard,
        av.open(str(target), "w") as new,
    ):
        tracks = [(seen, seen.streams.video[0]), (heard, heard.streams.audio[0])]
        made = [new.add_stream_from_template(track) for _, track in tracks]
        for (source, track), out in zip(tracks, made, strict=True):
            for packet in source.demux(track):
                if packet.dts is not None:
                    packet.stream = out
                    new.mux(packet)
    return target


def layer(findings: Findings, name: str) -> Layer:
    return next(layer for layer in findings.layers if layer.name == name)


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("speech.wav", "pcm_s16le"),
        ("speech.mp3", "libmp3lame"),
        ("speech.m4a", "aac"),
        ("speech.opus", "libopus"),
        ("speech.flac", "flac"),
    ],
)
def test_sound_alone_leads_to_the_record(
    shown: Stage, tmp_path: Path, marked: Callable[[str], Sound], name: str, codec: str
) -> None:
    asset_id = shown.released().asset_id
    found = examine(write_sound(tmp_path / name, marked(asset_id), codec), shown.log)
    assert (found.verdict, found.asset_id) == (Verdict.SOUND, asset_id)
    assert [layer.name for layer in found.layers] == ["manifest", "sound", "log", "consent"]
    assert layer(found, "sound").status is Status.GOOD
    assert asset_id in layer(found, "sound").says
    assert "chance makes such a mark" in layer(found, "sound").rests_on
    assert found.summary.startswith("Its sound is from a release of Test Studio")


def test_sound_without_a_mark_is_nothing(shown: Stage, tmp_path: Path, speech: Sound) -> None:
    found = examine(write_sound(tmp_path / "own.wav", speech, "pcm_s16le"), shown.log)
    assert (found.verdict, found.asset_id) == (Verdict.NOTHING_FOUND, None)
    assert layer(found, "sound").status is Status.MISSING


def test_a_sound_mark_that_the_log_does_not_know(
    shown: Stage, tmp_path: Path, marked: Callable[[str], Sound]
) -> None:
    path = write_sound(tmp_path / "odd.wav", marked("0" * 8 + "deadbeef"), "pcm_s16le")
    found = examine(path, shown.log)
    assert found.verdict is Verdict.CONTRADICTION
    assert layer(found, "sound").status is Status.BAD
    assert "deadbeef" in layer(found, "sound").says


def test_a_release_dubbed_with_the_sound_of_another_asset_contradicts(
    shown: Stage, tmp_path: Path, marked: Callable[[str], Sound]
) -> None:
    other = write_sound(tmp_path / "other.m4a", marked("0123456789abcdef"), "aac", 128_000)
    made = shown.released()
    dubbed = put_sound(tmp_path / "dubbed.mp4", made.path, other)
    (record,) = shown.log.records
    second = replace(record, entry=replace(record.entry, asset_id="0123456789abcdef"))
    log = replace(shown.log, records=(record, second))
    found = examine(dubbed, log)
    assert found.verdict is Verdict.CONTRADICTION
    assert layer(found, "watermark").status is Status.GOOD
    assert layer(found, "sound").status is Status.GOOD


def test_other_pictures_under_the_sound_of_a_release_are_not_called_a_copy(
    shown: Stage, tmp_path: Path, marked: Callable[[str], Sound]
) -> None:
    asset_id = shown.released().asset_id
    sound = write_sound(tmp_path / "sound.m4a", marked(asset_id), "aac", 128_000)
    path = put_sound(tmp_path / "mixed.mp4", SAMPLES / "two_people.mp4", sound)
    found = examine(path, shown.log)
    assert (found.verdict, found.asset_id) == (Verdict.SOUND, asset_id)
    assert layer(found, "watermark").status is Status.MISSING


def test_the_footage_under_the_sound_of_its_release_is_a_copy(
    shown: Stage, tmp_path: Path, marked: Callable[[str], Sound]
) -> None:
    asset_id = shown.released().asset_id
    sound = write_sound(tmp_path / "sound.m4a", marked(asset_id), "aac", 128_000)
    path = put_sound(tmp_path / "footage.mp4", shown.clips / "scene.mp4", sound)
    found = examine(path, shown.log)
    assert (found.verdict, found.asset_id) == (Verdict.COPY, asset_id)


def test_too_little_sound_is_no_missing_mark(shown: Stage, tmp_path: Path, speech: Sound) -> None:
    path = write_sound(tmp_path / "short.wav", speech[:, :RATE], "pcm_s16le")
    found = examine(path, shown.log)
    assert layer(found, "sound").status is Status.UNKNOWN


def test_a_film_without_sound_has_nothing_to_hear(shown: Stage) -> None:
    assert hear(SAMPLES / "no_face.mp4", shown.log, sha256="", name="no_face.mp4") is None


@pytest.mark.parametrize("head", [b"ID3", b"OggS", b"fLaC", b"RIFF\0\0\0\0WAVEfmt "])
def test_damaged_sound_is_told_in_words(shown: Stage, tmp_path: Path, head: bytes) -> None:
    path = tmp_path / "broken.snd"
    path.write_bytes(head + bytes(300))
    with pytest.raises(MediaError, match=r"broken\.snd"):
        examine(path, shown.log)
