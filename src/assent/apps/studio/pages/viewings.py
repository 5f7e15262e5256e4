"""Pictures of footage, models and drafts, for the pages that show them: all through one door."""

import math
import re

from starlette.responses import JSONResponse, Response

from assent.apps.access.permissions import Action
from assent.apps.studio.page import Visit, get, post
from assent.create.draft import find_draft
from assent.data.clips import find_clip
from assent.data.doubts import find_doubt
from assent.disclose.viewing.viewings import NotYet, Side, Viewing, Viewings
from assent.kit.errors import InputError, NotFoundError
from assent.train.models import list_models

__all__ = ["PAGES", "account_of", "viewings_of"]

_HOLDER = "holder of the link"
_FRAME = re.compile(r"([0-9]{1,9})\.jpg")
_USUAL_WIDTH = 960
_PATIENCE_S = 0.2


def viewings_of(visit: Visit) -> Viewings:
    """Return the viewings of this server."""
    return visit.house.services.get(Viewings, lambda: Viewings(visit.studio))


def account_of(visit: Visit) -> str:
    """Return by whom a viewing is opened."""
    return visit.who.account_id or _HOLDER


def open_viewing(visit: Visit) -> Response:
    """Open a draft, a clip, a model or a doubt to look at it."""
    kind, wanted = str(visit.data.get("kind", "")), str(visit.data.get("id", ""))
    viewing = _open(visit, kind, wanted)
    viewings = viewings_of(visit)
    return JSONResponse(
        {
            "id": viewing.id,
            "frames": viewing.frames,
            "width": viewing.width,
            "height": viewing.height,
            "seconds": viewings.seconds(viewing.id, by=account_of(visit)),
            "ends": viewing.ends.isoformat(),
        }
    )


def _open(visit: Visit, kind: str, wanted: str) -> Viewing:
    viewings, by, purpose = viewings_of(visit), account_of(visit), visit.purpose
    if kind == "draft":
        return viewings.open_draft(purpose, find_draft(visit.studio, purpose, wanted), by=by)
    if kind == "clip":
        return viewings.open_clip(purpose, find_clip(visit.studio, purpose, wanted), by=by)
    if kind == "doubt":
        return viewings.open_doubt(purpose, find_doubt(visit.studio, purpose, wanted), by=by)
    if kind == "model":
        for row in list_models(visit.studio, purpose):
            if row.id == wanted:
                return viewings.open_model(purpose, row, by=by)
        raise NotFoundError("there is no such model", advice="Go back to the models.")
    raise InputError(f"'{kind[:20]}' can't be looked at", advice="Name a draft, clip or model.")


def picture(visit: Visit) -> Response:
    """Show a frame."""
    found = _FRAME.fullmatch(visit.path("frame"))
    if found is None:
        raise NotFoundError("there is no such picture", advice="Name it by its number.")
    viewings, by = viewings_of(visit), account_of(visit)
    viewing = viewings.find(visit.path("viewing"), by=by)
    # Who lost their role in its project since must not go on looking.
    visit.must_be_of_project(viewing.project_id)
    side, width = visit.request.query_params.get("side"), _width(visit)
    if side is not None and side not in [each.value for each in Side]:
        raise InputError("there is no such side", advice="Name before, after or mask.")
    which = None if side is None else Side(side)
    within = _PATIENCE_S if "soon" in visit.request.query_params else math.inf
    shown = viewings.soon(
        viewing.id, int(found.group(1)), by=by, width=width, side=which, within=within
    )
    if isinstance(shown, NotYet):
        return JSONResponse({"near": shown.near}, 202, {"Cache-Control": "no-store"})
    return Response(shown, media_type="image/jpeg", headers={"Cache-Control": "no-store"})


def _width(visit: Visit) -> int:
    text = visit.request.query_params.get("w", str(_USUAL_WIDTH))
    return int(text) if re.fullmatch(r"[0-9]{1,5}", text) else _USUAL_WIDTH


PAGES = (
    post("/p/{project}/viewings", open_viewing, Action.WATCH),
    get("/p/{project}/viewings/{viewing}/{frame}", picture, Action.WATCH, shows=False),
)
