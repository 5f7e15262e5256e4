"""Assent's own forensic detector, as one among others: a second opinion, never a verdict.

    SecondOpinion().judge(pictures)

It looks for faces that were replaced (`assent.kit.forensics`), by whatever tool, and says nothing
where it can't tell.
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from assent.kit.faces.models import find_model
from assent.kit.forensics.judge import MODEL, Judge
from assent.verify.detectors import Opinion

__all__ = ["SecondOpinion"]

_VERSION_DIGITS = 8


class SecondOpinion:
    """A `Detector`; its networks are loaded at the first film."""

    name = "Assent's second opinion"

    @cached_property
    def version(self) -> str:
        """The beginning of the SHA-256 of its weights, which the register holds."""
        return str(find_model(MODEL).sha256)[:_VERSION_DIGITS]

    @property
    def licence(self) -> str:
        """The licence of its weights."""
        return find_model(MODEL).licence

    @property
    def error(self) -> str:
        """How often it errs, as measured when its scale was made."""
        return self._judge.scale.error

    def judge(self, pictures: Sequence[NDArray[np.uint8]]) -> Opinion:
        """Return what it makes of a film's pictures, RGB uint8 [H, W, 3]."""
        judged = self._judge.judge(pictures)
        return Opinion(score=judged.probability, says=judged.says, where=judged.where)

    @cached_property
    def _judge(self) -> Judge:
        return Judge()
