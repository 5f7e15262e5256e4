"""Signatures under the studio's decisions: by a person's own key, in their own browser.

The server says what is signed and keeps it until the signature comes back; the page never chooses.
Whoever is signed in with an account that belongs to a person signs as that person alone.
"""

import base64
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from starlette.responses import JSONResponse, Response

from assent.apps.studio.page import Visit
from assent.apps.web.keys import options_to_sign
from assent.consent.people import Person, find_person
from assent.kit.errors import InputError, IntegrityError, NotClearedError, NotFoundError
from assent.kit.passkey import Passkey
from assent.kit.signing import attach, verify

__all__ = ["Signer", "keep_signature", "offer_signature", "person_named", "signers"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Somebody who may sign here, and with what kind of key: passkey, file or none."""

    person: Person
    kind: str
    here: bool
    """Their key works at this address; a passkey belongs to the place where it was made."""


def signers(visit: Visit, handles: Sequence[str]) -> tuple[Signer, ...]:
    """Return those of `handles` who may sign in this browser."""
    found = []
    for handle in handles:
        try:
            person = find_person(visit.studio, handle)
        except NotFoundError:
            continue
        if visit.who.person_id not in (None, person.id):
            continue
        key = person.known_key
        kind = "none" if key is None else "passkey" if isinstance(key, Passkey) else "file"
        here = not isinstance(key, Passkey) or key.rp_id == visit.house.place.rp_id
        found.append(Signer(person=person, kind=kind, here=here))
    return tuple(found)


def person_named(visit: Visit, allowed: Collection[str]) -> Person:
    """Return who is about to sign, as the page says; raises `NotClearedError` if they may not."""
    handle = str(visit.data.get("by", "") or visit.request.query_params.get("by", ""))
    if handle not in allowed:
        raise NotClearedError(
            "somebody else has to sign this", advice="The brief names its reviewers."
        )
    person = find_person(visit.studio, handle)
    if visit.who.person_id not in (None, person.id):
        raise NotClearedError(
            "you are signed in as somebody else", advice="Sign with your own account and key."
        )
    return person


def offer_signature(visit: Visit, person: Person, text: str) -> Response:
    """Return what the browser needs to sign `text` with the person's key."""
    visit.house.pending.put(_place(visit, person), text)
    return JSONResponse(options_to_sign(text, person.key))


def keep_signature(visit: Visit, person: Person) -> str:
    """Return the token that came back.

    Raises `InputError` if nothing was asked for, `NotClearedError` if it isn't the person's
    signature. What it says is checked by whoever keeps it.
    """
    text = visit.house.pending.take(_place(visit, person))
    if text is None:
        raise InputError("there is nothing to sign yet", advice="Load the page again.")
    token = attach(text, visit.data, person.key)
    header = text.partition(".")[0]
    kind = json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))["typ"]
    try:
        verify(token, person.key, kind=kind)
    except IntegrityError as error:
        raise NotClearedError(
            f"this is not {person.name}'s signature", advice="Sign with their own key."
        ) from error
    return token


def _place(visit: Visit, person: Person) -> tuple[str, str, str]:
    """Return where what waits for a signature is kept: for this session, page and person."""
    session = visit.session
    page = visit.request.url.path.rpartition("/")[0]
    return ("" if session is None else session.id, page, person.id)
