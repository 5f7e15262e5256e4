"""Repairs applied to the tracks of a clip: what a painter is told frame by frame."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from assent.create.repair.brush import Field, field_at
from assent.create.repair.chart import CHART, chart_of
from assent.create.repair.document import Owner, Repairs, Settings
from assent.create.repair.shape import Moved, moved_at, moved_mesh
from assent.data.tracks import PersonTrack, of_person
from assent.kit.errors import InputError
from assent.kit.faces.geometry import box_of_landmarks, covered
from assent.kit.faces.mesh import landmarks_of
from assent.kit.likeness.layout import Layout

__all__ = ["Mending", "Piece", "part_of", "reassigned"]

_ON_ANOTHER: Final = 0.35
"""Share of somebody else's face that a face moved by hand may cover beyond what it did before."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Piece:
    """A track or a part of one: of track number `origin`, `given` if somebody said whose it is."""

    track: PersonTrack
    origin: int
    given: bool


class Mending:
    """A document's repairs for one performer in one clip.

    Args:
        repairs: the document.
        tracks: everyone's in the clip, as they were found.
        performer: whose face is replaced.
        people: ids of the people in the clip, by handle.
        frames: of the clip.

    Raises:
        InputError: it names frames, tracks or people that the clip doesn't have, puts one person
            twice into a frame, or moves a face onto somebody else's.
    """

    def __init__(
        self,
        repairs: Repairs,
        tracks: Sequence[PersonTrack],
        performer: str,
        *,
        people: Mapping[str, str],
        frames: int,
    ) -> None:
        _check_frames(repairs, frames)
        self._repairs = repairs
        self._found = tuple(tracks)
        self._performer = performer
        self.pieces = reassigned(self._found, repairs.owners, people)
        """Everyone's tracks, each with its owner, before any was moved."""
        pairs = [self._edited(piece.track) for piece in self.pieces]
        self.tracks = tuple(track for track, _ in pairs)
        """Everyone's tracks after all repairs, in the pieces' order."""
        self._moves = {n: move for _, moves in pairs for n, move in moves.items()}
        self._check_places()

    @property
    def settings(self) -> Settings:
        """How the whole clip is painted."""
        return self._repairs.settings

    @property
    def owners(self) -> Sequence[Owner]:
        """Who was said to be whom."""
        return self._repairs.owners

    @property
    def own(self) -> tuple[PersonTrack, ...]:
        """The performer's tracks after all repairs, in order of time."""
        return of_person(self.tracks, self._performer)

    @property
    def unmoved(self) -> tuple[PersonTrack, ...]:
        """The performer's tracks with their owners, before any face was moved."""
        return of_person([piece.track for piece in self.pieces], self._performer)

    def mesh(self, number: int) -> NDArray[np.float32] | None:
        """Return the performer's mesh in a frame after all repairs: [P, 3], pixels."""
        where = self._where.get(number)
        return None if where is None else self.tracks[where[0]].meshes[where[1]]

    @cached_property
    def _where(self) -> dict[int, tuple[int, int]]:
        return {
            number: (n, place)
            for n, track in enumerate(self.tracks)
            if track.person_id == self._performer
            for place, number in enumerate(track.index.tolist())
        }

    @property
    def moved_frames(self) -> tuple[int, ...]:
        """The frames in which the performer's face was moved by hand, rising."""
        return tuple(sorted(self._moves))

    def moved(self, number: int) -> NDArray[np.float32] | None:
        """Return by how much the performer's mesh was moved in a frame: [P, 3], pixels."""
        return self._moves.get(number)

    def skipped(self, number: int) -> bool:
        """Tell whether the face isn't to be replaced in a frame."""
        return any(span.covers(number) for span in self._repairs.skips)

    def field(self, number: int) -> Field | None:
        """Return what is painted (1) and erased (-1) in a frame: float32 [CHART, CHART], or None.

        Later repairs lie over earlier ones.
        """
        field: Field | None = None
        for repair in self._repairs.masks:
            here = field_at(repair, number, CHART)
            if here is not None:
                field = here if field is None else field * (1 - np.abs(here)) + here
        return field

    @cached_property
    def chart(self) -> Layout:
        """The performer's chart; of how they were found, so that no repair moves another."""
        return chart_of(of_person(self._found, self._performer) or self._found)

    def _edited(self, track: PersonTrack) -> tuple[PersonTrack, dict[int, NDArray[np.float32]]]:
        """Return a track with the performer's face moved, and by how much in which frames."""
        if track.person_id != self._performer:
            return track, {}
        changes = dict(self._changes(track))
        if not changes:
            return track, {}
        meshes, landmarks = track.meshes.copy(), track.landmarks.copy()
        moves = {}
        for place, moved in changes.items():
            for each in moved:
                meshes[place] = moved_mesh(meshes[place], landmarks[place], each)
                landmarks[place] = landmarks_of(meshes[place])
            moves[int(track.index[place])] = meshes[place] - track.meshes[place]
        return replace(track, meshes=meshes, landmarks=landmarks), moves

    def _changes(self, track: PersonTrack) -> Iterator[tuple[int, list[Moved]]]:
        spans = [(track.index >= r.first) & (track.index <= r.last) for r in self._repairs.shapes]
        for place in np.flatnonzero(np.any(spans, axis=0)).tolist() if spans else ():
            number = int(track.index[place])
            moved = [m for r in self._repairs.shapes if (m := moved_at(r, number)) is not None]
            if moved:
                yield place, moved

    def _check_places(self) -> None:
        """A face that was moved may not lie on somebody else's, nor be none."""
        if not self._moves:
            return
        owned = [piece.track for piece in self.pieces]
        before, after = _boxes(owned, self._performer), _boxes(self.tracks, self._performer)
        others = _boxes(owned, None, but=self._performer)
        for number in self._moves:
            (own,), (now,) = before[number], after[number]
            for other in others.get(number, ()):
                if covered(other, now) > max(_ON_ANOTHER, covered(other, own)):
                    raise InputError(
                        f"in frame {number} the face would be moved onto somebody else's",
                        advice="Say whose face is whose instead: `owners`.",
                    )


def reassigned(
    tracks: Sequence[PersonTrack], owners: Sequence[Owner], people: Mapping[str, str]
) -> tuple[Piece, ...]:
    """Return tracks with the owners that somebody gave them, cut where those change.

    Raises `InputError` if a track isn't there, a person isn't in the clip, or is twice in a frame.
    """
    for owner in owners:
        if owner.track >= len(tracks):
            raise InputError(f"the clip has no track {owner.track}")
        if owner.person not in people:
            raise InputError(
                f"{owner.person} is not in this clip: it was taken in without them",
                advice="Only people who were named when the clip was added can be in it.",
            )
    found = tuple(
        piece
        for number, track in enumerate(tracks)
        for piece in _cut(track, number, [o for o in owners if o.track == number], people)
    )
    if any(piece.given for piece in found):
        _check_once([piece.track for piece in found])
    return found


def _cut(
    track: PersonTrack, number: int, owners: Sequence[Owner], people: Mapping[str, str]
) -> Iterator[Piece]:
    whose = np.array([track.person_id] * len(track.index), object)
    for owner in owners:
        whose[(track.index >= owner.first) & (track.index <= owner.last)] = people[owner.person]
    edges = [0, *(np.flatnonzero(whose[1:] != whose[:-1]) + 1).tolist(), len(whose)]
    for begin, end in pairwise(edges):
        person = str(whose[begin])
        yield Piece(
            track=track
            if end - begin == len(whose) and person == track.person_id
            else part_of(track, slice(begin, end), person),
            origin=number,
            given=person != track.person_id,
        )


def part_of(track: PersonTrack, places: slice, person: str) -> PersonTrack:
    """Return a part of a track, as a person's."""
    arrays = ("index", "pts", "seconds", "landmarks", "meshes")
    return PersonTrack(person_id=person, **{name: getattr(track, name)[places] for name in arrays})


def _check_once(tracks: Sequence[PersonTrack]) -> None:
    seen: set[tuple[str, int]] = set()
    for track in tracks:
        for number in track.index.tolist():
            if (track.person_id, number) in seen:
                raise InputError(
                    f"in frame {number} one person would be there twice",
                    advice="Give the other face its own person as well.",
                )
            seen.add((track.person_id, number))


def _check_frames(repairs: Repairs, frames: int) -> None:
    last = max((span.last for span in repairs.spans()), default=0)
    if last >= frames:
        raise InputError(f"the repairs name frame {last}; the clip has {frames}, from 0 on")


def _boxes(
    tracks: Sequence[PersonTrack], person: str | None, *, but: str | None = None
) -> dict[int, list[tuple[float, float, float, float]]]:
    """The boxes of a person's faces, or of everybody's but one's, by frame."""
    found: dict[int, list[tuple[float, float, float, float]]] = {}
    for track in tracks:
        if (person is None or track.person_id == person) and track.person_id != but:
            for number, points in zip(track.index.tolist(), track.landmarks, strict=True):
                found.setdefault(number, []).append(box_of_landmarks(points))
    return found
