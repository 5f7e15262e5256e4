"""One request and its answer over a connection that is there: what is sent, what is believed.

    answer = exchange(Asked(parts=split_url("https://example.org/")), wire, sink, most=1 << 20)

No cookies and no credentials are sent; what comes packed, too large or broken off is refused.
"""

import re
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import BinaryIO
from urllib.parse import SplitResult

from assent.kit.disk import naming
from assent.kit.errors import FetchError, InputError
from assent.kit.fetch.urls import name_of
from assent.kit.fetch.wire import CHUNK, Wire

__all__ = ["Answer", "Asked", "Post", "Version", "exchange"]

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_AGENT = "assent"
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}", re.ASCII)
_LONGEST_TAG = 300
_LONGEST_WAIT = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """What is sent, if anything is."""

    body: bytes
    content_type: str
    headers: tuple[tuple[str, str], ...] = ()
    """Names and values that go with it, such as signatures over the body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """What a server called the state of a page: its tag and its time, empty where it said none."""

    etag: str = ""
    modified: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request: where to, and what for."""

    parts: SplitResult
    post: Post | None = None
    accept: str = "*/*"
    newer_than: Version = Version()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back; the body went into the sink.

    Attributes:
        url: where it came from in the end.
        status: 200 to 599; redirects that were followed don't show.
        content_type: lower case, without parameters; empty if none was named.
        size: bytes of the body.
        version: the state of what came back, to ask for a newer one only.
        wait: seconds that the server asks to wait before it is asked again; 0 if it doesn't say.
    """

    url: str
    status: int
    content_type: str
    size: int
    version: Version = Version()
    wait: float = 0.0


def exchange(asked: Asked, wire: Wire, sink: BinaryIO, *, most: int) -> Answer | str:
    """Return the answer, or where a redirect says to ask instead.

    The body goes into `sink`, `most` bytes at most. Raises `FetchError` for an answer that can't
    be used, `InputError` for a request that can't be sent.
    """
    name = name_of(asked.parts)
    try:
        wire.send(_request(asked))
        # It reads from whatever has a `makefile`.
        response = HTTPResponse(wire, method="POST" if asked.post else "GET")  # type: ignore[arg-type]
        response.begin()
        target = response.getheader("Location")
        if response.status in _REDIRECTS and target:
            return target
        return _receive(asked, response, sink, most)
    except (OSError, HTTPException, UnicodeError, ValueError) as error:
        said = "answers too slowly" if isinstance(error, TimeoutError) else "breaks off its answer"
        raise FetchError(f"{name} {said}") from error


def _request(asked: Asked) -> bytes:
    parts = asked.parts
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    host = parts.netloc
    lines = [
        f"{'POST' if asked.post else 'GET'} {path} HTTP/1.1",
        f"Host: {host}",
        f"User-Agent: {_AGENT}",
        f"Accept: {asked.accept}",
        # What is packed can be a thousand times as large once unpacked.
        "Accept-Encoding: identity",
        "Connection: close",
    ]
    known = asked.newer_than
    for header, value in (("If-None-Match", known.etag), ("If-Modified-Since", known.modified)):
        if value and _is_plain(value):
            lines.append(f"{header}: {value}")
    if asked.post:
        lines += [
            f"Content-Type: {asked.post.content_type}",
            f"Content-Length: {len(asked.post.body)}",
            *(_header(name, value) for name, value in asked.post.headers),
        ]
    head = "\r\n".join([*lines, "", ""]).encode("ascii")
    return head + (asked.post.body if asked.post else b"")


def _header(name: str, value: str) -> str:
    """Return a header's line; raises `InputError` for what would begin another line."""
    if not _HEADER.fullmatch(name) or not (value.isascii() and value.isprintable()):
        raise InputError("a header holds characters that none may", advice="Leave it away.")
    return f"{name}: {value}"


def _is_plain(value: str) -> bool:
    """Tell whether text may be sent back as a header: a server chose it."""
    return value.isascii() and value.isprintable() and len(value) <= _LONGEST_TAG


def _wait(response: HTTPResponse) -> float:
    """Return the seconds that a server asks to wait; dates aren't read."""
    value = response.getheader("Retry-After", "").strip()
    return float(min(int(value), _LONGEST_WAIT)) if value.isdecimal() and len(value) < 9 else 0.0


def _keep(sink: BinaryIO, chunk: bytes) -> None:
    """Write all of `chunk`; a full disk is no fault of who sends."""
    rest = memoryview(chunk)
    with naming("what is downloaded"):
        while rest:
            rest = rest[sink.write(rest) :]


def _receive(asked: Asked, response: HTTPResponse, sink: BinaryIO, most: int) -> Answer:
    name = name_of(asked.parts)
    if response.getheader("Content-Encoding", "identity").strip().lower() != "identity":
        raise FetchError(f"{name} packs its answer, which wasn't asked for")
    if (response.length or 0) > most:
        raise FetchError(f"{name} offers more than {most} bytes")
    announced, size = response.length, 0
    while chunk := response.read1(CHUNK):
        size += len(chunk)
        if size > most:
            raise FetchError(f"{name} sends more than {most} bytes")
        _keep(sink, chunk)
    if announced is not None and size != announced:
        raise FetchError(f"{name} breaks off its answer")
    content_type = response.getheader("Content-Type", "").split(";")[0].strip().lower()
    return Answer(
        url=asked.parts.geturl(),
        status=response.status,
        content_type=content_type,
        size=size,
        version=Version(
            etag=response.getheader("ETag", "")[:_LONGEST_TAG],
            modified=response.getheader("Last-Modified", "")[:_LONGEST_TAG],
        ),
        wait=_wait(response),
    )
