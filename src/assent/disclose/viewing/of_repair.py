"""A shot that is being repaired, frame by frame, with repairs that needn't be saved yet.

Only viewings import it.
"""

from collections.abc import Sequence

from assent.consent.clearance import Clearance
from assent.consent.desk import Need, clear_all
from assent.create.one_frame import Bench
from assent.create.render import rendering_needs
from assent.create.repair.document import Repairs
from assent.create.repair.mending import Mending
from assent.create.repair.store import Shot
from assent.data.tracks import PersonTrack
from assent.disclose.viewing.subject import Frame, Side
from assent.kit.errors import InputError
from assent.kit.imaging.label import Corner
from assent.kit.store.studio import Studio
from assent.purpose.projects import Purpose

__all__ = ["OfRepair", "Traced", "needs_of"]


def needs_of(shot: Shot) -> tuple[Need, ...]:
    """Return what must be asked of everyone before a shot is looked at."""
    return rendering_needs(shot.model, shot.clip)


class OfRepair:
    """A shot with some repairs; for one thread at a time."""

    def __init__(self, studio: Studio, purpose: Purpose, shot: Shot) -> None:
        self._shot = shot
        self.repairs = Repairs(clip=shot.clip.sha256)
        needs = needs_of(shot)
        self._bench = Bench(studio, purpose, shot, lambda: clear_all(studio, purpose, needs))

    @property
    def sources(self) -> tuple[str, ...]:
        """No prints are kept of it."""
        return ()

    def named(self, number: int, side: Side, clearances: Sequence[Clearance]) -> None:
        """No prints are kept of it."""
        return

    @property
    def frames(self) -> int:
        """Return how many there are."""
        return self._shot.clip.frames

    @property
    def footage(self) -> str:
        """Return the clip's SHA-256."""
        return self._shot.clip.sha256

    @property
    def label(self) -> Corner:
        """Return where the label lies with these repairs."""
        return self.repairs.settings.label

    @property
    def tracks(self) -> tuple[PersonTrack, ...]:
        """Return everyone's in the clip, as they were found."""
        return self._bench.tracks

    def mending(self) -> Mending:
        """Return the repairs applied to the clip; raises `InputError` if they don't fit."""
        return self._bench.mending(self.repairs)

    def frame(self, number: int, side: Side, clearances: Sequence[Clearance]) -> Frame:
        """Return a frame as filmed, or as it is rendered; the bench asks the desk itself."""
        if side is Side.MASK:
            raise InputError("a frame that is repaired is shown before or after")
        filmed, rendered = self._bench.frame(number, self.repairs)
        if side is Side.BEFORE:
            return Frame(picture=filmed, made="filmed", name=f"{number}")
        name = f"{number} {self.repairs.sha256}"
        return Frame(picture=rendered, made="changed", name=name)

    def seconds(self) -> tuple[float, ...]:
        """Return when each frame is shown, as far as a face tells."""
        return self._bench.seconds()

    def rest(self) -> None:
        """Let go of decoder, painter and pictures."""
        self._bench.rest()

    def close(self) -> None:
        """Let go of everything."""
        self._bench.close()


class Traced:
    """Where faces lie in a shot that is repaired: figures alone, and no frame."""

    def __init__(self, shown: OfRepair) -> None:
        self.tracks = shown.tracks
        self.mending = shown.mending
        self.seconds = shown.seconds
