"""Step 8: what is out, where copies were seen, and what may have to be done."""

from dataclasses import dataclass

from sqlalchemy import select
from starlette.responses import Response

from assent.apps.access.permissions import Action
from assent.apps.studio.page import Visit, get
from assent.kit.store.tables import DraftRow, ReleaseRow, SightingRow

__all__ = ["PAGES"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Out:
    """A release, and where copies of it were seen."""

    asset_id: str
    name: str
    created: str
    places: tuple[tuple[str, str], ...]


def after_page(visit: Visit) -> Response:
    """Show the project's releases and their sightings."""
    with visit.studio.database.session() as session:
        releases = session.scalars(
            select(ReleaseRow)
            .join(DraftRow, DraftRow.id == ReleaseRow.draft_id)
            .where(DraftRow.project_id == visit.project.id, ReleaseRow.state == "released")
            .order_by(ReleaseRow.created.desc())
        ).all()
        sightings = session.scalars(
            select(SightingRow)
            .where(SightingRow.asset_id.in_([row.asset_id for row in releases]))
            .order_by(SightingRow.seen.desc())
        ).all()
    out = [
        Out(
            asset_id=row.asset_id,
            name=row.name or row.asset_id,
            created=row.created,
            places=tuple(
                (each.place, each.seen) for each in sightings if each.asset_id == row.asset_id
            ),
        )
        for row in releases
    ]
    return visit.show(
        "after.html",
        out=out,
        elsewhere=[
            (path, name, action)
            for path, name, action in (
                ("/monitor", "Where copies are looked for", Action.READ_MONITOR),
                ("/verify", "Ask what a file is", Action.VERIFY),
            )
            if path in visit.house.paths and visit.who.may(action)
        ],
    )


PAGES = (get("/p/{project}/after", after_page, Action.READ_RELEASES),)
