"""What was seen where: kept for the dashboard, for withdrawals, for cases."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from assent.kit.clock import stamp
from assent.kit.errors import NotFoundError
from assent.kit.fingerprint.match import Match
from assent.kit.store.events import note_event
from assent.kit.store.studio import Studio
from assent.kit.store.tables import SightingRow
from assent.kit.store.watch_tables import SeenRow
from assent.monitor.watch.finds import Find
from assent.monitor.watch.looking import Copy, Look
from assent.monitor.watch.sources import Source
from assent.monitor.watch.standing import Standing, judge, scope_of

__all__ = ["Seen", "find_seen", "keep_case", "keep_seen", "list_seen", "mark_told"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A copy of a release at a place.

    Attributes:
        asset_id, place: of which release, where.
        source: which source named it.
        project_id: whose release it is; None if the studio doesn't know it any more.
        first, last: when it was first and last seen.
        sha256: of the file.
        standing, reasons: how it stands, the worst first.
        verdict, label, layers: what the file itself shows.
        parts: which part of the release, in `pictures` and `sound`, and what that rests on.
        context: title, page, published, if its source told them.
        confirmed: whether more than its picture or sound leads to the release.
        reach: views, if its place tells them.
        case_number: of the case that was opened.
        new: whether it was seen for the first time, or stands worse than before.
    """

    asset_id: str
    place: str
    source: str
    project_id: str | None
    first: str
    last: str
    sha256: str
    standing: Standing
    reasons: tuple[str, ...]
    verdict: str
    label: str
    layers: Mapping[str, str]
    parts: Mapping[str, Any]
    context: Mapping[str, Any]
    confirmed: bool
    reach: int | None
    case_number: str | None
    new: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


def keep_seen(
    studio: Studio, source: Source, find: Find, look: Look, copy: Copy, *, revoked: str | None
) -> Seen:
    """Keep a copy that was seen; the same again changes when it was last seen and how it stands."""
    now = studio.clock()
    scope = scope_of(studio, copy.asset_id)
    label = look.label if copy.parts or look.findings["asset_id"] == copy.asset_id else "unknown"
    standing, reasons = judge(
        scope,
        channel=source.channel,
        territory=source.territory,
        label=label,
        confirmed=copy.confirmed,
        today=now.date(),
        revoked=revoked,
    )
    row = SeenRow(
        asset_id=copy.asset_id,
        place=find.address,
        source=source.name,
        project_id=scope.project_id,
        first=stamp(now),
        last=stamp(now),
        sha256=str(look.findings["sha256"]),
        standing=standing.value,
        reasons=list(reasons),
        verdict=str(look.findings["verdict"]),
        label=label,
        layers={layer["name"]: layer["status"] for layer in look.findings["layers"]},
        parts={
            "pictures": [_part_json(each) for each in copy.parts],
            "sound": [_part_json(each) for each in copy.sound],
            "how": copy.how,
        },
        context=dict(find.context),
        confirmed=copy.confirmed,
        reach=find.context.get("views"),
    )
    with studio.database.session() as session:
        new = _merge(session, row)
        session.merge(
            SightingRow(asset_id=row.asset_id, place=row.place, sha256=row.sha256, seen=row.last)
        )
        if new:
            note_event(
                session,
                "sighting.found",
                moment=now,
                project_id=scope.project_id,
                ids={"release": row.asset_id, "standing": row.standing},
            )
        return _seen(row, new=new)


def _merge(session: Session, row: SeenRow) -> bool:
    """Put `row` in the place of what was known; tell whether it is new or stands otherwise."""
    known = session.get(SeenRow, (row.asset_id, row.place))
    if known is None:
        session.add(row)
        return True
    worse = known.standing != row.standing
    row.first, row.case_number, row.told = known.first, known.case_number, known.told
    if row.reach is None:
        row.reach = known.reach
    session.expunge(known)
    session.merge(row)
    return worse


def keep_case(studio: Studio, seen: Seen, number: str) -> None:
    """Keep which case was opened for a copy."""
    with studio.database.session() as session:
        session.get_one(SeenRow, (seen.asset_id, seen.place)).case_number = number


def mark_told(studio: Studio, seen: Seen) -> None:
    """Keep that somebody was told of a copy as it stands now."""
    with studio.database.session() as session:
        session.get_one(SeenRow, (seen.asset_id, seen.place)).told = seen.standing.value


def list_seen(
    studio: Studio,
    *,
    project_id: str | None = None,
    standing: Standing | None = None,
    untold: bool = False,
) -> tuple[Seen, ...]:
    """Return the copies that were seen, the newest first: all, or those of a project or standing.

    `untold` leaves those of which nobody was told since they stand as they do.
    """
    asked = select(SeenRow).order_by(SeenRow.first.desc(), SeenRow.place, SeenRow.asset_id)
    if project_id is not None:
        asked = asked.where(SeenRow.project_id == project_id)
    if standing is not None:
        asked = asked.where(SeenRow.standing == standing.value)
    with studio.database.session() as session:
        rows = session.scalars(asked).all()
    return tuple(_seen(row) for row in rows if not untold or row.told != row.standing)


def find_seen(studio: Studio, asset_id: str, place: str) -> Seen:
    """Return one copy, or raise `NotFoundError`."""
    with studio.database.session() as session:
        row = session.get(SeenRow, (asset_id, place))
    if row is None:
        raise NotFoundError("no such copy was seen", advice="See `assent monitor sightings`.")
    return _seen(row)


def _part_json(found: Match) -> dict[str, Any]:
    window = found.window
    return {
        "begin": round(found.begin, 2),
        "end": round(found.end, 2),
        "at": round(found.at, 2),
        "length": round(found.length, 2),
        "view": found.view,
        "mirrored": found.mirrored,
        "window": [round(v, 3) for v in (window.x, window.y, window.width, window.height)],
        "nats": round(found.nats, 1),
        "bits": found.away,
    }


def _seen(row: SeenRow, *, new: bool = False) -> Seen:
    return Seen(
        asset_id=row.asset_id,
        place=row.place,
        source=row.source,
        project_id=row.project_id,
        first=row.first,
        last=row.last,
        sha256=row.sha256,
        standing=Standing(row.standing),
        reasons=tuple(row.reasons),
        verdict=row.verdict,
        label=row.label,
        layers=dict(row.layers),
        parts=dict(row.parts),
        context=dict(row.context),
        confirmed=row.confirmed,
        reach=row.reach,
        case_number=row.case_number,
        new=new,
    )
