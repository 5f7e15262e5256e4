"""What is sent, and what is believed of the answer."""

from io import BytesIO

import pytest
from fetching import QUICK, own
from served import answer, serve

from assent.kit.errors import FetchError, InputError, StorageError
from assent.kit.fetch.exchange import Post
from assent.kit.fetch.fetch import fetch, fetch_bytes

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


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


def test_headers_go_with_what_is_posted_and_begin_no_line_of_their_own() -> None:
    def post(name: str, value: str) -> Post:
        return Post(body=b"{}", content_type="application/json", headers=((name, value),))

    with serve(answer()) as served:
        fetch_bytes(served.url, own=True, limits=QUICK, post=post("webhook-id", "msg_1"))
        for name, value in (("a", "b\r\nc: d"), ("a: b\r\nc", "d"), ("", "d"), ("a", "\u00e4")):
            with pytest.raises(InputError, match="header"):
                fetch_bytes(served.url, own=True, limits=QUICK, post=post(name, value))
    assert b"\r\nwebhook-id: msg_1\r\n" in served.requests[0]
    assert set(served.requests[1:]) <= {b""}


def test_a_body_in_chunks_or_without_a_length_is_read_to_its_end() -> None:
    chunked = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    )
    for said in (chunked, b"HTTP/1.0 200 OK\r\n\r\nabcde"):
        with serve(said) as served:
            assert own(served.url) == b"abcde"


def test_what_announces_too_much_is_not_begun() -> None:
    said = b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\nx"
    sink = BytesIO()
    with serve(said) as served, pytest.raises(FetchError, match="offers more than"):
        fetch(served.url, sink, own=True, limits=QUICK)
    assert sink.getvalue() == b""


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
