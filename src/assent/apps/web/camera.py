"""The camera: words and turns are drawn, the recording arrives, is checked, and waits."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from assent.apps.web.ceremony import answers_for, chosen_of
from assent.apps.web.guard import FORM
from assent.apps.web.reading import see
from assent.apps.web.recordings import LARGEST, Recording
from assent.apps.web.site import Site, Visit, error_response
from assent.consent.challenge import Challenge
from assent.consent.challenges import ask, begin, use
from assent.consent.familiar import Familiar, compare_face
from assent.consent.invitations import Invitation, count_attempt
from assent.consent.recording import RecordingFindings, Verdict, check_recording
from assent.consent.sitting import Checked, purpose_of
from assent.kit.errors import AssentError, InputError

__all__ = [
    "begin_recording",
    "draw_challenge",
    "largest",
    "look_at_recording",
    "record_page",
    "send_to_person",
    "upload",
]

TRIES_BEFORE_A_PERSON = 1
"""Recordings that did not pass, before the subject may ask for a person to look."""


def record_page(visit: Visit) -> Response:
    """Show the camera."""
    invitation = visit.invitation
    if invitation.choices is None:
        return see("/consent/choices")
    return visit.show(
        "record.html",
        attempts=invitation.attempts,
        person=invitation.person,
        authority=answers_for(invitation),
        recording=visit.site.recordings.find(invitation.id),
    )


def draw_challenge(visit: Visit) -> Response:
    """Draw the words to be read; any challenge that was open is closed."""
    visit.changing()
    invitation = visit.invitation
    language = chosen_of(invitation).language
    challenge = ask(
        visit.studio, str(invitation.record_id), language=language, entropy=visit.site.entropy
    )
    sentence = challenge.sentence(
        studio=visit.studio.name,
        project=purpose_of(visit.studio, invitation).brief.title,
        person=invitation.person.name if answers_for(invitation) else None,
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
            await run_in_threadpool(_write, recording, piece)
        if size == 0:
            raise InputError("nothing was recorded", advice="Record your statement again.")
    except AssentError as error:
        return await error_response(request, error)
    prompts = _prompts(request.query_params.get("prompts", ""))
    check = _Check(visit=visit, invitation=visit.invitation, challenge=challenge, prompts=prompts)
    site.recordings.check(recording, check)
    return JSONResponse({"state": "checking"}, 202)


def _write(recording: Recording, piece: bytes) -> None:
    try:
        recording.scratch.write(piece)
    except ValueError as error:
        # Closed: another recording of the same ceremony has taken its place.
        raise InputError("another recording has begun", advice="Record once more.") from error


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
        # Who answers for somebody else has a face of their own.
        if len(found.templates) == 0 or answers_for(self.invitation):
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


def largest(path: str) -> int:
    """Return how many bytes may be sent to a path: a recording, or a form."""
    return LARGEST if path == "/consent/recording" else FORM
