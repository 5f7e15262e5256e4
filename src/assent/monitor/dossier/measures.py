"""The measures that practice asks for, and how far this version of Assent goes.

>>> measures = load_measures()
>>> measures.measures[0].id, measures.measures[0].met
('marks-video', 'yes')
"""

import re
import tomllib
from datetime import date
from functools import cache
from importlib import resources
from typing import Literal

from pydantic import BaseModel, ConfigDict

__all__ = ["PARTS", "Measure", "Measures", "load_measures", "plain"]

PARTS = {
    "provider": "For providers (section 1 of the Code)",
    "deployer": "For deployers (section 2 of the Code)",
    "prohibited": "Prohibited practices",
    "consent": "Consent and biometrics",
}
"""What each part of the measures is called, in order."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Measure(_Frozen):
    """One thing that is asked."""

    id: str
    part: Literal["provider", "deployer", "prohibited", "consent"]
    asks: str
    met: Literal["yes", "partly", "no"]
    how: str


class Measures(_Frozen):
    """All of them, with where they come from; `as_of` is the state that `met` speaks of."""

    title: str
    dated: date
    as_of: date
    source: str
    measure: tuple[Measure, ...]

    @property
    def measures(self) -> tuple[Measure, ...]:
        """The measures, in order."""
        return self.measure


@cache
def load_measures() -> Measures:
    """Read the measures that ship with Assent."""
    file = resources.files("assent.monitor.dossier") / "measures.toml"
    return Measures.model_validate(tomllib.loads(file.read_text("utf-8")))


def plain(markdown: str) -> str:
    """Return a sentence of the documentation without its links and marks of code."""
    return re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", markdown).replace("`", "")
