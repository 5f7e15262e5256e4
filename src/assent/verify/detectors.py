"""What forensic detectors are, and what they say: a supporting signal, never a verdict.

Assent brings one (`second_opinion.py`). A package offers another by an entry point of the group
`assent.detectors`, which names something that, called without arguments, returns a `Detector`:

    [project.entry-points."assent.detectors"]
    example = "example_package:Example"

What a detector says is shown last, with its licence and its makers' own statement of how often it
errs, and never changes what the other layers say together.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from math import isfinite
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from assent.verify.findings import Layer, Status

__all__ = ["GROUP", "Detector", "Opinion", "Shots", "forensic_layers", "installed_detectors"]

GROUP = "assent.detectors"
_MOST_SHOTS = 16
_LONGEST_TEXT = 300
_MOST_CELLS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """What a detector makes of a film.

    Attributes:
        score: 0 (no sign of synthesis) to 1, or None to abstain.
        says: why, in words; of who abstains, what it can't judge.
        where: [rows, columns], 0..1, at most 16 of each: how much each part of an upright face, cut
            as `assent.kit.forensics.crops` does, speaks for it; None if it doesn't tell.
    """

    score: float | None
    says: str = ""
    where: NDArray[np.floating] | None = None


class Detector(Protocol):
    """What a plug-in provides."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def version(self) -> str:
        """Which version of it this is."""

    @property
    def licence(self) -> str:
        """On what terms it may be used: an SPDX identifier, or words."""

    @property
    def error(self) -> str:
        """How often it errs, and on what that was measured, in a sentence."""

    def judge(self, pictures: Sequence[NDArray[np.uint8]]) -> Opinion | None:
        """Return an opinion of RGB pictures uint8 `[H, W, 3]` in order, or None to abstain."""


@dataclass(slots=True)
class Shots:
    """Up to 16 pictures spread over a film of `frames`, for detectors."""

    frames: int
    taken: list[NDArray[np.uint8]] = field(default_factory=list)

    def wants(self, index: int) -> bool:
        """Tell whether the picture of this number, from 0, is one to take."""
        return (
            len(self.taken) < _MOST_SHOTS and index % max(1, round(self.frames / _MOST_SHOTS)) == 0
        )


def installed_detectors() -> list[Detector]:
    """Return the detectors that this Python has; one that can't be started says so as its opinion.

    Installing a package is what allows it to run; a file that is checked can't bring one.
    """
    return [_started(point.name, point.load) for point in entry_points(group=GROUP)]


def forensic_layers(detectors: Iterable[Detector], shots: Shots) -> list[Layer]:
    """Return what each detector says, a layer each."""
    return [_layer(each, shots.taken) for each in detectors] if shots.taken else []


def _started(name: str, load: object) -> Detector:
    try:
        made: Detector = load()()  # type: ignore[operator]
        _text(made.name), _text(made.version), _text(made.licence), _text(made.error)
    except Exception as error:  # noqa: BLE001 - somebody else's code may raise anything
        return _Broken(name=_text(name), why=type(error).__name__)
    return made


@dataclass(frozen=True, slots=True, kw_only=True)
class _Broken:
    """Stands for a detector that can't be started."""

    name: str
    why: str
    version: str = "?"
    licence: str = "unknown"
    error: str = "unknown"

    def judge(self, pictures: Sequence[NDArray[np.uint8]]) -> Opinion | None:
        """Say why there is no opinion."""
        raise RuntimeError(self.why)


def _layer(detector: Detector, pictures: Sequence[NDArray[np.uint8]]) -> Layer:
    name, version, licence = (
        _text(each) for each in (detector.name, detector.version, detector.licence)
    )
    try:
        says, score, where = _told(name, detector.judge(pictures))
    except Exception as error:  # noqa: BLE001 - somebody else's code may raise anything
        says = f"{name} failed ({type(error).__name__}); it has no opinion."
        score, where = None, None
    return Layer(
        name="forensic",
        status=Status.UNKNOWN,
        says=says,
        rests_on=f"{name} {version} (licence: {licence}), {len(pictures)} pictures; its makers "
        f"say: {_text(detector.error)}",
        facts={
            "detector": name,
            "version": version,
            "licence": licence,
            "score": score,
            "where": where,
        },
    )


def _told(name: str, opinion: Opinion | None) -> tuple[str, int | None, list[list[int]] | None]:
    if opinion is None or opinion.score is None:
        why = _text(opinion.says) if opinion is not None else ""
        return f"{name} abstains{': ' if why else ''}{why.rstrip('.')}.", None, None
    if not (isfinite(opinion.score) and 0 <= opinion.score <= 1):
        return f"{name} failed: its score is none; it has no opinion.", None, None
    score = round(100 * opinion.score)
    says = f"{name} puts signs of synthesis at {score}, on its own scale of 0 to 100."
    more = f" {_text(opinion.says)}" if opinion.says else ""
    return f"{says}{more} Detectors err: this is a hint and no finding.", score, _map(opinion)


def _map(opinion: Opinion) -> list[list[int]] | None:
    """Return where as hundredths, or None if it is no small table of shares."""
    if opinion.where is None:
        return None
    where = np.asarray(opinion.where, np.float64)
    fits = where.ndim == 2 and min(where.shape) > 0 and max(where.shape) <= _MOST_CELLS
    if not fits or not np.isfinite(where).all():
        return None
    cells: list[list[int]] = np.round(100 * np.clip(where, 0, 1)).astype(int).tolist()
    return cells


def _text(value: object) -> str:
    """Return text of somebody else's, short and without control characters."""
    text = "".join(each if each.isprintable() else " " for each in str(value))
    return " ".join(text.split())[:_LONGEST_TEXT]
