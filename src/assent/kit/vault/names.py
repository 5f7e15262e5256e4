"""Names of keys and secrets: plain enough to be file names anywhere.

>>> check_name("ada-2026.v1")
'ada-2026.v1'
"""

import re

from assent.kit.errors import InputError

__all__ = ["check_name"]

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,80}")


def check_name(name: str) -> str:
    """Return `name` if it is 1 to 80 of A-Z, a-z, 0-9, `_`, `.` and `-`.

    Raises:
        InputError: it isn't.
    """
    if not _NAME.fullmatch(name):
        raise InputError(
            f"{name[:100]!r} can't name a key",
            advice="Use 1 to 80 letters, digits, '_', '.' or '-'.",
        )
    return name
