"""Servers of the tests' own, on loopback: a time-stamping authority around `openssl ts`.

    with time_stamping(tmp_path / "tsa") as authority:
        ...                       # authority.url, authority.root_pem
        authority.mood = "lying"  # from now on it stamps other bytes than it was sent

A test that uses one is marked `enable_socket`.
"""

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal

__all__ = ["Mood", "TimeStampingAuthority", "time_stamping"]

Mood = Literal["well", "failing", "garbled", "lying", "slow", "refusing"]
"""How an authority answers: with a stamp; with HTTP 500; with bytes that are none; with a stamp of
other bytes; with a stamp after `patience_s`; with a well-formed rejection."""

_CONFIG = """
[ req ]
distinguished_name = name
[ name ]
[ authority ]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[ clock ]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[ tsa ]
default_tsa = here
[ here ]
serial = serial
signer_cert = clock.pem
certs = root.pem
signer_key = clock.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = {digests}
ess_cert_id_alg = sha256
"""
_DIGESTS = "sha256, sha384, sha512"


@dataclass
class TimeStampingAuthority:
    """A running authority; `asked` counts the requests that reached it."""

    url: str
    root_pem: bytes
    clock_pem: bytes
    folder: Path
    mood: Mood = "well"
    patience_s: float = 2.0
    asked: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, query: bytes) -> tuple[int, bytes]:
        """Return HTTP status and body for a time-stamp request in DER."""
        with self.lock:
            self.asked += 1
            if self.mood == "failing":
                return 500, b"out of order"
            if self.mood == "garbled":
                return 200, b"this is no time stamp"
            if self.mood == "slow":
                time.sleep(self.patience_s)
            (self.folder / "query").write_bytes(query)
            if self.mood == "lying":
                ask = ["-digest", "00" * 32, "-sha256", "-cert", "-no_nonce", "-out", "query"]
                _openssl(self.folder, "ts", "-query", *ask)
            config = "strict.cnf" if self.mood == "refusing" else "tsa.cnf"
            reply = ["-queryfile", "query", "-out", "reply", "-config", config]
            _openssl(self.folder, "ts", "-reply", *reply)
            return 200, (self.folder / "reply").read_bytes()


@contextmanager
def time_stamping(folder: Path) -> Iterator[TimeStampingAuthority]:
    """Run an authority of its own root whose files lie in `folder`; it stops at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    _make_clock(folder)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status, body = authority.answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        authority = TimeStampingAuthority(
            url=f"http://127.0.0.1:{server.server_port}/",
            root_pem=(folder / "root.pem").read_bytes(),
            clock_pem=(folder / "clock.pem").read_bytes(),
            folder=folder,
        )
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield authority
        finally:
            server.shutdown()
            thread.join()


def _make_clock(folder: Path) -> None:
    """Make the authority's root and its clock's key and certificate."""
    (folder / "tsa.cnf").write_text(_CONFIG.format(digests=_DIGESTS))
    # It takes no digest that anybody asks with, so every request is rejected.
    (folder / "strict.cnf").write_text(_CONFIG.format(digests="sha224"))
    (folder / "serial").write_text("01")
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-config", "tsa.cnf"]
    root = ["-keyout", "root.key", "-out", "root.pem", "-extensions", "authority", "-days", "9"]
    _openssl(folder, "req", "-x509", *key, *root, "-subj", "/O=Clock/CN=Root")
    _openssl(folder, "req", *key, "-keyout", "clock.key", "-out", "csr", "-subj", "/O=Clock/CN=A")
    issue = ["-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial", "-days", "9"]
    form = ["-extfile", "tsa.cnf", "-extensions", "clock", "-out", "clock.pem"]
    _openssl(folder, "x509", "-req", "-in", "csr", *issue, *form)


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)
