"""The published log: right headers, and nothing that isn't the log's."""

from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from asgi import Client
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assent.apps.web.log_site import build_log_site
from assent.kit.tlog.files import Site
from assent.kit.tlog.log import Log
from assent.kit.tlog.monitor import Monitor
from assent.kit.tlog.note import NoteSigner

FOREVER = "public, max-age=31536000, immutable"
FRESH = "public, max-age=5, must-revalidate"
SIGNER = NoteSigner("log.example/1", Ed25519PrivateKey.from_private_bytes(bytes(32)))


@pytest.fixture
def log(tmp_path: Path) -> Log:
    log = Log.create(tmp_path / "log", signer=SIGNER)
    log.append([b"entry"] * 300)
    return log


@pytest.fixture
def client(tmp_path: Path, log: Log) -> Client:
    return Client(build_log_site(tmp_path / "log"))


@pytest.mark.parametrize(
    ("path", "kind", "caching"),
    [
        ("checkpoint", "text/plain; charset=utf-8", FRESH),
        ("tile/0/000", "application/octet-stream", FOREVER),
        ("tile/0/001.p/44", "application/octet-stream", FOREVER),
        ("tile/1/000.p/1", "application/octet-stream", FOREVER),
        ("tile/entries/000", "application/octet-stream", FOREVER),
        ("tile/entries/001.p/44", "application/octet-stream", FOREVER),
    ],
)
def test_what_is_published(
    tmp_path: Path, client: Client, path: str, kind: str, caching: str
) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.content == (tmp_path / "log" / path).read_bytes()
    assert answer.headers["content-type"] == kind
    assert answer.headers["cache-control"] == caching
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["x-content-type-options"] == "nosniff"
    tag = answer.headers["etag"]
    assert tag == f'"{sha256(answer.content).hexdigest()[:32]}"'
    for known in (tag, f'"other", {tag}', f"W/{tag}", "*"):
        again = client.get(path, headers={"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert (again.headers["etag"], again.headers["cache-control"]) == (tag, caching)
    assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200
    head = client.head(path)
    # The server leaves the body out.
    assert head.status_code == 200
    assert head.headers["content-length"] == str(len(answer.content))
    assert client.post(path).status_code == 405


def test_what_lies_beside(tmp_path: Path, client: Client) -> None:
    for name in ("cosigned", "vkey", "policy", "status/0.jwt", "anchors/300/tsa.tsr"):
        assert client.get(name).status_code == 404
        path = tmp_path / "log" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
        answer = client.get(name)
        assert (answer.status_code, answer.text) == (200, name)
        assert answer.headers["cache-control"] == FRESH


@pytest.mark.parametrize(
    "path",
    [
        "",
        "studio.toml",
        ".lock",
        ".checkpoint.tmp",
        "checkpoint/",
        "tile",
        "tile/0",
        "tile/0/",
        "tile/0/000/",
        "tile/00/000",
        "tile/64/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/044",
        "tile/0/0",
        "tile/0/x000",
        "tile/0/.000.tmp",
        "tile/0/002",
        "tile/data/000",
        "..%2fstudio.toml",
        "%2e%2e/studio.toml",
        "tile/0/..%2f..%2f..%2fstudio.toml",
        "status/..%2f0.jwt",
        "status/%D9%A0.jwt",
        "anchors/300/.hidden",
        "anchors/300/..",
        "anchors/300/a/b",
        "checkpoint%00",
        "/etc/passwd",
    ],
)
def test_nothing_else_is(tmp_path: Path, client: Client, path: str) -> None:
    (tmp_path / "studio.toml").write_text("secret")
    (tmp_path / "log/.checkpoint.tmp").write_text("secret")
    (tmp_path / "log/tile/0/.000.tmp").write_text("secret")
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.text == "not found\n"


def test_what_the_checkpoint_doesnt_cover_is_not_published(
    tmp_path: Path, client: Client, log: Log
) -> None:
    """A torn append's tiles are overwritten, and a cache would keep them for a year."""
    torn = [("tile/0/001.p/45", b"torn"), ("tile/0/002", b"torn"), ("tile/1/000.p/2", b"torn")]
    for path, data in torn:
        (tmp_path / "log" / path).write_bytes(data)
        assert client.get(path).status_code == 404
    log.append([b"more"])
    assert client.get("tile/0/001.p/45").content == (tmp_path / "log/tile/0/001.p/45").read_bytes()
    assert client.get("tile/0/001.p/45").content != b"torn"
    # Partial tiles of earlier checkpoints stay, until the full one is there.
    assert client.get("tile/0/001.p/44").status_code == 200
    assert client.get("tile/0/001").status_code == 404


@pytest.mark.parametrize("data", [None, b"", b"\xff", b"no checkpoint\n"])
def test_without_a_checkpoint_there_are_no_tiles(
    tmp_path: Path, client: Client, data: bytes | None
) -> None:
    path = tmp_path / "log/checkpoint"
    path.unlink() if data is None else path.write_bytes(data)
    assert client.get("tile/0/000").status_code == 404


def test_a_log_that_cant_be_read(tmp_path: Path, client: Client) -> None:
    path = tmp_path / "log/checkpoint"
    path.unlink()
    path.mkdir()
    answer = client.get("checkpoint")
    assert answer.status_code == 500
    assert str(tmp_path) not in answer.text


def test_a_monitor_follows_it(tmp_path: Path, client: Client, log: Log) -> None:
    def get(url: str, limit: int) -> bytes | None:
        answer = client.get(url.removeprefix("http://log.example"))
        assert len(answer.content) <= limit
        return answer.content if answer.status_code == 200 else None

    now: Callable[[], datetime] = lambda: datetime(2026, 11, 20, tzinfo=UTC)  # noqa: E731
    monitor = Monitor(tmp_path / "monitor", log=SIGNER.verifier, clock=now)
    assert monitor.look([Site("http://log.example", get)]).size == 300
    log.append([b"more"] * 300)
    assert monitor.look([Site("http://log.example", get)]).grown == 300
