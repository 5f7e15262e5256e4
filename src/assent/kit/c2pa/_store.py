"""Open the manifest store inside a file, or beside it, as plain JSON."""

import json
from typing import Any

import c2pa

from assent.kit.c2pa._settings import make_context
from assent.kit.c2pa._streams import Watched

__all__ = ["KeptElsewhereError", "read_store"]


class KeptElsewhereError(Exception):
    """The file only names an address where its credential would be found."""


def read_store(
    stream: Watched,
    mime: str,
    *,
    anchors_pem: bytes | None = None,
    beside: bytes | None = None,
    detailed: bool = False,
) -> dict[str, Any]:
    """Return the library's report on the manifests in `stream`; empty when there are none.

    `beside` is a store that lies in a file of its own. A `detailed` report names every assertion.
    Raises KeptElsewhereError, and c2pa.C2paError or ValueError when the store can't be read.
    """
    stream.seek(0)
    with make_context(anchors_pem=anchors_pem) as context:
        try:
            with c2pa.Reader(mime, stream, beside, context=context) as reader:
                store = json.loads(reader.detailed_json() if detailed else reader.json())
        except c2pa.C2paError.ManifestNotFound:
            return {}
        except c2pa.C2paError as error:
            # The library has no class of its own for this refusal.
            if str(error).startswith("Remote: "):
                raise KeptElsewhereError(str(error)) from error
            raise
    return store if isinstance(store, dict) else {}
