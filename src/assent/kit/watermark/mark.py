"""What a reader of marks reports."""

from dataclasses import dataclass

__all__ = ["Mark", "Search"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A mark that was read.

    `confidence` is the probability that this identifier is there: one minus the bound on a chance
    agreement in all readings up to this one together, minus the odds of the runner-up. `z` is by
    how many deviations the pilots stand out, `geometry` says in words how the pattern lay in the
    picture, `frames` how many frames were averaged. `segment` (0..7) says in which eight seconds
    of the film the first of them was shown, counted anew every 64 seconds. `listed` is None for an
    identifier that was read bit by bit; else it was picked from that many known ones.
    `secret_nats` is minus the log of the chance that a mark without the studio's secret layer shows
    so much of it; None where it wasn't looked for. `public` is False where only that layer is left.
    """

    asset_id: int
    confidence: float
    z: float
    geometry: str
    frames: int
    segment: int
    listed: int | None = None
    secret_nats: float | None = None
    public: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What a reader looked at, and what it found.

    `mark` is None when nothing passed the gate: that is no proof that there is no mark.
    `searched` names each step that was finished, and why the search ended early if it did.
    """

    mark: Mark | None
    frames: int
    seconds: float
    searched: tuple[str, ...]
