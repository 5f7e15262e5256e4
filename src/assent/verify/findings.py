"""The answer to *what is this file?*, layer by layer, each with what it rests on."""

from dataclasses import dataclass
from enum import Enum
from typing import Any

__all__ = ["Findings", "Layer", "Status", "Verdict"]


class Status(Enum):
    """How a layer came out."""

    GOOD = "good"
    MISSING = "missing"
    BAD = "bad"
    UNKNOWN = "unknown"


class Verdict(Enum):
    """What the layers say together."""

    SEALED = "sealed"
    """The very file that the studio released."""
    COPY = "copy"
    """A changed copy of a release: its picture still leads to the record."""
    SOUND = "sound"
    """The sound is a release's; nothing says that the picture is, or there is none."""
    CONTRADICTION = "contradiction"
    """The layers disagree: something was altered, or a mark was copied."""
    RESEMBLES = "resembles"
    """No mark, but the picture is like a release's: a copy without its mark, or its footage."""
    NOTHING_FOUND = "nothing-found"
    """No mark of this studio; that proves nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One layer's result, in words for people."""

    name: str
    status: Status
    says: str
    rests_on: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Everything that was found out about a file."""

    file: str
    sha256: str
    verdict: Verdict
    summary: str
    asset_id: str | None
    consent_withdrawn: bool
    layers: tuple[Layer, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the findings as plain JSON values."""
        return {
            "file": self.file,
            "sha256": self.sha256,
            "verdict": self.verdict.value,
            "summary": self.summary,
            "asset_id": self.asset_id,
            "consent_withdrawn": self.consent_withdrawn,
            "layers": [
                {
                    "name": layer.name,
                    "status": layer.status.value,
                    "says": layer.says,
                    "rests_on": layer.rests_on,
                }
                for layer in self.layers
            ],
        }
