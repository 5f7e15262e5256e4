"""Signatures over JSON: Ed25519 as compact JWS (RFC 7515, algorithm name of RFC 9864), or passkeys.

A signature is always checked with the kind of key that is known beforehand; what a token says of
itself never chooses.

>>> key = new_key()
>>> token = sign({"hello": "world"}, key, kind="greeting+jws")
>>> verify(token, public_of(key), kind="greeting+jws")
{'hello': 'world'}
"""

import base64
import json
from collections.abc import Mapping
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from assent.kit.canonical import canonical
from assent.kit.errors import InputError, IntegrityError
from assent.kit.passkey import (
    ALGORITHM,
    Passkey,
    passkey_from_json,
    seal_passkey_token,
    verify_passkey,
)

__all__ = [
    "SigningKey",
    "VerifyKey",
    "attach",
    "from_jwk",
    "from_pem",
    "new_key",
    "peek",
    "public_of",
    "sign",
    "sign_input",
    "signing_input",
    "thumbprint",
    "to_jwk",
    "to_pem",
    "verify",
]

_ALGORITHM = "Ed25519"

SigningKey = OKPKey
"""A private Ed25519 key."""
VerifyKey = OKPKey | Passkey
"""A public Ed25519 key, or a passkey."""


def new_key() -> SigningKey:
    """Make a private key from the operating system's randomness."""
    return OKPKey.generate_key("Ed25519")


def public_of(key: SigningKey) -> OKPKey:
    """Return the public half of `key`."""
    return OKPKey.import_key(key.as_dict(private=False))


def to_jwk(key: VerifyKey) -> dict[str, Any]:
    """Return the public key as a JWK (RFC 8037); a passkey has a member `passkey` besides."""
    return key.to_json() if isinstance(key, Passkey) else dict(key.as_dict(private=False))


def from_jwk(jwk: dict[str, Any], *, name: str) -> VerifyKey:
    """Read what `to_jwk` wrote; raises `InputError` naming `name`."""
    if "passkey" in jwk:
        return passkey_from_json(jwk, name=name)
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


def signing_input(payload: object, key: VerifyKey, *, kind: str) -> str:
    """Return what the holder of `key` signs elsewhere, in a browser; `attach` makes a token of it.

    With an Ed25519 key the text itself is signed, with a passkey its SHA-256 is the challenge.
    """
    algorithm = ALGORITHM if isinstance(key, Passkey) else _ALGORITHM
    header = {"alg": algorithm, "typ": kind, "kid": thumbprint(key)}
    return ".".join(_encode(canonical(part)) for part in (header, payload))


def attach(signed: str, signature: Mapping[str, Any], key: VerifyKey) -> str:
    """Return the token of a signing input and what the browser signed; it is not verified yet."""
    if isinstance(key, Passkey):
        return seal_passkey_token(signed, signature)
    return f"{signed}.{str(signature.get('signature', ''))[:200]}"


def sign_input(signed: str, key: SigningKey) -> str:
    """Return the token of a `signing_input`, signed with an Ed25519 key; read it before."""
    private: Any = key.private_key
    return f"{signed}.{_encode(private.sign(signed.encode()))}"


def sign(payload: object, key: SigningKey, *, kind: str) -> str:
    """Sign `payload` (canonical JSON) and return a compact JWS; `kind` is its `typ`."""
    header = {"alg": _ALGORITHM, "typ": kind, "kid": thumbprint(key)}
    return str(jws.serialize_compact(header, canonical(payload), key, algorithms=[_ALGORITHM]))


def verify(token: str, key: VerifyKey, *, kind: str) -> dict[str, Any]:
    """Return what `token` says if `key` signed it as a `kind`; raises `IntegrityError`."""
    if isinstance(key, Passkey):
        return _object_in(verify_passkey(token, key, kind=kind))
    try:
        parsed = jws.deserialize_compact(token, key, algorithms=[_ALGORITHM])
    except (JoseError, ValueError) as error:
        raise IntegrityError("the signature does not match") from error
    # Without this a signature given for one purpose could be replayed for another.
    if parsed.headers().get("typ") != kind:
        raise IntegrityError(f"this is not a {kind}")
    return _object_in(parsed.payload)


def _object_in(signed: bytes) -> dict[str, Any]:
    try:
        payload = json.loads(signed)
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


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
