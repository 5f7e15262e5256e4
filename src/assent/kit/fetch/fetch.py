"""Ask an address that may be a stranger's, guarded on every step.

    answer = fetch("https://example.org/clip.mp4", sink, limits=Limits(size=2 << 30))

A URL from elsewhere can point into one's own network, lead there by a redirect or a name that
changes its address, send without end, or send a byte a minute. So: http and https only; a name is
resolved once, every address it has must be public, and the connection goes to that very address;
each redirect is checked anew; size, time and silence are bounded; certificates are always checked.
No cookies, no credentials, no proxy of the environment.

What the owner named as their own (`own=True`) may lie in a private network and on any port; a
redirect away from that host and port is a stranger's again.
"""

from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from typing import BinaryIO

from assent.kit.errors import FetchError
from assent.kit.fetch.exchange import Answer, Asked, Post, Version, exchange
from assent.kit.fetch.urls import name_of, origin_of, redirected, split_url
from assent.kit.fetch.wire import Fetch, Limits, connect

__all__ = ["fetch", "fetch_bytes"]


def fetch(
    url: str,
    sink: BinaryIO,
    *,
    post: Post | None = None,
    own: bool = False,
    accept: str = "*/*",
    newer_than: Version | None = None,
    how: Fetch | None = None,
    limits: Limits | None = None,
    following: Callable[[str], None] = lambda url: None,
) -> Answer:
    """Ask `url`, write the body into `sink` and return the answer, whatever its status is.

    `own` says that the owner named this address themselves. What is posted follows no redirect.
    What isn't `newer_than` that version is answered by 304 without a body. `following` is called
    with each address that a redirect leads to, before it is asked; its time isn't the request's.

    Raises `InputError` if the URL is none, `UnsafeAddressError` if it leads where a stranger's may
    not, `FetchError` if nothing, too much, or nothing useful came in time.
    """
    how = how or Fetch()
    if limits is not None:
        how = replace(how, limits=limits)
    ends = how.clock() + how.limits.seconds
    named = origin_of(split_url(url))
    for _ in range(how.limits.redirects + 1):
        parts = split_url(url)
        asked = Asked(parts=parts, post=post, accept=accept, newer_than=newer_than or Version())
        with connect(parts, own=own and origin_of(parts) == named, how=how, ends=ends) as wire:
            answer = exchange(asked, wire, sink, most=how.limits.size)
        if not isinstance(answer, str):
            return answer
        url = redirected(url, answer, posted=post is not None)
        waited = how.clock()
        following(url)
        ends += how.clock() - waited
    raise FetchError(f"{name_of(split_url(url))} redirects again and again")


def fetch_bytes(
    url: str,
    *,
    post: Post | None = None,
    own: bool = False,
    accept: str = "*/*",
    newer_than: Version | None = None,
    how: Fetch | None = None,
    limits: Limits | None = None,
) -> tuple[Answer, bytes]:
    """Ask `url` and return the answer and its body, for what is small; raises as `fetch`."""
    sink = BytesIO()
    answer = fetch(
        url, sink, post=post, own=own, accept=accept, newer_than=newer_than, how=how, limits=limits
    )
    return answer, sink.getvalue()
