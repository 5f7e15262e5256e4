"""A witness over HTTP: `POST /add-checkpoint` as c2sp.org/tlog-witness says.

Besides, `GET /` tells name and key, and `GET /logs/HASH/checkpoint` the checkpoint of a log that
was cosigned last (HASH is the SHA-256 of its origin in hexadecimal), so that monitors can compare
what the log shows them with what it shows the witness.
"""

from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from assent.apps.web.serving import serve_app
from assent.kit.errors import AssentError
from assent.kit.tlog.files import NOTE_LIMIT
from assent.kit.tlog.witness import Witness

__all__ = ["build_witness_site", "serve_witness"]

_HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}


def build_witness_site(witness: Witness) -> Starlette:
    """Return the application of a witness."""
    site = _WitnessSite(witness)
    return Starlette(
        routes=[
            Route("/add-checkpoint", site.add_checkpoint, methods=["POST"]),
            Route("/logs/{hash}/checkpoint", site.latest, methods=["GET"]),
            Route("/", site.front, methods=["GET"]),
        ]
    )


def serve_witness(witness: Witness, *, host: str, port: int) -> None:
    """Serve until interrupted."""
    serve_app(build_witness_site(witness), host=host, port=port, at_once=100)


class _WitnessSite:
    """Answers for one witness."""

    def __init__(self, witness: Witness) -> None:
        self._witness = witness

    async def add_checkpoint(self, request: Request) -> Response:
        """Cosign, or say why not."""
        body = b""
        # Refused while it arrives, and not once it lies in memory.
        chunks: AsyncIterator[bytes] = request.stream()
        async for chunk in chunks:
            body += chunk
            if len(body) > NOTE_LIMIT:
                break
        answer = await run_in_threadpool(self._witness.add_checkpoint, body)
        headers = {**_HEADERS, "Content-Type": answer.content_type}
        return Response(answer.body, answer.status, headers)

    async def latest(self, request: Request) -> Response:
        """Return the checkpoint that was cosigned last."""
        note = await run_in_threadpool(self._latest, request.path_params["hash"])
        if note is None:
            return PlainTextResponse("not found\n", 404, _HEADERS)
        return PlainTextResponse(note, 200, _HEADERS)

    async def front(self, request: Request) -> Response:
        """Return the key, which whoever trusts this witness got in another way too."""
        return PlainTextResponse(f"{self._witness.vkey}\n", 200, _HEADERS)

    def _latest(self, name: str) -> str | None:
        try:
            return self._witness.latest(name)
        except AssentError:
            return None
