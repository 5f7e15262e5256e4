"""What is in a clip: size, orientation, time, colour, sound; or why it can't be used.

clip = probe(Path("scene.mp4"), name="scene.mp4")
print(clip.width, clip.height, clip.duration)
"""

from dataclasses import dataclass
from fractions import Fraction
from itertools import islice

import numpy as np
from av.audio.stream import AudioStream
from av.video.frame import VideoFrame

from assent.kit.errors import MediaError
from assent.kit.media._container import OpenedClip, Source, open_clip
from assent.kit.media._decode import decode_frames, frame_rate, packets, time_base
from assent.kit.media._upright import look_of

__all__ = ["Clip", "Sound", "probe", "require_sdr"]

# Transfer characteristics of ITU-R BT.2100.
_HDR = {"smpte2084": "PQ", "arib-std-b67": "HLG"}
_TO_SDR = "zscale=t=linear:npl=203,tonemap=hable,zscale=p=bt709:t=bt709:m=bt709:r=tv,format=yuv420p"
# Packets that are looked at to tell a variable frame rate where no index lists all of them.
_LOOKED_AT = 300
# Files that passed through Matroska have their times rounded to milliseconds.
_ROUNDING_SECONDS = 0.0015
_ROUNDING_TICKS = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """A clip's sound track.

    Attributes:
        codec: FFmpeg's name, such as "aac".
        rate: Samples a second.
        channels: Number of channels.
        duration: Seconds.
    """

    codec: str
    rate: int
    channels: int
    duration: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """What is in a clip.

    Attributes:
        name: What to call it in messages.
        width: Pixels, as shown upright.
        height: Pixels, as shown upright.
        rotation: Clockwise degrees (0, 90, 180, 270) by which the coded pictures are turned;
            `read_pictures` has already done so.
        frame_rate: Average pictures a second.
        time_base: Seconds a unit of `Picture.pts`.
        variable_rate: Whether the gaps between pictures differ by more than rounding.
        duration: Seconds.
        frames: Number of pictures; an estimate where the file doesn't say.
        bits: Bits a sample of the pictures: 8 or 10.
        subsampling: Of the pictures: (1, 1), (2, 1) or (2, 2).
        full_range: Whether black is 0.
        matrix: "bt601", "bt709" or "bt2020". A clip that doesn't say has "bt709" from 720
            pixels on its shorter or 1280 on its longer side, "bt601" below.
        primaries: H.273 name in FFmpeg's spelling, such as "bt709", "smpte170m", "bt2020"; the
            matrix's usual ones when the clip doesn't say.
        transfer: Likewise, such as "bt709", "smpte2084" (PQ), "arib-std-b67" (HLG).
        codec: FFmpeg's name, such as "h264".
        pixel_aspect: Width of a pixel over its height, as shown upright.
        sound: The sound track, or None.
    """

    name: str
    width: int
    height: int
    rotation: int
    frame_rate: Fraction
    time_base: Fraction
    variable_rate: bool
    duration: float
    frames: int
    bits: int
    subsampling: tuple[int, int]
    full_range: bool
    matrix: str
    primaries: str
    transfer: str
    codec: str
    pixel_aspect: Fraction = Fraction(1)
    sound: Sound | None


def probe(source: Source, *, name: str) -> Clip:
    """Look into a clip without reading all of it; its first picture is decoded.

    Args:
        source: The clip. A file object is read from its beginning and not closed.
        name: What to call the clip in messages.

    Raises:
        MediaError: Missing, empty, not a film, cut off, encrypted, interlaced, too large, or
            without a picture. A cut or damage further on is found by `read_pictures`.
        StorageError: The file can't be read.
    """
    with open_clip(source, name=name) as clip:
        variable = _has_variable_rate(clip)
    with open_clip(source, name=name) as clip:
        return _describe(clip, _first_frame(clip), variable)


def require_sdr(clip: Clip) -> None:
    """Raise `MediaError` if the clip's brightness is coded in high dynamic range (PQ or HLG).

    Wide colours alone (BT.2020 with its own transfer characteristic) are no reason.
    """
    if clip.transfer in _HDR:
        raise MediaError(
            f"{clip.name} is in HDR ({_HDR[clip.transfer]}), whose brightness would be misread",
            advice="Convert it to SDR first, for example with "
            f"`ffmpeg -i IN -vf {_TO_SDR} OUT`, and look at the result.",
        )


def _first_frame(clip: OpenedClip) -> VideoFrame:
    frame = next(decode_frames(clip), None)
    if frame is None:
        raise MediaError(f"{clip.name} holds no pictures")
    if frame.interlaced_frame:
        raise MediaError(
            f"{clip.name} is interlaced",
            advice="De-interlace it first, for example with `ffmpeg -i IN -vf bwdif OUT`.",
        )
    return frame


def _describe(clip: OpenedClip, frame: VideoFrame, variable: bool) -> Clip:
    look = look_of(frame, name=clip.name)
    sideways = look.turns % 2 == 1
    rate = frame_rate(clip.video)
    duration = _duration(clip)
    aspect = clip.video.sample_aspect_ratio or Fraction(1)
    return Clip(
        name=clip.name,
        width=look.height if sideways else look.width,
        height=look.width if sideways else look.height,
        rotation=90 * look.turns,
        frame_rate=rate,
        time_base=time_base(clip.video),
        variable_rate=variable,
        duration=duration,
        frames=clip.video.frames or max(round(duration * rate), 1),
        bits=look.bits,
        subsampling=look.subsampling,
        full_range=look.full_range,
        matrix=look.matrix,
        primaries=look.primaries,
        transfer=look.transfer,
        codec=clip.video.codec_context.codec.canonical_name,
        pixel_aspect=1 / aspect if sideways else aspect,
        sound=_sound(clip),
    )


def _duration(clip: OpenedClip) -> float:
    if clip.video.duration:
        return float(clip.video.duration * time_base(clip.video))
    return (clip.container.duration or 0) / 1_000_000


def _sound(clip: OpenedClip) -> Sound | None:
    track = clip.container.streams.best("audio")
    if not isinstance(track, AudioStream) or track.codec_context is None:
        return None
    seconds = (
        float(track.duration * time_base(track))
        if track.duration
        else (clip.container.duration or 0) / 1_000_000
    )
    return Sound(
        codec=track.codec_context.codec.canonical_name,
        rate=track.codec_context.sample_rate,
        channels=track.codec_context.channels,
        duration=seconds,
    )


def _has_variable_rate(clip: OpenedClip) -> bool:
    """Whether the pictures' times leave an even grid."""
    stamps = [entry.timestamp for entry in clip.video.index_entries]
    if clip.container.format.name == "matroska,webm" or len(stamps) < 2:
        # An index of key frames alone, or none.
        found = islice(packets(clip, clip.video), _LOOKED_AT)
        stamps = [packet.pts for packet in found if packet.pts is not None]
    if len(stamps) < 3:
        return False
    times = np.sort(np.array(stamps, np.float64))
    even = np.linspace(times[0], times[-1], len(times))
    rounding = max(_ROUNDING_TICKS, _ROUNDING_SECONDS / float(time_base(clip.video)))
    return bool(np.abs(times - even).max() > rounding)
