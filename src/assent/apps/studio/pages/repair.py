"""Step 5: correct a draft by hand, and see each frame again at once."""

from typing import Any

import numpy as np
from starlette.responses import JSONResponse, Response

from assent.apps.access.permissions import Action
from assent.apps.studio.page import Page, Visit, get, post
from assent.apps.work.kinds import enqueue
from assent.consent.clearance import Clearance
from assent.consent.desk import clear_all
from assent.consent.people import person_by_id
from assent.create.draft import list_drafts, load
from assent.create.placing import placings
from assent.create.render import rendering_needs
from assent.create.repair.document import LARGEST, Repairs, read_repairs
from assent.create.repair.mending import Mending
from assent.create.repair.store import (
    Shot,
    Version,
    held,
    history,
    keep,
    read_version,
    redo,
    undo,
)
from assent.create.staging import check_repairs
from assent.disclose.viewing.viewings import Side, Viewing, Viewings
from assent.kit.errors import InputError, NotFoundError
from assent.kit.faces.align import align
from assent.kit.faces.mesh import LANDMARKS, landmarks_of
from assent.kit.store.tables import DraftRow
from assent.train.models import find_model

__all__ = ["PAGES"]

_ROOM = 1 << 16  # bytes of a request beside its document


def repair_page(visit: Visit) -> Response:
    """Show the editor; everything else is asked for by its script."""
    draft = load(visit.studio, _row(visit))
    return visit.show("repair.html", draft=draft)


def begin(visit: Visit) -> Response:
    """Open a viewing, and return what the editor begins with."""
    shot = _shot(visit)
    viewings = _viewings(visit)
    viewing = viewings.open_repair(visit.purpose, shot, by=_by(visit))
    repairs = Repairs(clip=shot.clip.sha256)
    with viewings.repairing(viewing.id, repairs, by=_by(visit)) as shown:
        tracks = [
            {
                "person": person_by_id(visit.studio, track.person_id).handle,
                "first": int(track.index[0]),
                "last": int(track.index[-1]),
            }
            for track in shown.tracks
        ]
        places = placings(shown.tracks, viewing.width, viewing.height)
        chart = shown.mending().chart
        seconds = shown.seconds()
    return JSONResponse(
        {
            "viewing": viewing.id,
            "ends": viewing.ends.isoformat(),
            "frames": viewing.frames,
            "width": viewing.width,
            "height": viewing.height,
            "seconds": seconds,
            "tracks": tracks,
            "label": {each.corner.value: each.warnings for each in places},
            "people": [person_by_id(visit.studio, each).handle for each in shot.clip.people],
            "performer": person_by_id(visit.studio, shot.model.performer_id).handle,
            "chart": {
                "points": np.round(chart.points * (10_000 / (chart.size - 1))).astype(int).tolist(),
                "triangles": chart.triangles.tolist(),
            },
            "landmarks": LANDMARKS.tolist(),
            **_held(visit, shot),
        }
    )


def mesh(visit: Visit) -> Response:
    """Return where the points of the performer's face lie in a frame, after the repairs."""
    number, repairs = _number(visit), _repairs(visit)
    with _viewings(visit).repairing(_viewing(visit).id, repairs, by=_by(visit)) as shown:
        mending = shown.mending()
    return JSONResponse(_mesh(mending, number))


def frame(visit: Visit) -> Response:
    """Return a frame with the repairs as they are in the editor."""
    data = visit.data
    side = Side.BEFORE if data.get("before") is True else Side.AFTER
    width = data.get("width")
    jpeg = _viewings(visit).repaired(
        _viewing(visit).id,
        _number(visit),
        _repairs(visit),
        by=_by(visit),
        width=min(1280, max(160, width)) if type(width) is int else 960,
        side=side,
    )
    return Response(jpeg, media_type="image/jpeg", headers={"Cache-Control": "no-store"})


def save_repairs(visit: Visit) -> Response:
    """Keep the repairs, if what they changed still holds."""
    shot, repairs = _shot(visit), _repairs(visit)
    clearances = _cleared(visit, shot)
    check_repairs(visit.studio, visit.purpose, shot, repairs, clearances)
    keep(
        visit.studio, shot, repairs, clearances, expected=_expected(visit), saved_by=_by(visit)
    )  # fmt: skip
    return JSONResponse(_held(visit, shot))


def step_back(visit: Visit) -> Response:
    """Go back to the version before."""
    shot = _shot(visit)
    undo(visit.studio, shot, expected=_expected(visit))
    return JSONResponse(_held(visit, shot))


def step_forward(visit: Visit) -> Response:
    """Take a step back back."""
    shot = _shot(visit)
    redo(visit.studio, shot, expected=_expected(visit))
    return JSONResponse(_held(visit, shot))


def render_again(visit: Visit) -> Response:
    """Have the clip rendered with the repairs that hold."""
    row, shot = _row(visit), _shot(visit)
    job = enqueue(
        visit.studio,
        "render",
        visit.project.id,
        {"footage": shot.clip.id, "model": shot.model.id, "colour": row.colour},
        by=visit.who.account_id,
    )
    return JSONResponse({"job": job.id})


def _mesh(mending: Mending, number: int) -> dict[str, Any]:
    points = mending.mesh(number)
    track = next((t for t in mending.unmoved if number in t.index), None)
    if points is None or track is None:
        return {"points": None}
    found = landmarks_of(track.meshes[int(np.searchsorted(track.index, number))])
    return {
        "points": np.round(points[:, :2], 2).tolist(),
        "unit": align(found, size=1, coverage=1.0)[:, :2].tolist(),
        "centre": np.round(found.mean(0), 2).tolist(),
    }


def _held(visit: Visit, shot: Shot) -> dict[str, Any]:
    """What holds now, and whether there is a way back and forth."""
    version = held(visit.studio, shot)
    versions: tuple[Version, ...] = history(visit.studio, shot)
    repairs = read_version(visit.studio, shot, version, _cleared(visit, shot))
    return {
        "version": version.number,
        "repairs": repairs.to_json(),
        "back": version.number > 0,
        "forth": any(each.number and each.parent == version.number for each in versions),
    }


def _row(visit: Visit) -> DraftRow:
    for row in list_drafts(visit.studio, visit.purpose):
        if row.id == visit.path("draft"):
            return row
    raise NotFoundError("there is no such draft", advice="Go back to the list of drafts.")


def _shot(visit: Visit) -> Shot:
    draft = load(visit.studio, _row(visit))
    model = find_model(visit.studio, visit.purpose, _row(visit).model_id)
    return Shot(project_id=visit.purpose.project_id, clip=draft.clip, model=model)


def _cleared(visit: Visit, shot: Shot) -> tuple[Clearance, ...]:
    return clear_all(visit.studio, visit.purpose, rendering_needs(shot.model, shot.clip))


def _viewings(visit: Visit) -> Viewings:
    return visit.house.services.get(Viewings, lambda: Viewings(visit.studio))


def _viewing(visit: Visit) -> Viewing:
    viewing = _viewings(visit).find(visit.path("viewing"), by=_by(visit))
    visit.must_be_of_project(viewing.project_id)
    return viewing


def _by(visit: Visit) -> str:
    return visit.who.account_id or visit.who.handle


def _number(visit: Visit) -> int:
    number = visit.data.get("number")
    if type(number) is not int or not 0 <= number < _viewing(visit).frames:
        raise InputError("there is no such frame")
    return number


def _expected(visit: Visit) -> int:
    expected = visit.data.get("expected")
    if type(expected) is not int:
        raise InputError("it isn't said which version was changed")
    return expected


def _repairs(visit: Visit) -> Repairs:
    return read_repairs(visit.data.get("repairs"))


_HERE = "/p/{project}/drafts/{draft}/repair"
_ONE = _HERE + "/{viewing}"

PAGES: tuple[Page, ...] = (
    get(_HERE, repair_page, Action.REPAIR),
    post(_HERE + "/begin", begin, Action.REPAIR),
    post(_HERE + "/keep", save_repairs, Action.REPAIR, largest=LARGEST + _ROOM),
    post(_HERE + "/undo", step_back, Action.REPAIR),
    post(_HERE + "/redo", step_forward, Action.REPAIR),
    post(_HERE + "/render", render_again, Action.RENDER),
    post(_ONE + "/mesh", mesh, Action.REPAIR, largest=LARGEST + _ROOM),
    post(_ONE + "/frame", frame, Action.REPAIR, largest=LARGEST + _ROOM),
)
