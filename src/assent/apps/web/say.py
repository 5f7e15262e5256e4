"""What subjects sign in their own place: less than before, and yes or no to a final."""

from datetime import date
from typing import get_args

from starlette.responses import JSONResponse, Response

from assent.apps.web.ceremony import read_choices
from assent.apps.web.home import live_consent, made_one
from assent.apps.web.keys import check_shown, kind_of_key, options_to_sign
from assent.apps.web.reading import see
from assent.apps.web.site import Visit
from assent.consent.finals import Decision, decision_to_sign, keep_decision
from assent.consent.narrowing import choices_of, narrow, take_narrowed, terms_of
from assent.consent.receipt import record_to_sign
from assent.consent.record import ConsentRecord
from assent.consent.terms import Choices
from assent.disclose.made import Made
from assent.kit.canonical import digest
from assent.kit.errors import InputError, NotFoundError, RefusedError
from assent.kit.signing import attach
from assent.purpose.projects import find_project

__all__ = [
    "decide_page",
    "decide_prepare",
    "decide_sign",
    "narrow_choose",
    "narrow_page",
    "narrow_prepare",
    "narrow_sign",
    "narrow_sign_page",
]


# Allow less


def narrow_page(visit: Visit) -> Response:
    """Show what is allowed, to be unticked."""
    return _narrow_form(visit, None, None)


def _narrow_form(visit: Visit, chosen: Choices | None, problem: str | None) -> Response:
    own = live_consent(visit)
    return visit.show(
        "narrow.html",
        status=200 if problem is None else 422,
        own=own,
        terms=terms_of(own.record),
        chosen=chosen or choices_of(own.record),
        problem=problem,
    )


def narrow_choose(visit: Visit) -> Response:
    """Prepare the next version, with less in it, and show it to be signed."""
    visit.changing()
    own = live_consent(visit)
    try:
        choices = read_choices(visit, terms_of(own.record)).model_copy(
            update={"adult": True, "face_matching": True}
        )
        visit.session.record = _narrowed(visit, choices)
    except (InputError, RefusedError) as error:
        return _narrow_form(visit, None, visit.words().of_error(error) or str(error))
    return see(f"/home/narrow/{own.row_id}/sign")


def _narrowed(visit: Visit, choices: Choices) -> ConsentRecord:
    purpose = find_project(visit.studio, live_consent(visit).project_id)
    return narrow(visit.studio, purpose, visit.person, choices)


def narrow_sign_page(visit: Visit) -> Response:
    """Show the next version and ask for the signature."""
    own = live_consent(visit)
    record = _prepared(visit)
    return visit.show(
        "narrow_sign.html",
        own=own,
        record=record,
        person=visit.person,
        known_key=kind_of_key(visit.person),
        rp_works=True,
        shown=record.digest(),
        bind=f"/home/narrow/{own.row_id}/key",
        sign=f"/home/narrow/{own.row_id}/signature",
    )


def narrow_prepare(visit: Visit) -> Response:
    """Return what is to be signed."""
    visit.changing()
    live_consent(visit)
    check_shown(visit, _prepared(visit).digest())
    key = visit.person.key
    visit.session.signing = record_to_sign(_prepared(visit), key)
    return JSONResponse(options_to_sign(visit.session.signing, key))


def narrow_sign(visit: Visit) -> Response:
    """Let the next version take the place of the live one."""
    visit.changing()
    own = live_consent(visit)
    signed = attach(_signing(visit), visit.data, visit.person.key)
    purpose = find_project(visit.studio, own.project_id)
    take_narrowed(visit.studio, purpose, _prepared(visit), signed)
    visit.session.record = visit.session.signing = None
    return JSONResponse({"next": "/home"})


def _prepared(visit: Visit) -> ConsentRecord:
    """Return the version that the session prepared of the record in the path."""
    record = visit.session.record
    if record is None or record.record_id != live_consent(visit).record_id:
        raise InputError("there is nothing to sign yet", advice="Choose first.")
    return record


def _signing(visit: Visit) -> str:
    if visit.session.signing is None:
        raise InputError("there is nothing to sign yet", advice="Load the page again.")
    return visit.session.signing


# The last word


def decide_page(visit: Visit) -> Response:
    """Show the draft's newest preview and ask for the signature under the decision."""
    made, decision = made_one(visit), _decision(visit)
    return visit.show(
        "decide.html",
        made=made,
        decision=decision,
        person=visit.person,
        known_key=kind_of_key(visit.person),
        rp_works=True,
        shown=_shown(made, decision),
        bind=f"/home/decide/{made.draft_id}/{decision}/key",
        sign=f"/home/decide/{made.draft_id}/{decision}/signature",
        day=visit.words().day(date.fromisoformat(made.created[:10])),
    )


def decide_prepare(visit: Visit) -> Response:
    """Return what is to be signed."""
    visit.changing()
    made, key = made_one(visit), visit.person.key
    if not made.previews:
        raise InputError("there is no preview to decide about", advice="Ask the studio for one.")
    check_shown(visit, _shown(made, _decision(visit)))
    visit.session.signing = decision_to_sign(
        visit.studio,
        draft=made.digest,
        decision=_decision(visit),
        preview=made.previews[0].sha256,
        key=key,
    )
    return JSONResponse(options_to_sign(visit.session.signing, key))


def decide_sign(visit: Visit) -> Response:
    """Keep the decision."""
    visit.changing()
    made = made_one(visit)
    token = attach(_signing(visit), visit.data, visit.person.key)
    keep_decision(
        visit.studio, visit.person, draft_id=made.draft_id, draft=made.digest, token=token
    )
    visit.session.signing = None
    return JSONResponse({"next": "/home"})


def _shown(made: Made, decision: Decision) -> str:
    return digest([made.digest, decision, *(preview.sha256 for preview in made.previews[:1])])


def _decision(visit: Visit) -> Decision:
    said = visit.request.path_params["decision"]
    for known in get_args(Decision):
        if said == known:
            return known  # type: ignore[no-any-return] # one of the two
    raise NotFoundError("there is no such decision")
