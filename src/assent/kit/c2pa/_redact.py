"""Find what the footage's own credentials tell that nobody asked for, so that it is redacted.

A camera or an editor may have stored a thumbnail in the credential: carried over, it would
show the very face that was replaced, and without a label. Or a name, a place, a serial number.
C2PA lets assertions be taken out of an ingredient, which says so; signatures and hashes stay, and
so does the chain. The claim lists what was taken out. There is no action `c2pa.redacted`: another
implementation looks for what such an action names, doesn't find it, and calls the file invalid.
"""

from collections.abc import Sequence
from typing import Any

import c2pa

from assent.kit.c2pa._store import KeptElsewhereError, read_store
from assent.kit.c2pa._streams import Watched
from assent.kit.errors import SealError

__all__ = ["find_private", "redact"]

# What a chain is made of, and what says how a thing was made or may be used; all else is redacted.
# C2PA forbids to redact actions and hashes.
_KEPT = (
    "c2pa.actions",
    "c2pa.hash.",
    "c2pa.ingredient",
    "c2pa.soft-binding",
    "c2pa.training-mining",
    "c2pa.certificate-status",
    "c2pa.time-stamp",
    "cawg.training-mining",
    "org.assent.",
)


def find_private(stream: Watched, mime: str) -> list[str]:
    """Return the absolute JUMBF addresses of what is to be redacted in the credentials in `stream`.

    Raises SealError when there are credentials that can't be read, c2pa.C2paError when the
    stream itself fails.
    """
    try:
        store = read_store(stream, mime, detailed=True)
    except KeptElsewhereError:
        return []
    except (c2pa.C2paError, ValueError, RecursionError) as error:
        if stream.failure is not None:
            raise
        raise SealError(
            f"the footage's own content credential can't be read: {error}",
            advice="Name the footage by its SHA-256 hash instead of giving its stream.",
        ) from error
    return sorted(
        f"self#jumbf=/c2pa/{label}/c2pa.assertions/{name}"
        for label, manifest in store.get("manifests", {}).items()
        for name in manifest.get("assertion_store", {})
        if not name.startswith(_KEPT) or "thumbnail" in name
    )


def redact(definition: dict[str, Any], addresses: Sequence[str]) -> None:
    """Let the manifest `definition` take the assertions at `addresses` out, and say how many."""
    if addresses:
        definition["redactions"] = list(addresses)
        opened = definition["assertions"][0]["data"]["actions"][0]
        opened["description"] = f"{len(addresses)} assertion(s) of its own credentials redacted"
