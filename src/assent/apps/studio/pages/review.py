"""Step 6: what review found, and the signature of who reviews, with a key of their own."""

from starlette.responses import JSONResponse, Response

from assent.apps.access.permissions import Action
from assent.apps.studio.page import Visit, get, post
from assent.apps.studio.reviewing import progress_of
from assent.apps.studio.signing import keep_signature, offer_signature, person_named, signers
from assent.apps.work.kinds import enqueue
from assent.create.draft import Draft, list_drafts, load
from assent.disclose.made import read_sheet
from assent.kit.errors import NotClearedError, NotFoundError
from assent.kit.jobs.job import Job, State
from assent.kit.jobs.queue import Queue
from assent.safeguard.claims import reviewers_of
from assent.safeguard.review import keep_sign_off, sign_off_to_sign

__all__ = ["PAGES"]


def review_page(visit: Visit) -> Response:
    """Show every complete draft and how far it is."""
    drafts = [
        progress_of(visit.studio, visit.purpose, load(visit.studio, row))
        for row in reversed(list_drafts(visit.studio, visit.purpose))
        if row.state == "complete"
    ]
    return visit.show("review.html", drafts=drafts)


def draft_page(visit: Visit) -> Response:
    """Show what was found of a draft, and ask for the signature."""
    draft = _draft(visit)
    progress = progress_of(visit.studio, visit.purpose, draft)
    named = reviewers_of(visit.purpose.brief)
    left = [each for each in named if each not in {signed.handle for signed in progress.signed}]
    return visit.show(
        "review_draft.html",
        progress=progress,
        named=named,
        signers=signers(visit, left),
        left=left,
        under_way=_under_way(visit, draft),
    )


def _under_way(visit: Visit, draft: Draft) -> list[Job]:
    """Return the jobs of the draft that are waiting or running."""
    queue = Queue(visit.studio.database, visit.studio.clock)
    under_way = tuple(state for state in State if not state.over)
    return [
        job
        for kind in ("review", "sheet")
        for job in queue.list(visit.project.id, kind=kind, states=under_way)
        if draft.id.startswith(str(job.arguments.get("draft", "-")))
    ]


def look(visit: Visit) -> Response:
    """Let the content gate look through the draft."""
    return _put(visit, "review")


def make_sheet(visit: Visit) -> Response:
    """Let a sheet of the draft be sealed."""
    return _put(visit, "sheet")


def _put(visit: Visit, kind: str) -> Response:
    draft = _draft(visit)
    enqueue(visit.studio, kind, visit.project.id, {"draft": draft.id}, by=visit.who.account_id)
    return visit.see(f"/p/{visit.project.slug}/review/{draft.id}", notice="It is being worked on.")


def _draft(visit: Visit) -> Draft:
    """Return the complete draft of the path, if it is one of this project."""
    wanted = visit.path("draft")
    for row in list_drafts(visit.studio, visit.purpose):
        if row.id == wanted and row.state == "complete":
            return load(visit.studio, row)
    raise NotFoundError("there is no such draft", advice="Go back to the review.")


def sheet(visit: Visit) -> Response:
    """Show a sealed sheet, once its bytes are checked."""
    data = read_sheet(visit.studio, _draft(visit).id, visit.path("name"))
    return Response(data, media_type="image/jpeg")


def sign_prepare(visit: Visit) -> Response:
    """Return what the reviewer signs; the page must show this very draft."""
    draft = _draft(visit)
    reviewer = person_named(visit, reviewers_of(visit.purpose.brief))
    if visit.data.get("shown") != draft.digest:
        raise NotClearedError(
            "this page is too old: the draft is another one now", advice="Load the page again."
        )
    return offer_signature(
        visit, reviewer, sign_off_to_sign(visit.studio, visit.purpose, draft, reviewer)
    )


def sign(visit: Visit) -> Response:
    """Keep the signature."""
    draft = _draft(visit)
    reviewer = person_named(visit, reviewers_of(visit.purpose.brief))
    token = keep_signature(visit, reviewer)
    keep_sign_off(visit.studio, visit.purpose, draft, reviewer, token)
    return JSONResponse({"next": visit.request.url.path.rpartition("/")[0]})


_DRAFT = "/p/{project}/review/{draft}"

PAGES = (
    get("/p/{project}/review", review_page, Action.READ_DRAFTS),
    get(_DRAFT, draft_page, Action.READ_DRAFTS),
    get(f"{_DRAFT}/sheet/{{name}}", sheet, Action.WATCH, shows=False),
    post(f"{_DRAFT}/look", look, Action.REVIEW),
    post(f"{_DRAFT}/sheet", make_sheet, Action.REVIEW),
    post(f"{_DRAFT}/key", sign_prepare, Action.SIGN_OFF),
    post(f"{_DRAFT}/signature", sign, Action.SIGN_OFF),
)
