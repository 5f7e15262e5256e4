import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from assent.apps.web.guard import FORM, Guard, TooLargeError, Turnstile, place_at
from assent.kit.errors import InputError

PLACE = place_at("https://consent.example.org")


def ask(headers: dict[str, str], *pieces: bytes, path: str = "/x") -> tuple[int, dict[str, str]]:
    """Send a request through the guard to an application that reads the body whole."""
    told: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    def messages() -> Iterator[Message]:
        for number, piece in enumerate(pieces or (b"",)):
            more = number < len(pieces) - 1
            yield {"type": "http.request", "body": piece, "more_body": more}

    coming = messages()

    async def receive() -> Message:
        return next(coming)

    async def send(message: Message) -> None:
        told.append(message)

    scope: dict[str, Any] = {
        "type": "http",
        "path": path,
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    guard = Guard(app, place=PLACE, largest=lambda path: 10 * FORM if path == "/large" else FORM)
    asyncio.run(guard(scope, receive, send))
    names = {name.decode().lower(): value.decode() for name, value in told[0]["headers"]}
    return told[0]["status"], names


HOST = {"host": "consent.example.org"}


def test_headers_that_give_nothing_away() -> None:
    status, headers = ask(HOST)
    assert status == 200
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "same-origin"
    assert "camera=(self)" in headers["permissions-policy"]
    assert headers["strict-transport-security"]


def test_only_what_is_everyones_may_be_kept() -> None:
    assert "max-age" in ask(HOST, path="/static/page.css")[1]["cache-control"]


@pytest.mark.parametrize(
    "host", ["", "evil.example", "consent.example.org:8765", "consent.example.org.evil.example"]
)
def test_other_hosts_are_refused(host: str) -> None:
    status, headers = ask({"host": host})
    assert status == 421
    assert "content-security-policy" in headers


@pytest.mark.parametrize("length", [str(FORM + 1), "-1", "many", "٣", "1e3", ""])
def test_a_body_that_says_it_is_too_long(length: str) -> None:
    assert ask({**HOST, "content-length": length})[0] == 413


def test_a_body_that_does_not_say() -> None:
    """Sent in chunks: it's refused while it arrives."""
    assert ask(HOST, b"x" * FORM)[0] == 200
    with pytest.raises(TooLargeError):
        ask(HOST, b"x" * FORM, b"x")
    assert ask(HOST, b"x" * FORM, b"x", path="/large")[0] == 200


@pytest.mark.parametrize(
    ("url", "origin", "rp_id"),
    [
        ("https://consent.example.org", "https://consent.example.org", "consent.example.org"),
        ("https://Consent.example.org:8443/", "https://consent.example.org:8443", None),
        ("http://localhost:8765", "http://localhost:8765", "localhost"),
    ],
)
def test_places(url: str, origin: str, rp_id: str | None) -> None:
    place = place_at(url)
    assert place.origin == origin
    assert place.rp_id == (rp_id or "consent.example.org")
    assert place.secure == url.startswith("https")


@pytest.mark.parametrize(
    "url",
    [
        "", "consent.example.org", "http://consent.example.org", "ftp://localhost",
        "https://", "https://a.example/path", "https://user@a.example", "https://a.example?x",
        "http://localhost.evil.example", "https://a.example#x", "javascript:alert(1)",
    ],
)  # fmt: skip
def test_places_that_no_browser_would_trust(url: str) -> None:
    with pytest.raises(InputError, match="can't be where the pages are"):
        place_at(url)


def test_guesses_are_counted_for_a_while() -> None:
    now = [0.0]
    gate = Turnstile(tries=3, seconds=10, clock=lambda: now[0], most=2)
    for _ in range(3):
        assert gate.is_open("a")
        gate.failed("a")
    assert not gate.is_open("a")
    assert gate.is_open("b")
    now[0] = 11
    assert gate.is_open("a")
    for address in ("b", "c", "d"):
        gate.failed(address)
    assert gate.is_open("a")
