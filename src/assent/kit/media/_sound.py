"""Carry a clip's sound into MP4: copied packet for packet, or decoded, mixed, marked and encoded.

Everything here is a generator, so that a film's sound passes in small blocks. Blocks are
float32 `[channels, samples]`, full scale 1, one right after the other from time 0.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Protocol

import av.error
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.packet import Packet
from numpy.typing import NDArray

from assent.kit.media._container import Opened
from assent.kit.media._decode import packets, time_base
from assent.kit.media._timeline import Timeline

__all__ = [
    "SoundMark",
    "Spoken",
    "aac_bit_rate",
    "aac_layout",
    "aac_rate",
    "can_copy",
    "copy_packets",
    "decode_blocks",
    "encode_blocks",
    "mix_notice",
    "pick_sound",
    "resample_mono",
    "start_of",
]

Block = NDArray[np.float32]

DUCKED = 0.2
"""What is left of the programme under the notice: -14 dB."""

_RECOVERY_SECONDS = 0.4
_GAP_SECONDS = 0.1
_LONGEST_BLOCK_SECONDS = 1
# Codecs whose packets players accept inside MP4.
_COPIED = frozenset({"aac", "mp3", "ac3", "eac3", "opus", "alac"})
_AAC_RATES = frozenset({8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 88200, 96000})
_AAC_LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}


class Spoken(Protocol):
    """A spoken notice: float32 mono samples `[n]`, full scale 1, at `rate` a second."""

    @property
    def samples(self) -> NDArray[np.float32]: ...

    @property
    def rate(self) -> int: ...


class SoundMark(Protocol):
    """Marks sound on its way to the encoder: as many samples, none shifted."""

    def __call__(self, blocks: Iterator[Block], *, rate: int) -> Iterator[Block]: ...


def pick_sound(clip: Opened) -> AudioStream | None:
    """The clip's main sound track, if it has one that can be decoded."""
    track = clip.container.streams.best("audio")
    if not isinstance(track, AudioStream) or track.codec_context is None:
        return None
    return track


def can_copy(track: AudioStream) -> bool:
    """Whether a track's packets may go into MP4 as they are."""
    return track.codec_context.codec.canonical_name in _COPIED


def aac_rate(rate: int) -> int:
    """The sample rate at which AAC carries sound of this rate."""
    return rate if rate in _AAC_RATES else 48000


def aac_layout(channels: int) -> str:
    """The channel layout in which AAC carries this many channels."""
    return _AAC_LAYOUTS.get(channels, "stereo")


def aac_bit_rate(rate: int, channels: int) -> int:
    """The bits a second of AAC that spoil nothing: 96,000 a channel, 192,000 or more in all.

    A frame of 1024 samples holds 6144 bits a channel at most (ISO/IEC 14496-3, 4.5.1.1).
    """
    return min(max(96_000 * channels, 192_000), 6 * rate * channels)


def start_of(track: AudioStream) -> Fraction:
    """When a track begins, in seconds on the clip's own clock."""
    return (track.start_time or 0) * time_base(track)


def copy_packets(
    clip: Opened, track: AudioStream, target: AudioStream, origin: Fraction
) -> Iterator["Packet[Any]"]:
    """The track's packets for `target`, with times counted from `origin` seconds.

    Raises:
        MediaError: The container is damaged.
        StorageError: The file can't be read.
    """
    shift = round(origin / time_base(track))
    timeline = Timeline(1)
    for packet in packets(clip, track):
        if packet.size == 0:
            continue
        stamp = packet.dts if packet.dts is not None else packet.pts
        dts = timeline.place(stamp)
        delay = packet.pts - stamp if packet.pts is not None and stamp is not None else 0
        packet.dts, packet.pts = dts - shift, dts + delay - shift
        packet.stream = target
        yield packet


def decode_blocks(
    clip: Opened, track: AudioStream, *, rate: int, layout: str, origin: Fraction
) -> Iterator[Block]:
    """Decode a track into blocks that begin at `origin` seconds on the clip's clock.

    A late start and gaps become silence; so do packets that can't be decoded.

    Raises:
        MediaError: The container is damaged.
        StorageError: The file can't be read.
    """
    resampler = AudioResampler(format="fltp", layout=layout, rate=rate)
    position = 0
    for frame in _decode(clip, track):
        start = None if frame.time is None else Fraction(frame.time) - origin
        for part in resampler.resample(frame):
            block = _as_block(part)
            if start is not None:
                missing = round(start * rate) - position
                if missing > _GAP_SECONDS * rate or (position == 0 and missing > 0):
                    yield from _silence(missing, len(block), rate)
                    position += missing
            yield block
            position += block.shape[1]
            start = None
    for part in resampler.resample(None):
        yield _as_block(part)


def resample_mono(samples: NDArray[np.float32], rate: int, wanted: int) -> NDArray[np.float32]:
    """Mono samples `[n]` at another rate."""
    if rate == wanted:
        return samples.astype(np.float32)
    resampler = AudioResampler(format="fltp", layout="mono", rate=wanted)
    frame = _as_frame(samples[None].astype(np.float32), rate, "mono", 0)
    parts = [*resampler.resample(frame), *resampler.resample(None)]
    return np.concatenate([_as_block(part)[0] for part in parts])


def mix_notice(
    blocks: Iterator[Block], notice: NDArray[np.float32], *, channels: int, rate: int
) -> Iterator[Block]:
    """Lay a notice `[n]` over the start; the programme is ducked below it, then comes back.

    Where the programme is shorter than the notice, the notice goes on alone to its end.
    """
    recovery = round(_RECOVERY_SECONDS * rate)
    gains = np.concatenate(
        [np.full(len(notice), DUCKED), np.linspace(DUCKED, 1, recovery, endpoint=False)]
    ).astype(np.float32)
    position = 0
    for block in blocks:
        yield _mix(block, notice[position:], gains[position:])
        position += block.shape[1]
    if position < len(notice):
        yield np.tile(notice[position:], (channels, 1))


def encode_blocks(blocks: Iterator[Block], target: AudioStream) -> Iterator["Packet[Any]"]:
    """Encode blocks that begin at time 0 into packets of `target`."""
    context = target.codec_context
    layout = context.layout.name
    position = 0
    for block in blocks:
        if block.shape[1] == 0:
            continue
        yield from target.encode(_as_frame(block, context.sample_rate, layout, position))
        position += block.shape[1]
    yield from target.encode(None)


def _mix(block: Block, notice: NDArray[np.float32], gains: NDArray[np.float32]) -> Block:
    """`notice` and `gains` begin where the block begins; either may be shorter or longer."""
    mixed = block.copy()
    ducked = min(len(gains), block.shape[1])
    mixed[:, :ducked] *= gains[:ducked]
    spoken = min(len(notice), block.shape[1])
    mixed[:, :spoken] += notice[:spoken]
    return np.clip(mixed, -1, 1) if ducked else mixed


def _decode(clip: Opened, track: AudioStream) -> Iterator[AudioFrame]:
    for packet in packets(clip, track):
        try:
            yield from track.codec_context.decode(packet)
        except av.error.FFmpegError:
            continue  # players fall silent here as well


def _silence(samples: int, channels: int, rate: int) -> Iterator[Block]:
    longest = _LONGEST_BLOCK_SECONDS * rate
    while samples > 0:
        yield np.zeros((channels, min(samples, longest)), np.float32)
        samples -= longest


def _as_block(frame: AudioFrame) -> Block:
    return frame.to_ndarray().astype(np.float32, copy=False)


def _as_frame(block: Block, rate: int, layout: str, position: int) -> AudioFrame:
    frame = AudioFrame.from_ndarray(np.ascontiguousarray(block), format="fltp", layout=layout)
    frame.sample_rate = rate
    frame.pts, frame.time_base = position, Fraction(1, rate)
    return frame
