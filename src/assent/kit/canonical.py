"""JSON in one spelling only, so that equal values have equal hashes (as RFC 8785 for our values).

>>> canonical({"b": 1, "a": [True, None]})
b'{"a":[true,null],"b":1}'
"""

import hashlib
import json

from assent.kit.errors import InputError

__all__ = ["canonical", "digest", "parse_object"]


def canonical(value: object) -> bytes:
    """Return `value` as UTF-8 JSON with sorted keys and no spaces; floats are not allowed."""
    _refuse_floats(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(value: object) -> str:
    """Return the SHA-256 of `value` in canonical JSON, as 64 hex digits."""
    return hashlib.sha256(canonical(value)).hexdigest()


def parse_object(text: str | bytes, *, name: str) -> dict[str, object]:
    """Read a JSON object; raises `InputError` naming `name`."""
    try:
        # Python's reader also takes other encodings, and halves of characters in UTF-8.
        text = text if isinstance(text, str) else text.decode()
        value = json.loads(text, parse_constant=_refuse_constant)
        if "\\u" in text:
            # An escape can spell half a character, which can be shown and written nowhere.
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise InputError(f"{name} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise InputError(f"{name} does not hold a JSON object")
    return value


def _refuse_constant(text: str) -> object:
    raise ValueError(f"{text} is no number")


def _refuse_floats(value: object) -> None:
    if isinstance(value, float):
        raise TypeError("floats have no single spelling; store integers or strings")
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for item in value:
            _refuse_floats(item)
