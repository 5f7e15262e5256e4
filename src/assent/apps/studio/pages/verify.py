"""What is this file? The public pages' engine, with the studio's own log, key and secret layer."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from assent.apps.access.accounts import list_accounts
from assent.apps.access.permissions import Action
from assent.apps.public.checks import Check, Checks, Limits
from assent.apps.public.send import receive_file
from assent.apps.studio.page import ROOT, Visit, get, post
from assent.kit.errors import InputError, MediaError, NotFoundError
from assent.kit.store.studio import Studio
from assent.kit.store.tables import DraftRow, ProjectRow, ReleaseRow
from assent.kit.store.viewing_tables import ViewingRow
from assent.verify.apart import Lookup
from assent.verify.page.face_map import drawing_of
from assent.verify.page.result import HINTS, LAYERS, STATES, state_of, tone_of
from assent.verify.public import OWN

__all__ = ["PAGES"]

_LIMITS = Limits(largest=2 << 30, scratch=8 << 30, each=4, seconds=600.0, memory=6 << 30)


def verify_page(visit: Visit) -> Response:
    """Show where a file can be verified."""
    return visit.show("verify.html", largest=_LIMITS.largest)


def seat(visit: Visit) -> Response:
    """Give a place for a file."""
    size, name = visit.data.get("size"), visit.data.get("name")
    if not isinstance(size, int) or isinstance(size, bool):
        raise InputError("the size of the file is missing")
    check = _checks(visit).seat(
        name=name if isinstance(name, str) else "", size=size, address=_who(visit)
    )
    return JSONResponse({"ticket": check.ticket})


async def send_file(visit: Visit) -> Response:
    """Take the file of a ticket, piece by piece."""
    checks, ticket = _checks(visit), visit.path("ticket")
    _check(visit)
    check = await run_in_threadpool(checks.begin, ticket)
    try:
        await receive_file(visit.request, check)
        await run_in_threadpool(checks.enqueue, ticket)
    except BaseException:
        checks.give_up(ticket)
        raise
    return JSONResponse(check.to_json())


def state(visit: Visit) -> Response:
    """Say how far a file is."""
    return JSONResponse(_check(visit).to_json())


def answer_page(visit: Visit) -> Response:
    """Show what was found."""
    check = _check(visit)
    if check.problem is not None:
        raise (
            check.problem
            if not isinstance(check.problem, MediaError)
            else InputError("this file can't be examined", advice=str(check.problem))
        )
    if check.result is None:
        return visit.show("verify_wait.html", check=check)
    return visit.show(
        "verify_result.html",
        r=check.result,
        tone={"good": "good", "unsure": "warn", "bad": "bad"}.get(tone_of(check.result), ""),
        hint=HINTS[str(check.result["verdict"])],
        names=LAYERS,
        states=STATES,
        state_of=state_of,
        drawing_of=drawing_of,
        ticket=check.ticket,
        release=_release(visit, check.result["asset_id"]),
        viewing=_viewing(visit, check.result),
    )


def answer_json(visit: Visit) -> Response:
    """Send what was found."""
    result = _check(visit).result
    if result is None:
        raise InputError("there is no answer yet", advice="Ask again in a while.")
    return Response(
        json.dumps(result, ensure_ascii=False, indent=1),
        media_type="application/json",
        headers={"Content-Disposition": 'attachment; filename="verification.json"'},
    )


def _who(visit: Visit) -> str:
    return str(visit.who.account_id)


def _check(visit: Visit) -> Check:
    """Return the check of the path; what somebody else sent is as good as not there."""
    check = _checks(visit).find(visit.path("ticket"))
    if check.address != _who(visit):
        raise NotFoundError("there is no such answer, or no longer", advice="Send the file again.")
    return check


def _checks(visit: Visit) -> Checks:
    studio = visit.studio
    return visit.house.services.get(Checks, lambda: Checks(_lookup_of(studio), limits=_LIMITS))


def _lookup_of(studio: Studio) -> Callable[[], tuple[str, Lookup]]:
    def lookup() -> tuple[str, Lookup]:
        return studio.log.reader().checkpoint, Lookup(
            log=str(studio.log_folder.absolute()),
            vkey=studio.log_verifier.vkey,
            key_from=OWN,
            secret=studio.secret_key.value.hex(),
        )

    return lookup


def _release(visit: Visit, asset_id: str | None) -> tuple[str, str] | None:
    """Return the project's name and the address of a release's page, if they may see it."""
    with visit.studio.database.session() as session:
        row = session.get(ReleaseRow, asset_id) if asset_id else None
        draft = session.get(DraftRow, row.draft_id) if row else None
        project = session.get(ProjectRow, draft.project_id) if draft else None
    if project is None or not visit.who.may(Action.READ_RELEASES, project.id):
        return None
    return str(project.brief["title"]), f"{ROOT}/p/{project.slug}/releases/{asset_id}"


_OF = {
    "draft": "a draft",
    "clip": "footage",
    "model": "a model in training",
    "doubt": "faces that somebody had to decide about",
    "repair": "a draft in the repair editor",
}


def _viewing(visit: Visit, result: Mapping[str, Any]) -> dict[str, Any] | None:
    """Tell of which viewing a picture is: one that was saved from these pages, not released.

    Everybody learns that it is one; of what, when and by whom, who may read that project.
    """
    told = [layer.get("facts", {}) for layer in result["layers"]]
    # The credential names it, and the mark if that is all that is left.
    named = {facts.get(name) for facts in told for name in ("asset_id", "payload")} - {None}
    with visit.studio.database.session() as session:
        rows = [row for each in named if (row := session.get(ViewingRow, each)) is not None]
        if not rows:
            return None
        project = session.get_one(ProjectRow, rows[0].project_id)
    row = rows[0]
    if not visit.who.may(Action.READ_PROJECT, row.project_id):
        return {"of": None}
    accounts = {each.id: each.name for each in list_accounts(visit.studio)}
    return {
        "of": _OF.get(row.kind, "something"),
        "project": project.brief["title"],
        "slug": project.slug,
        "by": accounts.get(row.account),
        "time": row.created,
        "index": row.log_index,
    }


PAGES = (
    get("/verify", verify_page, Action.VERIFY),
    post("/verify", seat, Action.VERIFY),
    post("/verify/{ticket}/file", send_file, Action.VERIFY, raw=True, largest=_LIMITS.largest),
    get("/verify/{ticket}/state", state, Action.VERIFY, shows=False),
    get("/verify/{ticket}/result.json", answer_json, Action.VERIFY, shows=False),
    get("/verify/{ticket}", answer_page, Action.VERIFY, shows=False),
)
