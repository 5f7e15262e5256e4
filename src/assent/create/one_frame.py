"""One frame of a shot, rendered at once with repairs as they are being made.

    bench = Bench(studio, purpose, shot, ask_again)
    filmed, rendered = bench.frame(120, repairs)
    bench.close()

Painter, model, and the frames around the one that is worked on stay in memory, and what was seen of
a frame is seen again only if the repairs changed that. A bench lives on clearances: it asks the
desk before each frame, and lets go of everything when somebody has withdrawn. What it returns
leaves through `disclose.viewing` alone.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack
from io import BufferedReader
from threading import Lock
from typing import Final

import numpy as np
from numpy.typing import NDArray

from assent.consent.clearance import Act, AskAgain, Clearance, require_all
from assent.consent.locker import Locker
from assent.create.composite import CompositeConfig
from assent.create.painters import Painter, painter_for
from assent.create.patches import apply
from assent.create.repair.document import Repairs
from assent.create.repair.mending import Mending
from assent.create.repair.store import Shot, held
from assent.create.repair.whose import hold_frame
from assent.create.staging import Take, mending_of, painting_config
from assent.data.tracks import PersonTrack
from assent.kit.errors import InputError, MediaError, NotClearedError
from assent.kit.likeness.performance import AFRESH, AHEAD
from assent.kit.media.picture import Picture
from assent.kit.media.read import read_pictures
from assent.kit.store.studio import Studio
from assent.purpose.projects import Purpose

__all__ = ["Bench"]

_MOST: Final = 320 << 20
"""Bytes of decoded pictures that are kept, at most; those around the frame in any case."""
_FURTHER: Final = 48
"""Frames that are decoded on rather than sought."""
_SEEN: Final = 200
"""Frames on both sides of which is kept what was seen."""


class Bench:
    """Renders single frames of a shot; one at a time, and from any thread.

    Args:
        studio: where.
        purpose: the project's.
        shot: clip and model.
        ask_again: asks the desk for everyone in the clip and the donor.

    Raises:
        NotClearedError: not all are cleared, in every method.
        IntegrityError: clip or model were altered.
    """

    def __init__(self, studio: Studio, purpose: Purpose, shot: Shot, ask_again: AskAgain) -> None:
        self._studio, self._purpose, self._shot = studio, purpose, shot
        self._ask_again = ask_again
        self._lock = Lock()
        self._open = ExitStack()
        self._closed = False
        clearances = self._cleared()
        locker = Locker(studio)
        self._found = shot.clip.tracks(locker, clearances)
        self._model = shot.model.open(locker, clearances)
        self._frames = _Frames(shot, self._found, locker, self._open)
        self._painter: Painter | None = None
        self._mending: Mending | None = None

    @property
    def tracks(self) -> tuple[PersonTrack, ...]:
        """Everyone's in the clip, as they were found."""
        return self._found

    def mending(self, repairs: Repairs) -> Mending:
        """Return repairs applied to the clip; raises `InputError` if they don't fit."""
        with self._lock:
            self._cleared()
            return mending_of(self._studio, self._take(repairs), self._found)

    def frame(self, number: int, repairs: Repairs) -> tuple[Picture, Picture]:
        """Return a frame as it was filmed, and as it is rendered with `repairs`.

        It is what a render of the whole clip would give (light may differ by a trace in frames next
        to some that were moved since the bench was opened).

        Raises `InputError` if the clip has no such frame or the repairs don't fit,
        `UnlistedFaceError` or `SignOffError` if they put the face where it isn't sure whose it is.
        """
        with self._lock:
            clearances = self._cleared()
            clip = self._shot.clip
            if not 0 <= number < clip.frames:
                raise InputError(f"{clip.name} has no frame {number}; it has {clip.frames}")
            take = self._take(repairs)
            mending = mending_of(self._studio, take, self._found)
            begin = max(0, (number - AHEAD) // AFRESH * AFRESH)
            end = min(number + AHEAD, clip.frames - 1)
            pictures = self._frames.around(number, begin, end, clearances)
            filmed = pictures.at(number)
            hold_frame(self._studio, self._purpose, clip, mending, number, filmed, clearances)
            painter = self._painter_for(take, mending)
            for missing in painter.unseen(range(begin, end + 1)):
                painter.see(missing, pictures.at(missing))
            painter.keep(number - _SEEN, number + _SEEN)
            patch, _ = painter.paint(number, filmed)
            # Painting takes time: whoever withdrew meanwhile is heard.
            self._cleared()
            return filmed, apply(patch, filmed)

    def seconds(self) -> tuple[float, ...]:
        """Return when each frame is shown; between those with a face in them, about."""
        known = {
            int(number): float(second)
            for track in self._found
            for number, second in zip(track.index, track.seconds, strict=True)
        }
        numbers = sorted(known)
        times = [known[number] for number in numbers]
        step = (times[-1] - times[0]) / max(1, numbers[-1] - numbers[0]) or 0.04
        frames = np.arange(self._shot.clip.frames)
        found = np.interp(frames, numbers, times)
        found += step * (np.minimum(frames - numbers[0], 0) + np.maximum(frames - numbers[-1], 0))
        return tuple(np.round(np.maximum(found, 0), 4).tolist())

    def rest(self) -> None:
        """Let go of decoded pictures and of what was seen; the next frame takes longer."""
        with self._lock:
            self._frames.rest()
            self._painter = self._mending = None

    def close(self) -> None:
        """Let go of everything that is held; a bench can't be used any more."""
        self._closed = True
        self._open.close()
        self._painter = self._mending = None
        self._model, self._found = b"", ()

    def _cleared(self) -> Sequence[Clearance]:
        """Ask the desk; without everyone's consent nothing is held any longer."""
        if self._closed:
            raise NotClearedError("this bench was closed", advice="Open the page again.")
        try:
            clearances = self._ask_again()
            now, project = self._studio.clock(), self._purpose.project_id
            clip, donor = self._shot.clip, self._shot.model.donor_id
            require_all(clearances, [donor], Act.PORTRAY, project_id=project, now=now)
            require_all(clearances, clip.people, Act.PERFORM, project_id=project, now=now)
            Locker(self._studio).hold(clip.bound, clearances)
        except BaseException:
            self.close()
            raise
        return clearances

    def _take(self, repairs: Repairs) -> Take:
        if repairs.clip != self._shot.clip.sha256:
            raise InputError(f"these repairs are of another clip than {self._shot.clip.name}")
        config = painting_config(CompositeConfig(), repairs.settings)
        version = held(self._studio, self._shot)
        return Take(shot=self._shot, version=version, repairs=repairs, config=config)

    def _painter_for(self, take: Take, mending: Mending) -> Painter:
        """The painter for these repairs, which has seen what the one before has."""
        old, before = self._painter, self._mending
        if old is None or before is None or before.owners != mending.owners:
            painter = painter_for(self._model, mending.own, take.config, mending)
        else:
            changed = _moved_otherwise(before, mending)
            painter = old.mended(mending.own, take.config, mending, changed)
        self._painter, self._mending = painter, mending
        return painter


def _moved_otherwise(before: Mending, after: Mending) -> set[int]:
    """The frames in which a face is moved by hand otherwise."""
    numbers = {*before.moved_frames, *after.moved_frames}
    return {n for n in numbers if not _same(before.moved(n), after.moved(n))}


def _same(one: NDArray[np.float32] | None, other: NDArray[np.float32] | None) -> bool:
    if one is None or other is None:
        return one is other
    return bool(np.array_equal(one, other))


class _Frames:
    """Decoded frames of a clip; those around the last that was asked for are kept."""

    def __init__(
        self, shot: Shot, tracks: Sequence[PersonTrack], locker: Locker, stack: ExitStack
    ) -> None:
        self._clip = shot.clip
        self._locker = locker
        self._stack = stack
        self._kept: dict[int, Picture] = {}
        self._reader: Iterator[tuple[int, Picture]] = iter(())
        self._next = -1
        self._footage: BufferedReader | None = None
        self._stamps = {
            int(number): int(pts)
            for track in tracks
            for number, pts in zip(track.index, track.pts, strict=True)
        }
        stack.callback(self._kept.clear)

    def around(
        self, number: int, begin: int, end: int, clearances: Collection[Clearance]
    ) -> "_Frames":
        """Decode what is missing from `begin` to `end`, and let go of what is far from `number`."""
        missing = [n for n in range(begin, end + 1) if n not in self._kept]
        if missing:
            self._decode(missing[0], missing[-1], clearances)
        self._bound(number, begin, end)
        return self

    def at(self, number: int) -> Picture:
        """Return a frame that was decoded."""
        return self._kept[number]

    def rest(self) -> None:
        """Let go of the pictures and of the decoder."""
        self._kept.clear()
        self._reader, self._next = iter(()), -1

    def _decode(self, first: int, last: int, clearances: Collection[Clearance]) -> None:
        if not self._next <= first <= self._next + _FURTHER or self._next < 0:
            self._seek(first, clearances)
        while self._next <= last:
            found = next(self._reader, None)
            if found is None:
                raise MediaError(f"{self._clip.name} ends before frame {last}")
            number, picture = found
            self._next = number + 1
            if number >= first:
                self._kept[number] = picture

    def _seek(self, first: int, clearances: Collection[Clearance]) -> None:
        """Begin to read at the last frame up to `first` whose time is known, or the first frame."""
        known = max((n for n in self._stamps if n <= first), default=None)
        start = None if known is None else self._stamps[known]
        if self._footage is None:
            self._footage = self._stack.enter_context(self._clip.open(self._locker, clearances))
        self._footage.seek(0)
        pictures = read_pictures(self._footage, name=self._clip.name, start_pts=start)
        self._next = 0 if known is None else known
        self._reader = enumerate(pictures, self._next)

    def _bound(self, number: int, begin: int, end: int) -> None:
        """Let go of the pictures that are farthest away, beyond what is allowed."""
        picture = self._kept[number]
        size = picture.y.nbytes + picture.u.nbytes + picture.v.nbytes
        most = max(_MOST // size, end - begin + 1)
        for far in sorted(self._kept, key=lambda n: abs(n - number))[most:]:
            del self._kept[far]
