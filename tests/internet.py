"""A few hosts of the internet, on loopback: names, public addresses, the ports of the web.

    with serve(Pages({"/": b"hello"})) as shop:
        net = Internet({"shop.example": shop})
        fetch("http://shop.example/", sink, how=net.how())

Every check of the door to the network is made as it always is; only where a connection to one of
these public addresses ends is another place: a server of the test. Mark tests `allow_hosts`.
"""

import socket
from collections.abc import Mapping
from typing import Any

from served import Served, answer

from assent.kit.errors import FetchError
from assent.kit.fetch.wire import Fetch

__all__ = ["Internet", "Pages", "moved"]

_FIRST = "93.184.215."


class Internet:
    """Names, and the servers that answer for them at port 80."""

    def __init__(self, hosts: Mapping[str, Served]) -> None:
        self._addresses = {name: f"{_FIRST}{10 + number}" for number, name in enumerate(hosts)}
        self._ports = {self._addresses[name]: served.port for name, served in hosts.items()}

    def how(self, **more: Any) -> Fetch:  # noqa: ANN401 - parts of a `Fetch`
        """Return how requests are made here."""
        return Fetch(resolve=self._resolve, connect=self._connect, **more)

    def _resolve(self, host: str, port: int) -> list[str]:
        if host not in self._addresses:
            raise FetchError(f"{host} has no address")
        return [self._addresses[host]]

    def _connect(self, address: tuple[str, int], seconds: float) -> socket.socket:
        assert address[1] == 80
        return socket.create_connection(("127.0.0.1", self._ports[address[0]]), seconds)


class Pages:
    """What a server answers by path; the paths that were asked for, in order."""

    def __init__(self, pages: Mapping[str, bytes]) -> None:
        self.pages = dict(pages)
        self.asked: list[str] = []

    def __call__(self, talk: socket.socket, request: bytes) -> None:
        """Answer one request."""
        path = request.split(b" ")[1].decode()
        self.asked.append(path)
        page = self.pages.get(path, answer(b"", "404 Not Found"))
        talk.sendall(page if page.startswith(b"HTTP/1.1") else answer(page))


def moved(url: str) -> bytes:
    """Return an answer that leads elsewhere."""
    return answer(b"", "302 Found", f"Location: {url}")
