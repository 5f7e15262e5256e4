"""The whole: redirects, and what holds for every request."""

import ssl
from collections.abc import Iterator
from pathlib import Path
from socket import socket

import pytest
from fetching import QUICK, certificate, names, own
from served import answer, serve

from assent.kit.errors import AssentError, FetchError, InputError, UnsafeAddressError
from assent.kit.fetch.exchange import Post
from assent.kit.fetch.fetch import fetch_bytes
from assent.kit.fetch.wire import Fetch

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


def redirecting(*targets: str) -> Iterator[bytes]:
    for target in targets:
        yield answer(b"", "302 Found", f"Location: {target}")


def saying(said: Iterator[bytes], connection: socket, request: bytes) -> None:
    connection.sendall(next(said))


def test_a_redirect_on_the_same_host_is_followed() -> None:
    said = iter([*redirecting("/b", "c?d"), answer(b"there")])
    with serve(lambda connection, request: saying(said, connection, request)) as served:
        got, body = fetch_bytes(served.url, own=True, limits=QUICK)
    assert body == b"there"
    assert got.url == served.url + "c?d"
    assert [each.split()[1] for each in served.requests] == [b"/", b"/b", b"/c?d"]


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1/",
        "http://metadata.example/",
        "//169.254.169.254/latest",
        "http://127.0.0.1:1/",
        "http://user:secret@public.example/",
        "https://127.0.0.1/",
    ],
)
def test_a_redirect_away_from_the_owners_host_is_a_strangers(target: str) -> None:
    how = names(metadata="169.254.169.254", public="8.8.8.8")
    with (
        serve(next(redirecting(target))) as served,
        pytest.raises(UnsafeAddressError) as refused,
    ):
        fetch_bytes(served.url, own=True, how=how)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("target", ["file:///etc/passwd", "gopher://a/", "ftp://a/"])
def test_a_redirect_to_something_else_is_refused(target: str) -> None:
    with serve(next(redirecting(target))) as served, pytest.raises(InputError):
        own(served.url)


def test_redirects_end() -> None:
    with (
        serve(next(redirecting("/again"))) as served,
        pytest.raises(FetchError, match="again and again"),
    ):
        own(served.url)
    assert len(served.requests) == QUICK.redirects + 1


def test_what_is_posted_follows_no_redirect() -> None:
    post = Post(body=b"x", content_type="text/plain")
    with serve(next(redirecting("/b"))) as served, pytest.raises(FetchError, match="redirects"):
        fetch_bytes(served.url, own=True, post=post, limits=QUICK)
    assert len(served.requests) == 1


def test_a_redirect_out_of_encryption_is_refused(tmp_path: Path) -> None:
    path, trust = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    with (
        serve(next(redirecting("http://8.8.8.8/")), tls=context) as served,
        pytest.raises(UnsafeAddressError, match="isn't encrypted"),
    ):
        fetch_bytes(
            f"https://127.0.0.1:{served.port}/", own=True, how=Fetch(limits=QUICK, trust=trust)
        )


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_no_proxy_of_the_environment_is_asked(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "http://127.0.0.1:1/")
    with serve(answer(b"direct")) as served:
        assert own(served.url) == b"direct"


def test_every_failure_says_what_to_do_next() -> None:
    with pytest.raises(AssentError) as told:
        fetch_bytes("http://127.0.0.1/")
    assert "Download the file yourself" in told.value.advice
