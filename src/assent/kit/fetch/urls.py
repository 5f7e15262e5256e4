"""Addresses on the network as text: which may be asked at all, and where a redirect leads.

>>> is_url("https://example.org/clip.mp4"), is_url("clip.mp4")
(True, False)

Http and https only, and no names or passwords. Messages name scheme and host only: paths of some
services hold keys.
"""

from urllib.parse import SplitResult, urljoin, urlsplit

from assent.kit.errors import FetchError, InputError, UnsafeAddressError

__all__ = ["PORTS", "check_url", "is_url", "name_of", "origin_of", "redirected", "split_url"]

PORTS = {"http": 80, "https": 443}
"""What may be spoken, and the port that goes with it."""
_LONGEST = 4096


def is_url(text: str) -> bool:
    """Tell whether `text` is meant as an address on the network rather than a file."""
    return text.lower().startswith(("http://", "https://"))


def check_url(url: str) -> None:
    """Raise `InputError` or `UnsafeAddressError` unless `url` is an address that may be asked.

    Where its name leads is looked at each time that it is asked.
    """
    split_url(url)


def split_url(url: str) -> SplitResult:
    """Take a URL apart; raises as `check_url`."""
    if len(url) > _LONGEST or not url.isascii() or not url.isprintable() or " " in url:
        raise InputError("the address holds characters that none may", advice="Copy it again.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InputError("the address can't be read", advice="Copy it again.") from error
    if parts.scheme not in PORTS or not parts.hostname or port == 0:
        raise InputError(
            "only addresses that begin with http:// or https:// are fetched",
            advice="Give the full address.",
        )
    if parts.username is not None or parts.password is not None:
        raise UnsafeAddressError(
            f"the address of {parts.hostname} holds a name or password",
            advice="Give the address without them: nothing is sent that proves who you are.",
        )
    return parts


def origin_of(parts: SplitResult) -> tuple[str, str, int]:
    """Return scheme, host and port."""
    return parts.scheme, parts.hostname or "", parts.port or PORTS[parts.scheme]


def name_of(parts: SplitResult) -> str:
    """Return what messages call a place."""
    return f"{parts.scheme}://{parts.hostname}"


def redirected(url: str, target: str, *, posted: bool) -> str:
    """Return where a redirect of `url` leads; raises as `check_url`.

    Raises `FetchError` if something was `posted`, and `UnsafeAddressError` if it leads from an
    encrypted address to one that isn't.
    """
    before, after = split_url(url), split_url(urljoin(url, target))
    if posted:
        raise FetchError(f"{name_of(before)} redirects what is sent to it, which isn't followed")
    if before.scheme == "https" and after.scheme != "https":
        raise UnsafeAddressError(f"{name_of(before)} redirects to an address that isn't encrypted")
    return urljoin(url, target)
