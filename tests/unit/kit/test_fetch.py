import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from ipaddress import ip_address
from pathlib import Path
from socket import socket

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from served import Served, answer, serve

from assent.kit.errors import AssentError, FetchError, InputError, StorageError, UnsafeAddressError
from assent.kit.fetch import Fetch, Limits, Post, fetch, fetch_bytes, is_url

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
QUICK = Limits(seconds=5.0, silence=0.5)


def names(**addresses: str) -> Fetch:
    """Return a way to fetch whose names lead where the test says."""
    return Fetch(
        limits=QUICK, resolve=lambda host, port: addresses.get(host.split(".")[0], host).split()
    )


def own(url: str, **limits: float) -> bytes:
    how = Limits(**{"seconds": 5.0, "silence": 0.5, **limits})  # type: ignore[arg-type]
    return fetch_bytes(url, own=True, limits=how)[1]


def test_the_body_and_what_was_said_of_it_come_back() -> None:
    said = answer(b"hello", "200 OK", "Content-Type: Text/Plain; charset=utf-8")
    with serve(said) as served:
        got, body = fetch_bytes(served.url + "a?b=c#d", own=True, limits=QUICK, accept="text/plain")
    assert (got.status, got.content_type, got.size, body) == (200, "text/plain", 5, b"hello")
    assert served.requests[0].startswith(b"GET /a?b=c HTTP/1.1\r\n")
    assert b"\r\nAccept: text/plain\r\n" in served.requests[0]
    assert b"Cookie" not in served.requests[0]
    assert b"Authorization" not in served.requests[0]


def test_what_is_posted_arrives_and_any_status_comes_back() -> None:
    post = Post(body=b"\x00old 3\n", content_type="application/octet-stream")
    with serve(answer(b"7\n", "409 Conflict", "Content-Type: text/x.tlog.size")) as served:
        got, body = fetch_bytes(served.url, own=True, limits=QUICK, post=post)
    assert (got.status, got.content_type, body) == (409, "text/x.tlog.size", b"7\n")
    assert served.requests[0].startswith(b"POST / HTTP/1.1\r\n")
    assert served.requests[0].endswith(b"\r\n\r\n\x00old 3\n")


def test_a_body_in_chunks_or_without_a_length_is_read_to_its_end() -> None:
    chunked = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    )
    for said in (chunked, b"HTTP/1.0 200 OK\r\n\r\nabcde"):
        with serve(said) as served:
            assert own(served.url) == b"abcde"


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


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://example.org/",
        "http://",
        "http:///path",
        "http://a b/",
        "http://a/\r\nX-Header: 1",
        "http://a/\x00",
        "http://ä.example/",
        "http://a:0/",
        "http://a:99999/",
        "http://[::1",
        "http://a/" + "x" * 5000,
        "example.org",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(InputError):
        fetch_bytes(url, own=True)


def test_a_name_and_password_are_never_sent_nor_told() -> None:
    with pytest.raises(UnsafeAddressError) as refused:
        fetch_bytes("http://user:hunter2@example.org/", own=True)
    assert "hunter2" not in str(refused.value)


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


def test_what_announces_too_much_is_not_begun() -> None:
    said = b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\nx"
    sink = BytesIO()
    with serve(said) as served, pytest.raises(FetchError, match="offers more than"):
        fetch(served.url, sink, own=True, limits=QUICK)
    assert sink.getvalue() == b""


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


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70000 + b"\r\n\r\n",
    ],
)
def test_a_broken_answer_is_told(said: bytes) -> None:
    with serve(said) as served, pytest.raises(FetchError, match="breaks off"):
        own(served.url)


def test_a_packed_answer_is_refused() -> None:
    with (
        serve(answer(b"x", "200 OK", "Content-Encoding: gzip")) as served,
        pytest.raises(FetchError, match="packs its answer"),
    ):
        own(served.url)


def test_nobody_there_is_told_without_the_path() -> None:
    with serve(b"") as served:
        gone = served.url
    with pytest.raises(FetchError, match="can't be reached") as told:
        own(gone + "v3/secret-key")
    assert "secret" not in str(told.value)


def test_no_time_left_is_told() -> None:
    with serve(b"") as served, pytest.raises(FetchError, match="can't be reached"):
        own(served.url, seconds=0.0)


class Full(BytesIO):
    def write(self, data: object) -> int:
        raise OSError(28, "No space left on device")


def test_a_full_disk_is_not_the_servers_fault() -> None:
    with serve(answer(b"x")) as served, pytest.raises(StorageError, match="No space left"):
        fetch(served.url, Full(), own=True, limits=QUICK)


class Sipping(BytesIO):
    def write(self, data: object) -> int:
        return super().write(bytes(data)[:2])  # type: ignore[call-overload]


def test_a_file_that_takes_part_of_what_is_written_gets_it_all() -> None:
    sink = Sipping()
    with serve(answer(b"hello")) as served:
        fetch(served.url, sink, own=True, limits=QUICK)
    assert sink.getvalue() == b"hello"


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """Make a certificate of 127.0.0.1 that signs itself; return its file and who trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = folder / "server.pem"
    path.write_bytes(private + pem)
    return path, ssl.create_default_context(cadata=pem.decode())


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


def test_an_address_is_told_from_a_file() -> None:
    assert is_url("HTTPS://example.org/a")
    assert not is_url("clip.mp4")
    assert not is_url("file:///etc/passwd")


def test_every_failure_says_what_to_do_next() -> None:
    with pytest.raises(AssentError) as told:
        fetch_bytes("http://127.0.0.1/")
    assert "Download the file yourself" in told.value.advice
