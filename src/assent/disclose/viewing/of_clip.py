"""A clip as it was filmed, frame by frame. Only viewings import it."""

from collections.abc import Sequence
from io import BufferedReader

from assent.consent.clearance import Clearance
from assent.consent.locker import Locker
from assent.data.clips import ClearedClip
from assent.disclose.viewing.subject import Frame, Named, Side
from assent.kit.errors import InputError
from assent.kit.imaging.label import Corner
from assent.kit.media.seek import ClipIndex, Scrubber, index_clip

__all__ = ["Indices", "OfClip"]

_INDICES_KEPT = 64


class Indices:
    """Where the pictures of clips are, found out once for each."""

    def __init__(self) -> None:
        self._known: dict[str, ClipIndex] = {}

    def of(self, clip: ClearedClip, file: BufferedReader) -> ClipIndex:
        """Return the index of a clip, which `file` holds."""
        found = self._known.get(clip.blob)
        if found is None:
            found = index_clip(file, name=clip.name, frames=clip.frames)
            while len(self._known) >= _INDICES_KEPT:
                self._known.pop(next(iter(self._known)))
            self._known[clip.blob] = found
        return found


class OfClip:
    """A clip as it was filmed; raises as `ClearedClip.open`."""

    label = Corner.TOP_RIGHT

    def __init__(
        self, clip: ClearedClip, locker: Locker, clearances: Sequence[Clearance], indices: Indices
    ) -> None:
        self.clip = clip
        self._locker = locker
        self._file = clip.open(locker, clearances)
        try:
            self.index = indices.of(clip, self._file)
        except BaseException:
            self._file.close()
            raise
        self.scrubber = Scrubber(self._file, self.index, name=clip.name)

    @property
    def closed(self) -> bool:
        """Tell whether its footage can't be read any more."""
        return self._file.closed

    @property
    def frames(self) -> int:
        """Return how many there are."""
        return len(self.index)

    @property
    def footage(self) -> str:
        """Return the clip's SHA-256."""
        return self.clip.sha256

    @property
    def sources(self) -> tuple[str, ...]:
        """Return the clip."""
        return (self.clip.blob,)

    def named(self, number: int, side: Side, clearances: Sequence[Clearance]) -> Named:
        """Return what a frame is called."""
        if side is not Side.BEFORE:
            raise InputError("footage is shown as it was filmed")
        self.hold(clearances)
        self._locker.announce([self.clip.blob], clearances)
        return Named(
            of=self.clip.blob,
            name=f"{number}",
            made="filmed",
            scrubber=self.scrubber,
            film=self,
        )

    def frame(self, number: int, side: Side, clearances: Sequence[Clearance]) -> Frame:
        """Return a frame as filmed."""
        named = self.named(number, side, clearances)
        picture = self.scrubber.picture(number)
        return Frame(picture=picture, made=named.made, name=named.name)

    def read_again(self, clearances: Sequence[Clearance]) -> BufferedReader:
        """Open the clip once more, for another decoder; raises as `ClearedClip.open`."""
        return self.clip.open(self._locker, clearances)

    def hold(self, clearances: Sequence[Clearance]) -> None:
        """Raise `NotClearedError` unless everyone is cleared for the very clip.

        Who is cleared now may be so under another record than it was taken in under.
        """
        self._locker.hold(self.clip.bound, clearances)

    def seconds(self) -> tuple[float, ...]:
        """Return when each frame is shown."""
        return tuple(self.index.second(number) for number in range(len(self.index)))

    def rest(self) -> None:
        """Let go of decoder and pictures."""
        self.scrubber.close()

    def close(self) -> None:
        """Let go of everything."""
        self.scrubber.close()
        self._file.close()
