"""Sightings: where the monitor saw copies of releases, and how they stand there."""

import hashlib
from typing import Annotated, Any

from fastapi import Query

from assent.apps.access.permissions import Action
from assent.apps.api.call import Asked, Where, get
from assent.apps.api.paging import Cursor, Limit, paged
from assent.apps.api.shapes import Told
from assent.monitor.watch.seen import Seen, list_seen
from assent.monitor.watch.standing import Standing

__all__ = ["OPERATIONS", "SightingTold"]


class SightingTold(Told):
    """A copy of a release at a place.

    `standing` says what is wrong with it, `reasons` in words, the worst first; `parts` which part
    of the release it is, by picture and sound; `layers` what is left of mark, credential and label;
    `confirmed` that more than its picture or sound leads to the release. `case` is a case's number.
    """

    id: str
    release: str
    project: str | None
    place: str
    source: str
    first: str
    last: str
    sha256: str
    standing: Standing
    reasons: list[str]
    verdict: str
    label: str
    layers: dict[str, str]
    parts: dict[str, Any]
    context: dict[str, Any]
    confirmed: bool
    reach: int | None
    case: str | None


class Sightings(Told):
    """A page of sightings, the newest first."""

    items: list[SightingTold]
    next: str | None


def list_sightings(
    call: Asked,
    standing: Annotated[Standing | None, Query(description="Only those that stand so.")] = None,
    project: Annotated[
        str | None, Query(max_length=60, description="Only those of the project with this id.")
    ] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Sightings:
    """The copies that were seen of the releases that the token may see."""
    found = list_seen(call.studio, project_id=project, standing=standing)
    seen = [each for each in found if call.may_in(Action.READ_MONITOR, each.project_id)]
    page, more = paged(seen, _id, kind="sightings", cursor=cursor, limit=limit)
    return Sightings(items=[_told(each) for each in page], next=more)


def _id(seen: Seen) -> str:
    """Return a name for a copy at a place: places are longer than a cursor."""
    return hashlib.sha256(f"{seen.asset_id} {seen.place}".encode()).hexdigest()[:32]


def _told(seen: Seen) -> SightingTold:
    return SightingTold.model_validate(
        {
            **seen.to_json(), "id": _id(seen), "release": seen.asset_id,
            "project": seen.project_id, "case": seen.case_number,
            "reasons": list(seen.reasons),
        }
    )  # fmt: skip


OPERATIONS = (
    get("/sightings", list_sightings, Action.READ_MONITOR, where=Where.ANY, tags=["monitor"]),
)
