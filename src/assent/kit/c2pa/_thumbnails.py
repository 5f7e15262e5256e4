"""Find the small pictures inside the credentials of footage, so that they can be redacted.

A camera or an editor may have stored a thumbnail in the footage's own credential. Carried over,
it would show the very face that was replaced, and without a label.
"""

from collections.abc import Iterator
from typing import Any

import c2pa

from assent.kit.c2pa._store import KeptElsewhereError, read_store
from assent.kit.c2pa._streams import Watched
from assent.kit.errors import SealError

__all__ = ["find_thumbnails", "redact"]

_MARK = "c2pa.assertions/c2pa.thumbnail."


def find_thumbnails(stream: Watched, mime: str) -> list[str]:
    """Return the absolute JUMBF addresses of all thumbnails in the credentials in `stream`.

    Raises SealError when there are credentials that can't be read, c2pa.C2paError when the
    stream itself fails.
    """
    try:
        store = read_store(stream, mime)
    except KeptElsewhereError:
        return []
    except c2pa.C2paError as error:
        if stream.failure is not None:
            raise
        raise SealError(
            f"the footage's own content credential can't be read: {error}",
            advice="Name the footage by its SHA-256 hash instead of giving its stream.",
        ) from error
    found = (
        _absolute(label, address)
        for label, manifest in store.get("manifests", {}).items()
        for address in _addresses(manifest)
    )
    return sorted(set(found))


def redact(definition: dict[str, Any], addresses: list[str]) -> None:
    """Add to the manifest `definition` that the assertions at `addresses` are taken out."""
    if not addresses:
        return
    definition["redactions"] = addresses
    actions = definition["assertions"][0]["data"]["actions"]
    for address in addresses:
        actions.append(
            {
                "action": "c2pa.redacted",
                "reason": "c2pa.PII.present",
                "parameters": {"redacted": address},
            }
        )


def _addresses(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _addresses(item)
    elif isinstance(value, list):
        for item in value:
            yield from _addresses(item)
    elif isinstance(value, str) and _MARK in value and value.startswith("self#jumbf="):
        yield value


def _absolute(label: str, address: str) -> str:
    path = address.removeprefix("self#jumbf=")
    return address if path.startswith("/") else f"self#jumbf=/c2pa/{label}/{path}"
