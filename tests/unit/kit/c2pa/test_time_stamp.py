"""Signing with a time-stamping authority of the test's own, on loopback."""

import io
import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from assent.kit.c2pa.certificates import Chain
from assent.kit.c2pa.manifest import Plan
from assent.kit.c2pa.read import read
from assent.kit.c2pa.sign import Ingredient, sign
from assent.kit.errors import SealError

MP4 = "video/mp4"
pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed"),
]

CONFIG = """
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
digests = sha256, sha384, sha512
ess_cert_id_alg = sha256
"""


@dataclass(frozen=True)
class Authority:
    url: str
    root_pem: bytes


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def make_clock(folder: Path) -> None:
    """Make the authority's root and its clock's key and certificate in `folder`."""
    (folder / "tsa.cnf").write_text(CONFIG)
    (folder / "serial").write_text("01")
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-config", "tsa.cnf"]
    root = ["-keyout", "root.key", "-out", "root.pem", "-extensions", "authority", "-days", "9"]
    openssl(folder, "req", "-x509", *key, *root, "-subj", "/O=Clock/CN=Root")
    openssl(folder, "req", *key, "-keyout", "clock.key", "-out", "csr", "-subj", "/O=Clock/CN=A")
    issue = ["-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial", "-days", "9"]
    form = ["-extfile", "tsa.cnf", "-extensions", "clock", "-out", "clock.pem"]
    openssl(folder, "x509", "-req", "-in", "csr", *issue, *form)


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[Authority]:
    make_clock(tmp_path)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers["Content-Length"]))
            (tmp_path / "query").write_bytes(query)
            reply = ["-queryfile", "query", "-out", "reply", "-config", "tsa.cnf"]
            openssl(tmp_path, "ts", "-reply", *reply)
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.end_headers()
            self.wfile.write((tmp_path / "reply").read_bytes())

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield Authority(
            url=f"http://127.0.0.1:{server.server_port}/",
            root_pem=(tmp_path / "root.pem").read_bytes(),
        )
        server.shutdown()
        thread.join()


def stamp(media: dict[str, bytes], plan: Plan, chain: Chain, url: str) -> io.BytesIO:
    sink = io.BytesIO()
    footage = Ingredient(title="footage", mime=MP4, stream=io.BytesIO(media[MP4]))
    source = io.BytesIO(media[MP4])
    sign(source, sink, mime=MP4, plan=plan, chain=chain, ingredient=footage, tsa_url=url)
    return sink


def test_the_moment_is_believed_under_a_trusted_authority_only(
    media: dict[str, bytes], plan: Plan, chain: Chain, authority: Authority
) -> None:
    sealed = stamp(media, plan, chain, authority.url)
    known = read(sealed, mime=MP4, anchors_pem=chain.root_pem + authority.root_pem)
    assert (known.state, known.problems) == ("trusted", ())
    assert known.signed_at is not None
    assert abs(known.signed_at - datetime.now(UTC)) < timedelta(minutes=5)
    unknown = read(sealed, mime=MP4, anchors_pem=chain.root_pem)
    assert (unknown.state, unknown.signed_at) == ("trusted", None)
    assert unknown.problems[0].startswith("timeStamp.untrusted")


def test_an_answer_that_is_no_time_stamp_fails_closed(
    media: dict[str, bytes], plan: Plan, chain: Chain, authority: Authority, tmp_path: Path
) -> None:
    (tmp_path / "clock.key").write_text("lost")
    with pytest.raises(SealError, match="credential could not be signed"):
        stamp(media, plan, chain, authority.url)
