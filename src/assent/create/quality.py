"""How good a render is, frame by frame, as far as it can be told without the truth.

Each frame's note lies in the vault with its patch: it tells how the performer held their head.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from assent.kit.errors import IntegrityError
from assent.kit.likeness.performance import Face

__all__ = ["FrameNote", "FrameQuality", "Measures", "pose_of"]


def pose_of(turn: NDArray[np.float64]) -> tuple[float, float]:
    """Yaw and pitch of a head, degrees: right of the picture and lowered are above 0.

    Args:
        turn: [3], rotation vector, radians; of axes to the right, downwards and away.
    """
    pitch, yaw = np.degrees(turn[:2]).tolist()
    return round(-yaw, 1), round(pitch, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameQuality:
    """What is known of one painted frame.

    Attributes:
        number: of the frame in its clip.
        yaw: degrees that the head is turned, right of the picture above 0.
        pitch: degrees that it is lowered, above 0, or raised.
        near_yaw: the same of the donor's exemplar whose turn is nearest.
        near_pitch: the same of the donor's exemplar whose turn is nearest.
        away: degrees between the two turns.
        scale: pixels of the frame that one of the donor's pictures' pixels has to cover.
        relit: stops between this light and the nearest that an exemplar was taken in.
        hidden: 0..1, share of the face that something hides.
        strangeness: how unlike the performer it looks; 0.2 is usual, 0.5 much.
        confidence: 0..1, all of this in one number.
    """

    number: int
    yaw: float
    pitch: float
    near_yaw: float
    near_pitch: float
    away: float
    scale: float
    relit: float
    hidden: float
    strangeness: float
    confidence: float

    @classmethod
    def of(
        cls, number: int, face: Face, *, nearest: NDArray[np.float64], scale: float, relit: float
    ) -> Self:
        """Judge a face that is about to be painted.

        Args:
            number: of its frame.
            face: the face.
            nearest: float64 [3], rotation vector of the nearest exemplar.
            scale: as the attribute.
            relit: as the attribute.
        """
        away = math.degrees(face.away)
        doubt = (
            np.clip(away / 25, 0, 1),
            np.clip(face.hidden, 0, 1),
            np.clip((face.strangeness - 0.25) / 0.5, 0, 1),
            np.clip((relit - 1) / 4, 0, 1),
        )
        yaw, pitch = pose_of(face.turn)
        near_yaw, near_pitch = pose_of(nearest)
        return cls(
            number=number,
            yaw=yaw,
            pitch=pitch,
            near_yaw=near_yaw,
            near_pitch=near_pitch,
            away=round(away, 1),
            scale=round(scale, 3),
            relit=round(relit, 2),
            hidden=round(face.hidden, 3),
            strangeness=round(face.strangeness, 3),
            confidence=round(float(np.prod([1 - part for part in doubt])), 3),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """What was measured on a frame, painted against as it was filmed; None where it wasn't.

    Attributes:
        sharpness: contrast of fine detail in the face over that of the face it replaces.
        jitter: mean change, from the frame before, of what painting changes; grey levels.
        identity: distance of the painted face's embedding to those of the donor's pictures in the
            model; .6 is where strangers begin.
    """

    sharpness: float | None = None
    jitter: float | None = None
    identity: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameNote:
    """All that is kept of how well a frame was painted.

    Attributes:
        seconds: when it is shown.
        painted: whether any of it was changed.
        quality: None where the performer's face isn't seen, or the engine can't tell.
        measures: what was measured.
    """

    seconds: float
    painted: bool
    quality: FrameQuality | None
    measures: Measures

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Self:
        """Read what `as_dict` gave; raises `IntegrityError`."""
        try:
            quality = fields["quality"]
            return cls(
                seconds=float(fields["seconds"]),
                painted=bool(fields["painted"]),
                quality=None if quality is None else FrameQuality(**quality),
                measures=Measures(**fields["measures"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise IntegrityError("a note on the draft's quality can't be read") from error
