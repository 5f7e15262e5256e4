"""Read a clip's pictures one after another, upright and in the order they are shown.

for picture in read_pictures(Path("scene.mp4"), name="scene.mp4"):
    faces = detect(to_rgb(picture))
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

import av.error
from av.video.frame import VideoFrame

from assent.kit.errors import MediaError
from assent.kit.media._container import OpenedClip, Source, open_clip
from assent.kit.media._decode import INDEXED, decode_frames, frame_ticks, time_base
from assent.kit.media._timeline import Timeline
from assent.kit.media._upright import Look, look_of, to_picture
from assent.kit.media.picture import Picture

__all__ = ["Shown", "read_pictures", "read_shown", "sample_pictures", "skim"]

# Seconds before the wanted time to which a resumed reading seeks, in turn; after these the
# clip's beginning. Pictures that lean on one before a seek point follow it within a few
# frames, so that two seconds on all are whole.
_RUN_UPS = (2, 12)
# An index has decoding times, which lie a little otherwise than those shown where the rate varies.
_JITTER = Fraction(3, 2)


class _MissedError(Exception):
    """A seek led to nothing usable before the wanted time."""


def read_pictures(source: Source, *, name: str, start_pts: int | None = None) -> Iterator[Picture]:
    """Yield a clip's pictures, upright and in presentation order.

    One picture is held at a time, whatever the clip's length (the decoder keeps a few more).
    Its planes are copies of its own. Time stamps rise strictly: missing, repeated and
    backward ones are repaired.

    Args:
        source: The clip. A file object is read from its beginning and not closed; nothing
            else may use it meanwhile.
        name: What to call the clip in messages.
        start_pts: Leave out pictures before this time stamp, without decoding all of them.
            Gives the pictures that a whole reading gives from there on.

    Raises:
        MediaError: The clip can't be read, is damaged or ends early (with the time where), has
            interlaced pictures, or changes its size.
        StorageError: The file can't be read.
    """
    if start_pts is not None:
        for run_up in _RUN_UPS:
            try:
                yield from _resume(source, name, start_pts, run_up)
            except _MissedError:
                continue
            return
    with open_clip(source, name=name) as clip:
        for picture in _pictures(clip):
            if start_pts is None or picture.pts >= start_pts:
                yield picture


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A decoded picture whose planes are copied only for who takes them.

    Each that is kept holds one of the decoder's own pictures: keep few, and not for long.
    """

    pts: int
    take: Callable[[], Picture]


def read_shown(source: Source, *, name: str) -> Iterator[Shown]:
    """Yield what `read_pictures` does, for who looks at some of it: all of it is decoded."""
    with open_clip(source, name=name) as clip:
        yield from _shown(clip)


def skim(source: Source, *, name: str) -> Iterator[Shown]:
    """Yield a clip's pictures for who needs neither all nor fine detail, twice as fast.

    Pictures that no other leans on are left out where a codec has such, and edges of blocks aren't
    smoothed. Raises as `read_pictures`.
    """
    with open_clip(source, name=name) as clip:
        yield from _shown(clip, lightly=True)


def sample_pictures(source: Source, *, name: str, seconds: float) -> Iterator[Picture]:
    """Yield some of a clip's pictures, the first always among them, at most `seconds` apart.

    Where the clip's index says that its key frames lie as close, they are all that is decoded,
    which takes a tenth of the time; otherwise pictures are chosen from all of them. Two that are
    shown further apart than `seconds` are both yielded.

    Raises as `read_pictures`; damage between key frames may go unnoticed.
    """
    with open_clip(source, name=name) as clip:
        if _keys_lie_close(clip, seconds):
            yield from _pictures(clip, keys_only=True)
            return
    with open_clip(source, name=name) as clip:
        yield from _apart(_pictures(clip), seconds / time_base(clip.video))


def _apart(pictures: Iterator[Picture], ticks: Fraction | float) -> Iterator[Picture]:
    """Yield the first and the last picture and as few between them as lie `ticks` apart at most."""
    chosen = before = next(pictures)
    yield chosen
    for picture in pictures:
        if before is not chosen and picture.pts - chosen.pts > ticks:
            chosen = before
            yield chosen
        before = picture
    if before is not chosen:
        yield before


def _keys_lie_close(clip: OpenedClip, seconds: float) -> bool:
    if clip.container.format.name != INDEXED:
        return False  # an index of key frames alone doesn't say what lies between and after them
    entries = clip.video.index_entries
    keys = [entry.timestamp for entry in entries if entry.is_keyframe]
    if not keys or keys[0] != entries[0].timestamp:
        return False
    ends = [*keys[1:], max(entry.timestamp for entry in entries)]
    furthest = max(end - key for key, end in zip(keys, ends, strict=True))
    return bool(furthest * time_base(clip.video) <= seconds * _JITTER)


def _resume(source: Source, name: str, start_pts: int, run_up: int) -> Iterator[Picture]:
    """The pictures from `start_pts` on, by way of a seek to `run_up` seconds before it."""
    with open_clip(source, name=name) as clip:
        _seek(clip, start_pts - round(run_up / time_base(clip.video)))
        reached = False
        pictures = _pictures(clip)
        while (picture := _next(pictures, strict=reached)) is not None:
            if not reached and picture.pts > start_pts:
                raise _MissedError
            reached = True
            if picture.pts >= start_pts:
                yield picture
        if not reached:
            raise _MissedError


def _seek(clip: OpenedClip, pts: int) -> None:
    if pts <= (clip.video.start_time or 0):
        return
    try:
        clip.container.seek(pts, stream=clip.video)
    except av.error.FFmpegError as error:
        raise _MissedError from error


def _next(pictures: Iterator[Picture], *, strict: bool) -> Picture | None:
    """The next picture; until one is reached, errors may come from the seek alone."""
    try:
        return next(pictures, None)
    except MediaError as error:
        if strict:
            raise
        raise _MissedError from error


def _pictures(clip: OpenedClip, *, keys_only: bool = False) -> Iterator[Picture]:
    """Upright pictures from the container's present position on."""
    return (shown.take() for shown in _shown(clip, keys_only=keys_only))


def _shown(clip: OpenedClip, *, keys_only: bool = False, lightly: bool = False) -> Iterator[Shown]:
    timeline, look = Timeline(frame_ticks(clip.video)), None
    for frame in decode_frames(clip, keys_only=keys_only, lightly=lightly):
        look = look or look_of(frame, name=clip.name)
        pts = timeline.place(frame.pts if frame.pts is not None else frame.dts)
        _check(frame, look, clip, pts)
        yield Shown(pts=pts, take=partial(to_picture, frame, look, pts))
    if look is None:
        raise MediaError(f"{clip.name} holds no pictures")


def _check(frame: VideoFrame, look: Look, clip: OpenedClip, pts: int) -> None:
    seconds = float(pts * time_base(clip.video))
    if frame.interlaced_frame:
        raise MediaError(
            f"{clip.name} is interlaced (at {seconds:.2f} s)",
            advice="De-interlace it first, for example with `ffmpeg -i IN -vf bwdif OUT`.",
        )
    if (frame.width, frame.height) != (look.width, look.height):
        raise MediaError(
            f"{clip.name} changes its size to {frame.width}x{frame.height} at {seconds:.2f} s",
            advice="Export the clip at one size, or cut it there.",
        )
