"""The answer to *what is this file?*, layer by layer, each with what it rests on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

__all__ = ["Findings", "Layer", "Source", "Status", "Verdict", "plain"]

# Characters of a text, and parts of a list, that strangers had a hand in.
_LONGEST, _MOST = 1000, 100


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
    COPIED_MARK = "copied-mark"
    """A release's mark on a picture that isn't that release's, or that somebody else put there."""
    VIEWING = "viewing"
    """A picture from the studio's own pages, saved while something was made."""
    CONTRADICTION = "contradiction"
    """The layers disagree about which release it is, or name one that the log doesn't know."""
    RESEMBLES = "resembles"
    """No mark, but the picture is like a release's: a copy without its mark, or its footage."""
    NOTHING_FOUND = "nothing-found"
    """No mark of this studio; that proves nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One layer's result: in words for people, as `facts` (JSON, no fractions) for programs."""

    name: str
    status: Status
    says: str
    rests_on: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the layer as plain JSON values."""
        return {
            "name": self.name,
            "status": self.status.value,
            "says": plain(self.says),
            "rests_on": plain(self.rests_on),
            "facts": _plain_all(self.facts),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What the answer was looked up in: whose log, its state, and when that was.

    `as_of` is when the trust bundle was made, None for a log's own files. `key_from` says in words
    where the key came from that the log was checked with.
    """

    studio: str
    origin: str
    size: int
    key_from: str
    as_of: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Everything that was found out about a file of `size` bytes.

    `ended` says how the studio has taken the release back, if it has: see `verify.ended`.
    """

    file: str
    sha256: str
    size: int
    verdict: Verdict
    summary: str
    asset_id: str | None
    consent_withdrawn: bool
    ended: str | None = None
    layers: tuple[Layer, ...]
    source: Source

    def to_json(self) -> dict[str, Any]:
        """Return the findings as plain JSON values."""
        return {
            "file": plain(self.file),
            "sha256": self.sha256,
            "size": self.size,
            "verdict": self.verdict.value,
            "summary": plain(self.summary),
            "asset_id": self.asset_id,
            "consent_withdrawn": self.consent_withdrawn,
            "ended": self.ended,
            "layers": [layer.to_json() for layer in self.layers],
            "source": {
                "studio": plain(self.source.studio),
                "log": self.source.origin,
                "entries": self.source.size,
                "key_from": self.source.key_from,
                "as_of": self.source.as_of,
            },
        }


def _plain_all(value: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, Mapping):
        return {str(name): _plain_all(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain_all(part) for part in value[:_MOST]]
    return value


def plain(text: str) -> str:
    """Return text that strangers had a hand in as one line, without what a terminal obeys.

    >>> plain("a" + chr(27) + "[31m" + chr(0x202E) + "b")
    'a [31m b'
    """
    shown = "".join(each if each.isprintable() else " " for each in text)
    return " ".join(shown.split())[:_LONGEST]
