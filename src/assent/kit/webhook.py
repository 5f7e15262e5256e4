"""Signed messages to an address, as Standard Webhooks writes them, and how a receiver checks one.

>>> message = sign_message(b'{"type":"test"}', id="msg_1", at=1_700_000_000, keys=[KEY])
>>> read_message(b'{"type":"test"}', message, keys=[KEY], now=1_700_000_060)
{'type': 'test'}

Source: standardwebhooks.com, specification 1.0: HMAC-SHA256 over id, time and body.
"""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from assent.kit.errors import IntegrityError

__all__ = ["KEY", "TOLERANCE_S", "new_key", "read_message", "sign_message"]

TOLERANCE_S = 300
"""Seconds by which a message may be late, or its sender's clock ahead."""

KEY = "whsec_" + base64.b64encode(bytes(32)).decode()
"""A key for examples; never one to use."""

_PREFIX = "whsec_"
_SHORTEST, _LONGEST = 24, 64
_LONGEST_BODY = 64 << 10


def new_key() -> str:
    """Make a key; it is text to be pasted into the receiver's settings."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def sign_message(body: bytes, *, id: str, at: int, keys: Sequence[str]) -> dict[str, str]:
    """Return the headers of a message that is sent at a time (Unix, seconds); one for each key."""
    signatures = [f"v1,{_signature(key, id, at, body)}" for key in keys]
    return {
        "webhook-id": id,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(signatures),
    }


def read_message(
    body: bytes,
    headers: Mapping[str, str],
    *,
    keys: Collection[str],
    now: float,
    seen: Collection[str] = (),
) -> dict[str, Any]:
    """Return what a message says, once it is sure who sent it, and when.

    Args:
        body: the bytes as they came; JSON that was read and written again has another signature.
        headers: of the request; names in any case.
        keys: of the webhook; two while it is being given a new one.
        now: Unix time in seconds.
        seen: ids of messages that were handled: one that comes again is refused.

    Raises `IntegrityError` if the message isn't signed with a key, too old or too new, or was seen.
    """
    given = {name.lower(): value for name, value in headers.items()}
    name, time = given.get("webhook-id", ""), given.get("webhook-timestamp", "")
    if not (time.isascii() and time.isdigit() and len(time) < 16 and name):
        raise IntegrityError("this is not a signed message", advice=_ADVICE)
    if len(body) > _LONGEST_BODY or not _is_signed(body, name, int(time), given, keys):
        raise IntegrityError("the message is not signed with the webhook's key", advice=_ADVICE)
    if abs(now - int(time)) > TOLERANCE_S:
        raise IntegrityError("the message is too old, or from the future", advice=_ADVICE)
    if name in seen:
        raise IntegrityError("the message was handled before", advice="Answer 200 and do nothing.")
    told = json.loads(body)
    if not isinstance(told, dict):
        raise IntegrityError("the message holds no JSON object", advice=_ADVICE)
    return told


_ADVICE = "Do nothing of what it says, and answer 400."


def _is_signed(
    body: bytes, name: str, at: int, given: Mapping[str, str], keys: Collection[str]
) -> bool:
    made = [_signature(key, name, at, body).encode() for key in keys]
    told = [
        text.removeprefix("v1,").encode("utf-8", "replace")
        for text in given.get("webhook-signature", "")[:4096].split(" ")
        if text.startswith("v1,")
    ]
    return any(hmac.compare_digest(one, other) for one in made for other in told)


def _signature(key: str, name: str, at: int, body: bytes) -> str:
    try:
        raw = base64.b64decode(key.removeprefix(_PREFIX), validate=True)
    except ValueError as error:
        raise IntegrityError("this is not a webhook's key") from error
    if not _SHORTEST <= len(raw) <= _LONGEST:
        raise IntegrityError("this is not a webhook's key")
    signed = f"{name}.{at}.".encode() + body
    return base64.b64encode(hmac.new(raw, signed, hashlib.sha256).digest()).decode()
