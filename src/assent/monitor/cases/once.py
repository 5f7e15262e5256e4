"""Into the log once, though a process dies between the log and the table that notes it.

    row.log_index = ABOUT           # committed before
    indices = append_once(studio, entries, resumed=...)
    row.log_index = index

A row that is found `ABOUT` to be entered may have been: the log is looked through for it then.
"""

from collections.abc import Sequence

from assent.kit.store.studio import Studio

__all__ = ["ABOUT", "append_once"]

ABOUT = -1
"""The index of what is being entered."""


def append_once(studio: Studio, entries: Sequence[bytes], *, resumed: bool) -> tuple[int, ...]:
    """Append entries that are unlike each other, and return their indices.

    `resumed` says that some of them may be there already: those are found, and not repeated.
    """
    known: dict[bytes, int] = {}
    if resumed:
        wanted = set(entries)
        for index, entry in studio.log.reader().entries():
            if entry in wanted:
                known.setdefault(entry, index)
    missing = [entry for entry in entries if entry not in known]
    known |= dict(zip(missing, studio.log.append(missing), strict=True))
    return tuple(known[entry] for entry in entries)
