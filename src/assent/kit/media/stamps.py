"""The time stamps of a clip's pictures as the file has them, before anything is repaired.

stamps = read_stamps(path, name="statement.webm")
print(stamps.rate, stamps.longest_gap)
"""

import itertools
from dataclasses import dataclass

from assent.kit.errors import MediaError
from assent.kit.media._container import Source, open_clip
from assent.kit.media._decode import packets, time_base

__all__ = ["Stamps", "read_stamps"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamps:
    """When pictures were taken, in short."""

    pictures: int
    seconds: float
    """From the first picture to the last."""
    missing: int
    """Pictures without a stamp."""
    repeated: int
    """Pictures with a stamp that another has too."""
    backward: int
    """Steps back of the decoding order, in which nothing goes back."""
    longest_gap: float
    """Seconds."""

    @property
    def rate(self) -> float:
        """Pictures a second."""
        return (self.pictures - 1) / self.seconds if self.seconds > 0 else 0.0


def read_stamps(source: Source, *, name: str, most: int) -> Stamps:
    """Read the stamps of a clip's pictures without decoding them.

    Raises `MediaError` as `open_clip` does, or if there are more than `most` pictures;
    `StorageError` if the file can't be read.
    """
    shown: list[int] = []
    missing = backward = 0
    last: int | None = None
    with open_clip(source, name=name) as clip:
        unit = float(time_base(clip.video))
        for packet in packets(clip, clip.video):
            if not packet.size:
                continue
            if packet.pts is None:
                missing += 1
            else:
                shown.append(packet.pts)
            if len(shown) + missing > most:
                raise MediaError(f"{name} holds more than {most} pictures")
            decoded = packet.dts if packet.dts is not None else packet.pts
            if decoded is not None:
                backward += last is not None and decoded < last
                last = decoded
    ordered = sorted(shown)
    gaps = [after - before for before, after in itertools.pairwise(ordered)]
    return Stamps(
        pictures=len(shown) + missing,
        seconds=sum(gaps) * unit,
        missing=missing,
        repeated=sum(gap == 0 for gap in gaps),
        backward=backward,
        longest_gap=max(gaps, default=0) * unit,
    )
