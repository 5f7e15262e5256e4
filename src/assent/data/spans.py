"""A face over some frames that may be somebody's, and what a person decided about such."""

from dataclasses import dataclass

from assent.kit.faces.identity import TrackIdentity
from assent.kit.faces.tracks import Track

__all__ = ["Ruling", "Span"]

# Frames by which a face may begin earlier or end later than when it was decided about it.
_SLACK = 12
# By how much it may be farther from the enrolment, in thousandths.
_FARTHER = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A face that may be `person_id`'s, from one frame to another (both included)."""

    person_id: str
    first: int
    last: int
    begins_ms: int
    ends_ms: int
    distance_milli: int

    @classmethod
    def of(cls, identity: TrackIdentity, track: Track) -> "Span":
        """Return the span of a track, named after the person nearest to it."""
        if identity.nearest is None:
            raise ValueError("without a gallery there is no doubt")
        return cls(
            person_id=identity.nearest.name,
            first=track.points[0].index,
            last=track.points[-1].index,
            begins_ms=round(1000 * track.points[0].seconds),
            ends_ms=round(1000 * track.points[-1].seconds),
            distance_milli=round(1000 * identity.farthest),
        )

    def covers(self, other: "Span") -> bool:
        """Whether what was decided of this holds for `other`."""
        return (
            self.person_id == other.person_id
            and self.first - _SLACK <= other.first
            and other.last <= self.last + _SLACK
            and other.distance_milli <= self.distance_milli + _FARTHER
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What was decided about a clip: which faces are those of whom they may be, which aren't."""

    same: tuple[Span, ...] = ()
    other: tuple[Span, ...] = ()

    def allows(self, span: Span) -> bool:
        """Whether a person decided that this face is whose it may be."""
        return any(each.covers(span) for each in self.same) and not self.forbids(span)

    def forbids(self, span: Span) -> bool:
        """Whether a person decided that it isn't."""
        return any(each.covers(span) for each in self.other)
