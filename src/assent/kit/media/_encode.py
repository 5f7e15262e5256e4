"""The door through which clear video leaves: pictures and sound into MP4 and MOV, and stills.

Only the seals import this module, and what takes bystanders out of footage before it is kept, into
a scratch file that is encrypted. It writes into streams that it is given, nowhere else.

    with open("out.mp4", "wb+") as sink:
        encode(pictures, sink, like=clip, sound_from=Path("scene.mp4"))

The same input gives the same bytes, on any machine with the same libraries: the number of
threads is fixed and neither times nor versions are written.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, BinaryIO, Literal

import av
import av.error
import cv2
import numpy as np
from av.audio.stream import AudioStream
from av.codec.context import Flags, ThreadType
from av.container import OutputContainer
from av.packet import Packet
from av.video.frame import PictureType, VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from assent.kit.errors import MediaError, StorageError
from assent.kit.media import _colour, _sound
from assent.kit.media._container import OpenedClip, Source, open_clip
from assent.kit.media._muxing import Writer, chain, with_gaps
from assent.kit.media._planes import MATTE_FORMAT, even_size, pix_fmt, to_frame, to_matte_frame
from assent.kit.media.convert import scale
from assent.kit.media.picture import Picture
from assent.kit.media.probe import Clip

__all__ = ["Encoded", "encode", "encode_matte", "encode_still"]

# Fixed, since x264's result depends on it; two serve small machines as well.
_THREADS = 4
# Seconds between key frames at most, so that whoever checks or seeks need not decode what lies
# between; the file grows by 7 %.
_KEYS_APART = Fraction(1, 2)
# Motion to half a pixel: encoding takes a third less time, for half a decibel, and the mark is read
# as surely. Motion of whole blocks alone takes a fifth less again; in film with grain the bits that
# it saves buy as much as finer motion would.
_SEARCH = "subme=1:partitions=i8x8"
# What each kind of processor does fastest differs in the last bits, and AVX-512's now and then even
# on one machine: 1 of 40 short clips encoded on busy cores became another file.
_ALIKE = "cpu-independent=1"
# The quantiser 0 loses nothing, at 8 and at 10 bits; more effort would save a fifth of the space.
_LOSSLESS = {"qp": "0", "preset": "ultrafast"}
_PRORES = {"profile": "4444", "vendor": "apl0", "alpha_bits": "16"}
_NOTICE_RATE = 48_000
_FINEST_MOVIE_TIMESCALE = 10_000
_JPEG_QUALITY = 95
_OUT_BUFFER = 1 << 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """What was written: number of pictures, and seconds that they last."""

    frames: int
    duration: float


def encode(
    pictures: Iterable[Picture],
    sink: BinaryIO,
    *,
    like: Clip,
    sound_from: Source | None,
    notice: _sound.Spoken | None = None,
    mark: _sound.SoundMark | None = None,
    crf: int = 18,
    preset: str = "veryfast",
    lossless: bool = False,
    size: tuple[int, int] | None = None,
    on_frame: Callable[[int], None] | None = None,
) -> Encoded:
    """Write pictures and sound as MP4: H.264 of 8 or 10 bits in 4:2:0, as players accept it.

    Every picture keeps its time stamp in the clip's time base, so that a variable frame rate
    survives; where picture and sound both begin after time 0, both are moved to begin there.
    4:2:2 and 4:4:4 become 4:2:0; odd sides are padded to even ones by repeating the edge.

    Sound is copied packet for packet where MP4 may hold it (AAC, MP3, AC-3, E-AC-3, Opus,
    ALAC), else encoded as AAC; its offset to the pictures is kept. With a notice or a mark it is
    always encoded as AAC, the notice laid over its start and all of it marked; a silent clip gets
    a sound track for its notice.

    Nothing is buffered beyond the encoder's look-ahead. When this raises, `sink` holds an
    unfinished file that is to be thrown away.

    Args:
        pictures: Upright, all of one size and kind, with rising time stamps.
        sink: Writable and seekable binary file, at position 0.
        like: The clip that the pictures come from; gives time base, rate and colour tags.
        sound_from: Where to take the sound from, or None for none; nothing else may use a
            file object meanwhile.
        notice: A spoken notice to lay over the start of the sound.
        mark: What marks the sound, the notice too.
        crf: Quality of x264, 0 (lossless) to 51.
        preset: Effort of x264, "ultrafast" to "veryslow". "medium" takes three times as long as
            "veryfast" for a tenth less space.
        lossless: Keep every sample of pictures in 4:2:0 as it is, whatever `crf` and `preset`: for
            footage that will be encoded again.
        size: Width and height to scale down to.
        on_frame: Called with the number of pictures so far after each.

    Raises:
        MediaError: No pictures, or sound that can't be read.
        StorageError: The sink can't be written to (full disk), or the sound's file not read.
        ValueError: A size larger than the pictures.
    """
    rest = iter(pictures)
    first = next(rest, None)
    if first is None:
        raise MediaError(f"{like.name}: there are no pictures to encode")
    if size is not None and (size[0] > first.width or size[1] > first.height):
        raise ValueError(f"{size} is larger than the pictures, {first.width}x{first.height}")
    with ExitStack() as stack:
        container = stack.enter_context(_writing(sink, like))
        sound = stack.enter_context(open_clip(sound_from, name=like.name)) if sound_from else None
        source = _sound.pick_sound(sound) if sound else None
        begin = first.pts * like.time_base
        origin = max(min(begin, _sound.start_of(source)) if source else begin, Fraction(0))
        target = even_size(*(size or (first.width, first.height)))
        options = _LOSSLESS if lossless else {"crf": str(crf), "preset": preset}
        video = _add_video(container, first, target, like, options)
        sounds = _add_sound(container, sound, source, notice=notice, mark=mark, origin=origin)
        return _run(
            Writer(container, sounds),
            video,
            (_fit(picture, size) for picture in chain(first, rest)),
            like=like,
            origin=origin,
            on_frame=on_frame or (lambda _: None),
        )


def encode_matte(
    pictures: Iterable[tuple[Picture, NDArray[np.uint8]]],
    sink: BinaryIO,
    *,
    like: Clip,
    sound_from: Source | None,
) -> Encoded:
    """Write pictures with their opacity as MOV: ProRes 4444 of 10 bits, straight alpha of 16.

    That is what compositing and editing programs take. Time stamps and colour tags are kept as
    `encode` keeps them; sound is copied, or encoded as AAC where it can't be.

    Args:
        pictures: Upright, with rising time stamps; each with its opacity, uint8 `[H, W]`, 255
            where nothing behind it is seen.
        sink: Writable and seekable binary file, at position 0.
        like: The clip that the pictures come from; gives time base, rate and colour tags.
        sound_from: Where to take the sound from, or None for none; nothing else may use a
            file object meanwhile.

    Raises:
        MediaError: No pictures, or sound that can't be read.
        StorageError: The sink can't be written to (full disk), or the sound's file not read.
    """
    opacities: dict[int, NDArray[np.uint8]] = {}

    def alone() -> Iterator[Picture]:
        for picture, opacity in pictures:
            opacities[picture.pts] = opacity
            yield picture

    rest = alone()
    first = next(rest, None)
    if first is None:
        raise MediaError(f"{like.name}: there are no pictures to encode")
    with ExitStack() as stack:
        container = stack.enter_context(_writing(sink, like, "mov"))
        sound = stack.enter_context(open_clip(sound_from, name=like.name)) if sound_from else None
        source = _sound.pick_sound(sound) if sound else None
        video = container.add_stream("prores_ks", rate=like.frame_rate, options=_PRORES)
        video.width, video.height = even_size(first.width, first.height)
        video.pix_fmt = MATTE_FORMAT
        _tag(video, first, like)
        begin = first.pts * like.time_base
        origin = max(min(begin, _sound.start_of(source)) if source else begin, Fraction(0))
        sounds = _add_sound(container, sound, source, notice=None, mark=None, origin=origin)
        return _run(
            Writer(container, sounds),
            video,
            chain(first, rest),
            like=like,
            origin=origin,
            on_frame=lambda _: None,
            framed=lambda picture: to_matte_frame(picture, opacities.pop(picture.pts)),
        )


def encode_still(
    rgb: NDArray[np.uint8],
    sink: BinaryIO,
    *,
    kind: Literal["png", "jpeg"],
    quality: int = _JPEG_QUALITY,
) -> None:
    """Write one RGB picture, uint8 `[H, W, 3]`, as PNG or JPEG (4:2:0, of that `quality`).

    Raises:
        StorageError: The sink can't be written to.
    """
    options = [] if kind == "png" else [cv2.IMWRITE_JPEG_QUALITY, quality]
    _, data = cv2.imencode(f".{kind}", np.ascontiguousarray(rgb[..., ::-1]), options)
    _Sink(sink).write(data.tobytes())


class _Sink:
    """Passes writes on until one fails; keeps that failure and swallows what comes after.

    FFmpeg goes on writing while it is being closed, and the first failure is the cause.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._closed = False
        self.seek = file.seek
        self.tell = file.tell

    def write(self, data: bytes) -> int:
        if self._closed:
            return len(data)
        try:
            return self._file.write(data)
        except OSError as error:
            self._closed = True
            raise StorageError(f"The video can't be written: {error.strerror}") from error
        except BaseException:
            self._closed = True
            raise

    def give_up(self) -> None:
        self._closed = True


@contextmanager
def _writing(
    file: BinaryIO, like: Clip, kind: Literal["mp4", "mov"] = "mp4"
) -> Iterator[OutputContainer]:
    """A container that is finished at the end, or abandoned on an error."""
    sink = _Sink(file)
    ticks = like.time_base.denominator
    container = av.open(
        sink,
        "w",
        format=kind,
        container_options={
            "fflags": "+bitexact",
            "video_track_timescale": str(ticks),
            # Offsets between the tracks are written in this unit.
            "movie_timescale": str(ticks * -(-_FINEST_MOVIE_TIMESCALE // ticks)),
        },
        buffer_size=_OUT_BUFFER,
    )
    try:
        yield container
    except BaseException:
        sink.give_up()
        with suppress(av.error.FFmpegError, OSError):
            container.close()
        raise
    try:
        container.close()
    except av.error.FFmpegError as error:
        raise StorageError("The video can't be finished") from error


def _add_video(
    container: OutputContainer,
    picture: Picture,
    size: tuple[int, int],
    like: Clip,
    options: Mapping[str, str],
) -> VideoStream:
    stream = container.add_stream(
        "libx264", rate=like.frame_rate, options={"x264-params": f"{_SEARCH}:{_ALIKE}", **options}
    )
    stream.width, stream.height = size
    stream.pix_fmt = pix_fmt(picture.bits)
    _tag(stream, picture, like)
    context = stream.codec_context
    context.thread_count = _THREADS
    context.thread_type = ThreadType.FRAME
    return stream


def _tag(stream: VideoStream, picture: Picture, like: Clip) -> None:
    context = stream.codec_context
    context.time_base = Fraction(1, like.time_base.denominator)
    context.sample_aspect_ratio = like.pixel_aspect
    context.color_range = 2 if picture.full_range else 1
    context.colorspace = _colour.MATRICES[picture.matrix]
    context.color_primaries = _colour.PRIMARIES[like.primaries]
    context.color_trc = _colour.TRANSFERS[like.transfer]
    context.flags |= Flags.bitexact | Flags.frame_duration


def _add_sound(
    container: OutputContainer,
    clip: OpenedClip | None,
    source: AudioStream | None,
    *,
    notice: _sound.Spoken | None,
    mark: _sound.SoundMark | None,
    origin: Fraction,
) -> Iterator["Packet[Any]"]:
    """Add the sound track, if there is to be one, and return its packets-to-be."""
    if clip and source and not (notice or mark) and _sound.can_copy(source):
        target = container.add_stream_from_template(source)
        return _sound.copy_packets(clip, source, target, origin)
    if not source and notice is None:
        return iter(())
    rate = _sound.aac_rate(source.codec_context.sample_rate) if source else _NOTICE_RATE
    layout = _sound.aac_layout(source.codec_context.channels) if source else "mono"
    aac = container.add_stream("aac", rate=rate, layout=layout)
    channels = aac.codec_context.channels
    aac.codec_context.bit_rate = _sound.aac_bit_rate(rate, channels)
    aac.codec_context.flags |= Flags.bitexact
    blocks: Iterator[NDArray[np.float32]] = iter(())
    if clip and source:
        blocks = _sound.decode_blocks(clip, source, rate=rate, layout=layout, origin=origin)
    if notice is not None:
        spoken = _sound.resample_mono(notice.samples, notice.rate, rate)
        blocks = _sound.mix_notice(blocks, spoken, channels=channels, rate=rate)
    return _sound.encode_blocks(mark(blocks, rate=rate) if mark else blocks, aac)


def _run(
    writer: Writer,
    video: VideoStream,
    pictures: Iterator[Picture],
    *,
    like: Clip,
    origin: Fraction,
    on_frame: Callable[[int], None],
    framed: Callable[[Picture], VideoFrame] = to_frame,
) -> Encoded:
    count, ticks, shift = 0, 0, round(origin / like.time_base)
    apart, key = _KEYS_APART / like.time_base, None
    scale_by, unit = like.time_base.numerator, Fraction(1, like.time_base.denominator)
    for picture, gap in with_gaps(pictures, like):
        frame = framed(picture)
        frame.pts, frame.duration = (picture.pts - shift) * scale_by, gap * scale_by
        frame.time_base = unit
        if key is None or picture.pts + gap - key > apart:
            frame.pict_type, key = PictureType.I, picture.pts
        writer.write(video.encode(frame))
        count, ticks = count + 1, ticks + gap
        on_frame(count)
    writer.write(video.encode(None))
    writer.finish()
    return Encoded(frames=count, duration=float(ticks * like.time_base))


def _fit(picture: Picture, size: tuple[int, int] | None) -> Picture:
    return picture if size is None else scale(picture, *size)
