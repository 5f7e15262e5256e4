"""Is the label in the picture? Looked for in pictures all through the film."""

from dataclasses import dataclass, field
from itertools import groupby

from assent.kit.imaging.label_search import LabelFound, find_label, label_at_home
from assent.kit.media.picture import Picture
from assent.verify.findings import Layer, Status

__all__ = ["LabelSeen", "LabelWatch", "label_layer"]

# Seconds from one picture that is looked at to the next, at least, and how many at most.
_APART, _MOST = 1.0, 60
# Of the pictures whose label isn't at its own place, each so-manyth is searched everywhere.
_SEARCHED = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSeen:
    """In how many pictures the label was looked for and seen, and when it was not, in seconds.

    `at_home` says that it always was where the studio draws it. `score` is the weakest sighting, in
    hundredths, or the strongest likeness if there was none.
    """

    looked: int
    seen: int
    at_home: bool
    missing: tuple[tuple[int, int], ...]
    score: int


@dataclass(slots=True)
class LabelWatch:
    """Gathers what is seen of the label; `duration` in seconds sets how often it looks."""

    duration: float
    _next: float = 0.0
    _unsure: int = 0
    _like: LabelFound | None = None
    _looks: list[tuple[float, LabelFound]] = field(default_factory=list)

    def wants(self, at: float) -> bool:
        """Tell whether a picture shown at second `at` is one to look at; most aren't."""
        return at >= self._next

    def look(self, picture: Picture, at: float) -> None:
        """Look at a picture shown at second `at`."""
        self._next = at + max(_APART, self.duration / _MOST)
        found = self._find(picture)
        if found is not None:
            self._looks.append((at, found))

    def result(self) -> LabelSeen | None:
        """Return what was seen; None if no picture had room for a label."""
        if not self._looks:
            return None
        seen = [found for _, found in self._looks if found.seen]
        best = max(found.score for _, found in self._looks)
        return LabelSeen(
            looked=len(self._looks),
            seen=len(seen),
            at_home=bool(seen) and all(found.at_home for found in seen),
            missing=tuple(self._missing()) if seen else (),
            score=round(100 * min((found.score for found in seen), default=best)),
        )

    def _find(self, picture: Picture) -> LabelFound | None:
        home = label_at_home(picture)
        if home is not None and home.seen:
            return home
        if self._like is not None:
            return find_label(picture, like=self._like) or home
        self._unsure += 1
        if self._unsure % _SEARCHED != 1:
            # Not searched everywhere, so nothing is known.
            return None
        found = find_label(picture)
        if found is not None and found.seen:
            self._like = found
            return found
        return found or home

    def _missing(self) -> list[tuple[int, int]]:
        spans = []
        for seen, looks in groupby(self._looks, key=lambda look: look[1].seen):
            times = [int(at) for at, _ in looks]
            if not seen:
                spans.append((times[0], times[-1]))
        return spans


def label_layer(label: LabelSeen, *, ours: bool) -> Layer:
    """Return the layer `label`; `ours` says that something else proves it to be a release's."""
    pictures = "1 picture" if label.looked == 1 else f"{label.looked} pictures"
    rests_on = f"{pictures} looked at, one a second or fewer; the drawing of the label"
    status, says = _told(label, ours=ours)
    facts = {
        "looked": label.looked,
        "seen": label.seen,
        "at_home": label.at_home,
        "missing": [list(span) for span in label.missing],
        "score": label.score,
    }
    return Layer(name="label", status=status, says=says, rests_on=rests_on, facts=facts)


def _told(label: LabelSeen, *, ours: bool) -> tuple[Status, str]:
    if not label.seen:
        if ours:
            return Status.BAD, (
                "The label AI + MODIFIED isn't in the picture: it was cut off or covered. Nothing "
                "tells viewers of this copy that it is synthetic."
            )
        return Status.MISSING, "No label like Assent's is seen; that proves nothing."
    where = "at its place" if label.at_home else "at another place or size than it was drawn"
    if label.missing:
        spans = ", ".join(f"{a} s" if a == b else f"{a}-{b} s" for a, b in label.missing)
        says = f"The label AI + MODIFIED is seen {where}, but not at {spans}."
        return (Status.BAD if ours else Status.UNKNOWN), says
    says = f"The label AI + MODIFIED is in every picture that was looked at, {where}."
    if not ours:
        return Status.UNKNOWN, f"{says} Anybody can draw one: alone it proves nothing."
    return Status.GOOD, says
