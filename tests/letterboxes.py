"""A mail box on loopback that is read by IMAP: a real server, TLS from the first byte.

    with letter_box() as box:
        box.put(b"Subject: Look\\r\\n\\r\\nhttps://a.example/1")
        add_source(studio, name="box", kind="mail", address=box.address, secret=box.secret)

A test that uses one is marked `enable_socket`.
"""

import asyncio
import imaplib
import os
import ssl
import threading
from argparse import Namespace
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from mailboxes import certificate
from proxyprotocol.reader import ProxyProtocolReader
from pymap.backend.dict import DictBackend
from pymap.concurrent import Subsystem
from pymap.imap import IMAPServer

__all__ = ["LetterBox", "letter_box"]

USER, PASSWORD = "watch@studio.example", "seven small ducks"
_SETTINGS = {
    "host": None, "port": 0, "debug": False, "cert": None, "key": None, "passlib_cfg": None,
    "proxy_protocol": None, "demo_data": False, "demo_user": USER, "demo_password": PASSWORD,
    # TLS begins before IMAP does, so that it isn't asked for within.
    "tls": False, "no_threads": True, "threads": None,
}  # fmt: skip


@dataclass(frozen=True)
class LetterBox:
    """Where it is, and how one gets in."""

    port: int
    trust: ssl.SSLContext

    @property
    def address(self) -> str:
        """Return it as a source names it."""
        return self.named("INBOX")

    def named(self, box: str) -> str:
        """Return the address of another box of the same user."""
        return f"imaps://{USER.replace('@', '%40')}@localhost:{self.port}/{box}"

    @property
    def secret(self) -> bytes:
        """Return the password, as a file holds it."""
        return f"{PASSWORD}\n".encode()

    def put(self, *letters: bytes) -> None:
        """Put letters into the box, as a mail program does."""
        with self.opened() as box:
            for letter in letters:
                said, told = box.append("INBOX", "", "", letter)
                assert said == "OK", told

    def flags(self) -> list[bytes]:
        """Return what is noted of each letter."""
        with self.opened() as box:
            box.select("INBOX", readonly=True)
            return [each for each in box.fetch("1:*", "(FLAGS)")[1] if isinstance(each, bytes)]

    @contextmanager
    def opened(self) -> Iterator[imaplib.IMAP4_SSL]:
        """Open it as its owner."""
        with imaplib.IMAP4_SSL("localhost", self.port, ssl_context=self.trust, timeout=60) as box:
            box.login(USER, PASSWORD)
            yield box


@contextmanager
def letter_box() -> Iterator[LetterBox]:
    """Serve an empty box until the block ends."""
    # Else it asks for this machine's name on the network.
    os.environ.setdefault("FQDN", "localhost")
    with TemporaryDirectory() as folder:
        context, pem = certificate(Path(folder))
    trust = ssl.create_default_context(cadata=pem)
    ready = threading.Event()
    ports: list[int] = []
    over: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def serve() -> None:
        stop = asyncio.Event()
        async with _listening(context) as port:
            ports.append(port)
            over.append((asyncio.get_running_loop(), stop))
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        assert ready.wait(60)
        yield LetterBox(port=ports[0], trust=trust)
    finally:
        for loop, stop in over:
            loop.call_soon_threadsafe(stop.set)
        thread.join()


@asynccontextmanager
async def _listening(context: ssl.SSLContext) -> AsyncIterator[int]:
    backend, config = await DictBackend.init(
        # Its own threads keep event loops that nobody closes.
        Namespace(**_SETTINGS), cpu_subsystem=Subsystem.for_asyncio(),
    )  # fmt: skip
    talk = ProxyProtocolReader(config.proxy_protocol).get_callback(
        IMAPServer(backend.login, config)
    )
    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=context, limit=64 << 20)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.sleep(0)
