"""Asking strangers' servers politely: what robots.txt allows, not often, nothing twice.

    polite = Polite(how=Fetch(), clock=studio.clock, rest=time.sleep)
    answer = polite.get("https://example.org/clip.mp4", sink, newer_than=known)

Every request goes through the guarded door `kit/fetch/`. A host is asked once in two seconds at
most, or as seldom as its robots.txt says; one that answers 429 or 503, or not at all, is left alone
until the time that it names, else longer each time. The same holds wherever a redirect leads.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from io import BytesIO
from typing import BinaryIO
from urllib.parse import urlsplit

from assent.kit.clock import Clock
from assent.kit.errors import FetchError, InputError, RefusedError
from assent.kit.fetch.exchange import Answer, Version
from assent.kit.fetch.fetch import fetch
from assent.kit.fetch.urls import check_url
from assent.kit.fetch.wire import Fetch, Limits
from assent.monitor.watch import robots
from assent.monitor.watch.robots import Robots, parse_robots

__all__ = ["AGENT", "MEDIA", "PAGE", "LeftAloneError", "Polite"]

AGENT = "assent"
"""The name by which robots.txt may speak of this program."""
PAGE = Limits(size=8 << 20, seconds=60.0, silence=15.0, slowest=2_000.0, redirects=5)
"""For feeds, sitemaps and the like."""
MEDIA = Limits(size=2 << 30, seconds=900.0, silence=20.0, slowest=20_000.0, redirects=5)
"""For videos."""
_ROBOTS = Limits(size=robots.LARGEST, seconds=20.0, silence=10.0, redirects=5)
_APART_S = 2.0
_OK, _NOT_CHANGED, _GONE = 200, 304, (404, 410)
_BUSY = (429, 503)
_FORGIVEN = 2  # failures in a row, of one address each perhaps
_FIRST_REST, _LONGEST_REST = timedelta(minutes=1), timedelta(hours=12)
_HOSTS = 2000  # that are remembered
_PORTS = {"http": 80, "https": 443}


class LeftAloneError(FetchError):
    """A host is left alone `until` then: it wasn't asked, so that it can't have failed."""

    advice = "It asked for that, or didn't answer; it is asked again by itself."

    def __init__(self, name: str, until: datetime) -> None:
        super().__init__(f"{name} is left alone until {until:%Y-%m-%d %H:%M} UTC")
        self.until = until


@dataclass(slots=True)
class _Host:
    robots: Robots | None = None
    asked: float = float("-inf")
    rests_until: datetime | None = None
    refusals: int = 0
    wait: float = 0.0


@dataclass(slots=True)
class Polite:
    """Remembers of each host what it asked for; `rest` waits, `ticks` are its seconds."""

    clock: Clock
    how: Fetch = field(default_factory=Fetch)
    rest: Callable[[float], None] = time.sleep
    ticks: Callable[[], float] = time.monotonic
    apart: float = _APART_S
    media: Limits = MEDIA
    _hosts: dict[str, _Host] = field(default_factory=dict)

    def get(
        self,
        url: str,
        sink: BinaryIO,
        *,
        limits: Limits | None = None,
        own: bool = False,
        newer_than: Version | None = None,
    ) -> Answer | None:
        """Fetch `url` into `sink`; None if it is no newer than that version.

        `own` says that the owner named the host as theirs: its robots.txt isn't asked, and it may
        be in a private network. Raises as `fetch`; `RefusedError` where robots.txt forbids it,
        `FetchError` for other answers than the page, and while the host is left alone.
        """
        check_url(url)
        named = _origin(url)
        asked: list[_Host] = []

        def approach(address: str) -> None:
            host = self._host(address)
            self._check_rest(host, address)
            asked.append(host)
            if not (own and _origin(address) == named):
                self._check_robots(host, address)
            self._pace(host)

        try:
            approach(url)
            answer = fetch(
                url, sink, own=own, newer_than=newer_than, how=self.how,
                limits=limits or self.media, following=approach,
            )  # fmt: skip
        except LeftAloneError:
            raise
        except FetchError:
            self._leave_alone(asked[-1])
            raise
        return self._judged(answer, asked[-1])

    def page(
        self, url: str, *, own: bool = False, newer_than: Version | None = None
    ) -> tuple[Answer, bytes] | None:
        """Fetch what is small; None if it is no newer than that version; raises as `get`."""
        sink = BytesIO()
        answer = self.get(url, sink, limits=PAGE, own=own, newer_than=newer_than)
        return None if answer is None else (answer, sink.getvalue())

    def _host(self, url: str) -> _Host:
        if len(self._hosts) > _HOSTS:
            self._hosts.clear()
        return self._hosts.setdefault(_origin(url), _Host())

    def _check_rest(self, host: _Host, url: str) -> None:
        if host.rests_until is not None and self.clock() < host.rests_until:
            raise LeftAloneError(urlsplit(url).hostname or "", host.rests_until)

    def _check_robots(self, host: _Host, url: str) -> None:
        parts = urlsplit(url)
        if host.robots is None:
            host.robots = self._read_robots(f"{parts.scheme}://{parts.netloc}/robots.txt", host)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if not host.robots.allows(path):
            raise RefusedError(
                f"the robots.txt of {parts.hostname} asks programs to leave this address alone",
                advice="Ask the site, or download the file yourself and give the file.",
            )

    def _read_robots(self, url: str, host: _Host) -> Robots:
        """Return a site's rules: none where it has no such page, and nothing where it fails."""
        sink = BytesIO()
        self._pace(host)
        answer = fetch(url, sink, how=self.how, limits=_ROBOTS)
        if answer.status >= 500 or answer.status in _BUSY:
            host.wait = answer.wait
            raise FetchError(f"{urlsplit(url).hostname} doesn't tell what programs may fetch")
        if answer.status != _OK:
            return Robots()
        return parse_robots(sink.getvalue().decode("utf-8", "replace"), agent=AGENT)

    def _pace(self, host: _Host) -> None:
        apart = max(self.apart, host.robots.delay if host.robots else 0.0)
        left = host.asked + apart - self.ticks()
        if left > 0:
            self.rest(left)
        host.asked = self.ticks()

    def _judged(self, answer: Answer, host: _Host) -> Answer | None:
        name = urlsplit(answer.url).hostname or ""
        if answer.status == _NOT_CHANGED:
            return None
        if answer.status in _BUSY:
            host.wait = answer.wait
            self._leave_alone(host)
        if answer.status in _GONE:
            raise InputError(f"{name} has nothing there any more ({answer.status})")
        if answer.status != _OK:
            raise FetchError(f"{name} answers {answer.status}")
        host.refusals = 0
        return answer

    def _leave_alone(self, host: _Host) -> None:
        wait, host.wait = host.wait, 0.0
        host.refusals += 1
        if host.refusals <= _FORGIVEN and not wait:
            return
        rest = _FIRST_REST * 2 ** min(host.refusals - _FORGIVEN, 12)
        rest = max(min(rest, _LONGEST_REST), timedelta(seconds=wait))
        host.rests_until = self.clock() + rest


def _origin(url: str) -> str:
    """Return scheme, host and port of an address, in one spelling."""
    parts = urlsplit(url)
    port = parts.port or _PORTS.get(parts.scheme, 0)
    return f"{parts.scheme}://{parts.hostname}:{port}"
