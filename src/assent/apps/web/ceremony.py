"""The pages from the link to the signature: read, choose, record, sign."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from assent.apps.web.keys import (
    begin_passkey,
    end_passkey,
    kind_of_key,
    options_to_sign,
    read_public_key,
)
from assent.apps.web.recordings import LARGEST, Recording
from assent.apps.web.site import Site, Visit, error_response, see
from assent.consent.challenge import Challenge
from assent.consent.challenges import ask, begin, use
from assent.consent.familiar import Familiar, compare_face
from assent.consent.invitations import (
    Invitation,
    choose,
    count_attempt,
    decline,
    find_invitation,
    use_up,
)
from assent.consent.notice import LANGUAGES
from assent.consent.people import check_key_is_free
from assent.consent.receipt import record_to_sign
from assent.consent.recording import RecordingFindings, Verdict, check_recording
from assent.consent.sitting import Checked, conclude, prepare, purpose_of
from assent.consent.terms import Choices, Terms
from assent.kit.errors import AssentError, InputError, NotClearedError, RefusedError
from assent.kit.signing import attach

__all__ = [
    "answer_link",
    "begin_recording",
    "bind_key",
    "choices_page",
    "choose_terms",
    "decline_all",
    "draw_challenge",
    "enter",
    "look_at_recording",
    "make_passkey",
    "notice_page",
    "read_choices",
    "record_page",
    "send_to_person",
    "sign_page",
    "sign_record",
    "upload",
]

TRIES_BEFORE_A_PERSON = 1
"""Recordings that did not pass, before the subject may ask for a person to look."""


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
    }


def _terms(invitation: Invitation) -> Terms:
    if invitation.terms is None:
        raise NotClearedError("this link leads to no ceremony")
    return invitation.terms


# Record


def record_page(visit: Visit) -> Response:
    """Show the camera."""
    invitation = visit.invitation
    if invitation.choices is None:
        return see("/consent/choices")
    return visit.show(
        "record.html",
        attempts=invitation.attempts,
        recording=visit.site.recordings.find(invitation.id),
    )


def draw_challenge(visit: Visit) -> Response:
    """Draw the words to be read; any challenge that was open is closed."""
    visit.changing()
    invitation = visit.invitation
    language = _chosen(invitation).language
    challenge = ask(
        visit.studio, str(invitation.record_id), language=language, entropy=visit.site.entropy
    )
    sentence = challenge.sentence(
        studio=visit.studio.name, project=purpose_of(visit.studio, invitation).brief.title
    )
    return JSONResponse({"nonce": challenge.nonce, "sentence": sentence})


def begin_recording(visit: Visit) -> Response:
    """Tell the turns, now that the recording begins."""
    visit.changing()
    challenge = begin(visit.studio, _nonce(visit.data), record_id=str(visit.invitation.record_id))
    return JSONResponse(
        {"turns": [turn.value for turn in challenge.turns], "pauses": list(challenge.pauses)}
    )


async def upload(request: Request) -> Response:
    """Take the recording in while it arrives, encrypted, and have it checked."""
    site: Site = request.app.state.site
    visit = Visit(site=site, request=request)
    try:
        challenge, recording = await run_in_threadpool(_expect, visit)
        size = 0
        async for piece in request.stream():
            size += len(piece)
            await run_in_threadpool(recording.scratch.write, piece)
        if size == 0:
            raise InputError("nothing was recorded", advice="Record your statement again.")
    except AssentError as error:
        return await error_response(request, error)
    prompts = _prompts(request.query_params.get("prompts", ""))
    check = _Check(visit=visit, invitation=visit.invitation, challenge=challenge, prompts=prompts)
    site.recordings.check(recording, check)
    return JSONResponse({"state": "checking"}, 202)


def _expect(visit: Visit) -> tuple[Challenge, Recording]:
    """Use the challenge up and make room; whatever arrives now answers it, or nothing does."""
    visit.changing()
    invitation = visit.invitation
    nonce = str(visit.request.query_params.get("nonce", ""))
    challenge = use(visit.studio, nonce, record_id=str(invitation.record_id))
    return challenge, visit.site.recordings.begin(invitation.id, nonce=nonce)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Check:
    """What is done with a recording once it is there."""

    visit: Visit
    invitation: Invitation
    challenge: Challenge
    prompts: tuple[int, ...]

    def __call__(self, recording: Recording) -> Checked:
        """Judge the recording, and whose face it shows."""
        recording.scratch.seek(0)
        found = check_recording(
            recording.scratch,  # type: ignore[arg-type] # a scratch file reads like any other
            challenge=self.challenge,
            prompts=self.prompts,
            name="the recording",
        )
        familiar = self._compare(found)
        stranger = familiar in (Familiar.CHANGED, Familiar.OTHER)
        passed = found.verdict is Verdict.PASSED and not stranger
        if not passed:
            count_attempt(self.visit.studio, self.invitation)
        language = self.challenge.language
        recording.findings = tuple(
            each.tell(language) for each in found.findings if each.verdict is not Verdict.PASSED
        )
        recording.stranger = stranger
        return Checked(passed=passed, findings={**found.to_json(), "face": familiar.value})

    def _compare(self, found: RecordingFindings) -> Familiar:
        if len(found.templates) == 0:
            return Familiar.NEW
        studio = self.visit.studio
        purpose = purpose_of(studio, self.invitation)
        return compare_face(studio, purpose, self.invitation.person, found.templates)


def look_at_recording(visit: Visit) -> Response:
    """Say how far the check of the recording is, for the page that waits."""
    recording = visit.site.recordings.need(visit.invitation.id)
    words = visit.words()
    told = [*recording.findings, *([words("record_stranger")] if recording.stranger else [])]
    if recording.state == "broken":
        told = [recording.told]
    return JSONResponse(
        {
            "state": recording.state,
            "told": told,
            "person": recording.state == "failed" and visit.invitation.attempts >= 1,
        }
    )


def send_to_person(visit: Visit) -> Response:
    """Go on with a recording that did not pass: a person at the studio shall look at it."""
    visit.changing()
    recording = visit.site.recordings.need(visit.invitation.id)
    if recording.state != "failed" or visit.invitation.attempts < TRIES_BEFORE_A_PERSON:
        raise InputError("this recording can't be sent", advice="Record your statement again.")
    recording.to_person = True
    return see("/consent/sign")


def _prompts(text: str) -> tuple[int, ...]:
    parts = text.split(",")[:20]
    return tuple(int(part) for part in parts if part.isascii() and part.isdigit() and len(part) < 8)


def _nonce(data: Mapping[str, Any]) -> str:
    return str(data.get("nonce", ""))


def _chosen(invitation: Invitation) -> Choices:
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
        waits=recording.to_person,
        known_key=kind_of_key(invitation.person),
        rp_works=visit.site.place.rp_id != "127.0.0.1",
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


def limits() -> dict[str, int]:
    """Return the paths that take more than a form, and how much."""
    return {"/consent/recording": LARGEST}
