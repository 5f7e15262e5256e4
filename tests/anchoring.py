"""Places of the tests' own to anchor in: an EVM node (anvil) and a calendar (OpenTimestamps).

    with anvil() as node: ...        # node.url, node.key
    with calendar() as running:
        running.confirm(height=900_000)      # all it was given is in a block now
    with lying(node) as between: ...     # between.lies["eth_chainId"] = "0x1"

A test that uses one is marked `enable_socket`. The node is the program of another project,
installed by `make test`; without it `anvil` skips.
"""

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import pytest
from opentimestamps.core.notary import BitcoinBlockHeaderAttestation, PendingAttestation
from opentimestamps.core.op import OpAppend, OpPrepend, OpSHA256
from opentimestamps.core.serialize import BytesSerializationContext
from opentimestamps.core.timestamp import Timestamp

__all__ = ["Calendar", "LyingNode", "Node", "anvil", "calendar", "lying", "mine"]

PACKAGES = Path(__file__).parents[1] / "web" / "node_modules" / "@foundry-rs"

Mood = Literal["well", "failing", "garbled", "lying", "slow", "endless"]


@dataclass(frozen=True)
class Node:
    """A running chain of one node; `key` is of an account that has coins."""

    url: str
    chain_id: int
    key: str

    def ask(self, method: str, *params: object) -> object:
        """Ask the node without the product's code."""
        reply = json.loads(self.forward(_request(method, params)))
        assert "error" not in reply, reply
        return reply["result"]

    def forward(self, body: bytes) -> bytes:
        """Pass a request on and return the node's answer."""
        place = urlsplit(self.url)
        with closing(HTTPConnection(str(place.hostname), place.port, timeout=20)) as connection:
            connection.request("POST", "/", body, {"Content-Type": "application/json"})
            return connection.getresponse().read()

    def transactions(self, address: str) -> int:
        """How many transactions of an account are in blocks."""
        return int(str(self.ask("eth_getTransactionCount", address, "latest")), 16)

    def mine(self, blocks: int = 1) -> None:
        self.ask("anvil_mine", hex(blocks))


@contextmanager
def anvil(*options: str, chain_id: int = 31337) -> Iterator[Node]:
    """Run a fresh chain on loopback, which mines a block for each transaction."""
    programs = sorted(PACKAGES.glob("anvil-*/bin/anvil"))
    if not programs:
        pytest.skip("anvil is not installed: `make test` does that where there is npm")
    process = subprocess.Popen(
        [str(programs[0]), "--port", "0", "--chain-id", str(chain_id), *options],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        key, url = _announced(process)
        drain = threading.Thread(target=process.stdout.read, daemon=True)  # type: ignore[union-attr]
        drain.start()
        yield Node(url=url, chain_id=chain_id, key=key)
    finally:
        process.kill()
        process.wait()
        drain.join()
        process.stdout.close()  # type: ignore[union-attr]


def _announced(process: "subprocess.Popen[str]") -> tuple[str, str]:
    """Return the first account's key and the address that the node listens on."""
    key = ""
    for line in process.stdout or []:
        if line.startswith("(0) 0x") and len(line.strip()) == 70:
            key = line.split()[1]
        if line.startswith("Listening on "):
            return key, f"http://{line.split()[-1]}"
    raise AssertionError("anvil did not start")


def mine(root: bytes, *, bits: int = 0x207FFFFF, moment: int = 1_800_000_000) -> bytes:
    """Return a header over a Merkle root with as much work as `bits` asks for."""
    target = (bits & 0x7FFFFF) << 8 * ((bits >> 24) - 3)
    head = bytes(4) + bytes(32) + root + moment.to_bytes(4, "little") + bits.to_bytes(4, "little")
    for nonce in range(1 << 32):
        header = head + nonce.to_bytes(4, "little")
        if int.from_bytes(sha256(sha256(header).digest()).digest(), "little") <= target:
            return header
    raise AssertionError


@dataclass
class Calendar:
    """A running calendar; `asked` lists the paths that it was asked for."""

    url: str
    name: str = ""
    mood: Mood = "well"
    patience_s: float = 2.0
    asked: list[str] = field(default_factory=list)
    given: dict[bytes, bytes] = field(default_factory=dict)
    complete: dict[bytes, Timestamp] = field(default_factory=dict)

    def submit(self, digest: bytes) -> bytes:
        """Take a digest and promise to go on from it."""
        stamp = Timestamp(digest)
        later = stamp.ops.add(OpPrepend(b"later")).ops.add(OpSHA256())
        later.attestations.add(PendingAttestation(self.name or self.url))
        self.given[later.msg] = digest
        return _serialized(stamp)

    def confirm(self, *, height: int) -> bytes:
        """Put everything given so far under one Merkle root, and return it."""
        tree = sorted(self.given)
        top = sha256(b"".join(tree)).digest()
        for number, message in enumerate(tree):
            stamp = Timestamp(message)
            above = stamp
            if number:
                above = above.ops.add(OpPrepend(b"".join(tree[:number])))
            if tree[number + 1 :]:
                above = above.ops.add(OpAppend(b"".join(tree[number + 1 :])))
            above = above.ops.add(OpSHA256())
            assert above.msg == top
            above.attestations.add(BitcoinBlockHeaderAttestation(height))
            self.complete[message] = stamp
        return top

    def answer(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Return HTTP status and body."""
        self.asked.append(path)
        if self.mood == "failing":
            return 500, b"out of order"
        if self.mood == "garbled":
            return 200, b"this is no proof"
        if self.mood == "slow":
            time.sleep(self.patience_s)
        if self.mood == "endless":
            return 200, b"\xff" * (1 << 20)
        if path == "/digest":
            return 200, self.submit(bytes(32) if self.mood == "lying" else body)
        stamp = self.complete.get(bytes.fromhex(path.removeprefix("/timestamp/")))
        return (404, b"Pending") if stamp is None else (200, _serialized(stamp))


@contextmanager
def calendar() -> Iterator[Calendar]:
    """Run a calendar on loopback; it stops at the end."""
    running = Calendar(url="")
    with _serving(running.answer) as url:
        running.url = url
        yield running


@dataclass
class LyingNode:
    """Stands before a node: what `lies` holds for a method it answers itself, as it is.

    A value is the result, an exception's text the error; bytes are the whole answer. `before` is
    called with each method first, and `asked` lists them.
    """

    url: str
    node: Node
    lies: dict[str, object] = field(default_factory=dict)
    before: Callable[[str], None] = lambda method: None
    asked: list[str] = field(default_factory=list)

    def answer(self, _path: str, body: bytes) -> tuple[int, bytes]:
        """Return HTTP status and body."""
        method = json.loads(body)["method"]
        self.asked.append(method)
        self.before(method)
        if method not in self.lies:
            return 200, self.node.forward(body)
        lie = self.lies[method]
        if isinstance(lie, bytes):
            return 200, lie
        said = {"error": {"code": -32000, "message": str(lie)}}
        reply = said if isinstance(lie, Exception) else {"result": lie}
        return 200, json.dumps({"jsonrpc": "2.0", "id": 0, **reply}).encode()


@contextmanager
def lying(node: Node) -> Iterator[LyingNode]:
    """Run what stands before a node."""
    running = LyingNode(url="", node=node)
    with _serving(running.answer) as url:
        running.url = url
        yield running


@contextmanager
def _serving(answer: Callable[[str, bytes], tuple[int, bytes]]) -> Iterator[str]:
    """Answer requests on loopback, and yield the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self._say(*answer(self.path, body))

        def do_GET(self) -> None:
            self._say(*answer(self.path, b""))

        def _say(self, status: int, body: bytes) -> None:
            # Who asked may have given up by now.
            with suppress(ConnectionError):
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def _request(method: str, params: tuple[object, ...]) -> bytes:
    value = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return json.dumps(value).encode()


def _serialized(stamp: Timestamp) -> bytes:
    context = BytesSerializationContext()
    stamp.serialize(context)
    return bytes(context.getbytes())
