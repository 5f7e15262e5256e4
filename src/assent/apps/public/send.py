"""The handlers of what computes: a file is sent, waits, is examined, and its answer is shown.

A ticket that nobody can guess stands for the file; whoever has it sees the answer, for a while.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any, BinaryIO

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from assent.apps.public.checks import Check
from assent.apps.public.guest import NEVER, Guest, guest_of
from assent.apps.public.pages import answer_facts
from assent.kit.disk import Disk
from assent.kit.errors import InputError, MediaError
from assent.verify.page.face_map import drawing_of
from assent.verify.page.result import state_of, tone_of

__all__ = ["answer_json", "answer_page", "receive_file", "seat", "send_file", "state"]

_SILENCE_S = 20.0
_SLOWEST = 32 << 10
"""Bytes a second that must come on average, once `_GRACE_S` are over."""
_GRACE_S = 15.0
_PIECE = 1 << 20
_CREATED, _ACCEPTED = 201, 202


class SlowError(InputError):
    """A file that comes too slowly keeps a place from others."""

    advice = "Try again on a faster connection, or verify it on your own machine: `assent verify`."


def seat(guest: Guest) -> Response:
    """Give a place for a file, or say at once that there is none."""
    guest.limit()
    size = guest.data.get("size")
    if not isinstance(size, int) or isinstance(size, bool):
        raise InputError("the size of the file is missing")
    name = guest.data.get("name")
    check = guest.corner.checks.seat(
        name=name if isinstance(name, str) else "", size=size, address=guest.address
    )
    return JSONResponse({"ticket": check.ticket}, _CREATED, {"Cache-Control": NEVER})


async def send_file(request: Request) -> Response:
    """Take the file of a ticket, piece by piece; memory doesn't grow with it."""
    guest = guest_of(request)
    checks = guest.corner.checks
    ticket = guest.path("ticket")
    check = await run_in_threadpool(checks.begin, ticket)
    try:
        await receive_file(request, check)
        await run_in_threadpool(checks.enqueue, ticket)
    except BaseException:
        checks.give_up(ticket)
        raise
    return JSONResponse(check.to_json(), _ACCEPTED, {"Cache-Control": NEVER})


def state(guest: Guest) -> Response:
    """Say how far a file is."""
    check = guest.corner.checks.find(guest.path("ticket"))
    return JSONResponse(check.to_json(), headers={"Cache-Control": NEVER})


def answer_page(guest: Guest) -> Response:
    """Show what was found, or how far it is."""
    ticket = guest.path("ticket")
    check = guest.corner.checks.find(ticket)
    path = f"/verify/{ticket}/"
    if check.result is not None:
        facts = {**answer_facts(check.result), "drawing_of": drawing_of, "state_of": state_of}
        return guest.show("result.html", path, tone=tone_of(check.result), ticket=ticket, **facts)
    if check.problem is not None:
        unread = isinstance(check.problem, MediaError)
        return guest.show("unread.html", path, problem=check.problem, unread=unread)
    return guest.show("wait.html", path, check=check)


def answer_json(guest: Guest) -> Response:
    """Send what was found, as `assent verify --json` prints it."""
    check = guest.corner.checks.find(guest.path("ticket"))
    if check.result is None:
        raise InputError("there is no answer yet", advice="Ask again in a while.")
    body = json.dumps(check.result, ensure_ascii=False, indent=1).encode()
    made = guest.send(body, "application/json", cache=NEVER)
    made.headers["Content-Disposition"] = 'attachment; filename="verification.json"'
    return made


async def receive_file(request: Request, check: Check) -> None:
    """Write what comes to the check's file; raises `InputError` for too much or too slow."""
    if check.file is None:
        raise InputError("there is no place for this file")
    declared = request.headers.get("content-length")
    if declared is not None and declared != str(check.size):
        raise InputError("the file has another size than was said")
    came = 0
    async for piece in _pieces(request):
        came += len(piece)
        if came > check.size:
            raise InputError("the file has another size than was said")
        await run_in_threadpool(_write, check.file, piece)


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    """Yield what comes in larger pieces; raises `SlowError` for who keeps the place waiting."""
    stream = request.stream()
    began, came, piece = time.monotonic(), 0, bytearray()
    while True:
        try:
            chunk: Any = await asyncio.wait_for(anext(stream), _SILENCE_S)
        except StopAsyncIteration:
            break
        except TimeoutError as error:
            raise SlowError("nothing came for a while") from error
        except ClientDisconnect as error:
            raise InputError("the file did not come whole") from error
        piece += chunk
        came += len(chunk)
        took = time.monotonic() - began
        if took > _GRACE_S and came / took < _SLOWEST:
            raise SlowError("the file comes too slowly")
        if len(piece) >= _PIECE:
            yield bytes(piece)
            piece.clear()
    if piece:
        yield bytes(piece)


def _write(file: BinaryIO, piece: bytes) -> None:
    Disk().write(file, piece)
