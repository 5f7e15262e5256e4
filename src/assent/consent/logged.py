"""Has the log been told already? Asked by what was killed after it told, and before it noted so.

if find_entry(studio, "consent.decided", decision=digest) is None:
    studio.log.append([entry])
"""

from assent.kit.canonical import parse_object
from assent.kit.store.studio import Studio

__all__ = ["find_entry"]


def find_entry(studio: Studio, kind: str, **fields: str | None) -> int | None:
    """Return the index of the first entry of `kind` with these fields, or None.

    It reads the whole log: for what is repeated after a failure, not for every day.
    """
    wanted = {"kind": kind, **fields}
    for index, entry in studio.log.reader().entries():
        told = parse_object(entry, name="a log entry")
        if wanted.items() <= {name: told.get(name) for name in wanted}.items():
            return index
    return None
