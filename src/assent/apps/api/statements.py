"""What a reviewer signs on their own machine, once it is sure that it is what they were shown."""

import base64
import json

from assent.apps.api.resources.safeguards import Statement
from assent.kit.errors import InputError, IntegrityError
from assent.kit.signing import SigningKey, peek, public_of, sign_input, thumbprint

__all__ = ["sign_statement"]


def sign_statement(statement: Statement, key: SigningKey) -> str:
    """Return the token of a reviewer over what a draft or a claim asks to be signed.

    Raises `IntegrityError` unless what would be signed is what is shown.
    """
    try:
        part = statement.signing_input.split(".")[0]
        header = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        mine = header["typ"] in _SIGNED and header["kid"] == thumbprint(public_of(key))
        told = peek(statement.signing_input)
    except (ValueError, KeyError, TypeError, InputError) as error:
        raise IntegrityError("this can't be signed", advice=_NOT_SIGNED) from error
    if not mine or told != statement.payload:
        raise IntegrityError(
            "what is to be signed is not what is shown, or for another key", advice=_NOT_SIGNED
        )
    return sign_input(statement.signing_input, key)


_SIGNED = ("assent-sign-off+jws", "assent-claim+jws")
_NOT_SIGNED = "Sign with the reviewer's own key; if that was so, tell who runs the studio."
