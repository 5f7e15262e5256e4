"""The pages from the link to the signature: read, choose, record, sign."""

from typing import Any

from pydantic import ValidationError
from starlette.responses import JSONResponse, Response

from assent.apps.web.keys import (
    begin_passkey,
    check_shown,
    end_passkey,
    kind_of_key,
    options_to_sign,
    read_public_key,
)
from assent.apps.web.reading import see
from assent.apps.web.site import Visit
from assent.consent.invitations import (
    Invitation,
    choose,
    decline,
    find_invitation,
    use_up,
)
from assent.consent.notice import LANGUAGES
from assent.consent.people import check_key_is_free
from assent.consent.receipt import record_to_sign
from assent.consent.record import Authority
from assent.consent.sitting import conclude, prepare, purpose_of
from assent.consent.terms import Choices, Terms
from assent.kit.canonical import digest
from assent.kit.errors import InputError, NotClearedError, RefusedError
from assent.kit.signing import attach

__all__ = [
    "answer_link",
    "answers_for",
    "bind_key",
    "choices_page",
    "choose_terms",
    "chosen_of",
    "decline_all",
    "enter",
    "make_passkey",
    "notice_page",
    "read_choices",
    "sign_page",
    "sign_record",
]


_ENTRANCES = {"ceremony": "/consent", "recording": "/watch", "home": "/home"}


# The link


def answer_link(visit: Visit) -> Response:
    """Say what the link is for; it isn't used by looking, so a mail program may."""
    invitation = _invited(visit)
    if invitation.terms is not None:
        visit.fallback = invitation.terms.language
    return visit.show(
        "link.html",
        person=invitation.person,
        leads_to=invitation.leads_to,
        authority=answers_for(invitation),
        title="" if invitation.terms is None else purpose_of(visit.studio, invitation).brief.title,
    )


def enter(visit: Visit) -> Response:
    """Begin a session for who opened the link, in this browser and no other."""
    visit.site.sessions.check_same_site(visit.request)
    invitation = _invited(visit)
    ceremony = invitation.leads_to == "ceremony"
    if not ceremony:
        with visit.studio.database.session() as session:
            use_up(session, invitation.id)
    response = see(_ENTRANCES[invitation.leads_to])
    session_begun = visit.site.sessions.begin(
        response,
        person_id=invitation.person.id,
        language=_spoken(visit),
        invitation_id=invitation.id if ceremony else None,
    )
    session_begun.watching = None if ceremony else invitation.record_id
    return response


def _spoken(visit: Visit) -> str:
    wanted = visit.field("language")
    return wanted if wanted in LANGUAGES else visit.language


def _invited(visit: Visit) -> Invitation:
    address = visit.request.client.host if visit.request.client else ""
    if not visit.site.turnstile.is_open(address):
        raise NotClearedError("too many tries", advice="Wait a few minutes.")
    try:
        return find_invitation(visit.studio, visit.request.path_params["secret"])
    except NotClearedError:
        visit.site.turnstile.failed(address)
        raise


# Read and choose


def notice_page(visit: Visit) -> Response:
    """Tell what is asked."""
    return visit.show("notice.html", **_asked(visit))


def decline_all(visit: Visit) -> Response:
    """Say no to all of it."""
    visit.changing()
    decline(visit.studio, visit.invitation)
    visit.site.recordings.forget(visit.invitation.id)
    response = visit.show("declined.html")
    visit.site.sessions.end(visit.request, response)
    return response


def choices_page(visit: Visit) -> Response:
    """Let the subject choose; what they chose before is shown as they left it."""
    return visit.show("choices.html", problem=None, **_asked(visit))


def choose_terms(visit: Visit) -> Response:
    """Keep what was ticked; if it can't be, show it again as it was ticked, and say why."""
    visit.changing()
    choices = None
    try:
        choices = read_choices(visit, _terms(visit.invitation))
        choose(visit.studio, visit.invitation, choices)
    except NotClearedError:
        raise
    except (InputError, RefusedError) as error:
        problem = visit.words().of_error(error) or str(error)
        shown = {**_asked(visit), "chosen": choices}
        return visit.show("choices.html", status=422, problem=problem, **shown)
    # What was prepared belongs to the choices of before.
    visit.session.record = visit.session.signing = None
    return see("/consent/record")


def read_choices(visit: Visit, asked: Terms) -> Choices:
    """Return what a form ticks; raises `InputError`."""
    form = visit.form
    try:
        return Choices.model_validate(
            {
                "language": visit.language,
                **{name: name in form for name in ("adult", "face_matching", "final_approval")},
                **{
                    name: form.get(name, [])
                    for name in ("acts", "modalities", "channels", "forbidden")
                },
                "ends": visit.field("ends") or asked.ends.isoformat(),
                "most_releases": visit.field("most_releases") or asked.most_releases,
            }
        )
    except ValidationError as error:
        raise InputError(
            "the last day must lie in the term, and the number be a number",
            advice="Correct what you wrote.",
        ) from error


def _asked(visit: Visit) -> dict[str, Any]:
    invitation = visit.invitation
    return {
        "purpose": purpose_of(visit.studio, invitation),
        "terms": _terms(invitation),
        "chosen": invitation.choices,
        "person": invitation.person,
        "authority": answers_for(invitation),
    }


def answers_for(invitation: Invitation) -> Authority | None:
    """Return by what somebody else than the subject opens this link; None if nobody else does."""
    return None if invitation.terms is None else invitation.terms.authority


def _terms(invitation: Invitation) -> Terms:
    if invitation.terms is None:
        raise NotClearedError("this link leads to no ceremony")
    return invitation.terms


def chosen_of(invitation: Invitation) -> Choices:
    """Return what was chosen; raises `InputError` if nothing was yet."""
    if invitation.choices is None:
        raise InputError("nothing was chosen yet", advice="Choose first what you allow.")
    return invitation.choices


# Sign


def sign_page(visit: Visit) -> Response:
    """Show what was chosen, once more and in full, and ask for the signature."""
    invitation = visit.invitation
    recording = visit.site.recordings.find(invitation.id)
    if invitation.choices is None:
        return see("/consent/choices")
    if recording is None or not recording.ready:
        return see("/consent/record")
    asked = _asked(visit)
    return visit.show(
        "sign.html",
        **{**asked, "terms": invitation.choices.take_from(asked["terms"])},
        waits=recording.to_person or answers_for(invitation) is not None,
        known_key=kind_of_key(invitation.person),
        rp_works=visit.site.place.rp_id != "127.0.0.1",
        shown=digest(invitation.choices.to_json()),
    )


def make_passkey(visit: Visit) -> Response:
    """Return what the browser needs to make a passkey."""
    visit.changing()
    return JSONResponse(begin_passkey(visit, visit.invitation.person))


def bind_key(visit: Visit) -> Response:
    """Take the public key and return what is to be signed with it: the final record."""
    visit.changing()
    invitation = visit.invitation
    recording = visit.site.recordings.need(invitation.id)
    if not recording.ready:
        raise InputError("there is no recording yet", advice="Record your statement first.")
    check_shown(visit, digest(chosen_of(invitation).to_json()))
    key = invitation.person.known_key
    if key is None:
        key = end_passkey(visit) if "passkey" in visit.data else read_public_key(visit.data)
        check_key_is_free(visit.studio, invitation.person, key)
    record = prepare(visit.studio, invitation, key=key, statement_sha256=recording.sha256)
    session = visit.session
    session.key, session.record = key, record
    session.signing = record_to_sign(record, key)
    return JSONResponse(options_to_sign(session.signing, key))


def sign_record(visit: Visit) -> Response:
    """Take the signature in: the link is used up, the consent is live or waits for a person."""
    visit.changing()
    session, invitation = visit.session, visit.invitation
    if session.key is None or session.record is None or session.signing is None:
        raise InputError("there is nothing to sign yet", advice="Load the page again.")
    recording = visit.site.recordings.need(invitation.id)
    if recording.checked is None:
        raise InputError("there is no recording yet", advice="Record your statement first.")
    conclude(
        visit.studio,
        invitation,
        session.record,
        attach(session.signing, visit.data, session.key),
        key=session.key,
        statement=recording.scratch,  # type: ignore[arg-type] # it reads like any other file
        checked=recording.checked,
    )
    visit.site.recordings.forget(invitation.id)
    session.invitation_id = None
    session.record = session.signing = None
    return JSONResponse({"next": "/home?new=1"})
