"""Keys that browsers make and sign with: what they are asked, and what comes back."""

import base64
import secrets
from collections.abc import Mapping
from typing import Any

from assent.apps.web.site import Visit
from assent.consent.people import Person
from assent.kit.errors import InputError, NotClearedError
from assent.kit.passkey import ALGORITHMS, Passkey, challenge_of, register_passkey
from assent.kit.signing import VerifyKey, from_jwk

__all__ = [
    "begin_passkey",
    "check_shown",
    "encode",
    "end_passkey",
    "kind_of_key",
    "options_to_sign",
    "read_public_key",
]

_TIMEOUT_MS = 300_000


def begin_passkey(visit: Visit, person: Person) -> dict[str, Any]:
    """Return the options for `navigator.credentials.create`."""
    visit.session.challenge = secrets.token_bytes(32)
    return {
        "rp": {"id": visit.site.place.rp_id, "name": visit.studio.name},
        "user": {
            "id": encode(person.id.encode()),
            "name": person.handle,
            "displayName": person.name,
        },
        "challenge": encode(visit.session.challenge),
        "pubKeyCredParams": [{"type": "public-key", "alg": int(each)} for each in ALGORITHMS],
        "authenticatorSelection": {
            "residentKey": "preferred",
            "userVerification": "required",
        },
        "attestation": "none",
        "timeout": _TIMEOUT_MS,
    }


def end_passkey(visit: Visit) -> Passkey:
    """Return the passkey that the browser made for the challenge of before, which is used up."""
    challenge, visit.session.challenge = visit.session.challenge, None
    answer = visit.data.get("passkey")
    if challenge is None or not isinstance(answer, dict):
        raise InputError("no passkey was asked for", advice="Load the page again.")
    place = visit.site.place
    return register_passkey(answer, challenge=challenge, rp_id=place.rp_id, origin=place.origin)


def read_public_key(data: Mapping[str, Any]) -> VerifyKey:
    """Return the Ed25519 key that the page made; raises `InputError`."""
    jwk = data.get("jwk")
    if not isinstance(jwk, dict) or "passkey" in jwk or "d" in jwk:
        raise InputError("this is not a public key", advice="Load the page again.")
    return from_jwk(jwk, name="the key")


def options_to_sign(signing: str, key: VerifyKey) -> dict[str, Any]:
    """Return what the page needs to sign `signing` with `key`."""
    if not isinstance(key, Passkey):
        return {"kind": "file", "text": signing, "thumbprint": str(key.thumbprint())}
    return {
        "kind": "passkey",
        "options": {
            "challenge": encode(challenge_of(signing)),
            "rpId": key.rp_id,
            "allowCredentials": [{"type": "public-key", "id": key.credential_id}],
            "userVerification": "required",
            "timeout": _TIMEOUT_MS,
        },
    }


def check_shown(visit: Visit, digest: str) -> None:
    """Raise `NotClearedError` unless the page shows what is to be signed, by its digest.

    Another tab may have changed it since: nobody signs what they don't see.
    """
    if visit.data.get("shown") != digest:
        raise NotClearedError(
            "this page is too old: something else is to be signed now", advice="Load it again."
        )


def kind_of_key(person: Person) -> str:
    """Return "none", "passkey" or "file"."""
    if person.known_key is None:
        return "none"
    return "passkey" if isinstance(person.known_key, Passkey) else "file"


def encode(data: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
