import errno
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from assent.kit.errors import MediaError, NotClearedError, StorageError
from assent.kit.media._encode import Encoded, encode, encode_still
from assent.kit.media.picture import Picture, to_rgb
from assent.kit.media.probe import probe
from assent.kit.media.read import read_pictures

if TYPE_CHECKING:
    from clips import Clips


@dataclass(frozen=True)
class Notice:
    samples: NDArray[np.float32]
    rate: int


def rewrite(path: Path, **options: object) -> tuple[Encoded, io.BytesIO]:
    """Encode a clip's own pictures and sound again."""
    sink = io.BytesIO()
    arguments: dict[str, object] = {"sound_from": path, "preset": "ultrafast"} | options
    clip = probe(path, name=path.name)
    done = encode(read_pictures(path, name=path.name), sink, like=clip, **arguments)  # type: ignore[arg-type]
    sink.seek(0)
    return done, sink


def read(source: BinaryIO | Path) -> list[Picture]:
    return list(read_pictures(source, name="clip"))


def sound_packets(source: BinaryIO | Path) -> list[tuple[float, str]]:
    """Time and hash of every sound packet."""
    if not isinstance(source, Path):
        source.seek(0)
    with av.open(str(source) if isinstance(source, Path) else source, "r") as container:
        return [
            (float((packet.pts or 0) * packet.time_base), hashlib.sha256(bytes(packet)).hexdigest())
            for packet in container.demux(audio=0)
            if packet.size
        ]


def sound_samples(source: BinaryIO) -> tuple[NDArray[np.float32], int, float]:
    """Decoded samples `[channels, n]`, their rate, and when the first is heard."""
    source.seek(0)
    with av.open(source, "r") as container:
        frames = list(container.decode(audio=0))
        samples = np.concatenate([frame.to_ndarray() for frame in frames], axis=1)
        return samples.astype(np.float32), frames[0].sample_rate, float(frames[0].time or 0)


def level(samples: NDArray[np.float32], rate: int, start: float, end: float) -> float:
    part = samples[:, round(start * rate) : round(end * rate)]
    return float(np.sqrt((part**2).mean()))


EVERYTHING = [
    "plain", "variable_rate", "odd", "ten_bit", "full_range", "silent", "sixty", "one_frame",
    "late_sound",
]  # fmt: skip


@pytest.mark.parametrize("kind", EVERYTHING)
def test_times_colours_and_looks_survive(clips: "Clips", kind: str) -> None:
    path = getattr(clips, kind)()
    before = probe(path, name=path.name)
    done, sink = rewrite(path)
    after = probe(sink, name="out.mp4")
    old, new = read(path), read(sink)
    assert done.frames == len(old) == len(new)
    assert after.time_base == before.time_base
    assert [picture.pts for picture in new] == [picture.pts for picture in old]
    assert done.duration == pytest.approx(after.duration)
    assert after.duration == pytest.approx(before.duration, abs=0.01)
    assert (after.width, after.height) == (
        before.width + before.width % 2,
        before.height + before.height % 2,
    )
    for field in ("bits", "full_range", "matrix", "primaries", "transfer", "variable_rate"):
        assert getattr(after, field) == getattr(before, field), field
    assert (after.codec, after.subsampling, after.rotation) == ("h264", (2, 2), 0)
    for first, second in zip(old, new, strict=True):
        cut = second.y[: first.height, : first.width].astype(float)
        assert np.abs(cut - first.y).mean() < 1.5 * (1 << (first.bits - 8))


def test_tags_are_written_even_where_the_source_had_none(clips: "Clips") -> None:
    _, sink = rewrite(clips.plain())
    with av.open(sink, "r") as container:
        context = container.streams.video[0].codec_context
        tags = (context.color_primaries, context.color_trc, context.colorspace)
        assert (*tags, context.color_range) == (6, 6, 6, 1)


@pytest.mark.parametrize("kind", ["plain", "variable_rate", "ten_bit", "full_range", "late_sound"])
def test_nothing_is_lost_where_that_is_asked_for(clips: "Clips", kind: str) -> None:
    path = getattr(clips, kind)()
    _, sink = rewrite(path, lossless=True)
    for first, second in zip(read(path), read(sink), strict=True):
        assert first.pts == second.pts
        for plane in ("y", "u", "v"):
            assert np.array_equal(getattr(first, plane), getattr(second, plane)), plane


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_what_was_turned_is_now_upright(clips: "Clips", degrees: int) -> None:
    path = clips.rotated(degrees)
    _, sink = rewrite(path)
    assert probe(sink, name="out").rotation == 0
    first, second = to_rgb(read(path)[0]).astype(int), to_rgb(read(sink)[0]).astype(int)
    assert np.abs(first - second).mean() < 4


def test_odd_sides_repeat_their_edge(clips: "Clips") -> None:
    path = clips.odd()
    _, sink = rewrite(path, crf=1)
    picture = read(sink)[0]
    assert picture.y.shape == (66, 98)
    assert np.abs(picture.y[:, 97].astype(int) - picture.y[:, 96]).max() <= 6
    assert np.abs(picture.y[65].astype(int) - picture.y[64]).max() <= 6


@pytest.mark.parametrize("pix_fmt", ["yuv422p", "yuv444p", "yuv444p10le"])
def test_richer_chroma_becomes_what_players_take(clips: "Clips", pix_fmt: str) -> None:
    path = clips.plain(pix_fmt=pix_fmt, frames=3, sound=None)
    _, sink = rewrite(path)
    new = read(sink)[0]
    assert new.subsampling == (2, 2)
    assert new.bits == (10 if "10" in pix_fmt else 8)
    assert np.abs(to_rgb(new).astype(int) - to_rgb(read(path)[0])).mean() < 4


def test_scaling_down(clips: "Clips") -> None:
    path = clips.plain()
    _, sink = rewrite(path, size=(48, 32))
    clip = probe(sink, name="out")
    assert (clip.width, clip.height, clip.frames) == (48, 32, 25)
    with pytest.raises(ValueError, match="larger"):
        rewrite(path, size=(192, 128))


def test_pixel_aspect_survives(clips: "Clips") -> None:
    _, sink = rewrite(clips.plain(pixel_aspect=Fraction(4, 3)))
    assert probe(sink, name="out").pixel_aspect == Fraction(4, 3)


@pytest.mark.parametrize(
    ("name", "codec", "rate"),
    [
        ("aac.mp4", "aac", 44100),
        ("mp3.mkv", "libmp3lame", 44100),
        ("ac3.mkv", "ac3", 48000),
        ("opus.webm", "libopus", 48000),
        ("alac.mov", "alac", 44100),
    ],
)
def test_sound_is_copied_packet_for_packet(
    clips: "Clips", name: str, codec: str, rate: int
) -> None:
    video = {"codec": "libvpx-vp9", "options": {"cpu-used": "8"}} if "webm" in name else {}
    path = clips.plain(name, sound=codec, sound_rate=rate, **video)
    _, sink = rewrite(path)
    before, after = sound_packets(path), sound_packets(sink)
    assert len(before) > 5
    assert [digest for _, digest in after] == [digest for _, digest in before]
    assert [time for time, _ in after] == pytest.approx([time for time, _ in before], abs=0.002)


@pytest.mark.parametrize(
    ("name", "codec", "layout"),
    [("pcm.mkv", "pcm_s16le", "stereo"), ("flac.mkv", "flac", "mono"), ("six.mkv", "flac", "5.1")],
)
def test_other_sound_becomes_aac(clips: "Clips", name: str, codec: str, layout: str) -> None:
    path = clips.plain(name, sound=codec, sound_layout=layout)
    _, sink = rewrite(path)
    sound = probe(sink, name="out").sound
    assert sound is not None
    assert (sound.codec, sound.rate) == ("aac", 44100)
    assert sound.channels == {"stereo": 2, "mono": 1, "5.1": 6}[layout]
    assert sound.duration == pytest.approx(1.0, abs=0.05)
    samples, rate, start = sound_samples(sink)
    assert start == pytest.approx(0, abs=0.001)
    assert level(samples[:1], rate, 0.1, 0.9) == pytest.approx(0.25 / np.sqrt(2), rel=0.1)


def test_the_offset_between_sound_and_picture_is_kept(clips: "Clips") -> None:
    from clips import Recipe

    late = clips.late_sound()
    _, sink = rewrite(late)
    assert sound_packets(sink)[0][0] == pytest.approx(sound_packets(late)[0][0], abs=0.001)
    pcm = clips.make("late.mkv", Recipe(sound="pcm_s16le", sound_delay=0.4))
    _, sink = rewrite(pcm)
    samples, rate, start = sound_samples(sink)
    silent = round((0.4 - start) * rate)
    assert np.abs(samples[:, : silent - rate // 50]).max() < 0.01
    assert level(samples, rate, 0.45 - start, 1.2 - start) == pytest.approx(0.177, rel=0.1)


def test_a_clip_that_begins_late_begins_at_zero_with_its_offset(clips: "Clips") -> None:
    path = clips.plain("broadcast.ts", sound_delay=0.2)
    before, first_sound = read(path)[0].pts / 90000, sound_packets(path)[0][0]
    _, sink = rewrite(path)
    after = read(sink)[0].pts / 90000
    assert min(after, sound_packets(sink)[0][0]) == pytest.approx(0, abs=0.001)
    assert sound_packets(sink)[0][0] - after == pytest.approx(first_sound - before, abs=0.001)


def spoken(seconds: float, rate: int = 22050) -> Notice:
    time = np.arange(round(seconds * rate)) / rate
    return Notice((0.3 * np.sin(2 * np.pi * 1000 * time)).astype(np.float32), rate)


def test_a_notice_is_laid_over_the_start(clips: "Clips") -> None:
    _, sink = rewrite(clips.plain(frames=75), notice=spoken(1.0))
    samples, rate, _ = sound_samples(sink)
    assert level(samples, rate, 0.1, 0.9) == pytest.approx(0.215, rel=0.05)
    assert level(samples, rate, 1.6, 2.8) == pytest.approx(0.177, rel=0.05)
    spectrum = np.abs(np.fft.rfft(samples[0, : rate // 2]))
    assert spectrum[500] > 4 * spectrum[220] > 0  # bins of 2 Hz: 1000 Hz over 440 Hz


def test_a_silent_clip_gets_a_sound_track_for_its_notice(clips: "Clips") -> None:
    _, sink = rewrite(clips.silent(), sound_from=None, notice=spoken(1.5))
    sound = probe(sink, name="out").sound
    assert sound is not None
    assert (sound.codec, sound.channels) == ("aac", 1)
    assert sound.duration == pytest.approx(1.5, abs=0.05)
    samples, rate, start = sound_samples(sink)
    assert start == pytest.approx(0, abs=0.001)
    assert level(samples, rate, 0.1, 1.4) == pytest.approx(0.212, rel=0.05)


def test_a_notice_before_late_sound_begins_with_the_picture(clips: "Clips") -> None:
    _, sink = rewrite(clips.late_sound(), notice=spoken(0.3))
    samples, rate, start = sound_samples(sink)
    assert start == pytest.approx(0, abs=0.001)
    assert level(samples, rate, 0.05, 0.25) == pytest.approx(0.212, rel=0.05)
    assert level(samples, rate, 0.31, 0.36) < 0.03


def louder(blocks: Iterator[NDArray[np.float32]], *, rate: int) -> Iterator[NDArray[np.float32]]:
    assert rate == 44100
    for block in blocks:
        yield block * 2


def test_a_mark_makes_sound_aac_without_shifting_it(clips: "Clips") -> None:
    path = clips.plain(sound="aac", frames=50)
    _, sink = rewrite(path, mark=louder)
    sound = probe(sink, name="out").sound
    assert sound is not None
    assert (sound.codec, sound.rate, sound.channels) == ("aac", 44100, 2)
    after, _, start = sound_samples(sink)
    before, _, before_start = sound_samples(io.BytesIO(path.read_bytes()))
    assert start == pytest.approx(before_start, abs=1e-3)
    length = min(before.shape[1], after.shape[1])
    assert abs(before.shape[1] - after.shape[1]) <= 2048
    # A tone of 2 * 0.4 full scale, at the same place to the sample.
    part = slice(4096, length - 4096)
    error = after[:, part] - 2 * before[:, part]
    assert np.sqrt((error**2).mean()) < 0.1 * np.sqrt((after[:, part] ** 2).mean())


def test_a_notice_is_marked_too(clips: "Clips") -> None:
    def muted(blocks: Iterator[NDArray[np.float32]], *, rate: int) -> Iterator[NDArray[np.float32]]:
        return (block * 0 for block in blocks)

    _, sink = rewrite(clips.silent(), sound_from=None, notice=spoken(1.0), mark=muted)
    samples, rate, _ = sound_samples(sink)
    assert level(samples, rate, 0, 1) < 1e-3


def test_a_mark_alone_adds_no_sound(clips: "Clips") -> None:
    assert probe(rewrite(clips.silent(), mark=louder)[1], name="out").sound is None


def test_no_sound_is_added_without_reason(clips: "Clips") -> None:
    assert probe(rewrite(clips.silent())[1], name="out").sound is None
    assert probe(rewrite(clips.plain(), sound_from=None)[1], name="out").sound is None


@pytest.mark.parametrize("kind", ["plain", "variable_rate", "ten_bit"])
def test_the_same_input_gives_the_same_bytes(clips: "Clips", kind: str) -> None:
    path = getattr(clips, kind)()
    first, second = (rewrite(path, preset="medium")[1].getvalue() for _ in range(2))
    assert first == second
    noted = [rewrite(path, notice=spoken(0.5))[1].getvalue() for _ in range(2)]
    assert noted[0] == noted[1]


def test_nothing_tells_where_or_when_it_was_made(clips: "Clips") -> None:
    data = rewrite(clips.plain())[1].getvalue()
    assert b"Lavf" not in data
    assert data[data.index(b"mvhd") + 8 : data.index(b"mvhd") + 16] == bytes(8)
    assert b"plain" not in data


def test_progress_is_told(clips: "Clips") -> None:
    told: list[int] = []
    rewrite(clips.plain(), on_frame=told.append)
    assert told == list(range(1, 26))


def test_pictures_and_sound_lie_side_by_side(clips: "Clips") -> None:
    _, sink = rewrite(clips.plain(frames=150, options={"preset": "ultrafast"}))
    with av.open(sink, "r") as container:
        places = [
            (packet.pos or 0, float((packet.dts or 0) * packet.time_base))
            for packet in container.demux()
            if packet.size
        ]
    times = [time for _, time in sorted(places)]
    assert max(earlier - later for earlier, later in pairwise(times)) < 1.5


def test_no_pictures(clips: "Clips") -> None:
    clip = probe(clips.plain(), name="plain.mp4")
    sink = io.BytesIO()
    with pytest.raises(MediaError, match="no pictures"):
        encode([], sink, like=clip, sound_from=None)
    assert sink.getvalue() == b""


class Full(io.BytesIO):
    """Fails once it holds more than so many bytes."""

    def __init__(self, room: int, error: Exception) -> None:
        super().__init__()
        self.room, self.error = room, error

    def write(self, data: object) -> int:
        if self.tell() + len(data) > self.room:  # type: ignore[arg-type]
            raise self.error
        return super().write(data)  # type: ignore[arg-type]


@pytest.mark.parametrize("room", [0, 30, 3000])
@pytest.mark.parametrize(
    "error",
    [OSError(errno.ENOSPC, "No space left on device"), StorageError("The vault's disk is full")],
)
def test_a_full_disk_is_a_storage_error(clips: "Clips", room: int, error: Exception) -> None:
    path = clips.plain()
    with pytest.raises(StorageError, match=r"No space left|disk is full"):
        encode(
            read_pictures(path, name=path.name),
            Full(room, error),
            like=probe(path, name=path.name),
            sound_from=path,
            preset="ultrafast",
        )


def test_an_error_among_the_pictures_passes_through(clips: "Clips") -> None:
    path = clips.plain(frames=100)

    def withdrawn() -> Iterator[Picture]:
        for index, picture in enumerate(read_pictures(path, name=path.name)):
            if index == 60:
                raise NotClearedError("Ada has withdrawn")
            yield picture

    sink = io.BytesIO()
    with pytest.raises(NotClearedError, match="Ada"):
        encode(withdrawn(), sink, like=probe(path, name="x"), sound_from=path)
    with pytest.raises(MediaError):
        probe(sink if sink.getvalue() else io.BytesIO(b""), name="left over")


def test_a_part_of_a_clip_may_be_written(clips: "Clips") -> None:
    path = clips.variable_rate()
    part = read(path)[5:9]
    sink = io.BytesIO()
    clip = probe(path, name=path.name)
    done = encode(part, sink, like=clip, sound_from=None, preset="ultrafast")
    assert done.frames == 4
    new = [picture.pts for picture in read(sink)]
    assert np.diff(new).tolist() == np.diff([picture.pts for picture in part]).tolist()


def test_an_uneven_time_base_keeps_its_times(clips: "Clips") -> None:
    path = clips.plain(frames=5, sound=None)
    clip = replace(
        probe(path, name="x"), time_base=Fraction(1001, 30000), frame_rate=Fraction(30000, 1001)
    )
    pictures = [replace(picture, pts=index) for index, picture in enumerate(read(path))]
    sink = io.BytesIO()
    encode(pictures, sink, like=clip, sound_from=None, preset="ultrafast")
    out = probe(sink, name="out")
    times = [picture.pts * out.time_base for picture in read(sink)]
    assert times == [index * Fraction(1001, 30000) for index in range(5)]


def test_stills(tmp_path: Path) -> None:
    ramp = np.linspace(0, 255, 40).astype(np.uint8)
    rgb = np.stack([np.tile(ramp, (30, 1)), np.full((30, 40), 90, np.uint8)] * 2, axis=-1)[..., :3]
    for kind, worst in (("png", 0), ("jpeg", 12)):
        sink = io.BytesIO()
        encode_still(rgb, sink, kind=kind)  # type: ignore[arg-type]
        bgr = cv2.imdecode(np.frombuffer(sink.getvalue(), np.uint8), cv2.IMREAD_COLOR)
        assert bgr is not None
        assert np.abs(bgr[..., ::-1].astype(int) - rgb).max() <= worst
    with pytest.raises(StorageError):
        encode_still(rgb, Full(5, OSError(errno.ENOSPC, "No space left")), kind="png")


@pytest.mark.parametrize("kind", ["plain", "variable_rate", "sixty"])
def test_key_frames_lie_half_a_second_apart(clips: "Clips", kind: str) -> None:
    _, sink = rewrite(getattr(clips, kind)(), preset="veryfast")
    with av.open(sink, "r") as container:
        unit = container.streams.video[0].time_base
        assert unit is not None
        shown = sorted(
            (packet.pts, packet.is_keyframe)
            for packet in container.demux(video=0)
            if packet.pts is not None
        )
    keys = [pts for pts, key in shown if key]
    assert keys[0] == shown[0][0]
    assert all((b - a) * unit <= Fraction(1, 2) for a, b in pairwise([*keys, shown[-1][0]]))
    assert len(keys) < len(shown) / 3
