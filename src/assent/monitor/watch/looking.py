"""Looking at one thing that was found: is it from a release, which part, and what is left of it?

    with Looker(lookup, indexes) as looker:
        look = looker.look(path, name="clip.mp4")

All decoding happens in a process apart. Its codes are looked up here; the layers of the whole file
are examined, and where the picture leads to a release whose mark wasn't read, the mark is looked
for once more, in the very part of the picture and of the time that was found.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from assent.kit.fingerprint.index import CodeIndex
from assent.kit.fingerprint.match import ENOUGH, SOUND_ENOUGH, Match, match, merge
from assent.kit.fingerprint.probe import Probe
from assent.monitor.watch.codes import Indexes
from assent.verify.apart import Bounds, Examiner, Lookup

__all__ = ["Copy", "Look", "Looker"]

_MOST_COPIES = 20
_NAMING = ("sealed", "copy", "sound", "copied-mark")


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A release that a file shows.

    Attributes:
        asset_id: of the release.
        parts: where the picture fits it, by time.
        sound: where the sound does.
        confirmed: whether a mark, the credential or the bytes prove it.
        how: what proves it, or what it rests on.
    """

    asset_id: str
    parts: tuple[Match, ...]
    sound: tuple[Match, ...]
    confirmed: bool
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was seen in one file: the findings as JSON, and the releases in it."""

    findings: Mapping[str, Any]
    copies: tuple[Copy, ...]

    @property
    def label(self) -> str:
        """Whether the label is in the picture: seen, partly, missing, or unknown."""
        layer = self.layer("label")
        facts = layer.get("facts", {})
        if not facts.get("looked"):
            return "unknown"
        if not facts.get("seen"):
            return "missing"
        return "partly" if facts.get("missing") else "seen"

    def layer(self, name: str) -> Mapping[str, Any]:
        """Return one layer of the findings; empty if there is none."""
        layers = self.findings.get("layers", [])
        return next((each for each in layers if each["name"] == name), {})


class Looker:
    """Looks at files, one after the other, in a process apart."""

    def __init__(
        self, lookup: Lookup, indexes: Indexes, *, bounds: Bounds | None = None, quick: bool = False
    ) -> None:
        self._examiner = Examiner(lookup, bounds=bounds)
        self._indexes = indexes
        self._quick = quick

    def __enter__(self) -> "Looker":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._examiner.stop()

    def look(self, path: Path, *, name: str) -> Look:
        """Return what the file at `path` shows; raises `MediaError` if it can't be read.

        A `quick` looker examines the layers only of what its codes lead to a release.
        """
        codes = self._examiner.take_codes(path, name=name)
        pictures = _found(codes["probes"], self._indexes.pictures, ENOUGH)
        sound = _found(codes["sound"], self._indexes.sound, SOUND_ENOUGH)
        if self._quick and not pictures and not sound:
            return Look(findings={}, copies=())
        findings = self._examiner.examine(path, name=name)
        named = findings["asset_id"] if findings["verdict"] in _NAMING else None
        assets = dict.fromkeys([named, *(m.asset_id for m in (*pictures, *sound))])
        copies = [
            self._copy(path, name, asset, pictures, sound, findings)
            for asset in list(assets)[: _MOST_COPIES + 1]
            if asset
        ]
        return Look(findings=findings, copies=tuple(copies))

    def _copy(
        self,
        path: Path,
        name: str,
        asset_id: str,
        pictures: Sequence[Match],
        sound: Sequence[Match],
        findings: Mapping[str, Any],
    ) -> Copy:
        parts = tuple(each for each in pictures if each.asset_id == asset_id)
        heard = tuple(each for each in sound if each.asset_id == asset_id)
        named = findings["asset_id"] == asset_id and findings["verdict"] in _NAMING
        confirmed = named and findings["verdict"] != "copied-mark"
        how = f"the file itself ({findings['verdict']})" if named else "its picture alone"
        if not confirmed and parts:
            best = max(parts, key=lambda each: each.nats)
            read = self._examiner.confirm(path, name=name, part=_part(best))
            if read["asset_id"] == asset_id:
                confirmed, how = True, "the watermark in the part that its picture led to"
        if not parts and not named:
            how = "its sound alone"
        return Copy(asset_id=asset_id, parts=parts, sound=heard, confirmed=confirmed, how=how)


def _found(probes: Sequence[Any], index: CodeIndex, enough: float) -> tuple[Match, ...]:
    found: list[Match] = []
    for each in probes:
        found += match(Probe.from_json(each), index, enough=enough)
    return merge(found)


def _part(found: Match) -> dict[str, Any]:
    window = found.window
    return {
        "window": [window.x, window.y, window.width, window.height],
        "begin": found.begin,
    }
