"""Any picture of a clip at once: an index of where decoding can begin, and the last few pictures.

    index = index_clip(file, name="scene.mp4")
    with Scrubber(file, index, name="scene.mp4") as scrubber:
        picture = scrubber.picture(4711)

Every picture is the one that `read_pictures` yields in that place. What lies between the point
where decoding begins and the wanted picture is decoded too, but for pictures that no other leans
on; the last of them are kept, so that stepping back costs nothing.
"""

import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Self

import av.error
import numpy as np
from av.packet import Packet
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from assent.kit.errors import InputError, MediaError
from assent.kit.media._container import OpenedClip, Source, open_clip
from assent.kit.media._decode import decode_frames, decode_near, frame_ticks, packets, time_base
from assent.kit.media._timeline import Timeline
from assent.kit.media._upright import Look, look_of, to_picture
from assent.kit.media.picture import Picture

__all__ = ["ClipIndex", "NotYetError", "Scrubber", "index_clip"]

_INDEXED = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm")
# Pictures before the wanted one that are decoded whole and kept.
_KEPT_BEFORE = 12
_MOST_BYTES = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClipIndex:
    """Where the pictures of a clip are.

    Attributes:
        stamps: int64 [n], rising: each picture's time stamp, as `Picture.pts`.
        keys: int64 [k], rising: numbers of the pictures from which decoding can begin.
        seconds: of one unit of a time stamp.
        seekable: whether the file's own stamps are these; else it is read from its beginning.
    """

    stamps: NDArray[np.int64]
    keys: NDArray[np.int64]
    seconds: float
    seekable: bool

    def __len__(self) -> int:
        return len(self.stamps)

    def second(self, number: int) -> float:
        """Return when a picture is shown, from the first one's time on."""
        return float(self.stamps[number] - self.stamps[0]) * self.seconds

    def number_at(self, stamp: int) -> int | None:
        """Return the number of the picture with that time stamp, if there is one."""
        found = int(np.searchsorted(self.stamps, stamp))
        return found if found < len(self) and self.stamps[found] == stamp else None


def index_clip(source: Source, *, name: str, frames: int | None = None) -> ClipIndex:
    """Find out where a clip's pictures are, without decoding them if the container tells.

    `frames` is how many there are known to be; if the container tells of another number, all are
    decoded once. Raises as `read_pictures`.
    """
    with open_clip(source, name=name) as clip:
        told = _from_packets(clip) if clip.container.format.name in _INDEXED else None
    if told is not None and frames in (None, len(told)):
        return told
    with open_clip(source, name=name) as clip:
        return _from_pictures(clip)


def _from_packets(clip: OpenedClip) -> ClipIndex | None:
    """Read the time stamps of all packets; None where they don't say when a picture is shown."""
    stamps: list[int] = []
    keys: list[int] = []
    for packet in packets(clip, clip.video):
        if not packet.size or packet.is_discard:
            continue
        if packet.pts is None:
            return None
        stamps.append(packet.pts)
        if packet.is_keyframe:
            keys.append(packet.pts)
    shown = np.unique(np.array(stamps, np.int64))
    # Pictures before the first key frame can't be decoded; those twice at a time are moved.
    if not keys or len(shown) != len(stamps) or shown[0] < keys[0]:
        return None
    return ClipIndex(
        stamps=shown,
        keys=np.searchsorted(shown, np.unique(keys)).astype(np.int64),
        seconds=float(time_base(clip.video)),
        seekable=True,
    )


def _from_pictures(clip: OpenedClip) -> ClipIndex:
    timeline = Timeline(frame_ticks(clip.video))
    stamps: list[int] = []
    keys: list[int] = []
    same = True
    for number, frame in enumerate(decode_frames(clip)):
        stamps.append(timeline.place(_stamp(frame)))
        same = same and frame.pts == stamps[-1]
        if frame.key_frame:
            keys.append(number)
    if not stamps:
        raise MediaError(f"{clip.name} holds no pictures")
    return ClipIndex(
        stamps=np.array(stamps, np.int64),
        keys=np.array([0, *(key for key in keys if key)], np.int64),
        seconds=float(time_base(clip.video)),
        seekable=same,
    )


def _stamp(frame: VideoFrame) -> int | None:
    return frame.pts if frame.pts is not None else frame.dts


class NotYetError(Exception):
    """The time given was over before the picture was decoded; asked again it goes on from there."""


class _MissedError(Exception):
    """Decoding from there didn't lead to the wanted picture."""


class Scrubber:
    """Gives a clip's pictures in any order; for one thread at a time.

    Args:
        source: the clip; nothing else may use it meanwhile, and it isn't closed.
        index: of that clip.
        name: what to call it in messages.
        most_bytes: of decoded pictures that are kept.
    """

    def __init__(
        self, source: Source, index: ClipIndex, *, name: str, most_bytes: int = _MOST_BYTES
    ) -> None:
        self._source = source
        self._index = index
        self._name = name
        self._most_bytes = most_bytes
        self._open = ExitStack()
        self._clip: OpenedClip | None = None
        self._look: Look | None = None
        self._frames: Iterator[VideoFrame] = iter(())
        self._at = -1
        """The number of the picture that was decoded last; -1 where none was since a seek."""
        self._wanted = 0
        self._arrived = False
        """Whether a wanted picture was decoded since the last seek."""
        self._ends: float | None = None
        self._kept: OrderedDict[int, VideoFrame] = OrderedDict()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the decoder and of every picture; the next call opens it again."""
        self._kept.clear()
        self._frames, self._at, self._clip = iter(()), -1, None
        self._open.close()

    @property
    def held(self) -> int:
        """Return how many decoded pictures are kept."""
        return len(self._kept)

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Let `picture` raise `NotYetError` when this time is over; it gets on by one at least."""
        self._ends = time.monotonic() + seconds
        try:
            yield
        finally:
            self._ends = None

    def picture(self, number: int) -> Picture:
        """Return a picture by its number, from 0.

        Raises:
            NotYetError: The time it was given is over.
            InputError: There is no such picture.
            MediaError: The clip is damaged there.
            StorageError: The file can't be read.
        """
        if not 0 <= number < len(self._index):
            raise InputError(
                f"{self._name} has no frame {number}",
                advice=f"Name one from 0 to {len(self._index) - 1}.",
            )
        frame = self._kept.get(number)
        if frame is None:
            frame = self._decode(number)
        else:
            self._kept.move_to_end(number)
        self._look = self._look or look_of(frame, name=self._name)
        return to_picture(frame, self._look, int(self._index.stamps[number]))

    def _decode(self, number: int) -> VideoFrame:
        key = self._key_before(number)
        if self._at >= 0 and key <= self._at + 1 and self._at < number:
            try:
                return self._run_to(number)
            except _MissedError:
                # Where it must begin further back it would never get there bit by bit.
                self._ends = None
        for start in self._starts(key):
            try:
                self._seek(start)
                return self._run_to(number)
            except _MissedError:
                self._ends = None
        raise MediaError(
            f"{self._name}: frame {number} can't be decoded",
            advice="Copy the file again from its source, or cut the damaged part out.",
        )

    def _starts(self, key: int) -> Iterator[int]:
        """Yield where decoding may begin: at the key frame, at the one before, at the start."""
        before = self._key_before(key - 1) if key else 0
        yield from dict.fromkeys((key, before, 0))

    def _key_before(self, number: int) -> int:
        if not self._index.seekable:
            return 0
        place = int(np.searchsorted(self._index.keys, number, side="right")) - 1
        return int(self._index.keys[max(place, 0)])

    def _seek(self, number: int) -> None:
        self._at, self._arrived = -1, False
        if number == 0:
            # Nothing is sought: some files have pictures before what they call their start.
            self.close()
        if self._clip is None:
            self._clip = self._open.enter_context(open_clip(self._source, name=self._name))
        if number:
            stamp = int(self._index.stamps[number])
            try:
                self._clip.container.seek(stamp, stream=self._clip.video)
            except av.error.FFmpegError as error:
                raise _MissedError from error
        self._frames = self._numbered() if self._index.seekable else self._counted()

    def _run_to(self, number: int) -> VideoFrame:
        """Decode on until a picture comes; the ones just before it are kept."""
        self._wanted = int(self._index.stamps[max(number - _KEPT_BEFORE, 0)])
        while True:
            try:
                frame = next(self._frames, None)
            except MediaError as error:
                # After a seek, what leans on pictures before it can't be decoded.
                self._at = -1
                if not self._arrived:
                    raise _MissedError from error
                raise
            if frame is None or self._at > number:
                raise _MissedError
            self._keep(frame)
            if self._at == number:
                self._arrived = True
                return frame
            if self._ends is not None and time.monotonic() >= self._ends:
                raise NotYetError

    def _numbered(self) -> Iterator[VideoFrame]:
        """Yield decoded pictures, telling each by its time stamp."""
        for frame in decode_near(self._opened(), self._may_skip):
            number = None if frame.pts is None else self._index.number_at(frame.pts)
            if number is not None:
                self._at = number
                yield frame

    def _counted(self) -> Iterator[VideoFrame]:
        """Yield all pictures from the beginning, counting them."""
        for number, frame in enumerate(decode_frames(self._opened())):
            self._at = number
            yield frame

    def _may_skip(self, packet: "Packet[Any]") -> bool:
        return packet.pts is not None and packet.pts < self._wanted

    def _opened(self) -> OpenedClip:
        if self._clip is None:
            raise ValueError("a picture was asked for before the clip was opened")
        return self._clip

    def _keep(self, frame: VideoFrame) -> None:
        self._kept[self._at] = frame
        self._kept.move_to_end(self._at)
        size = sum(plane.buffer_size for plane in frame.planes)
        while len(self._kept) > max(2, self._most_bytes // max(size, 1)):
            self._kept.popitem(last=False)
