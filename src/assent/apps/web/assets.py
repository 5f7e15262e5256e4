"""Scripts, styles and icons of pages: read once, answered from memory, told apart by their hash.

    Mount("/static", Assets("assent.apps.studio"))

A browser that has a file already names its hash and gets none again. Nothing of a request is looked
up in a file system, so no path leads out of the folder.
"""

import hashlib
from dataclasses import dataclass
from importlib import resources

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

__all__ = ["Assets"]

_KINDS = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    data: bytes
    kind: str
    tag: str


class Assets:
    """The files in the folder `static` of a package, as an ASGI application."""

    def __init__(self, package: str) -> None:
        self._files = {
            each.name: _read(each.name, each.read_bytes())
            for each in (resources.files(package) / "static").iterdir()
            if each.name.rpartition(".")[2] in _KINDS
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; raises `HTTPException` 404 for a file that there isn't, 405."""
        place: str = scope["path"].removeprefix(scope.get("root_path", ""))
        found = self._files.get(place.lstrip("/"))
        if found is None:
            raise HTTPException(404)
        if scope["method"] not in ("GET", "HEAD"):
            raise HTTPException(405)
        headers = {"ETag": found.tag}
        known = Headers(scope=scope).get("if-none-match", "")
        if found.tag in [each.strip().removeprefix("W/") for each in known.split(",")]:
            answer = Response(status_code=304, headers=headers)
        else:
            answer = Response(found.data, media_type=found.kind, headers=headers)
        await answer(scope, receive, send)


def _read(name: str, data: bytes) -> _File:
    tag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    return _File(data=data, kind=_KINDS[name.rpartition(".")[2]], tag=tag)
