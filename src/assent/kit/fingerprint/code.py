"""Read a fingerprint back from its ISCC."""

import base64

from assent.kit.errors import IntegrityError
from assent.kit.fingerprint.video import Fingerprint

__all__ = ["parse_iscc"]

_PREFIX = "ISCC:"
# An ISCC unit is a header of two bytes and its digest (ISO 24138, section on the ISCC-UNIT).
_HEADER, _DIGEST = 2, 32


def parse_iscc(text: str) -> Fingerprint:
    """Return the fingerprint that `text` writes; raises `IntegrityError`."""
    code = text.removeprefix(_PREFIX)
    try:
        data = base64.b32decode(code + "=" * (-len(code) % 8))
    except ValueError as error:
        raise IntegrityError(f"{text!r} is not an ISCC") from error
    if len(data) != _HEADER + _DIGEST or not text.startswith(_PREFIX):
        raise IntegrityError(f"{text!r} is not a Video-Code of 256 bits")
    return Fingerprint(bits=data[_HEADER:], iscc=text)
