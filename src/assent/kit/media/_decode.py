"""Decode a picture track strictly: damage and early ends are errors with their time."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any, Literal

import av.error
from av.codec.context import ThreadType
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame

from assent.kit.errors import MediaError, StorageError
from assent.kit.media._container import Opened, OpenedClip

__all__ = [
    "INDEXED",
    "decode_frames",
    "decode_near",
    "frame_rate",
    "frame_ticks",
    "packets",
    "time_base",
]

_USUAL_RATE = Fraction(25)
_USUAL_TIME_BASE = Fraction(1, 90000)
# Seconds that a Matroska or AVI header may promise beyond the last packet.
_ENDS_EARLY = 1.0
_STATES_DURATION = ("matroska,webm", "avi")
INDEXED = "mov,mp4,m4a,3gp,3g2,mj2"
"""The container whose index lists every picture."""


def time_base(track: Stream) -> Fraction:
    """The unit of a track's time stamps in seconds."""
    return track.time_base or _USUAL_TIME_BASE


def frame_rate(track: Stream) -> Fraction:
    """A track's average pictures a second; 25 when it says nothing."""
    return track.average_rate or track.guessed_rate or _USUAL_RATE


def frame_ticks(track: Stream) -> int:
    """The usual gap between two pictures in the track's time base, at least 1."""
    return max(round(1 / (frame_rate(track) * time_base(track))), 1)


def decode_frames(
    clip: OpenedClip, *, keys_only: bool = False, lightly: bool = False
) -> Iterator[VideoFrame]:
    """Decode from the container's present position to its end, or its key frames alone.

    Decoded `lightly`, frames that no other leans on are left out, and edges of blocks show.

    Raises:
        MediaError: Damage, or an end before the promised one.
        StorageError: The file can't be read.
    """
    context = clip.video.codec_context
    context.thread_type = ThreadType.AUTO
    context.skip_frame = _skipped(keys_only=keys_only, lightly=lightly)
    # Damage raises instead of being painted over with guesses.
    smooth = "all" if lightly else "default"
    context.options = {
        **context.options, "err_detect": "explode", "skip_loop_filter": smooth
    }  # fmt: skip
    missing = _first_missing(clip)
    end = 0.0
    frames = _Decoder(clip)
    for packet in packets(clip):
        if packet.pts is not None:
            end = max(end, float((packet.pts + (packet.duration or 0)) * packet.time_base))
        if packet.stream_index != clip.video.index:
            continue
        if missing is not None and packet.dts is not None and packet.dts >= missing:
            yield from frames.flush()
            break
        yield from frames.decode(packet)
    if missing is not None:
        raise _ends_early(clip, float(missing * time_base(clip.video)))
    if clip.container.format.name in _STATES_DURATION:
        promised = (clip.container.duration or 0) / 1_000_000
        if end < promised - _ENDS_EARLY:
            raise _ends_early(clip, end)


def decode_near(
    clip: OpenedClip, may_skip: "Callable[[Packet[Any]], bool]"
) -> Iterator[VideoFrame]:
    """Decode from the container's present position on, to reach a picture that lies behind it.

    Pictures that `may_skip` says nobody wants are left out where no other leans on them. May be
    called again on the same clip, after a seek.

    Raises:
        MediaError: Damage.
        StorageError: The file can't be read.
    """
    context = clip.video.codec_context
    if not context.is_open:
        context.thread_type = ThreadType.AUTO
        context.options = {**context.options, "err_detect": "explode"}
    frames = _Decoder(clip)
    for packet in packets(clip, clip.video):
        context.skip_frame = "NONREF" if may_skip(packet) else "DEFAULT"
        yield from frames.decode(packet)


def _skipped(*, keys_only: bool, lightly: bool) -> Literal["NONKEY", "NONREF", "DEFAULT"]:
    if keys_only:
        return "NONKEY"
    return "NONREF" if lightly else "DEFAULT"


def packets(clip: Opened, *tracks: Stream) -> Iterator["Packet[Any]"]:
    """The container's packets: of these tracks, or all that tell where the file ends.

    Raises:
        MediaError: The container is damaged.
        StorageError: The file can't be read.
    """
    if not tracks and isinstance(clip, OpenedClip) and clip.container.format.name == INDEXED:
        tracks = (clip.video,)
    reader = clip.container.demux(*tracks)
    end = 0.0
    while True:
        try:
            packet = next(reader, None)
        except av.error.FFmpegError as error:
            raise _damaged(clip, end) from error
        except OSError as error:
            raise StorageError(f"{clip.name} can't be read: {error.strerror}") from error
        if packet is None:
            return
        if packet.dts is not None:
            end = float(packet.dts * packet.time_base)
        yield packet


class _Decoder:
    """Decodes packets and remembers how far it came."""

    def __init__(self, clip: OpenedClip) -> None:
        self._clip = clip
        self._time: float | None = None

    def decode(self, packet: "Packet[Any]") -> Iterator[VideoFrame]:
        if packet.has_sidedata("encryption_info"):
            raise MediaError(
                f"{self._clip.name} is encrypted (DRM)",
                advice="Get an unprotected copy from whoever owns the rights.",
            )
        broadcast = self._clip.container.format.name == "mpegts"
        # In a transport stream a mere jump of the packet counter counts as corrupt, as where
        # two recordings were joined; there the decoder decides.
        if packet.is_corrupt and packet.size and not broadcast:
            raise _damaged(self._clip, self._time)
        try:
            frames = packet.decode()
        except av.error.FFmpegError as error:
            if self._time is None and broadcast:
                return  # joined between two key frames
            raise _damaged(self._clip, self._time) from error
        yield from self._pass(frames)

    def flush(self) -> Iterator[VideoFrame]:
        try:
            frames = self._clip.video.codec_context.decode(None)
        except av.error.FFmpegError as error:
            raise _damaged(self._clip, self._time) from error
        yield from self._pass(frames)

    def _pass(self, frames: list[VideoFrame]) -> Iterator[VideoFrame]:
        for frame in frames:
            if frame.pts is not None:
                self._time = float(frame.pts * time_base(self._clip.video))
            if frame.is_corrupt:
                raise _damaged(self._clip, self._time)
            yield frame


def _first_missing(clip: OpenedClip) -> int | None:
    """The decoding time stamp of the first sample that an MP4 index places beyond the end."""
    if clip.container.format.name != INDEXED:
        return None
    stamps = (
        entry.timestamp for entry in clip.video.index_entries if entry.pos + entry.size > clip.size
    )
    return min(stamps, default=None)


def _ends_early(clip: OpenedClip, seconds: float) -> MediaError:
    length = clip.container.duration
    promised = f" of {length / 1_000_000:.2f} s" if length else ""
    return MediaError(
        f"{clip.name} is cut off: it ends at {seconds:.2f} s{promised}",
        advice="Copy the file again from its source, or cut it before that time.",
    )


def _damaged(clip: Opened, seconds: float | None) -> MediaError:
    where = "before its first picture" if seconds is None else f"after {seconds:.2f} s"
    return MediaError(
        f"{clip.name} is damaged {where}",
        advice="Copy the file again from its source, or cut the damaged part out.",
    )
