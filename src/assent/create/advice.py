"""What the findings of a render mean, in words: a verdict, and what to film or to look at.

Thresholds were set by eye on the sample performers, undisturbed, relit, hidden and enlarged.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from assent.create.findings import FAR, HIDDEN, RELIT, Findings, Span, spans

__all__ = ["advise", "verdict_on"]

_BEYOND: Final = 10.0  # degrees from the nearest picture of the donor
_FEW: Final = 0.02  # share of the frames that isn't worth a word
_LARGE, _SMALL = 1.25, 0.234  # frame pixels a pixel of the donor's pictures; 48 pixels a face
_SOFT, _CRISP = 0.6, 1.5  # sharpness
_UNSTEADY: Final = 7.0  # jitter, grey levels
_FOREIGN: Final = 0.5  # distance from the donor's pictures
_STRANGE: Final = 0.35  # of a frame or, as the median, of all of it
_TOLD: Final = 3  # stretches of time in a sentence

_Flags = NDArray[np.bool_]


def verdict_on(found: Findings) -> str:
    """Say in a sentence how good a render is."""
    judged = found.judged
    if not judged.any():
        return "This engine can't tell how well it did: look at the before/after sheet."
    confidence = found.confidence[judged]
    mean, doubtful = float(confidence.mean()), float(np.mean(confidence < 0.5))
    if mean >= 0.8 and doubtful <= 0.03:
        return "Good: the donor's footage covers what the performer does."
    if mean >= 0.6 and doubtful <= 0.2:
        return "Fair: most of it is covered by the donor's footage; look at the worst frames."
    return "Poor: much of it isn't covered by the donor's footage; don't expect it to convince."


def advise(found: Findings) -> tuple[str, ...]:
    """Say what to film or to look at, the most important first; empty if nothing stands out."""
    if not len(found.seconds):
        return ()
    return (*_on_poses(found), *_on_light(found), *_on_size(found), *_on_places(found))


def _on_poses(found: Findings) -> Iterator[str]:
    """Which turns of the head the donor should be filmed in."""
    across = found.yaw - found.near_yaw
    down = found.pitch - found.near_pitch
    # What neither explains is a head that is tilted towards a shoulder.
    tilt = np.sqrt(np.clip(found.away**2 - across**2 - down**2, 0, None))
    beyond = found.away > _BEYOND
    sideways = beyond & (np.abs(across) >= np.abs(down)) & (np.abs(across) >= tilt)
    upright = beyond & ~sideways & (np.abs(down) >= tilt)
    pairs = (found.yaw, found.near_yaw), (found.pitch, found.near_pitch)
    cases = (
        (sideways & (across > 0), *pairs[0], 1, "turns", "to the right of the picture"),
        (sideways & (across < 0), *pairs[0], -1, "turns", "to the left of the picture"),
        (upright & (down > 0), *pairs[1], 1, "lowers the head", "downwards"),
        (upright & (down < 0), *pairs[1], -1, "raises the head", "upwards"),
    )
    for holds, angle, near, sign, does, where in cases:
        if _matters(found, holds):
            yield _pose_sentence(holds, sign * angle, sign * near, does, where)
    if _matters(found, beyond & ~sideways & ~upright):
        yield (
            "The performer tilts the head towards a shoulder as the donor doesn't: film the donor "
            "tilting the head to both sides."
        )


def _pose_sentence(
    holds: _Flags, angle: NDArray[np.float64], near: NDArray[np.float64], does: str, where: str
) -> str:
    furthest = int(np.flatnonzero(holds)[np.argmax(angle[holds])])
    to, ends = round(float(angle[furthest])), round(float(near[furthest]))
    here = f"{does} to {to} degrees {where}" if does == "turns" else f"{does} to {to} degrees"
    return (
        f"The performer {here}; the donor's nearest picture is at {ends}. "
        f"Film the donor looking further {where}."
    )


def _on_light(found: Findings) -> Iterator[str]:
    if _matters(found, found.relit > RELIT):
        most = float(np.nanmax(found.relit))
        yield (
            f"The scene's light is up to {most:.1f} stops from that of any picture of the donor: "
            "film the donor in light like the scene's, from the same side."
        )
    if _strange_throughout(found):
        yield (
            "The performer looks unlike their own footage (light, grade, focus or make-up): add "
            "footage of the performer from this shoot, and train again."
        )


def _on_size(found: Findings) -> Iterator[str]:
    scale, sharpness = _median(found.scale), _median(found.sharpness)
    large = scale is not None and scale > _LARGE
    if scale is not None and large:
        yield (
            f"The face is {scale:.1f} times as large as the model's pictures of the donor: it will "
            "look soft. Use a wider shot, or release it smaller."
        )
    if scale is not None and scale < _SMALL:
        yield "The face is very small: expressions can't be read well from it. Use a closer shot."
    if sharpness is not None and sharpness < _SOFT and not large:
        yield (
            f"The painted face holds {sharpness:.0%} of the fine detail of the one it replaces: "
            "film the donor closer, in focus and with a steady camera."
        )
    identity = _median(found.identity)
    if identity is not None and identity > _FOREIGN:
        yield (
            f"The painted face isn't surely recognised as the donor's ({identity:.2f}; strangers "
            "begin at .6): film the donor in more poses and expressions, or use a wider shot."
        )
    if sharpness is not None and sharpness > _CRISP:
        yield (
            f"The painted face is {sharpness:.1f} times as crisp as the one it replaces: the scene "
            "is out of focus or noise has been taken out of it, and the face may look stuck on."
        )


def _on_places(found: Findings) -> Iterator[str]:
    left = found.judged & ~found.painted
    hidden = found.hidden > HIDDEN
    odd = (found.strangeness > _STRANGE) & ~hidden & (not _strange_throughout(found))
    for holds, sentence in (
        (hidden, "Something hides the face {}: look at its edges there."),
        (odd, "The performer looks unlike themselves {}: look whether something is in the way."),
        ((found.away > FAR) & ~left, "The painted face fades out {}: the head is turned too far."),
        (left, "The face is left as it was filmed {}: nothing of the donor's fits."),
    ):
        when = spans(found.seconds, holds)
        if when:
            yield sentence.format(_told(when))
    jitter = _median(found.jitter)
    if jitter is not None and jitter > _UNSTEADY:
        yield (
            f"The painted face trembles or moves unlike the performer's ({jitter:.0f} grey levels "
            "from frame to frame): look at it in motion."
        )


def _strange_throughout(found: Findings) -> bool:
    strangeness = _median(found.strangeness)
    return strangeness is not None and strangeness > _STRANGE


def _told(when: tuple[Span, ...]) -> str:
    longest = sorted(when, key=lambda span: span.start - span.end)[:_TOLD]
    parts = [f"{s.start:.1f}-{s.end:.1f} s" for s in sorted(longest, key=lambda span: span.start)]
    more = f" and {len(when) - _TOLD} more times" if len(when) > _TOLD else ""
    return f"at {', '.join(parts)}{more}"


def _matters(found: Findings, holds: _Flags) -> bool:
    return int(holds.sum()) >= max(2, _FEW * int(found.judged.sum()))


def _median(values: NDArray[np.float64]) -> float | None:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else None
