"""Step 1: what the work is for. The wizard of a new project, and the brief of one that exists."""

from datetime import timedelta
from typing import Any

from starlette.responses import JSONResponse, Response

from assent.apps.access.permissions import Action
from assent.apps.studio.briefing import EFFECT_WORDS, brief_from, fields_of, judged, tell
from assent.apps.studio.page import Visit, get, post
from assent.apps.studio.signing import keep_signature, offer_signature, person_named, signers
from assent.consent.people import list_people
from assent.kit.errors import AssentError, ForbiddenPurposeError, NotFoundError, RefusedError
from assent.purpose.brief import Category
from assent.purpose.library import packs_of
from assent.purpose.places import WORLD
from assent.purpose.projects import create_project
from assent.purpose.questionnaire import QUESTIONS
from assent.purpose.rules import Decision, decide
from assent.safeguard.claims import (
    CheckedClaim,
    keep_tick,
    list_claims,
    reviewers_of,
    tick_to_sign,
)

__all__ = ["PAGES"]

_LANGUAGES = (("en", "English"), ("de", "German"), ("es", "Spanish"))
_CHANNELS = ("cinema", "television", "streaming", "website", "social media", "classroom", "event")
_WIZARD = 64 << 10


def new_page(visit: Visit) -> Response:
    """Ask what the work is for."""
    today = visit.studio.clock().date()
    start: dict[str, Any] = {
        "starts": today.isoformat(),
        "ends": (today + timedelta(days=365)).isoformat(),
        "languages": ["en"],
        "risk": {},
    }
    return _wizard(visit, start, "")


def _wizard(visit: Visit, fields: dict[str, Any], problem: str, status: int = 200) -> Response:
    packs = packs_of(visit.studio)
    people = list_people(visit.studio)
    return visit.show(
        "new.html",
        status=status,
        fields=fields,
        problem=problem,
        name=visit.field("name"),
        said=judged(visit.studio, fields),
        questions=QUESTIONS,
        categories=[(each.value, each.value.replace("-", " ").capitalize()) for each in Category],
        channels=_CHANNELS,
        languages=_LANGUAGES,
        places=sorted({code for pack in packs for code in pack.jurisdictions} - {WORLD}),
        reviewers=[
            ("", "Nobody"),
            *((each.handle, each.name) for each in people if each.known_key is not None),
        ],
    )


def judge_now(visit: Visit) -> Response:
    """Tell what the rules say of the form as it is filled in by now."""
    return JSONResponse(judged(visit.studio, fields_of(visit.form)))


def make(visit: Visit) -> Response:
    """Begin the project, or show the form again with what is wrong or refused."""
    fields = fields_of(visit.form)
    try:
        purpose = create_project(
            visit.studio, brief_from(fields), slug=visit.field("name").strip() or None
        )
    except (AssentError, ForbiddenPurposeError) as error:
        status = 403 if isinstance(error, RefusedError) else 422
        return _wizard(visit, fields, f"{error}. {error.advice}", status)
    return visit.see(f"/p/{purpose.slug}", notice="The project is begun.")


# The brief of a project


def brief_page(visit: Visit) -> Response:
    """Show the brief, what the rules say of it today, and its claims."""
    decision = _decision(visit)
    return visit.show(
        "brief.html",
        brief=visit.project.brief,
        decision=decision,
        rulings=[tell(each) for each in (*decision.rulings, *decision.upcoming)],
        words=EFFECT_WORDS,
        questions=QUESTIONS,
        claims=list_claims(visit.studio, visit.project.id, visit.project.brief),
        reviewers=reviewers_of(visit.project.brief),
    )


def _decision(visit: Visit) -> Decision:
    today = visit.studio.clock().date()
    return decide(visit.project.brief, packs_of(visit.studio), day=today)


def claim_page(visit: Visit) -> Response:
    """Ask a reviewer to hold a claim against its source."""
    return visit.show(
        "claim.html",
        claim=_claim(visit),
        signers=signers(visit, reviewers_of(visit.project.brief)),
    )


def _claim(visit: Visit) -> CheckedClaim:
    number = visit.path("number")
    for each in list_claims(visit.studio, visit.project.id, visit.project.brief):
        if str(each.number) == number:
            return each
    raise NotFoundError("there is no such claim", advice="Go back to the brief.")


def claim_prepare(visit: Visit) -> Response:
    """Return what the reviewer signs to tick the claim off."""
    reviewer = person_named(visit, reviewers_of(visit.project.brief))
    number = _claim(visit).number
    text = tick_to_sign(
        visit.studio, visit.project.id, visit.project.brief, number, reviewer=reviewer
    )
    return offer_signature(visit, reviewer, text)


def claim_sign(visit: Visit) -> Response:
    """Keep the tick."""
    reviewer = person_named(visit, reviewers_of(visit.project.brief))
    token = keep_signature(visit, reviewer)
    keep_tick(
        visit.studio,
        visit.project.id,
        visit.project.brief,
        _claim(visit).number,
        reviewer=reviewer,
        token=token,
    )
    return JSONResponse({"next": f"/studio/p/{visit.project.slug}/brief"})


PAGES = (
    get("/new", new_page, Action.CREATE_PROJECT),
    post("/new", make, Action.CREATE_PROJECT, largest=_WIZARD),
    post("/new/judge", judge_now, Action.CREATE_PROJECT, largest=_WIZARD),
    get("/p/{project}/brief", brief_page, Action.READ_PROJECT),
    get("/p/{project}/brief/claims/{number}", claim_page, Action.SIGN_OFF),
    post("/p/{project}/brief/claims/{number}/key", claim_prepare, Action.SIGN_OFF),
    post("/p/{project}/brief/claims/{number}/signature", claim_sign, Action.SIGN_OFF),
)
