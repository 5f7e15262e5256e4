"""A draft, frame by frame: before, after, and what was changed. Only viewings import it."""

from collections.abc import Sequence
from datetime import datetime
from threading import Lock

from assent.consent.clearance import Clearance
from assent.consent.locker import Locker
from assent.create._reel import Reel, mask_of
from assent.create.draft import Draft
from assent.disclose.viewing.of_clip import Indices, OfClip
from assent.disclose.viewing.subject import Frame, Named, Side
from assent.kit.store.openings import COVERS
from assent.kit.store.studio import Studio

__all__ = ["OfDraft"]


class OfDraft:
    """A draft: before, after, and what was changed; raises as `OfClip`."""

    def __init__(
        self,
        studio: Studio,
        draft: Draft,
        locker: Locker,
        clearances: Sequence[Clearance],
        indices: Indices,
    ) -> None:
        self._studio = studio
        self._draft = draft
        self.label = draft.label
        self._footage = OfClip(draft.clip, locker, clearances, indices)
        self.scrubber = self._footage.scrubber
        self._reel = Reel(studio, draft, locker, self.scrubber)
        self._announced: datetime | None = None
        self._announcing = Lock()

    @property
    def frames(self) -> int:
        """Return how many there are."""
        return self._draft.frames

    @property
    def sources(self) -> tuple[str, ...]:
        """Return the clip and what was made of it."""
        return (*self._footage.sources, self._of)

    @property
    def _of(self) -> str:
        # A draft that is rendered on has another digest.
        return f"{self._draft.id} {self._draft.digest}"

    @property
    def footage(self) -> str:
        """Return the clip's SHA-256."""
        return self._draft.clip.sha256

    def named(self, number: int, side: Side, clearances: Sequence[Clearance]) -> Named:
        """Return what a frame of that side is called."""
        if side is Side.BEFORE:
            return self._footage.named(number, side, clearances)
        # What is decoded already is held to who is cleared now as well.
        self._footage.hold(clearances)
        now = self._studio.clock()
        with self._announcing:
            if self._announced is None or now - self._announced >= COVERS:
                self._reel.announce(clearances)
                self._announced = now
        return Named(
            of=self._of, name=f"{side.value} {number}", made="changed", scrubber=self.scrubber
        )

    def frame(self, number: int, side: Side, clearances: Sequence[Clearance]) -> Frame:
        """Return a frame of that side."""
        if side is Side.BEFORE:
            return self._footage.frame(number, side, clearances)
        named = self.named(number, side, clearances)
        shot, rendered = self._reel.pair(number, clearances)
        picture = rendered if side is Side.AFTER else mask_of(shot, rendered)
        return Frame(picture=picture, made=named.made, name=named.name)

    def seconds(self) -> tuple[float, ...]:
        """Return when each frame is shown."""
        return self._footage.seconds()

    def rest(self) -> None:
        """Let go of decoder, segments and pictures."""
        self._reel.close()

    def close(self) -> None:
        """Let go of everything."""
        self._reel.close()
        self._footage.close()
