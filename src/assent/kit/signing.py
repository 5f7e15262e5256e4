"""Ed25519 signatures over JSON, as compact JWS (RFC 7515, algorithm name of RFC 9864).

>>> key = new_key()
>>> token = sign({"hello": "world"}, key, kind="greeting+jws")
>>> verify(token, public_of(key), kind="greeting+jws")
{'hello': 'world'}
"""

import base64
import json
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from assent.kit.canonical import canonical
from assent.kit.errors import InputError, IntegrityError

__all__ = [
    "SigningKey",
    "VerifyKey",
    "from_jwk",
    "from_pem",
    "new_key",
    "peek",
    "public_of",
    "sign",
    "thumbprint",
    "to_jwk",
    "to_pem",
    "verify",
]

_ALGORITHM = "Ed25519"

SigningKey = OKPKey
"""A private Ed25519 key."""
VerifyKey = OKPKey
"""A public Ed25519 key."""


def new_key() -> SigningKey:
    """Make a private key from the operating system's randomness."""
    return OKPKey.generate_key("Ed25519")


def public_of(key: SigningKey) -> VerifyKey:
    """Return the public half of `key`."""
    return OKPKey.import_key(key.as_dict(private=False))


def to_jwk(key: VerifyKey) -> dict[str, Any]:
    """Return the public key as a JWK (RFC 8037)."""
    return dict(key.as_dict(private=False))


def from_jwk(jwk: dict[str, Any], *, name: str) -> VerifyKey:
    """Read a public Ed25519 JWK; raises `InputError` naming `name`."""
    allowed = {part: str(jwk.get(part)) for part in ("kty", "crv", "x")}
    if allowed["kty"] != "OKP" or allowed["crv"] != "Ed25519":
        raise InputError(
            f"{name} is not an Ed25519 key", advice="Make one: `assent consent keygen`."
        )
    try:
        return OKPKey.import_key({**allowed})
    except (JoseError, ValueError, TypeError) as error:
        raise InputError(f"{name} is not a usable Ed25519 key") from error


def to_pem(key: SigningKey) -> bytes:
    """Return the private key as PKCS #8 PEM."""
    return bytes(key.as_pem(private=True))


def from_pem(pem: bytes, *, name: str) -> SigningKey:
    """Read a private Ed25519 key from PEM; raises `InputError` naming `name`."""
    try:
        key = OKPKey.import_key(pem)
    except (JoseError, ValueError, TypeError) as error:
        raise InputError(
            f"{name} is not a private key in PEM", advice="Make one: `assent consent keygen`."
        ) from error
    if key.curve_name != "Ed25519" or not key.is_private:
        raise InputError(f"{name} is not a private Ed25519 key")
    return key


def thumbprint(key: VerifyKey) -> str:
    """Return the key's RFC 7638 thumbprint."""
    return str(key.thumbprint())


def sign(payload: object, key: SigningKey, *, kind: str) -> str:
    """Sign `payload` (canonical JSON) and return a compact JWS; `kind` is its `typ`."""
    header = {"alg": _ALGORITHM, "typ": kind, "kid": thumbprint(key)}
    return str(jws.serialize_compact(header, canonical(payload), key, algorithms=[_ALGORITHM]))


def verify(token: str, key: VerifyKey, *, kind: str) -> dict[str, Any]:
    """Return what `token` says if `key` signed it as a `kind`; raises `IntegrityError`."""
    try:
        parsed = jws.deserialize_compact(token, key, algorithms=[_ALGORITHM])
    except (JoseError, ValueError) as error:
        raise IntegrityError("the signature does not match") from error
    # Without this a signature given for one purpose could be replayed for another.
    if parsed.headers().get("typ") != kind:
        raise IntegrityError(f"this is not a {kind}")
    try:
        payload = json.loads(parsed.payload)
    except (ValueError, RecursionError) as error:
        raise IntegrityError("what was signed is not JSON") from error
    if not isinstance(payload, dict):
        raise IntegrityError("what was signed is not a JSON object")
    return payload


def peek(token: str) -> dict[str, Any]:
    """Return what `token` claims, unverified, to find out whose key to check it with."""
    try:
        part = token.split(".")[1]
        payload = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (IndexError, ValueError, RecursionError) as error:
        raise InputError("this is not a signed statement") from error
    if not isinstance(payload, dict):
        raise InputError("this is not a signed statement")
    return payload
