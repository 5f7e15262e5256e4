"""A verification's result as a document: what was found, of which bytes, by what, when; signed.

    document = result_of(findings, now=clock())
    token = sign_result(document, key)
    open_result(token, key=public)["verdict"]

Who signs says "this is what my verifier found"; it adds nothing to what the file is. Format:
`docs/specs/verification-result.md`.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from assent import __version__
from assent.kit.clock import stamp
from assent.kit.errors import InputError, IntegrityError
from assent.kit.signing import (
    SigningKey,
    VerifyKey,
    from_jwk,
    peek,
    public_of,
    sign,
    thumbprint,
    to_jwk,
    verify,
)

__all__ = ["FORMAT", "VERSION", "open_result", "result_of", "sign_result"]

FORMAT, VERSION = "assent-verification", 1
_KIND = "assent-verification+jwt"


def result_of(findings: Mapping[str, Any], *, now: datetime) -> dict[str, Any]:
    """Return the document for what `Findings.to_json` gave."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "verifier": {"name": "assent", "version": __version__},
        "checked": stamp(now),
        **findings,
    }


def sign_result(document: Mapping[str, Any], key: SigningKey) -> str:
    """Return the document as a compact JWS; it names the key, so that it can be checked alone."""
    return sign({**document, "signed_by": to_jwk(public_of(key))}, key, kind=_KIND)


def open_result(token: str, *, key: VerifyKey | None = None) -> dict[str, Any]:
    """Return the document in a signed result.

    Without `key` the one that it names itself is used: that proves that it wasn't changed since,
    not who made it. Raises `InputError` if it is none, `IntegrityError` if it was changed or
    somebody else signed it.
    """
    claimed = peek(token.strip())
    if claimed.get("format") != FORMAT or claimed.get("version") != VERSION:
        raise InputError("this is no result of a verification that is known here")
    named = claimed.get("signed_by")
    if not isinstance(named, dict):
        raise IntegrityError("the result names no key")
    own = from_jwk(named, name="the result's key")
    if key is not None and thumbprint(key) != thumbprint(own):
        raise IntegrityError(
            "the result was signed by another key", advice="Ask who made it for their public key."
        )
    return verify(token.strip(), own, kind=_KIND)
