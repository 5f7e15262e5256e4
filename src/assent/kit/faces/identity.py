"""Say who a face is, or that it is nobody on the list.

>>> ada, ben = np.zeros((1, 128), np.float32), np.ones((1, 128), np.float32)
>>> nearest(ada[0], {"ada": ada, "ben": ben}).name
'ada'

A gallery maps names to embeddings float32 [n, 128] made at enrolment. The distance between a face
and a person is the mean Euclidean distance to the three nearest of that person's embeddings, so
that a single odd picture in a large gallery can't let a stranger in.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from assent.kit.faces.calibration import APART, SAME_PERSON, SURE
from assent.kit.faces.tracks import Track

__all__ = [
    "Assignment",
    "Gallery",
    "Match",
    "TrackIdentity",
    "Verdict",
    "assign",
    "cluster",
    "nearest",
]

Gallery = Mapping[str, NDArray[np.float32]]
"""Embeddings [n, 128] of each listed person, n >= 1."""

_NEAREST = 3
_PASSING = 2.0
"""Seconds for which a followed face may be less than sure, between two moments in which it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """The listed person nearest to a face, and how far: under `SAME_PERSON`, it is that person."""

    name: str
    distance: float


class Verdict(Enum):
    """What a track's embeddings say together."""

    LISTED = "listed"
    """All of them show one listed person, and surely so, but for a moment in between."""
    UNSURE = "unsure"
    """All may show one listed person, but not all surely: somebody has to look."""
    UNLISTED = "unlisted"
    """None of them shows a listed person."""
    MIXED = "mixed"
    """Some show a listed person and some don't, or another: somebody may have been swapped in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackIdentity:
    """Who a track shows: `name` is None unless the verdict is LISTED."""

    track: int
    verdict: Verdict
    name: str | None
    nearest: Match | None
    """The nearest listed person by median distance, whatever the verdict; None: empty gallery."""
    farthest: float
    """Largest distance of any of its embeddings to that person; infinite: empty gallery."""
    distances: Mapping[str, float]
    """Median over the track's embeddings of the distance to each listed person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """The identities of all tracks of a clip, in the order of the tracks."""

    identities: tuple[TrackIdentity, ...]

    @property
    def names(self) -> Mapping[int, str | None]:
        """Name, or None, by track id."""
        return MappingProxyType({one.track: one.name for one in self.identities})

    @property
    def unlisted(self) -> tuple[TrackIdentity, ...]:
        """The tracks that can't be given a name."""
        return tuple(one for one in self.identities if one.name is None)


def nearest(embedding: NDArray[np.float32], gallery: Gallery) -> Match:
    """The person of a gallery nearest to an embedding [128]; ValueError if the gallery is empty."""
    if not gallery:
        raise ValueError("the gallery is empty")
    return min(
        (Match(name=name, distance=_distance(embedding, of)) for name, of in gallery.items()),
        key=lambda match: match.distance,
    )


def _distance(embedding: NDArray[np.float32], person: NDArray[np.float32]) -> float:
    distances = np.sort(np.linalg.norm(person - embedding, axis=1))
    return float(distances[:_NEAREST].mean())


def assign(
    tracks: Iterable[Track],
    gallery: Gallery,
    *,
    sure: float = SURE,
    threshold: float = SAME_PERSON,
) -> Assignment:
    """Name the tracks; fails closed: a track is named only if each of its embeddings agrees.

    Args:
        tracks: the faces of a clip.
        gallery: the listed people's.
        sure: distance under which a face is a listed person's.
        threshold: distance from which it is nobody's on the list; between the two it is unsure.
    """
    judge = partial(_judge, sure=sure, threshold=threshold)
    return Assignment(identities=tuple(_identify(track, gallery, judge) for track in tracks))


_Table = Mapping[str, NDArray[np.float64]]


def _identify(
    track: Track, gallery: Gallery, judge: Callable[[_Table, str | None, Sequence[float]], Verdict]
) -> TrackIdentity:
    table = {
        name: np.array([_distance(embedding, person) for embedding in track.embeddings])
        for name, person in gallery.items()
    }
    medians = {name: float(np.median(column)) for name, column in table.items()}
    best = min(medians, key=medians.__getitem__, default=None)
    verdict = judge(table, best, track.embedded_at)
    return TrackIdentity(
        track=track.id,
        verdict=verdict,
        name=best if verdict is Verdict.LISTED else None,
        nearest=None if best is None else Match(name=best, distance=medians[best]),
        farthest=float("inf") if best is None else float(table[best].max()),
        distances=MappingProxyType(medians),
    )


def _judge(
    table: _Table, best: str | None, at: Sequence[float], *, sure: float, threshold: float
) -> Verdict:
    if best is None:
        return Verdict.UNLISTED
    ranked = np.sort(np.stack(list(table.values())), axis=0)
    lowest = ranked[0]
    if (lowest >= threshold).all():
        return Verdict.UNLISTED
    agreed = (table[best] < threshold) & (table[best] <= lowest)
    if not agreed.all():
        return Verdict.MIXED
    # Between two listed people who are nearly as near only somebody who knows them can tell.
    clear = (lowest < sure) & (len(ranked) == 1 or ranked[1] - lowest >= APART)
    return Verdict.LISTED if _carried(clear, at) else Verdict.UNSURE


def _carried(clear: NDArray[np.bool_], at: Sequence[float]) -> bool:
    """Whether looks that aren't clear are few, and have clear ones of the same track around them.

    Something passed before the face, or it was turned away for a moment.
    """
    if clear.all():
        return True
    begins = np.flatnonzero(np.diff(np.concatenate([[True], clear])) & ~clear)
    ends = np.flatnonzero(np.diff(np.concatenate([clear, [True]])) & ~clear)
    return bool(clear[0] and clear[-1]) and all(
        at[last] - at[first] <= _PASSING
        for first, last in zip(begins.tolist(), ends.tolist(), strict=True)
    )


def cluster(
    embeddings: NDArray[np.float32], *, threshold: float = SAME_PERSON
) -> NDArray[np.int64]:
    """Group embeddings [n, 128] by person without a gallery; labels [n], 0 for the first one's.

    Agglomerative with average linkage: the two groups whose members are nearest on average merge
    until no two are nearer than `threshold`. Time grows with n cubed; meant for hundreds.
    """
    count = len(embeddings)
    labels = np.arange(count)
    apart = np.linalg.norm(embeddings[:, None] - embeddings[None], axis=2).astype(np.float64)
    np.fill_diagonal(apart, np.inf)
    sizes = np.ones(count)
    while count and apart.min() < threshold:
        keep, gone = sorted(divmod(int(apart.argmin()), count))
        share = sizes[keep] / (sizes[keep] + sizes[gone])
        merged = share * apart[keep] + (1 - share) * apart[gone]
        apart[keep], apart[:, keep] = merged, merged
        apart[gone], apart[:, gone], apart[keep, keep] = np.inf, np.inf, np.inf
        sizes[keep] += sizes[gone]
        labels[labels == gone] = keep
    return _renumbered(labels)


def _renumbered(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    order = {label: number for number, label in enumerate(dict.fromkeys(labels.tolist()))}
    return np.array([order[label] for label in labels.tolist()], dtype=np.int64)
