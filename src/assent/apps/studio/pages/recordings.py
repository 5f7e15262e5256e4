"""Step 2, recordings that no machine could pass: a member of the studio looks and decides."""

from starlette.responses import JSONResponse, Response

from assent.apps.access.permissions import Action
from assent.apps.studio.page import ROOT, Visit, get, post
from assent.apps.studio.signing import keep_signature, offer_signature, person_named, signers
from assent.consent.challenge import advice_on
from assent.consent.ground import decision_to_sign
from assent.consent.people import Person, find_person, list_people
from assent.consent.reviewing import (
    approve_statement,
    find_waiting,
    list_waiting,
    reject_statement,
    watch_statement,
)
from assent.consent.sitting import record_of
from assent.kit.errors import InputError, NotClearedError, NotFoundError
from assent.kit.signing import peek

__all__ = ["PAGES"]

_FACES = {
    "changed": "The face is not the one that the studio knows as theirs.",
    "other": "The face is that of somebody else of this project.",
}


def recording_page(visit: Visit) -> Response:
    """Show what was found, the recording, and ask for a decision."""
    record_id = _waiting(visit)
    row = find_waiting(visit.studio, record_id)
    findings = row.findings or {}
    told = [
        advice_on(each["check"], "en")[0].format(value=each["value"], limit=each["limit"])
        for each in findings.get("findings", ())
        if each["verdict"] != "passed"
    ]
    face = _FACES.get(str(findings.get("face")))
    return visit.show(
        "recording.html",
        person=find_person(visit.studio, visit.path("handle")),
        told=[*told, *([face] if face else [])],
        since=row.created,
        answers=row.document["principal"]["authority"],
        signers=signers(visit, _members(visit)),
        path=_here(visit),
        watches=visit.who.account_id is None or visit.who.person_id is not None,
    )


def film(visit: Visit) -> Response:
    """Play the recording; that it was opened goes into the log."""
    data = watch_statement(visit.studio, _waiting(visit), _watching(visit))
    # The two kinds that browsers record; an MP4 says what it is in its fifth byte.
    kind = "video/mp4" if data[4:8] == b"ftyp" else "video/webm"
    return Response(data, media_type=kind)


def decide_prepare(visit: Visit) -> Response:
    """Return what the member signs to decide."""
    row = find_waiting(visit.studio, _waiting(visit))
    member = _member(visit)
    outcome = visit.data.get("outcome")
    if outcome not in ("approve", "reject"):
        raise InputError("nothing is decided", advice="Say whether it is good.")
    text = decision_to_sign(
        visit.studio,
        record_of(row),
        member,
        approve=outcome == "approve",
        reason=str(visit.data.get("reason", "")),
    )
    return offer_signature(visit, member, text)


def decide(visit: Visit) -> Response:
    """Keep the decision; an approved record is taken in."""
    record_id, member = _waiting(visit), _member(visit)
    token = keep_signature(visit, member)
    if peek(token)["outcome"] == "approved":
        taken = approve_statement(visit.studio, record_id, member, token)
        notice = (
            "The consent is in force."
            if taken is not None
            else "No face could be enrolled from the recording: it goes on waiting."
        )
    else:
        reject_statement(visit.studio, record_id, member, token)
        notice = "The recording is rejected and destroyed."
    if visit.session is not None:
        visit.house.sessions.leave(visit.session, notice)
    return JSONResponse({"next": f"{ROOT}/p/{visit.project.slug}/people"})


def _waiting(visit: Visit) -> str:
    """Return the id of the record of the path's person that waits in this project."""
    for each in list_waiting(visit.studio):
        if (each.handle, each.project) == (visit.path("handle"), visit.project.slug):
            return each.record_id
    raise NotFoundError("no recording of theirs waits here", advice="Go back.")


def _members(visit: Visit) -> list[str]:
    """Return who of the studio may decide: nobody about themselves."""
    return [
        each.handle
        for each in list_people(visit.studio)
        if each.staff and each.handle != visit.path("handle")
    ]


def _watching(visit: Visit) -> Person:
    """Return who looks; nothing is signed for that, so an account must be theirs."""
    if visit.who.account_id is not None and visit.who.person_id is None:
        raise NotClearedError(
            "the log says who looked, and your account is nobody's yet",
            advice="Make your key first: who signs for the studio.",
        )
    return _member(visit)


def _member(visit: Visit) -> Person:
    return person_named(visit, _members(visit))


def _here(visit: Visit) -> str:
    return f"/p/{visit.project.slug}/people/{visit.path('handle')}/recording"


_RECORDING = "/p/{project}/people/{handle}/recording"

PAGES = (
    get(_RECORDING, recording_page, Action.DECIDE_PEOPLE),
    get(f"{_RECORDING}/film", film, Action.DECIDE_PEOPLE, shows=False),
    post(f"{_RECORDING}/key", decide_prepare, Action.DECIDE_PEOPLE),
    post(f"{_RECORDING}/signature", decide, Action.DECIDE_PEOPLE),
)
