"""Put finished pictures and sound into another container, packet for packet; or sound into WAV.

Nothing is decoded for another container, so label and mark stay as they are.
"""

import wave
from collections.abc import Iterable
from typing import BinaryIO, Literal

import av
import numpy as np
from numpy.typing import NDArray

from assent.kit.errors import MediaError
from assent.kit.media._container import open_clip

__all__ = ["Container", "repack", "write_wav"]

Container = Literal["mov", "matroska"]
_FULL_SCALE = 32767


def repack(source: BinaryIO, sink: BinaryIO, *, container: Container, name: str) -> None:
    """Write the film in `source` to `sink` (empty, seekable) as MOV or Matroska.

    Raises MediaError when it holds what the container can't.
    """
    options = {"fflags": "+bitexact"}
    with open_clip(source, name=name) as clip:
        tracks = [clip.video, *clip.container.streams.audio[:1]]
        try:
            with av.open(sink, "w", format=container, container_options=options) as target:
                copies = {t.index: target.add_stream_from_template(t) for t in tracks}
                for packet in clip.container.demux(tracks):
                    if packet.dts is not None:
                        packet.stream = copies[packet.stream.index]
                        target.mux(packet)
        except (av.error.FFmpegError, ValueError) as error:
            raise MediaError(f"{name} can't be put into another container: {error}") from error


def write_wav(blocks: Iterable[NDArray[np.float32]], sink: BinaryIO, *, rate: int) -> int:
    """Write mono sound, float32 blocks [n] of full scale 1, as 16-bit WAV; return the samples."""
    total = 0
    with wave.open(sink, "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", "not compressed"))
        for block in blocks:
            samples = np.clip(np.rint(block * _FULL_SCALE), -_FULL_SCALE, _FULL_SCALE)
            file.writeframes(samples.astype("<i2").tobytes())
            total += len(block)
    return total
