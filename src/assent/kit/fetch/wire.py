"""Connections to addresses that were checked, which end when their time or their bytes are used up.

    with connect(split_url("https://example.org/"), own=False, how=Fetch(), ends=...) as wire:
        wire.send(b"GET / HTTP/1.1 ...")

A name is resolved once, every address it has must be public, and the connection goes to that very
address. What the owner named as their own may lie in a private network and on any port.
"""

import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from io import BufferedReader, RawIOBase
from urllib.parse import SplitResult

from assent.kit.addresses import Resolve, public_addresses, resolve
from assent.kit.errors import FetchError, UnsafeAddressError
from assent.kit.fetch.urls import PORTS, name_of, origin_of

__all__ = ["CHUNK", "Fetch", "Limits", "Wire", "connect"]

CHUNK = 1 << 16
"""Bytes that are read at once."""
# Headers, chunk sizes and trailers, besides the body that was asked for.
_OVERHEAD = 1 << 18
_MOST_ADDRESSES = 4


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


def _dial(address: tuple[str, int], seconds: float) -> socket.socket:
    return socket.create_connection(address, timeout=seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """How requests are made; the parts that a test replaces.

    Attributes:
        limits: for each request.
        resolve: asks for a name's addresses.
        trust: whose certificates are believed; None for the system's authorities.
        clock: seconds, never running backwards.
        connect: opens a connection to an address that was checked, within so many seconds.
    """

    limits: Limits = Limits()
    resolve: Resolve = resolve
    connect: Callable[[tuple[str, int], float], socket.socket] = _dial
    trust: ssl.SSLContext | None = None
    clock: Callable[[], float] = time.monotonic


class Wire(RawIOBase):
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
        return BufferedReader(self, CHUNK)

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


def connect(parts: SplitResult, *, own: bool, how: Fetch, ends: float) -> Wire:
    """Connect to an address that was checked, and to no other, until `how.clock` says `ends`.

    Raises `UnsafeAddressError` if it leads where a stranger's may not and isn't the owner's `own`,
    `FetchError` if nobody answers there, or without a certificate that holds.
    """
    scheme, host, port = origin_of(parts)
    name = name_of(parts)
    if not own and port != PORTS[scheme]:
        raise UnsafeAddressError(f"{name} is asked at port {port}, where a stranger's may not lead")
    addresses = how.resolve(host, port)
    if not own:
        addresses = public_addresses(host, addresses)
    for address in addresses[:_MOST_ADDRESSES]:
        left = min(how.limits.silence, ends - how.clock())
        if left <= 0:
            break
        try:
            sock = how.connect((address, port), left)
        except OSError:
            continue
        return _secured(Wire(sock, how, ends, name), scheme, host, how)
    raise FetchError(f"{name} can't be reached")


def _secured(wire: Wire, scheme: str, host: str, how: Fetch) -> Wire:
    if scheme == "https":
        try:
            wire.secure(how.trust or ssl.create_default_context(), host)
        except BaseException as error:
            wire.close()
            if isinstance(error, (OSError, UnicodeError, ValueError)):
                raise FetchError(f"https://{host} shows no certificate that holds") from error
            raise
    return wire
