"""Whose a face is that somebody said is another's, or moved by hand: the recogniser is asked.

The rules are those of ingestion. A face that is plainly nobody's in the clip can't be given to
anybody. One that the recogniser takes for another's, or isn't sure of, waits for a member of the
studio to decide, with their own key and a reason; the log gets a hash of that (`data.doubts`).
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from assent.consent.clearance import Clearance
from assent.consent.enrolment import read_enrolments
from assent.consent.locker import Locker
from assent.create.repair.mending import Mending, part_of
from assent.data.clips import ClearedClip
from assent.data.doubts import PICTURES, ask, rule
from assent.data.faces import COVERAGE, CROP_SIZE
from assent.data.look import clock_time
from assent.data.spans import Span
from assent.data.tracks import PersonTrack
from assent.kit.canonical import digest
from assent.kit.errors import SignOffError, UnlistedFaceError
from assent.kit.faces.align import align, scale_of
from assent.kit.faces.calibration import APART, SAME_PERSON, SURE, explain
from assent.kit.faces.embed import FaceEmbedder
from assent.kit.faces.frame import PictureFrame
from assent.kit.faces.identity import Gallery, nearest
from assent.kit.media.picture import Picture
from assent.kit.media.read import read_pictures
from assent.kit.store.studio import Studio
from assent.purpose.projects import Purpose

__all__ = ["hold_frame", "hold_whose"]

_STEP: Final = 5
"""Of so many frames of a face that is another's now, one is looked at, and the last."""
_SLIGHT: Final = 0.12
"""Share of the face: one that is moved by less is still the same face."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Claim:
    """A run of frames in which a face is said to be somebody's: `given` to them, or moved."""

    piece: int
    track: PersonTrack
    origin: int
    given: bool
    leaps: tuple[int, ...] = ()
    """Places where it was moved otherwise, by far, than just before."""
    only: int | None = None

    @property
    def looks(self) -> list[int]:
        """Places in the track that are looked at."""
        if self.only is not None:
            return [self.only]
        last = len(self.track.index) - 1
        return sorted({*range(0, last, _STEP), last, *self.leaps})

    @property
    def key(self) -> Mapping[str, object]:
        """What a decision about it is about: this face, where it is said to be."""
        steps = np.round(self.track.landmarks).astype(int).tolist()
        return {"track": self.origin, "moved": None if self.given else digest(steps)}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Seen:
    """What the recogniser saw of a claim.

    Of each look the distance to the person, and to the nearest other; and a few crops.
    """

    own: NDArray[np.float64]
    other: NDArray[np.float64]
    crops: NDArray[np.uint8]

    @property
    def stranger(self) -> bool:
        """Whether any look shows nobody in the clip."""
        return bool((np.minimum(self.own, self.other) >= SAME_PERSON).any())

    def bears_out(self, claim: _Claim) -> bool:
        """Whether every look bears the claim out; if a face was only moved, none may deny it."""
        limit, apart = (SURE, APART) if claim.given else (SAME_PERSON, 0.0)
        return bool((self.own < limit).all() and (self.other - self.own >= apart).all())


def hold_whose(
    studio: Studio,
    purpose: Purpose,
    clip: ClearedClip,
    mending: Mending,
    clearances: Collection[Clearance],
) -> frozenset[int]:
    """Hold what repairs say of whose faces are to the recogniser and to what was decided.

    Returns the numbers of `mending.pieces` about which a person decided.

    Raises `UnlistedFaceError` if a face is nobody's in the clip, or a person said that it isn't
    whose it is said to be; `SignOffError` if somebody must decide first; `NotClearedError` unless
    everyone in the clip is cleared.
    """
    claims = list(_claims(mending))
    if not claims:
        return frozenset()
    own = [each for each in clearances if each.person_id in clip.people]
    looked = _look(clip, claims, read_enrolments(studio, own), Locker(studio), own)
    decided, waiting = set(), []
    for claim, seen in zip(claims, looked, strict=True):
        if seen.bears_out(claim):
            continue
        if _decided(studio, purpose, clip, claim, seen, own):
            decided.add(claim.piece)
        else:
            waiting.append((claim, seen))
    for claim, seen in waiting:
        _ask(studio, purpose, clip, claim, seen, own)
    if waiting:
        claim, seen = waiting[0]
        raise SignOffError(
            f"{_when(clip, claim)}: it isn't sure whose face it is ({explain(seen.own.max())})",
            advice="Somebody at the studio must look at it: `assent footage review`.",
        )
    return frozenset(decided)


def hold_frame(
    studio: Studio,
    purpose: Purpose,
    clip: ClearedClip,
    mending: Mending,
    number: int,
    picture: Picture,
    clearances: Collection[Clearance],
) -> None:
    """Hold one frame's faces to the same; raises as `hold_whose`, but asks nobody."""
    claims = [
        _Claim(piece=c.piece, track=c.track, origin=c.origin, given=c.given, only=place)
        for c in _claims(mending)
        for place in np.flatnonzero(c.track.index == number).tolist()
    ]
    if not claims:
        return
    own = [each for each in clearances if each.person_id in clip.people]
    gallery, embedder = read_enrolments(studio, own), FaceEmbedder()
    for claim in claims:
        look = _look_at(PictureFrame(picture), claim.track.landmarks[claim.looks[0]], embedder)
        seen = _seen(claim.track.person_id, [look[0]], [look[1]], gallery)
        if not seen.bears_out(claim) and not _decided(studio, purpose, clip, claim, seen, own):
            raise SignOffError(
                f"{_when(clip, claim)}: it isn't sure whose face it is ({explain(seen.own.max())})",
                advice="Save the repairs: somebody at the studio is asked then.",
            )


def _look_at(
    frame: PictureFrame, points: NDArray[np.float32], embedder: FaceEmbedder
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """The embedding and a crop of a face."""
    crop = frame.cut(align(points, CROP_SIZE, COVERAGE), CROP_SIZE)
    return embedder.embed(frame, points), crop


def _claims(mending: Mending) -> Iterator[_Claim]:
    """The pieces whose owner was changed, and the runs of frames in which a face was moved far."""
    for number, (piece, after) in enumerate(zip(mending.pieces, mending.tracks, strict=True)):
        if piece.given:
            yield _Claim(piece=number, track=piece.track, origin=piece.origin, given=True)
        if after is piece.track:
            continue
        far = np.flatnonzero(
            [_far(*both) for both in zip(piece.track.landmarks, after.landmarks, strict=True)]
        )
        for run in np.split(far, np.flatnonzero(np.diff(far) > 1) + 1):
            if len(run):
                places = slice(int(run[0]), int(run[-1]) + 1)
                part = part_of(after, places, after.person_id)
                leaps = _leaps(piece.track.landmarks[places], part.landmarks)
                yield _Claim(
                    piece=number, track=part, origin=piece.origin, given=False, leaps=leaps
                )


def _far(before: NDArray[np.float32], after: NDArray[np.float32]) -> bool:
    """Whether a face was moved so far, or grown so much, that it may be another face."""
    size = 1 / scale_of(align(before, size=1, coverage=1.0))
    grown = 1 / (scale_of(align(after, size=1, coverage=1.0)) * size)
    away = float(np.linalg.norm(after.mean(0) - before.mean(0))) / size
    return away > _SLIGHT or not 1 / (1 + 2 * _SLIGHT) < grown < 1 + 2 * _SLIGHT


def _leaps(before: NDArray[np.float32], after: NDArray[np.float32]) -> tuple[int, ...]:
    """The places where a face was moved by much more or less than in the frame before.

    A move that lasts for a few frames alone would be missed by looking at some.
    """
    sizes = [1 / scale_of(align(points, size=1, coverage=1.0)) for points in before[1:]]
    steps = np.linalg.norm(np.diff(after - before, axis=0), axis=2).max(axis=1)
    return tuple((np.flatnonzero(steps > _SLIGHT * np.array(sizes)) + 1).tolist())


def _look(
    clip: ClearedClip,
    claims: Sequence[_Claim],
    gallery: Gallery,
    locker: Locker,
    clearances: Collection[Clearance],
) -> list[_Seen]:
    """Look at each claim's face in some of its frames; the film is decoded once."""
    wanted: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for number, claim in enumerate(claims):
        for place in claim.looks:
            wanted[int(claim.track.index[place])].append((number, place))
    # A film's frames are numbered from its beginning: there is no seeking to a number.
    embedder, last = FaceEmbedder(), max(wanted)
    embeddings: list[list[NDArray[np.float32]]] = [[] for _ in claims]
    crops: list[list[NDArray[np.uint8]]] = [[] for _ in claims]
    with clip.open(locker, clearances) as footage:
        for number, picture in enumerate(read_pictures(footage, name=clip.name)):
            for which, place in wanted.get(number, ()):
                points = claims[which].track.landmarks[place]
                embedding, crop = _look_at(PictureFrame(picture), points, embedder)
                embeddings[which].append(embedding)
                crops[which].append(crop)
            if number >= last:
                break
    return [
        _seen(claim.track.person_id, found, kept, gallery)
        for claim, found, kept in zip(claims, embeddings, crops, strict=True)
    ]


def _seen(
    person: str,
    embeddings: Sequence[NDArray[np.float32]],
    crops: Sequence[NDArray[np.uint8]],
    gallery: Gallery,
) -> _Seen:
    others = {name: of for name, of in gallery.items() if name != person}
    nobody = [float("inf")] * len(embeddings)
    shown = np.linspace(0, len(crops) - 1, PICTURES).round().astype(int)
    return _Seen(
        own=np.array([nearest(each, {person: gallery[person]}).distance for each in embeddings]),
        other=np.array([nearest(e, others).distance for e in embeddings] if others else nobody),
        crops=np.stack([crops[place] for place in shown.tolist()]),
    )


def _decided(
    studio: Studio,
    purpose: Purpose,
    clip: ClearedClip,
    claim: _Claim,
    seen: _Seen,
    clearances: Sequence[Clearance],
) -> bool:
    """Tell whether a person decided that the claim is right; raises if it can't be."""
    # A head turned away looks like nobody: of one that was only moved a person may decide.
    if seen.stranger and claim.given:
        raise UnlistedFaceError(
            f"{_when(clip, claim)}: shows somebody who is not in the clip "
            f"({explain(float(np.minimum(seen.own, seen.other).max()))})",
            advice="Faces can be given to those only who were named when the clip was added.",
        )
    ruling = rule(studio, purpose, _about(clip, claim), clearances)
    span = _span(claim, seen)
    if ruling.forbids(span):
        raise UnlistedFaceError(
            f"{_when(clip, claim)}: a person at the studio looked at the face and said that it "
            "isn't whose the repairs say",
            advice="Take that repair back.",
        )
    return ruling.allows(span)


def _ask(
    studio: Studio,
    purpose: Purpose,
    clip: ClearedClip,
    claim: _Claim,
    seen: _Seen,
    clearances: Sequence[Clearance],
) -> None:
    ask(
        studio, purpose, [_span(claim, seen)], seen.crops[None], clearances,
        name=clip.name, sha256=_about(clip, claim),
    )  # fmt: skip


def _about(clip: ClearedClip, claim: _Claim) -> str:
    """The hash of what a decision is about."""
    return digest({"repair of": clip.sha256, "tracks": clip.tracks_blob, **claim.key})


def _span(claim: _Claim, seen: _Seen) -> Span:
    track = claim.track
    return Span(
        person_id=track.person_id,
        first=int(track.index[0]),
        last=int(track.index[-1]),
        begins_ms=round(1000 * float(track.seconds[0])),
        ends_ms=round(1000 * float(track.seconds[-1])),
        distance_milli=round(1000 * float(seen.own.max())),
    )


def _when(clip: ClearedClip, claim: _Claim) -> str:
    return f"{clip.name}, at {clock_time(float(claim.track.seconds[0]))}"
