"""Which addresses may be asked at all."""

import pytest

from assent.kit.errors import AssentError, InputError, UnsafeAddressError
from assent.kit.fetch.fetch import fetch_bytes
from assent.kit.fetch.urls import check_url, is_url


@pytest.mark.parametrize("url", ["https://a.example/b", "http://127.0.0.1:9/"])
def test_an_address_can_be_looked_at_before_it_is_asked(url: str) -> None:
    check_url(url)
    for wrong in ("ftp://a.example", "https://a:b@c.example/", "https://a b/", ""):
        with pytest.raises(AssentError):
            check_url(wrong)


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
        check_url(url)


def test_a_name_and_password_are_never_sent_nor_told() -> None:
    with pytest.raises(UnsafeAddressError) as refused:
        fetch_bytes("http://user:hunter2@example.org/", own=True)
    assert "hunter2" not in str(refused.value)


def test_an_address_is_told_from_a_file() -> None:
    assert is_url("HTTPS://example.org/a")
    assert not is_url("clip.mp4")
    assert not is_url("file:///etc/passwd")
