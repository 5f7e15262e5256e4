"""Who is where in a clip: the tracks of its faces, stored encrypted beside it."""

import io
import json
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assent.kit.errors import IntegrityError
from assent.kit.faces.packed import pack, unpack
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
        meshes: float32 [n, 478, 3] in the same pixels (see `kit.faces.mesh.Mesh`).
    """

    person_id: str
    index: NDArray[np.int64]
    pts: NDArray[np.int64]
    seconds: NDArray[np.float64]
    landmarks: NDArray[np.float32]
    meshes: NDArray[np.float32]

    @classmethod
    def of(cls, track: Track, person_id: str) -> "PersonTrack":
        """Take over `track` as `person_id`'s."""
        return cls(
            person_id=person_id,
            index=np.array([point.index for point in track.points], np.int64),
            pts=np.array([point.pts for point in track.points], np.int64),
            seconds=np.array([point.seconds for point in track.points], np.float64),
            landmarks=np.stack([point.landmarks for point in track.points]),
            meshes=np.stack([point.mesh for point in track.points]),
        )


_ARRAYS = ("index", "pts", "seconds", "landmarks")
_PACKED = ("mesh_steps", "mesh_origins", "mesh_step")


def pack_tracks(tracks: Sequence[PersonTrack]) -> bytes:
    """Return `tracks` as one .npz archive without pickled objects.

    Meshes are rounded as `kit.faces.packed` tells; all else is kept to the bit.
    """
    people = json.dumps([track.person_id for track in tracks]).encode()
    arrays: dict[str, NDArray[Any]] = {}
    for number, track in enumerate(tracks):
        packed = dict(zip(_PACKED, pack(track.meshes), strict=True))
        plain = {name: getattr(track, name) for name in _ARRAYS}
        arrays |= {f"{name}_{number}": array for name, array in (plain | packed).items()}
    sink = io.BytesIO()
    arrays["people"] = np.frombuffer(people, np.uint8)
    np.savez_compressed(sink, allow_pickle=False, **arrays)
    return sink.getvalue()


def unpack_tracks(data: bytes) -> tuple[PersonTrack, ...]:
    """Read what `pack_tracks` wrote; raises `IntegrityError`."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            people = json.loads(archive["people"].tobytes())
            return tuple(
                PersonTrack(
                    person_id=person,
                    **{name: archive[f"{name}_{number}"] for name in _ARRAYS},
                    meshes=unpack(*(archive[f"{name}_{number}"] for name in _PACKED)),
                )
                for number, person in enumerate(people)
            )
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise IntegrityError(f"these are not tracks: {error}") from error


def of_person(tracks: Iterable[PersonTrack], person_id: str) -> tuple[PersonTrack, ...]:
    """Return the tracks of one person, in order of time."""
    own = [track for track in tracks if track.person_id == person_id]
    return tuple(sorted(own, key=lambda track: int(track.index[0])))
