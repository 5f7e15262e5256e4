"""How a copy stands: may it be where it was seen, as it was seen?

A release may be shown where its project's brief and the terms of everybody in it allow its channel
and its territory, while they last, with its label, and by nobody else's account of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import select

from assent.consent.record import parse_record
from assent.kit.store.studio import Studio
from assent.kit.store.tables import ConsentRow, DraftRow, ProjectRow, ReleaseRow
from assent.purpose.brief import Brief
from assent.purpose.places import WORLD, read_places

__all__ = ["Scope", "Standing", "judge", "scope_of"]


class Standing(StrEnum):
    """What is wrong with a copy, the worst first."""

    UNLABELLED = "unlabelled"
    """Its label was cut off, covered, or is missing in a part of it."""
    ENDED = "ended"
    """A consent under it was withdrawn, its term is over, or the release was revoked."""
    SCOPE = "scope"
    """It is on a channel or in a territory that was not agreed to."""
    UNSURE = "unsure"
    """Only its picture or its sound leads to the release: it may be what that was made from."""
    ALLOWED = "allowed"
    """It is where it may be, labelled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Where a release may be shown, by everybody's terms together.

    `territories` are names as they were agreed to, one a party; `ended` says why it may be shown
    nowhere any more.
    """

    project_id: str | None
    channels: frozenset[str]
    territories: tuple[str, ...]
    ends: date | None
    ended: str | None = None


def scope_of(studio: Studio, asset_id: str) -> Scope:
    """Return where a release may be shown; nowhere if the studio doesn't know it."""
    with studio.database.session() as session:
        release = session.get(ReleaseRow, asset_id)
        draft = session.get(DraftRow, release.draft_id) if release else None
        project = session.get(ProjectRow, draft.project_id) if draft else None
        if release is None or project is None:
            return Scope(project_id=None, channels=frozenset(), territories=(), ends=None)
        rows = session.scalars(
            select(ConsentRow).where(ConsentRow.receipt_hash.in_(release.receipts))
        ).all()
    brief = Brief.from_mapping(project.brief)
    records = [parse_record(row.document) for row in rows]
    channels = frozenset(brief.channels)
    for record in records:
        channels &= record.scope.channels
    return Scope(
        project_id=project.id,
        channels=channels,
        territories=(
            ", ".join(brief.jurisdictions),
            *(record.scope.territory for record in records),
        ),
        ends=min([brief.ends, *(record.scope.ends for record in records)]),
        ended="a consent under it was withdrawn" if _withdrawn(rows) else None,
    )


def judge(
    scope: Scope,
    *,
    channel: str,
    territory: str,
    label: str,
    confirmed: bool,
    today: date,
    revoked: str | None = None,
) -> tuple[Standing, tuple[str, ...]]:
    """Return how a copy stands, and every reason, in words."""
    reasons: list[tuple[Standing, str]] = []
    if label in ("missing", "partly"):
        parts = "was cut off or covered" if label == "missing" else "is not in all of it"
        said = f"its label {parts}"
        reasons.append((Standing.UNLABELLED, said))
    reasons += [(Standing.ENDED, said) for said in (scope.ended, revoked) if said]
    if scope.ends is not None and today > scope.ends:
        reasons.append((Standing.ENDED, f"what was agreed to ended on {scope.ends}"))
    reasons += [(Standing.SCOPE, said) for said in _outside(scope, channel, territory)]
    if not confirmed:
        reasons.append((Standing.UNSURE, "nothing but its picture or sound leads to the release"))
    order = list(Standing)
    reasons.sort(key=lambda pair: order.index(pair[0]))
    worst = reasons[0][0] if reasons else Standing.ALLOWED
    return worst, tuple(said for _, said in reasons)


def _outside(scope: Scope, channel: str, territory: str) -> Sequence[str]:
    if not channel:
        return ("nobody agreed to anything at this place",)
    found = []
    if channel.casefold() not in {each.casefold() for each in scope.channels}:
        found.append(f"the channel {channel} was not agreed to")
    if not all(_covers(agreed, territory) for agreed in scope.territories):
        found.append(f"the territory {territory or 'worldwide'} was not agreed to")
    return found


def _covers(agreed: str, territory: str) -> bool:
    """Tell whether all places of `territory` are among those agreed to."""
    have, want = read_places(agreed), read_places(territory or WORLD)
    return not want.unread and bool(want.codes) and all(have.cover(place) for place in want.codes)


def _withdrawn(rows: Sequence[ConsentRow]) -> bool:
    return any(row.state in ("withdrawn", "expired") for row in rows)
