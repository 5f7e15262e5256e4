"""A server on this machine that answers as a test wants, byte for byte."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

__all__ = ["Served", "answer", "serve"]

Say = Callable[[socket.socket, bytes], None]
"""Answers one connection; the bytes are the request's."""


@dataclass
class Served:
    """Where it listens, and every request that it got."""

    port: int
    requests: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"


def answer(body: bytes = b"", status: str = "200 OK", *headers: str) -> bytes:
    """Return a whole response."""
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(head).encode() + body


@contextmanager
def serve(say: Say | bytes, *, tls: ssl.SSLContext | None = None) -> Iterator[Served]:
    """Listen on a free port until the block ends; `say` answers each connection in turn."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", 0))
        listener.listen(8)
        listener.settimeout(0.05)
        served = Served(listener.getsockname()[1])
        over = threading.Event()
        thread = threading.Thread(target=_listen, args=(listener, say, tls, served, over))
        thread.start()
        try:
            yield served
        finally:
            over.set()
            thread.join()


def _listen(
    listener: socket.socket,
    say: Say | bytes,
    tls: ssl.SSLContext | None,
    served: Served,
    over: threading.Event,
) -> None:
    while not over.is_set():
        with suppress(OSError):
            connection = listener.accept()[0]
            connection.settimeout(5)
            with tls.wrap_socket(connection, server_side=True) if tls else connection as talk:
                request = _request(talk)
                served.requests.append(request)
                if isinstance(say, bytes):
                    talk.sendall(say)
                else:
                    say(talk, request)


def _request(connection: socket.socket) -> bytes:
    got = b""
    while b"\r\n\r\n" not in got:
        more = connection.recv(65536)
        if not more:
            return got
        got += more
    head, _, body = got.partition(b"\r\n\r\n")
    length = next(
        (int(x.split(b":")[1]) for x in head.split(b"\r\n") if x.startswith(b"Content-Length")), 0
    )
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body
