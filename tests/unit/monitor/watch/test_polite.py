"""Asking strangers' servers: what robots.txt says holds wherever a redirect leads, and the pace."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from internet import Internet, Pages, moved
from served import answer, serve

from assent.kit.errors import FetchError, InputError, RefusedError
from assent.kit.fetch.exchange import Version
from assent.kit.fetch.wire import Limits
from assent.monitor.watch.polite import LeftAloneError, Polite

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

HIDDEN = b"User-agent: *\nDisallow: /hidden\nCrawl-delay: 7\n"
A, B = "http://a.example", "http://b.example"


@dataclass
class World:
    """Two hosts, and two clocks that a test moves: the time, and seconds that waiting takes."""

    a: Pages
    b: Pages
    polite: Polite
    waits: list[float] = field(default_factory=list)
    now: datetime = datetime(2026, 11, 20, 12, tzinfo=UTC)
    seconds: float = 0.0

    def rest(self, seconds: float) -> None:
        self.waits.append(round(seconds, 3))
        self.seconds += seconds

    def get(self, url: str, *, own: bool = False) -> bytes:
        sink = BytesIO()
        assert self.polite.get(url, sink, own=own) is not None
        return sink.getvalue()


Make = Callable[..., World]


@pytest.fixture
def make() -> Iterator[Make]:
    with ExitStack() as stack:

        def made(a: dict[str, bytes], b: dict[str, bytes] | None = None) -> World:
            pages = Pages(a), Pages(b or {})
            hosts = [stack.enter_context(serve(each)) for each in pages]
            net = Internet(dict(zip(("a.example", "b.example"), hosts, strict=True)))
            limits = Limits(size=1 << 20, seconds=60.0, silence=20.0, redirects=5)
            polite = Polite(
                clock=lambda: world.now, how=net.how(), rest=lambda s: world.rest(s),
                ticks=lambda: world.seconds, media=limits,
            )  # fmt: skip
            world = World(*pages, polite)
            return world

        yield made


def test_a_page_is_fetched_once_robots_txt_allows_it(make: Make) -> None:
    world = make({"/robots.txt": HIDDEN, "/clip": b"film", "/hidden/x": b"no"})
    assert world.get(f"{A}/clip") == b"film"
    with pytest.raises(RefusedError, match=r"robots.txt of a.example"):
        world.get(f"{A}/hidden/x")
    assert world.a.asked == ["/robots.txt", "/clip"]


def test_a_site_without_rules_is_asked_and_one_that_fails_is_not(make: Make) -> None:
    world = make({"/clip": b"film"}, {"/robots.txt": answer(b"", "503 Busy"), "/clip": b"film"})
    assert world.get(f"{A}/clip") == b"film"
    with pytest.raises(FetchError, match="doesn't tell"):
        world.get(f"{B}/clip")
    assert world.b.asked == ["/robots.txt"]


def test_a_redirect_to_another_host_meets_that_hosts_rules(make: Make) -> None:
    world = make(
        {"/clip": moved(f"{B}/hidden/clip"), "/other": moved(f"{B}/open")},
        {"/robots.txt": HIDDEN, "/hidden/clip": b"no", "/open": b"film"},
    )
    with pytest.raises(RefusedError, match=r"robots.txt of b.example"):
        world.get(f"{A}/clip")
    assert world.b.asked == ["/robots.txt"]
    assert world.get(f"{A}/other") == b"film"
    assert world.b.asked == ["/robots.txt", "/open"]


def test_a_redirect_within_a_host_meets_its_rules(make: Make) -> None:
    world = make({"/robots.txt": HIDDEN, "/clip": moved("/hidden/clip"), "/hidden/clip": b"no"})
    with pytest.raises(RefusedError):
        world.get(f"{A}/clip")
    assert world.a.asked == ["/robots.txt", "/clip"]


def test_what_is_ones_own_is_ones_own_up_to_the_redirect(make: Make) -> None:
    world = make(
        {"/robots.txt": HIDDEN, "/hidden/a": moved(f"{B}/hidden/b"), "/hidden/c": b"mine"},
        {"/robots.txt": HIDDEN, "/hidden/b": b"no"},
    )
    assert world.get(f"{A}/hidden/c", own=True) == b"mine"
    with pytest.raises(RefusedError):
        world.get(f"{A}/hidden/a", own=True)
    assert "/robots.txt" not in world.a.asked
    assert world.b.asked == ["/robots.txt"]


def test_each_host_has_its_pace_also_behind_a_redirect(make: Make) -> None:
    world = make(
        {"/x": b"1", "/y": b"2", "/clip": moved(f"{B}/open")},
        {"/robots.txt": HIDDEN, "/open": b"film"},
    )
    world.get(f"{A}/x")
    # After the request for robots.txt.
    assert world.waits == [2.0]
    world.get(f"{A}/y")
    assert world.waits == [2.0, 2.0]
    world.get(f"{A}/clip")
    # Two seconds for the one host; as the other's rules say for its second request.
    assert world.waits == [2.0, 2.0, 2.0, 7.0]
    world.get(f"{B}/open")
    assert world.waits[4:] == [7.0]


def test_who_is_busy_is_left_alone_as_long_as_it_asks(make: Make) -> None:
    busy = answer(b"", "429 Too Many Requests", "Retry-After: 1800")
    world = make({"/clip": moved(f"{B}/clip"), "/x": b"1"}, {"/clip": busy, "/x": b"2"})
    with pytest.raises(FetchError, match=r"b.example answers 429"):
        world.get(f"{A}/clip")
    with pytest.raises(LeftAloneError, match=r"b.example is left alone") as told:
        world.get(f"{B}/x")
    assert told.value.until == world.now + timedelta(seconds=1800)
    # The host that only led there is asked on; what leads there again isn't held against it.
    for _ in range(4):
        with pytest.raises(LeftAloneError):
            world.get(f"{A}/clip")
    assert world.get(f"{A}/x") == b"1"
    assert world.b.asked == ["/robots.txt", "/clip"]
    world.now += timedelta(seconds=1801)
    assert world.get(f"{B}/x") == b"2"


def test_who_fails_is_left_alone_for_longer_each_time(make: Make) -> None:
    broken = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"
    world = make({"/clip": broken, "/good": b"film"})
    rests = []
    for _ in range(6):
        try:
            world.get(f"{A}/clip")
        except LeftAloneError as error:
            rests.append(error.until - world.now)
            world.now = error.until
        except FetchError:
            continue
    assert rests == [timedelta(minutes=2), timedelta(minutes=4)]
    world.now += timedelta(days=1)
    assert world.get(f"{A}/good") == b"film"
    # One that answers again begins anew.
    for _ in range(2):
        with pytest.raises(FetchError, match="breaks off"):
            world.get(f"{A}/clip")
    assert world.get(f"{A}/good") == b"film"


def test_what_is_gone_is_told_and_what_is_known_is_not_sent_again(make: Make) -> None:
    world = make({"/same": answer(b"", "304 Not Modified")})
    with pytest.raises(InputError, match="nothing there any more"):
        world.get(f"{A}/none")
    known = Version(etag='"1"')
    assert world.polite.get(f"{A}/same", BytesIO(), newer_than=known) is None
    assert world.polite.page(f"{A}/same", newer_than=known) is None


def test_the_time_that_a_hosts_pace_takes_is_not_the_requests(make: Make) -> None:
    slow = b"User-agent: *\nCrawl-delay: 50\n"
    world = make(
        {"/clip": moved(f"{B}/1")}, {"/robots.txt": slow, "/1": moved("/2"), "/2": b"film"}
    )
    # With the requests' own clock running as fast as waiting does, a minute would be over.
    ticking = world.polite.how
    world.polite.how = type(ticking)(
        resolve=ticking.resolve, connect=ticking.connect, clock=lambda: world.seconds
    )
    assert world.get(f"{A}/clip") == b"film"
    assert sum(world.waits) > 100
