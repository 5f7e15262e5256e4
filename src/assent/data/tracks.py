"""Who is where in a clip: the tracks of its faces, stored encrypted beside it."""

import io
import json
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assent.kit.errors import IntegrityError
from assent.kit.faces.track import Track

__all__ = ["PersonTrack", "of_person", "pack_tracks", "unpack_tracks"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PersonTrack:
    """One person's unbroken run of frames.

    Attributes:
        person_id: whose face it is.
        index: int64 [n], number of each frame in the clip.
        pts: int64 [n], presentation time stamps.
        seconds: float64 [n].
        landmarks: float32 [n, 68, 2] in pixels of the upright frame.
    """

    person_id: str
    index: NDArray[np.int64]
    pts: NDArray[np.int64]
    seconds: NDArray[np.float64]
    landmarks: NDArray[np.float32]

    @classmethod
    def of(cls, track: Track, person_id: str) -> "PersonTrack":
        """Take over `track` as `person_id`'s."""
        return cls(
            person_id=person_id,
            index=np.array([point.index for point in track.points], np.int64),
            pts=np.array([point.pts for point in track.points], np.int64),
            seconds=np.array([point.seconds for point in track.points], np.float64),
            landmarks=np.stack([point.landmarks for point in track.points]).astype(np.float32),
        )


_ARRAYS = ("index", "pts", "seconds", "landmarks")


def pack_tracks(tracks: Sequence[PersonTrack]) -> bytes:
    """Return `tracks` as one .npz archive without pickled objects."""
    people = json.dumps([track.person_id for track in tracks]).encode()
    arrays = {
        f"{name}_{number}": getattr(track, name)
        for number, track in enumerate(tracks)
        for name in _ARRAYS
    }
    sink = io.BytesIO()
    np.savez_compressed(sink, people=np.frombuffer(people, np.uint8), **arrays)
    return sink.getvalue()


def unpack_tracks(data: bytes) -> tuple[PersonTrack, ...]:
    """Read what `pack_tracks` wrote; raises `IntegrityError`."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            people = json.loads(archive["people"].tobytes())
            return tuple(
                PersonTrack(
                    person_id=person, **{name: archive[f"{name}_{number}"] for name in _ARRAYS}
                )
                for number, person in enumerate(people)
            )
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise IntegrityError(f"these are not tracks: {error}") from error


def of_person(tracks: Iterable[PersonTrack], person_id: str) -> tuple[PersonTrack, ...]:
    """Return the tracks of one person, in order of time."""
    own = [track for track in tracks if track.person_id == person_id]
    return tuple(sorted(own, key=lambda track: int(track.index[0])))
