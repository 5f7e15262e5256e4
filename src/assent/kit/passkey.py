"""Passkeys as keys that sign documents (W3C Web Authentication, level 3).

A passkey never signs a document itself: it signs what its authenticator and the browser say of the
moment, with a challenge in it. Here the challenge is the SHA-256 of the document's signing input,
so that the signature holds for this document, at this origin, after the user was verified, and for
nothing else. The token has the shape of a compact JWS, with all three parts that a verifier needs
in place of the signature; it is no JWS, and no JWS library takes it for one.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

from cryptography.exceptions import UnsupportedAlgorithm
from joserfc.jwk import ECKey, OKPKey, RSAKey
from webauthn import verify_authentication_response, verify_registration_response
from webauthn.helpers import decode_credential_public_key, parse_client_data_json
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.decode_credential_public_key import (
    DecodedEC2PublicKey,
    DecodedOKPPublicKey,
    DecodedRSAPublicKey,
)
from webauthn.helpers.exceptions import WebAuthnException

from assent.kit.canonical import canonical
from assent.kit.errors import InputError, IntegrityError

__all__ = [
    "ALGORITHMS",
    "Passkey",
    "challenge_of",
    "passkey_from_json",
    "register_passkey",
    "seal_passkey_token",
    "verify_passkey",
    "verify_presence",
]

ALGORITHM = "WebAuthn"
"""What the header of a token says; registered nowhere."""

ALGORITHMS = (
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
)
"""The algorithms that are taken, best known first."""

_PARTS = ("authenticatorData", "clientDataJSON", "signature")
_LONGEST = 8192


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Passkey:
    """A public key in somebody's authenticator, and the place that it signs at."""

    credential_id: str
    """Base64url."""
    public_key: bytes
    """COSE key (RFC 9052)."""
    rp_id: str
    origin: str

    def thumbprint(self) -> str:
        """Return the RFC 7638 thumbprint of the bare key: the same key is the same anywhere."""
        return str(_as_jwk(self.public_key).thumbprint())

    def to_json(self) -> dict[str, Any]:
        """Return it as a JWK with one more member, `passkey`."""
        return {
            **_as_jwk(self.public_key).as_dict(private=False),
            "passkey": {
                "credential_id": self.credential_id,
                "public_key": _encode(self.public_key),
                "rp_id": self.rp_id,
                "origin": self.origin,
            },
        }


def passkey_from_json(document: Mapping[str, Any], *, name: str) -> Passkey:
    """Read what `to_json` wrote; raises `InputError` naming `name`."""
    try:
        told = document["passkey"]
        passkey = Passkey(
            credential_id=str(told["credential_id"]),
            public_key=_decode(told["public_key"]),
            rp_id=str(told["rp_id"]),
            origin=str(told["origin"]),
        )
        passkey.thumbprint()
    except (KeyError, TypeError, ValueError, WebAuthnException) as error:
        raise InputError(f"{name} is not a usable passkey") from error
    return passkey


def register_passkey(
    credential: Mapping[str, Any], *, challenge: bytes, rp_id: str, origin: str
) -> Passkey:
    """Return the passkey that a browser has just made for `challenge`; raises `IntegrityError`.

    Where it was made is what its authenticator says; attestations are not asked for.
    """
    try:
        made = verify_registration_response(
            credential=dict(credential),
            expected_challenge=challenge,
            expected_rp_id=rp_id,
            expected_origin=origin,
            require_user_verification=True,
            supported_pub_key_algs=list(ALGORITHMS),
        )
        passkey = Passkey(
            credential_id=_encode(made.credential_id),
            public_key=made.credential_public_key,
            rp_id=rp_id,
            origin=origin,
        )
        passkey.thumbprint()
    except (WebAuthnException, UnsupportedAlgorithm, KeyError, TypeError, ValueError) as error:
        raise IntegrityError(
            "the passkey that the browser made can't be used",
            advice="Try again, or make a key file.",
        ) from error
    return passkey


def challenge_of(signing_input: str) -> bytes:
    """Return the challenge to be signed for a document, 32 bytes."""
    return hashlib.sha256(signing_input.encode()).digest()


def seal_passkey_token(signing_input: str, assertion: Mapping[str, Any]) -> str:
    """Join a document and what the browser returned for it; `verify_passkey` checks the result."""
    parts = {part: str(assertion.get(part, ""))[:_LONGEST] for part in _PARTS}
    return f"{signing_input}.{_encode(canonical(parts))}"


def verify_presence(answer: Mapping[str, Any], passkey: Passkey, *, challenge: bytes) -> None:
    """Raise `IntegrityError` unless the holder of `passkey` has just answered `challenge`."""
    parts = {part: str(answer.get(part, ""))[:_LONGEST] for part in _PARTS}
    try:
        _check(passkey, parts, challenge)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise IntegrityError("the signature does not match") from error


def verify_passkey(token: str, passkey: Passkey, *, kind: str) -> bytes:
    """Return the payload of `token` if `passkey` signed it as a `kind`; raises `IntegrityError`.

    Checked are the type, the challenge, the origin and that it wasn't another site's frame, the
    relying party, that the user was there and verified, and the signature. The signature counter is
    not: a document is verified many times, and synced passkeys have none.
    """
    try:
        head, body, proof = token.split(".")
        header = json.loads(_decode(head))
        parts = json.loads(_decode(proof))
        expected = {"alg": ALGORITHM, "typ": kind, "kid": passkey.thumbprint()}
        if header != expected or set(parts) != set(_PARTS):
            raise IntegrityError(f"this is not a {kind} of this passkey")
        _check(passkey, parts, challenge_of(f"{head}.{body}"))
        return _decode(body)
    except (ValueError, TypeError, RecursionError, KeyError, AttributeError) as error:
        raise IntegrityError("the signature does not match") from error


def _check(passkey: Passkey, parts: Mapping[str, str], challenge: bytes) -> None:
    try:
        if parse_client_data_json(_decode(parts["clientDataJSON"])).cross_origin:
            raise IntegrityError("the passkey was used inside another site's page")
        verify_authentication_response(
            credential={
                "id": passkey.credential_id,
                "rawId": passkey.credential_id,
                "type": "public-key",
                "response": dict(parts),
            },
            expected_challenge=challenge,
            expected_rp_id=passkey.rp_id,
            expected_origin=passkey.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except (WebAuthnException, UnsupportedAlgorithm) as error:
        raise IntegrityError("the signature does not match") from error


def _as_jwk(cose: bytes) -> ECKey | OKPKey | RSAKey:
    """Return a COSE key as a JWK; raises `ValueError` for one of no listed algorithm."""
    key = decode_credential_public_key(cose)
    if key.alg not in ALGORITHMS:
        raise ValueError("not one of the algorithms")
    if isinstance(key, DecodedEC2PublicKey):
        return ECKey.import_key(
            {"kty": "EC", "crv": "P-256", "x": _encode(key.x), "y": _encode(key.y)}
        )
    if isinstance(key, DecodedOKPPublicKey):
        return OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": _encode(key.x)})
    if isinstance(key, DecodedRSAPublicKey):
        return RSAKey.import_key({"kty": "RSA", "n": _encode(key.n), "e": _encode(key.e)})
    raise ValueError("not one of the kinds of keys")  # pragma: no cover - of the algorithms above


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    """Read base64url strictly: one spelling for one value; raises `ValueError`."""
    data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if _encode(data) != text:
        raise ValueError("not base64url")
    return data
