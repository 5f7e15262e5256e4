"""How near a face must be to an enrolment to be that person's, and to be somebody else's.

>>> zone_of(0.31), zone_of(0.5), zone_of(0.78)
(<Zone.SAME: 'same'>, <Zone.UNSURE: 'unsure'>, <Zone.OTHER: 'other'>)

The distance is that of `identity`: Euclidean, to the mean of the three nearest templates. What was
measured for these numbers, and on how few people, is told in `docs/identity.md`; it is measured
again by `benchmarks/identity.py`.
"""

from enum import Enum
from typing import Final

__all__ = ["APART", "SAME_PERSON", "SURE", "Zone", "explain", "zone_of"]

SURE: Final = 0.45
"""Under this distance a face is taken for the enrolled person's without asking anybody.

Faces in plain view were all nearer than 0.4, and no stranger was nearer than 0.6, disguised or not.
It is stricter than these two ask for because of faces that are mixed half and half of two people.
"""

SAME_PERSON: Final = 0.6
"""From this distance on a face is somebody else's.

dlib's network was trained to fit each identity into a ball of this radius and is right with it on
99.38 % of the pairs of Labeled Faces in the Wild (http://dlib.net/face_recognition.py.html).
"""

APART: Final = 0.1
"""How much nearer the best of several enrolled people must be than the next."""


class Zone(Enum):
    """What a distance says."""

    SAME = "same"
    """It's the enrolled person."""
    UNSURE = "unsure"
    """A person has to look."""
    OTHER = "other"
    """It's somebody else."""


def zone_of(distance: float) -> Zone:
    """Return what `distance` says; one that can't be computed says somebody else."""
    if distance < SURE:
        return Zone.SAME
    return Zone.UNSURE if distance < SAME_PERSON else Zone.OTHER


def explain(distance: float) -> str:
    """Say what a distance means, for people.

    >>> explain(0.783)
    'distance 0.78; under 0.45 is the same person, 0.60 and more somebody else'
    """
    return (
        f"distance {distance:.2f}; under {SURE:.2f} is the same person, "
        f"{SAME_PERSON:.2f} and more somebody else"
    )
