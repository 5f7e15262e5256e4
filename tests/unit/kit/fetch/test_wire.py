"""Where connections lead, and when they end."""

import ssl
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from socket import socket

import pytest
from fetching import QUICK, certificate, names, own
from served import Served, answer, serve

from assent.kit.errors import FetchError, UnsafeAddressError
from assent.kit.fetch.fetch import fetch, fetch_bytes
from assent.kit.fetch.wire import Fetch, Limits

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


@pytest.mark.parametrize(
    "url",
    """
    http://127.0.0.1/ http://[::1]/ http://2130706433/ http://0x7f.1/ http://localhost/
    http://169.254.169.254/latest/meta-data/ http://[::ffff:169.254.169.254]/ http://10.0.0.1/
    https://192.168.0.1/ http://[fd00:ec2::254]/ http://0/
    """.split(),  # noqa: SIM905 - easier to read than a list
)
def test_a_strangers_address_leads_into_no_private_network(url: str) -> None:
    with pytest.raises(UnsafeAddressError, match="private network"):
        fetch_bytes(url)


def test_a_name_with_one_private_address_is_refused() -> None:
    with pytest.raises(UnsafeAddressError, match=r"rebound\.example"):
        fetch_bytes("http://rebound.example/", how=names(rebound="8.8.8.8 127.0.0.1"))


def test_a_strangers_address_names_no_other_port() -> None:
    with pytest.raises(UnsafeAddressError, match="port 25"):
        fetch_bytes("http://mail.example:25/", how=names(mail="8.8.8.8"))


def test_a_name_is_resolved_once_and_that_very_address_is_asked() -> None:
    asked: list[str] = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["93.184.215.14"] if len(asked) == 1 else ["127.0.0.1"]

    # The guard of the tests warns before it raises, and names where the connection went.
    with pytest.raises(UserWarning, match=r"93\.184\.215\.14"):
        fetch_bytes("http://public.example/", how=Fetch(limits=QUICK, resolve=rebinding))
    assert asked == ["public.example"]


def test_what_the_owner_named_may_be_anywhere_and_is_asked_by_its_name() -> None:
    with serve(answer(b"mine")) as served:
        url = f"http://studio.internal:{served.port}/"
        assert fetch_bytes(url, own=True, how=names(studio="127.0.0.1"))[1] == b"mine"
    assert f"\r\nHost: studio.internal:{served.port}\r\n".encode() in served.requests[0]


def endless(connection: socket, request: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        connection.sendall(b"x" * 65536)


def endless_chunks(connection: socket, request: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        connection.sendall(b"1;" + b"x" * 60000 + b"\r\nx\r\n")


def endless_patience(connection: socket, request: bytes) -> None:
    while True:
        connection.sendall(b"HTTP/1.1 100 Continue\r\nX: " + b"x" * 60000 + b"\r\n\r\n")


@pytest.mark.parametrize("say", [endless, endless_chunks, endless_patience])
def test_what_has_no_end_is_cut_off(say: object) -> None:
    sink = BytesIO()
    with (
        serve(say) as served,  # type: ignore[arg-type]
        pytest.raises(FetchError, match="more than 100000 bytes"),
    ):
        fetch(served.url, sink, own=True, limits=Limits(size=100_000, silence=2.0))
    assert len(sink.getvalue()) <= 100_000


def dripping(connection: socket, request: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while True:
        connection.sendall(b"x")
        time.sleep(0.05)


def dripping_headers(connection: socket, request: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        connection.sendall(b"x")
        time.sleep(0.05)


@pytest.mark.parametrize("say", [dripping, dripping_headers])
def test_a_byte_now_and_then_doesnt_hold_it(say: object) -> None:
    with serve(say) as served, pytest.raises(FetchError, match="too slowly"):  # type: ignore[arg-type]
        own(served.url, seconds=0.6)
    with serve(say) as served, pytest.raises(FetchError, match="too slowly"):  # type: ignore[arg-type]
        own(served.url, silence=0.3, slowest=100_000.0)


def silent(connection: socket, request: bytes) -> None:
    time.sleep(0.5)


def test_silence_is_waited_for_no_longer_than_allowed() -> None:
    with serve(silent) as served, pytest.raises(FetchError, match="too slowly"):
        own(served.url, silence=0.1)


def test_nobody_there_is_told_without_the_path() -> None:
    with serve(b"") as served:
        gone = served.url
    with pytest.raises(FetchError, match="can't be reached") as told:
        own(gone + "v3/secret-key")
    assert "secret" not in str(told.value)


def test_no_time_left_is_told() -> None:
    with serve(b"") as served, pytest.raises(FetchError, match="can't be reached"):
        own(served.url, seconds=0.0)


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[tuple[Served, ssl.SSLContext]]:
    path, trust = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    with serve(answer(b"sealed"), tls=context) as served:
        yield served, trust


def test_certificates_are_checked(secured: tuple[Served, ssl.SSLContext]) -> None:
    served, trust = secured
    url = f"https://127.0.0.1:{served.port}/"
    how = Fetch(limits=QUICK, trust=trust)
    assert fetch_bytes(url, own=True, how=how)[1] == b"sealed"
    with pytest.raises(FetchError, match="no certificate that holds"):
        fetch_bytes(url, own=True, limits=QUICK)
    other = Fetch(limits=QUICK, trust=trust, resolve=lambda host, port: ["127.0.0.1"])
    with pytest.raises(FetchError, match="no certificate that holds"):
        fetch_bytes(f"https://other.example:{served.port}/", own=True, how=other)


def test_a_handshake_that_never_ends_is_given_up(tmp_path: Path) -> None:
    with serve(silent) as served, pytest.raises(FetchError, match="no certificate"):
        own(f"https://127.0.0.1:{served.port}/", silence=0.2)
