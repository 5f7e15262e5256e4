"""The quality report of a draft: what its frames' notes say together, and what to film next.

It is told before anything is released. It judges what can be judged without the truth: how far the
donor's pictures reach, what hides the face, how sharp and how steady the painted face is.
"""

import itertools
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from assent.consent.clearance import AskAgain, Clearance
from assent.consent.locker import Locker
from assent.create.advice import advise, verdict_on
from assent.create.draft import Draft
from assent.create.findings import FAR, HIDDEN, RELIT, Findings, Span, Worst, spans
from assent.create.painters import is_portrait
from assent.create.patches import unpack_notes
from assent.create.quality import FrameNote, pose_of
from assent.kit.errors import NotFoundError
from assent.kit.likeness.portrait import Portrait
from assent.kit.store.studio import Studio
from assent.kit.store.tables import DraftRow

__all__ = ["QualityReport", "donor_poses", "quality_of", "report_on"]

_COVERED: Final = 10.0  # degrees to the nearest of the donor's pictures
_BINS: Final = 400  # of what is drawn over time
_SHOWN, _SPACED, _DOUBTFUL = 8, 1.0, 0.7  # worst frames: how many, seconds apart, how bad


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityReport:
    """How good a render is.

    Attributes:
        frames: how many there are.
        painted: of how many something was changed.
        judged: of how many the engine tells how well; all but 0 numbers below are of these.
        covered: share of them within 10 degrees of one of the donor's pictures.
        yaw: least and largest, degrees, right of the picture above 0.
        pitch: least and largest, degrees, lowered above 0.
        mean: confidence.
        far: when the head turns too far from every picture of the donor to be painted fully.
        hidden: when something hides the face.
        relit: when the light is unlike that of any picture of the donor.
        sharpness: median contrast of fine detail over that of the faces replaced, if measured.
        jitter: median change from frame to frame of what is changed, grey levels, if measured.
        identity: median distance to the donor's pictures (`Measures.identity`), if measured.
        scale: median of `FrameQuality.scale`.
        confidence: (seconds, mean confidence or None where nothing is judged), at most 400.
        poses: (yaw, pitch) over time, at most 400.
        worst: the frames to look at, the worst first.
        verdict: all of it in a sentence.
        advice: what to film or to look at, the most important first.
    """

    frames: int
    painted: int
    judged: int
    covered: float | None
    yaw: tuple[float, float] | None
    pitch: tuple[float, float] | None
    mean: float | None
    far: tuple[Span, ...]
    hidden: tuple[Span, ...]
    relit: tuple[Span, ...]
    sharpness: float | None
    jitter: float | None
    identity: float | None
    scale: float | None
    confidence: tuple[tuple[float, float | None], ...]
    poses: tuple[tuple[float, float], ...]
    worst: tuple[Worst, ...]
    verdict: str
    advice: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    def rows(self) -> tuple[tuple[str, str], ...]:
        """What a table shows: names and values."""
        return (
            ("frames", f"{self.frames}, {self.painted} of them painted, {self.judged} judged"),
            ("within the donor's poses", _percent(self.covered)),
            ("turned, right of the picture", _degrees(self.yaw)),
            ("lowered", _degrees(self.pitch)),
            ("confidence", _plain(self.mean)),
            ("fine detail, of the face replaced", _percent(self.sharpness)),
            ("jitter, grey levels", _plain(self.jitter)),
            ("distance to the donor (strangers: .6)", _plain(self.identity)),
            ("size, of the model's pictures", _plain(self.scale)),
            ("turned too far", _times(self.far)),
            ("hidden", _times(self.hidden)),
            ("lit otherwise", _times(self.relit)),
        )


def donor_poses(
    studio: Studio, draft: Draft, clearances: Collection[Clearance]
) -> tuple[tuple[float, float], ...]:
    """Return (yaw, pitch) in degrees of the pictures in the model that made a draft.

    Empty if the model has been trained further since, or is of the other engine. Raises
    `NotClearedError` unless everyone is cleared.
    """
    with studio.database.session() as session:
        row = session.get_one(DraftRow, draft.id)
    try:
        model = Locker(studio).read(row.model_blob, clearances)
    except NotFoundError:
        return ()
    if not is_portrait(model):
        return ()
    return tuple(pose_of(turn) for turn in Portrait.from_bytes(model).turns)


def quality_of(draft: Draft, locker: Locker, ask_again: AskAgain) -> QualityReport:
    """Report on a draft; no picture is looked at.

    The desk is asked before each segment; raises `NotClearedError` as soon as someone withdraws.
    """
    return report_on(_notes(draft, locker, ask_again))


def report_on(notes: Iterable[FrameNote]) -> QualityReport:
    """Report on the notes of a render's frames, in order."""
    found = Findings.of(notes)
    judged = found.judged
    return QualityReport(
        frames=len(found.seconds),
        painted=int(found.painted.sum()),
        judged=int(judged.sum()),
        covered=_rounded(np.mean(found.away[judged] <= _COVERED)) if judged.any() else None,
        yaw=_range(found.yaw[judged]),
        pitch=_range(found.pitch[judged]),
        mean=_rounded(found.confidence[judged].mean()) if judged.any() else None,
        far=spans(found.seconds, found.away > FAR),
        hidden=spans(found.seconds, found.hidden > HIDDEN),
        relit=spans(found.seconds, found.relit > RELIT),
        sharpness=_median(found.sharpness),
        jitter=_median(found.jitter),
        identity=_median(found.identity),
        scale=_median(found.scale),
        confidence=_over_time(found),
        poses=_thinned(found),
        worst=_worst(found),
        verdict=verdict_on(found),
        advice=advise(found),
    )


def _notes(draft: Draft, locker: Locker, ask_again: AskAgain) -> Iterator[FrameNote]:
    segments = draft._segments  # noqa: SLF001 - the notes alone are taken out
    for data in locker.read_all(segments, ask_again):
        for note in unpack_notes(data):
            if note is not None:
                yield note


def _over_time(found: Findings) -> tuple[tuple[float, float | None], ...]:
    count = len(found.seconds)
    edges = np.linspace(0, count, min(count, _BINS) + 1).round().astype(int).tolist()
    parts = [slice(a, b) for a, b in itertools.pairwise(edges)]
    return tuple((_rounded(found.seconds[p][0]), _mean(found.confidence[p])) for p in parts)


def _thinned(found: Findings) -> tuple[tuple[float, float], ...]:
    known = np.flatnonzero(found.judged)
    kept = known[:: -(-len(known) // _BINS) or 1]
    return tuple(zip(found.yaw[kept].tolist(), found.pitch[kept].tolist(), strict=True))


def _worst(found: Findings) -> tuple[Worst, ...]:
    chosen: list[int] = []
    for number in np.argsort(found.confidence, kind="stable").tolist():  # NaN comes last
        if not found.confidence[number] < _DOUBTFUL or len(chosen) == _SHOWN:
            break
        if all(abs(found.seconds[number] - found.seconds[n]) >= _SPACED for n in chosen):
            chosen.append(number)
    return tuple(found.worst(number) for number in chosen)


def _range(values: NDArray[np.float64]) -> tuple[float, float] | None:
    return (float(values.min()), float(values.max())) if len(values) else None


def _mean(values: NDArray[np.float64]) -> float | None:
    known = values[~np.isnan(values)]
    return _rounded(known.mean()) if len(known) else None


def _median(values: NDArray[np.float64]) -> float | None:
    known = values[~np.isnan(values)]
    return _rounded(np.median(known)) if len(known) else None


def _rounded(value: Any) -> float:  # noqa: ANN401 - NumPy's scalars
    return round(float(value), 3)


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"


def _plain(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _degrees(limits: tuple[float, float] | None) -> str:
    return "-" if limits is None else f"{limits[0]:.0f} to {limits[1]:.0f} degrees"


def _times(found: tuple[Span, ...]) -> str:
    return ", ".join(f"{span.start:.1f}-{span.end:.1f} s" for span in found) or "-"
