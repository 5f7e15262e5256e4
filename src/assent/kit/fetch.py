"""The door to the network: one guarded request to an address that may be a stranger's.

    answer = fetch("https://example.org/clip.mp4", sink, limits=Limits(size=2 << 30))

A URL from elsewhere can point into one's own network, lead there by a redirect or a name that
changes its address, send without end, or send a byte a minute. So: http and https only; a name is
resolved once, every address it has must be public, and the connection goes to that very address;
each redirect is checked anew; size, time and silence are bounded; certificates are always checked.
No cookies, no credentials, no proxy of the environment.

What the owner named as their own (`own=True`) may lie in a private network and on any port; a
redirect away from that host and port is a stranger's again.

Messages name scheme and host only: paths of some services hold keys.
"""

import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from http.client import HTTPException, HTTPResponse
from io import BufferedReader, BytesIO, RawIOBase
from typing import BinaryIO
from urllib.parse import SplitResult, urljoin, urlsplit

from assent.kit.addresses import Resolve, public_addresses, resolve
from assent.kit.disk import naming
from assent.kit.errors import FetchError, InputError, UnsafeAddressError

__all__ = ["Answer", "Fetch", "Limits", "Post", "fetch", "fetch_bytes", "is_url"]

_PORTS = {"http": 80, "https": 443}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CHUNK = 1 << 16
# Headers, chunk sizes and trailers, besides the body that was asked for.
_OVERHEAD = 1 << 18
_LONGEST_URL = 4096
_MOST_ADDRESSES = 4
_AGENT = "assent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much one request may take.

    Attributes:
        size: bytes of the body.
        seconds: from the first connection to the last byte, redirects included.
        silence: seconds without a byte.
        slowest: bytes a second on average, asked for after the first `silence` seconds.
        redirects: how many are followed.
    """

    size: int = 1 << 20
    seconds: float = 30.0
    silence: float = 10.0
    slowest: float = 0.0
    redirects: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """What is sent, if anything is."""

    body: bytes
    content_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back; the body went into the sink.

    Attributes:
        url: where it came from in the end.
        status: 200 to 599; redirects that were followed don't show.
        content_type: lower case, without parameters; empty if none was named.
        size: bytes of the body.
    """

    url: str
    status: int
    content_type: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """How requests are made; the parts that a test replaces.

    Attributes:
        limits: for each request.
        resolve: asks for a name's addresses.
        trust: whose certificates are believed; None for the system's authorities.
        clock: seconds, never running backwards.
    """

    limits: Limits = Limits()
    resolve: Resolve = resolve
    trust: ssl.SSLContext | None = None
    clock: Callable[[], float] = time.monotonic


def is_url(text: str) -> bool:
    """Tell whether `text` is meant as an address on the network rather than a file."""
    return text.lower().startswith(("http://", "https://"))


def fetch(
    url: str,
    sink: BinaryIO,
    *,
    post: Post | None = None,
    own: bool = False,
    accept: str = "*/*",
    how: Fetch | None = None,
    limits: Limits | None = None,
) -> Answer:
    """Ask `url`, write the body into `sink` and return the answer, whatever its status is.

    `own` says that the owner named this address themselves. What is posted follows no redirect.

    Raises `InputError` if the URL is none, `UnsafeAddressError` if it leads where a stranger's may
    not, `FetchError` if nothing, too much, or nothing useful came in time.
    """
    how = how or Fetch()
    if limits is not None:
        how = replace(how, limits=limits)
    ends = how.clock() + how.limits.seconds
    named = _origin(_split(url))
    for _ in range(how.limits.redirects + 1):
        parts = _split(url)
        asked = _Asked(parts, post=post, accept=accept, own=own and _origin(parts) == named)
        with _connect(asked, how, ends) as wire:
            answer = _ask(asked, wire, sink, how.limits.size)
        if not isinstance(answer, str):
            return answer
        url = _followed(url, answer, post)
    raise FetchError(f"{_name(_split(url))} redirects again and again")


def fetch_bytes(
    url: str,
    *,
    post: Post | None = None,
    own: bool = False,
    accept: str = "*/*",
    how: Fetch | None = None,
    limits: Limits | None = None,
) -> tuple[Answer, bytes]:
    """Ask `url` and return the answer and its body, for what is small; raises as `fetch`."""
    sink = BytesIO()
    answer = fetch(url, sink, post=post, own=own, accept=accept, how=how, limits=limits)
    return answer, sink.getvalue()


@dataclass(frozen=True, slots=True)
class _Asked:
    parts: SplitResult
    post: Post | None
    accept: str
    own: bool


class _Wire(RawIOBase):
    """A connection that hangs up when the time, the silence or the bytes are used up."""

    def __init__(self, sock: socket.socket, how: Fetch, ends: float, name: str) -> None:
        self._sock, self._how, self._ends, self._name = sock, how, ends, name
        self._began = how.clock()
        self._left = how.limits.size + _OVERHEAD
        self._got = 0

    def secure(self, context: ssl.SSLContext, host: str) -> None:
        """Speak TLS from here on."""
        self._allow()
        self._sock = context.wrap_socket(self._sock, server_hostname=host)

    def send(self, data: bytes) -> None:
        """Send all of `data`."""
        self._allow()
        self._sock.sendall(data)

    def makefile(self, mode: str) -> BufferedReader:
        """Return the stream that the reader of responses asks for; `mode` is its "rb"."""
        return BufferedReader(self, _CHUNK)

    def readable(self) -> bool:
        """Whether bytes can be read, as a buffered reader asks."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill `buffer` with what comes next; 0 at the end."""
        self._allow()
        room = min(len(buffer), self._left)
        if room <= 0:
            raise FetchError(f"{self._name} sends more than {self._how.limits.size} bytes")
        count = self._sock.recv_into(buffer, room)
        self._left -= count
        self._got += count
        return count

    def close(self) -> None:
        """Hang up."""
        self._sock.close()
        super().close()

    def _allow(self) -> None:
        """Let the next step take what time is left; `FetchError` if none is, or too little came."""
        now, limits = self._how.clock(), self._how.limits
        spent = now - self._began
        if now >= self._ends or (
            spent > limits.silence and self._got < limits.slowest * (spent - limits.silence)
        ):
            raise FetchError(f"{self._name} answers too slowly")
        self._sock.settimeout(min(limits.silence, self._ends - now))


def _split(url: str) -> SplitResult:
    """Take a URL apart; raises `InputError` or `UnsafeAddressError`."""
    if len(url) > _LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url:
        raise InputError("the address holds characters that none may", advice="Copy it again.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InputError("the address can't be read", advice="Copy it again.") from error
    if parts.scheme not in _PORTS or not parts.hostname or port == 0:
        raise InputError(
            "only addresses that begin with http:// or https:// are fetched",
            advice="Give the full address.",
        )
    if parts.username is not None or parts.password is not None:
        raise UnsafeAddressError(
            f"the address of {parts.hostname} holds a name or password",
            advice="Give the address without them: nothing is sent that proves who you are.",
        )
    return parts


def _origin(parts: SplitResult) -> tuple[str, str, int]:
    return parts.scheme, parts.hostname or "", parts.port or _PORTS[parts.scheme]


def _name(parts: SplitResult) -> str:
    return f"{parts.scheme}://{parts.hostname}"


def _followed(url: str, target: str, post: Post | None) -> str:
    """Return where a redirect leads; raises as `_split`."""
    before, after = _split(url), _split(urljoin(url, target))
    if post is not None:
        raise FetchError(f"{_name(before)} redirects what is sent to it, which isn't followed")
    if before.scheme == "https" and after.scheme != "https":
        raise UnsafeAddressError(f"{_name(before)} redirects to an address that isn't encrypted")
    return urljoin(url, target)


def _connect(asked: _Asked, how: Fetch, ends: float) -> _Wire:
    """Connect to an address that was checked, and to no other."""
    scheme, host, port = _origin(asked.parts)
    name = _name(asked.parts)
    if not asked.own and port != _PORTS[scheme]:
        raise UnsafeAddressError(f"{name} is asked at port {port}, where a stranger's may not lead")
    addresses = how.resolve(host, port)
    if not asked.own:
        addresses = public_addresses(host, addresses)
    for address in addresses[:_MOST_ADDRESSES]:
        left = min(how.limits.silence, ends - how.clock())
        if left <= 0:
            break
        try:
            sock = socket.create_connection((address, port), timeout=left)
        except OSError:
            continue
        return _secured(_Wire(sock, how, ends, name), scheme, host, how)
    raise FetchError(f"{name} can't be reached")


def _secured(wire: _Wire, scheme: str, host: str, how: Fetch) -> _Wire:
    if scheme == "https":
        try:
            wire.secure(how.trust or ssl.create_default_context(), host)
        except BaseException as error:
            wire.close()
            if isinstance(error, (OSError, UnicodeError, ValueError)):
                raise FetchError(f"https://{host} shows no certificate that holds") from error
            raise
    return wire


def _ask(asked: _Asked, wire: _Wire, sink: BinaryIO, most: int) -> Answer | str:
    """Return the answer, or where to ask instead."""
    name = _name(asked.parts)
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


def _request(asked: _Asked) -> bytes:
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
    if asked.post:
        lines += [
            f"Content-Type: {asked.post.content_type}",
            f"Content-Length: {len(asked.post.body)}",
        ]
    head = "\r\n".join([*lines, "", ""]).encode("ascii")
    return head + (asked.post.body if asked.post else b"")


def _keep(sink: BinaryIO, chunk: bytes) -> None:
    """Write all of `chunk`; a full disk is no fault of who sends."""
    rest = memoryview(chunk)
    with naming("what is downloaded"):
        while rest:
            rest = rest[sink.write(rest) :]


def _receive(asked: _Asked, response: HTTPResponse, sink: BinaryIO, most: int) -> Answer:
    name = _name(asked.parts)
    if response.getheader("Content-Encoding", "identity").strip().lower() != "identity":
        raise FetchError(f"{name} packs its answer, which wasn't asked for")
    if (response.length or 0) > most:
        raise FetchError(f"{name} offers more than {most} bytes")
    announced, size = response.length, 0
    while chunk := response.read1(_CHUNK):
        size += len(chunk)
        if size > most:
            raise FetchError(f"{name} sends more than {most} bytes")
        _keep(sink, chunk)
    if announced is not None and size != announced:
        raise FetchError(f"{name} breaks off its answer")
    content_type = response.getheader("Content-Type", "").split(";")[0].strip().lower()
    return Answer(
        url=asked.parts.geturl(), status=response.status, content_type=content_type, size=size
    )
