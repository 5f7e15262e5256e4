"""Bind what the studio keeps to the consent that it rests on, so that no row can be edited by hand.

When footage, a face set, a model or a render is put away, the studio signs what the database says
of it, the hashes of its files in the vault among that, and the records of the people in it. Before
any of it is used again, the row must still say the same, and each of those people must be cleared
under that very record.

    token = bind(studio, "footage", {"blob": blob, "people": people}, clearances)
    ...
    bound = Bound(kind="footage", name="scene.mp4", facts={...}, token=row.binding)
    hold(studio, bound, clearances)
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from assent.consent.clearance import Clearance
from assent.kit.canonical import digest
from assent.kit.errors import IntegrityError, NotClearedError
from assent.kit.signing import public_of, sign, verify
from assent.kit.store.studio import Studio

__all__ = ["Bound", "Facts", "bind", "check", "hold"]

_KIND = "assent-binding+jws"

Facts = Mapping[str, Any]
"""What a row says, as plain JSON values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """What a row says of an object now, and what was signed when the object was made."""

    kind: str
    """What it is: footage, faces, model, segment or draft."""
    name: str
    """What people call it, for messages."""
    facts: Facts
    token: str | None


def bind(studio: Studio, kind: str, facts: Facts, clearances: Collection[Clearance]) -> str:
    """Sign `facts` together with the records of `clearances`, on which the object rests."""
    return sign(
        {
            "kind": kind,
            "facts": digest(dict(facts)),
            "records": {clearance.person_id: clearance.record_id for clearance in clearances},
        },
        studio.signing_key,
        kind=_KIND,
    )


def check(studio: Studio, bound: Bound) -> Mapping[str, str]:
    """Return the records, by person, that the object rests on.

    Raises `IntegrityError` if the row says anything else than when it was signed.
    """
    try:
        signed = verify(bound.token or "", public_of(studio.signing_key), kind=_KIND)
    except IntegrityError as error:
        raise _altered(bound) from error
    if signed["kind"] != bound.kind or signed["facts"] != digest(dict(bound.facts)):
        raise _altered(bound)
    return dict(signed["records"])


def hold(studio: Studio, bound: Bound, clearances: Collection[Clearance]) -> None:
    """Hold an object to what was signed, and to those who are cleared now.

    Raises `IntegrityError` as `check`, `NotClearedError` unless everyone in it is cleared under the
    record that it was made under.
    """
    cleared = {clearance.person_id: clearance.record_id for clearance in clearances}
    for person, record in check(studio, bound).items():
        if person not in cleared:
            raise NotClearedError(f"not everyone whom {bound.name} concerns has been cleared")
        if cleared[person] != record:
            raise NotClearedError(
                f"{bound.name} was made under a consent record that has ended since",
                advice="Make it again: what it rested on can't be used under another record.",
            )


def _altered(bound: Bound) -> IntegrityError:
    return IntegrityError(
        f"{bound.name} is not what it was when it was put away: the studio's database was changed",
        advice="Restore studio.db from a backup, or make it again.",
    )
