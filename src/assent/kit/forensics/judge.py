"""Judge faces: how far they look as if they had been replaced, where, or why nothing can be said.

    judgement = Judge().judge(pictures)
    judgement.probability          # None: it abstains, and `says` tells why

The network was taught on computer-generated faces (`tools/train_forensics.py`): of others nobody
has measured how often it errs. What it says is a hint, whatever the number.
"""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.resources import files
from itertools import chain
from typing import Any, Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from assent.kit.faces.models import load
from assent.kit.forensics.crops import FaceCrop, Finder, faces_in
from assent.kit.forensics.views import views

__all__ = ["CELLS", "FEWEST", "MODEL", "FaceLook", "Judge", "Judgement", "Scale", "own_scale"]

FEWEST: Final = 4
"""Looks at faces that an opinion needs; fewer, as in a still, are too few."""
CELLS: Final = 10
"""The map of where is so many cells high and wide."""

MODEL: Final = "assent-forensics"
_FACES_A_PICTURE: Final = 4
_SILENT: Final = "it sees no clear sign that a face was replaced, which proves nothing"
_SHARE: Final = 0.5  # of the looks, the stronger ones: a face may be replaced in a part of a film


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """What the network's numbers mean: measured on films that it was not taught with.

    Attributes:
        slope: what a logit is multiplied with, and
        offset: what is added, to give the logarithm of the odds.
        doubt: the odds' logarithm below which nothing is said.
        error: how often it errs, and on what that was measured, in a sentence.
    """

    slope: float
    offset: float
    doubt: float
    error: str

    def odds(self, logits: NDArray[np.floating]) -> float:
        """The logarithm of the odds that a film with these logits [n], one a look, is replaced."""
        strongest = np.sort(logits)[::-1][: max(1, round(len(logits) * _SHARE))]
        return self.slope * float(strongest.mean()) + self.offset


@cache
def own_scale() -> Scale:
    """The scale of the network that Assent carries."""
    text = files("assent.kit.forensics").joinpath("weights/scale.toml").read_text(encoding="utf-8")
    return Scale(**tomllib.loads(text))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FaceLook:
    """One look at one face.

    Attributes:
        logit: the network's; above 0 speaks for a replacement.
        where: float32 [CELLS, CELLS], 0..1, how likely each part of the crop came from elsewhere.
    """

    logit: float
    where: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Judgement:
    """What the looks say together.

    Attributes:
        probability: that a face was replaced; None if nothing can be said. Never low: what it
            sees no sign of, it says nothing about.
        says: in words.
        looks: how many faces were looked at in how many pictures it rests on.
        where: float32 [CELLS, CELLS], 0..1, how likely each part of a crop came from elsewhere;
            None with the probability.
    """

    probability: float | None
    says: str
    looks: int
    where: NDArray[np.float32] | None = None


@dataclass(frozen=True, kw_only=True)
class Judge:
    """Looks at pictures; its networks are loaded at first use."""

    finder: Finder = field(default_factory=Finder)
    scale: Scale = field(default_factory=own_scale)

    def judge(self, pictures: Sequence[NDArray[np.uint8]]) -> Judgement:
        """Judge the faces in pictures of a film, RGB uint8 [H, W, 3]."""
        crops = list(chain.from_iterable(self.faces(picture) for picture in pictures))
        able = [crop for crop in crops if not crop.why_not]
        if not able:
            reasons = {crop.why_not for crop in crops} or {"there is no face from the front"}
            return Judgement(probability=None, says=" and ".join(sorted(reasons)), looks=0)
        if len(able) < FEWEST:
            says = f"only {len(able)} of {len(pictures)} pictures show a face that can be judged"
            return Judgement(probability=None, says=says, looks=len(able))
        return self.conclude([self.look(crop) for crop in able])

    def faces(self, picture: NDArray[np.uint8]) -> list[FaceCrop]:
        """The faces in a picture, those that can't be judged too."""
        return list(faces_in(picture, self.finder))[:_FACES_A_PICTURE]

    def look(self, crop: FaceCrop) -> FaceLook:
        """Look at one face."""
        logits, where = self._network.run(None, {"seen": views(crop)[None]})
        likely = 1 / (1 + np.exp(-np.asarray(where[0], np.float32)))
        side = len(likely) // CELLS
        cells = likely.reshape(CELLS, side, CELLS, side).mean((1, 3))
        return FaceLook(logit=float(logits[0]), where=cells)

    def conclude(self, looks: Sequence[FaceLook]) -> Judgement:
        """What looks at the faces of a film say together."""
        odds = self.scale.odds(np.array([look.logit for look in looks]))
        where = np.asarray(np.mean([look.where for look in looks], axis=0), np.float32)
        if odds < self.scale.doubt:
            # It misses too many replacements for its silence to speak for a film.
            return Judgement(probability=None, says=_SILENT, looks=len(looks))
        likely = float(1 / (1 + np.exp(-odds)))
        says = f"Mostly {_region(where)}."
        return Judgement(probability=likely, says=says, looks=len(looks), where=where)

    @cached_property
    def _network(self) -> Any:  # noqa: ANN401 - onnxruntime has no types
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1

        def read(path: str) -> Any:  # noqa: ANN401 - onnxruntime has no types
            return onnxruntime.InferenceSession(path, options, ["CPUExecutionProvider"])

        return load(read, None, MODEL)


_PARTS: Final = (
    ("the brows and eyes", slice(2, 5), slice(2, 8)),
    ("the nose and cheeks", slice(5, 6), slice(2, 8)),
    ("the mouth and chin", slice(6, 9), slice(3, 7)),
)


def _region(where: NDArray[np.float32]) -> str:
    """The part of the face where a map [CELLS, CELLS] is strongest, in words."""
    means = [float(where[rows, columns].mean()) for _, rows, columns in _PARTS]
    if min(means) > 0.6 * max(means):
        return "in the whole face"
    return f"around {_PARTS[int(np.argmax(means))][0]}"
