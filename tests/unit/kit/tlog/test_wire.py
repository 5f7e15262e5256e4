"""Over a real connection to this machine."""

from collections.abc import Iterator

import pytest
from served import Served, answer, serve

from assent.kit.errors import FetchError, InputError, UnsafeAddressError
from assent.kit.tlog.asking import ANSWER_LIMIT
from assent.kit.tlog.wire import get, post

pytestmark = pytest.mark.enable_socket


@pytest.fixture
def hostile() -> Iterator[Served]:
    """Sends without end."""

    def say(talk: object, request: bytes) -> None:
        talk.sendall(b"HTTP/1.1 200 OK\r\n\r\n")  # type: ignore[attr-defined]
        while True:
            talk.sendall(b"x" * 65536)  # type: ignore[attr-defined]

    with serve(say) as served:
        yield served


def test_what_is_there_and_what_isnt() -> None:
    with serve(answer(b"12345")) as served:
        assert get(f"{served.url}checkpoint", 5) == b"12345"
        with pytest.raises(FetchError, match="more than 4 bytes"):
            get(f"{served.url}checkpoint", 4)
    assert served.requests[0].startswith(b"GET /checkpoint HTTP/1.1\r\n")
    for status in ("404 Not Found", "410 Gone"):
        with serve(answer(b"no", status)) as served:
            assert get(served.url, 100) is None
    with serve(answer(b"", "503 Busy")) as served, pytest.raises(FetchError, match="answers 503"):
        get(served.url, 100)


def test_what_is_sent() -> None:
    with serve(answer(b"5\n", "409 Conflict")) as served:
        assert post(f"{served.url}add-checkpoint", b"old 0\n") == (409, b"5\n")
    head, _, body = served.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /add-checkpoint HTTP/1.1\r\n")
    assert body == b"old 0\n"


def test_answers_without_end(hostile: Served) -> None:
    with pytest.raises(FetchError, match=f"more than {ANSWER_LIMIT} bytes"):
        post(hostile.url, b"")
    with pytest.raises(FetchError, match="more than 8192 bytes"):
        get(hostile.url, 8192)


def test_nothing_is_followed_elsewhere() -> None:
    """A witness or a log can't send us to a machine of our own network."""
    secret = answer(b"secret")
    with serve(secret) as inner:
        moved = answer(b"", "307 Moved", f"Location: {inner.url}")
        with serve(moved) as served:
            with pytest.raises((FetchError, UnsafeAddressError)):
                get(served.url, 100)
            with pytest.raises((FetchError, UnsafeAddressError)):
                post(served.url, b"")
    assert inner.requests == []


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://a/b", "https://", "http://a b/"])
def test_what_is_no_address(url: str) -> None:
    for ask in (lambda: get(url, 10), lambda: post(url, b"")):
        with pytest.raises(InputError):
            ask()
