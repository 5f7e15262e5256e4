"""Which releases a studio has taken back since, as its log says.

>>> told = [(7, {"kind": "release.ended", "asset": "00" * 8, "how": "revoked",
...              "successor": None, "time": "2026-11-23T00:00:00Z"})]
>>> ended_in(told)["00" * 8].how
'revoked'
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from assent.kit.errors import IntegrityError

__all__ = ["ENDED", "RESTORED", "Ended", "How", "ended_in", "entry_of_end", "entry_of_return"]

ENDED, RESTORED = "release.ended", "release.restored"
"""The kinds of entry: a release was taken back; that was undone."""

How = Literal["revoked", "taken-down", "suspended", "corrected"]
"""The studio no longer vouches for it, which is final; it is no longer shown; it is being looked
into; another release took its place. What comes first here counts more.
"""
_FINAL: How = "revoked"

_ASSET_ID = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How and when (RFC 3339) a release was taken back, at which index of the log.

    `successor` is the asset id of what took its place, if anything did.
    """

    how: How
    time: str
    index: int
    successor: str | None = None


def entry_of_end(asset_id: str, how: How, *, time: str, successor: str | None = None) -> Any:  # noqa: ANN401 - JSON
    """Return the entry that takes a release back."""
    return {"kind": ENDED, "asset": asset_id, "how": how, "successor": successor, "time": time}


def entry_of_return(asset_id: str, *, time: str) -> Any:  # noqa: ANN401 - JSON
    """Return the entry that undoes it."""
    return {"kind": RESTORED, "asset": asset_id, "time": time}


def ended_in(entries: Sequence[tuple[int, Mapping[str, Any]]]) -> dict[str, Ended]:
    """Return the releases that are taken back after all of these entries, by asset id.

    Of several ends that stand, the one that says most; of equals the first. Nothing undoes a
    revocation. Raises `IntegrityError` for an entry that lacks its parts.
    """
    found: dict[str, list[Ended]] = {}
    for index, fields in entries:
        kind = fields.get("kind")
        if kind == ENDED:
            found.setdefault(_asset(fields.get("asset")), []).append(_read(index, fields))
        elif kind == RESTORED:
            asset = _asset(fields.get("asset"))
            found[asset] = [each for each in found.get(asset, ()) if each.how == _FINAL]
    order = get_args(How)
    return {
        asset: min(ends, key=lambda each: order.index(each.how))
        for asset, ends in found.items()
        if ends
    }


def _read(index: int, fields: Mapping[str, Any]) -> Ended:
    how, successor = fields.get("how"), fields.get("successor")
    if how not in get_args(How) or not isinstance(fields.get("time"), str):
        raise IntegrityError("an entry of the log about the end of a release lacks its parts")
    return Ended(
        how=cast(How, how),
        time=fields["time"],
        index=index,
        successor=None if successor is None else _asset(successor),
    )


def _asset(value: object) -> str:
    if not isinstance(value, str) or not _ASSET_ID.fullmatch(value):
        raise IntegrityError("an entry of the log about the end of a release names no release")
    return value
