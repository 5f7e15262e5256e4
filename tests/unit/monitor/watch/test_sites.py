"""Platforms' pages: yt-dlp reads them, and only through the guarded, polite door."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime

import pytest
from internet import Internet, Pages
from served import answer, serve
from studios import Scene

from assent.kit.errors import AssentError, InputError
from assent.kit.store.studio import Studio
from assent.monitor.watch.polite import Polite
from assent.monitor.watch.sites import videos_of
from assent.monitor.watch.sources import add_source

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

WATCH = b"""<!doctype html><html><head><title>A clip</title></head>
<body><video src="http://a.example/clip.mp4" controls></video></body></html>"""
A = "http://a.example"


@contextmanager
def site(pages: dict[str, bytes]) -> Iterator[tuple[Pages, Polite]]:
    with ExitStack() as stack:
        told = Pages(pages)
        net = Internet({"a.example": stack.enter_context(serve(told))})
        now = datetime(2026, 11, 20, tzinfo=UTC)
        yield told, Polite(clock=lambda: now, how=net.how(), rest=lambda s: None)


def page(body: bytes) -> bytes:
    return answer(body, "200 OK", "Content-Type: text/html; charset=utf-8")


def test_the_video_of_a_page_is_found_and_nothing_is_downloaded() -> None:
    with site({"/watch": page(WATCH), "/clip.mp4": b"film"}) as (told, polite):
        (find,) = videos_of(f"{A}/watch", polite, owns=lambda url: False)
    assert find.context["media"] == f"{A}/clip.mp4"
    assert told.asked[0] == "/robots.txt"
    assert "/clip.mp4" not in told.asked


@pytest.mark.parametrize(
    "pages",
    [
        {"/robots.txt": b"User-agent: *\nDisallow: /watch", "/watch": page(WATCH)},
        {"/watch": page(b"<html><title>Nothing</title></html>")},
        {"/watch": page(WATCH.replace(b"http://a.example/clip.mp4", b"file:///etc/passwd"))},
        {"/watch": answer(b"", "302 Found", "Location: http://169.254.169.254/latest")},
        {},
    ],
    ids=["forbidden", "without a video", "a file of this machine", "inward", "gone"],
)
def test_what_may_not_or_can_not_be_reached_is_told(pages: dict[str, bytes]) -> None:
    with site(pages) as (told, polite):
        try:
            found = videos_of(f"{A}/watch", polite, owns=lambda url: False)
        except AssentError:
            found = ()
    assert found == ()
    assert set(told.asked) <= {"/robots.txt", "/watch"}


def test_a_site_is_looked_at_where_somebody_says_why_they_may(scene: Scene) -> None:
    studio: Studio = scene.studio
    with pytest.raises(InputError, match="gives the right"):
        add_source(studio, name="tube", kind="site", address=f"{A}/watch")
    made = add_source(
        studio, name="tube", kind="site", address=f"{A}/watch", settings={"permission": "mine"}
    )
    assert made.kind == "site"
