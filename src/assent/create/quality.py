"""How good a render is, frame by frame, as far as it can be told without the truth."""

from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from assent.kit.likeness.performance import Face

__all__ = ["FrameQuality"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameQuality:
    """What is known of one painted frame.

    Attributes:
        number: of the frame in its clip.
        yaw: degrees that the head is turned, right of the picture above 0.
        pitch: degrees that it is lowered, above 0, or raised.
        away: degrees between its turn and the nearest of the donor's exemplars.
        hidden: 0..1, share of the face that something hides.
        strangeness: how unlike the performer it looks; 0.2 is usual, 0.5 much.
        confidence: 0..1, all of this in one number.
    """

    number: int
    yaw: float
    pitch: float
    away: float
    hidden: float
    strangeness: float
    confidence: float

    @classmethod
    def of(cls, number: int, face: Face) -> Self:
        """Judge a face that is about to be painted."""
        away = float(np.degrees(face.away))
        doubt = (
            np.clip(away / 25, 0, 1),
            np.clip(face.hidden, 0, 1),
            np.clip((face.strangeness - 0.25) / 0.5, 0, 1),
        )
        return cls(
            number=number,
            yaw=round(float(np.degrees(face.turn[1])), 1),
            pitch=round(float(np.degrees(face.turn[0])), 1),
            away=round(away, 1),
            hidden=round(face.hidden, 3),
            strangeness=round(face.strangeness, 3),
            confidence=round(float(np.prod([1 - part for part in doubt])), 3),
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers, for JSON."""
        return asdict(self)
