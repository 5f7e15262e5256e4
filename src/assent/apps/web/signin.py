"""Signing in with the key under one's consent: it answers a challenge that is good for once."""

import secrets
from datetime import timedelta

from starlette.responses import JSONResponse, Response

from assent.apps.web.keys import encode, options_to_sign, read_public_key
from assent.apps.web.sessions import SignIn
from assent.apps.web.site import Visit
from assent.consent.people import Person, person_by_key, person_by_passkey
from assent.kit.errors import IntegrityError, NotClearedError, NotFoundError
from assent.kit.passkey import Passkey, verify_presence
from assent.kit.signing import attach, signing_input, thumbprint, verify

__all__ = ["signin", "signin_challenge", "signin_page"]

_KIND = "assent-sign-in+jws"
_LIFETIME = timedelta(minutes=5)


def signin_page(visit: Visit) -> Response:
    """Ask for the key."""
    return visit.show("signin.html", rp_works=visit.site.place.rp_id != "127.0.0.1")


def signin_challenge(visit: Visit) -> Response:
    """Draw a challenge; with a key file the page says whose public key it is."""
    visit.site.sessions.check_same_site(visit.request)
    challenge = secrets.token_bytes(32)
    expires = visit.studio.clock() + _LIFETIME
    if "jwk" in visit.data:
        key = read_public_key(visit.data)
        payload = {"challenge": encode(challenge), "origin": visit.site.place.origin}
        text = signing_input(payload, key, kind=_KIND)
        visit.site.sign_ins.begin(SignIn(challenge=challenge, expires=expires, key=key, text=text))
        return JSONResponse({"nonce": challenge.hex(), **options_to_sign(text, key)})
    visit.site.sign_ins.begin(SignIn(challenge=challenge, expires=expires))
    options = {
        "challenge": encode(challenge),
        "rpId": visit.site.place.rp_id,
        "userVerification": "required",
    }
    return JSONResponse({"nonce": challenge.hex(), "kind": "passkey", "options": options})


def signin(visit: Visit) -> Response:
    """Begin a session for whoever answered with a key that is known."""
    visit.site.sessions.check_same_site(visit.request)
    address = visit.request.client.host if visit.request.client else ""
    if not visit.site.turnstile.is_open(address):
        raise NotClearedError("too many tries", advice="Wait a few minutes.")
    begun = visit.site.sign_ins.take(str(visit.data.get("nonce", "")))
    try:
        person = _answered(visit, begun)
    except (IntegrityError, NotFoundError) as error:
        visit.site.turnstile.failed(address)
        raise NotClearedError(
            "nobody has this key, or the signature does not match",
            advice="Use the key with which you signed.",
        ) from error
    response = JSONResponse({"next": "/home"})
    visit.site.sessions.begin(response, person_id=person.id, language=visit.language)
    return response


def _answered(visit: Visit, begun: SignIn) -> Person:
    if begun.key is not None:
        verify(attach(begun.text, visit.data, begun.key), begun.key, kind=_KIND)
        return person_by_key(visit.studio, thumbprint=thumbprint(begun.key))
    person = person_by_passkey(visit.studio, str(visit.data.get("id", "")))
    if not isinstance(person.key, Passkey):
        raise NotFoundError("nobody has this key")
    verify_presence(visit.data, person.key, challenge=begun.challenge)
    return person
