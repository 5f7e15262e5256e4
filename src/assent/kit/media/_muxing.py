"""Lay packets of pictures and sound into a container in the order in which they are due."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from av.container import OutputContainer
from av.packet import Packet

from assent.kit.media.picture import Picture
from assent.kit.media.probe import Clip

__all__ = ["Writer", "chain", "with_gaps"]

# The last picture is shown until the clip's end, but not for longer than this many usual gaps.
_LONGEST_LAST = 10


class Writer:
    """Writes picture packets, and before each the sound packets that are due."""

    def __init__(self, container: OutputContainer, sounds: Iterator["Packet[Any]"]) -> None:
        self._container = container
        self._sounds = sounds
        self._sound = next(sounds, None)

    def write(self, packets: list["Packet[Any]"]) -> None:
        """Write packets of pictures, and sound that is due before them."""
        for packet in packets:
            self._write_sounds((packet.dts or 0) * packet.time_base)
            self._container.mux(packet)

    def finish(self) -> None:
        """Write the sound that is left."""
        self._write_sounds(None)

    def _write_sounds(self, until: Fraction | None) -> None:
        while (packet := self._sound) is not None:
            if until is not None and (packet.dts or 0) * packet.time_base > until:
                return
            self._container.mux(packet)
            self._sound = next(self._sounds, None)


def with_gaps(pictures: Iterator[Picture], like: Clip) -> Iterator[tuple[Picture, int]]:
    """Each picture with the time for which it is shown, in ticks."""
    usual = max(round(1 / (like.frame_rate * like.time_base)), 1)
    picture = next(pictures)
    begin = picture.pts
    for following in pictures:
        yield picture, following.pts - picture.pts
        picture = following
    if not like.variable_rate:
        yield picture, usual
        return
    left = begin + round(Fraction(like.duration) / like.time_base) - picture.pts
    yield picture, left if 0 < left <= _LONGEST_LAST * usual else usual


def chain(first: Picture, rest: Iterator[Picture]) -> Iterator[Picture]:
    """Put a picture back that was taken."""
    yield first
    yield from rest
