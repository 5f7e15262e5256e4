from email.message import EmailMessage

import pytest

from assent.kit.errors import InputError
from assent.monitor.watch.finds import MOST, in_feed, in_list, in_message, in_sitemap, views_of

URL = "https://videos.example.org/feed"
RSS = b"""<rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/"><channel>
<item><title>One</title><link>https://videos.example.org/1</link><enclosure url="/a.mp4"/></item>
<item><title>Two \x1b[31m</title><media:content url="https://cdn.example.org/b.mp4"/></item>
<item><title>Page</title><link>https://videos.example.org/page</link></item>
<item><title>Local</title><enclosure url="file:///etc/passwd"/></item></channel></rss>"""


def test_a_feed_names_its_media() -> None:
    found = in_feed(RSS, url=URL)
    assert [each.address for each in found] == [
        "https://videos.example.org/a.mp4",
        "https://cdn.example.org/b.mp4",
    ]
    assert found[0].context == {"title": "One", "page": "https://videos.example.org/1"}
    assert all(each.context["title"].isprintable() for each in found)


def test_an_atom_feed_names_its_enclosures() -> None:
    atom = b"""<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>A</title>
    <link rel="enclosure" href="https://e.example.org/a.mp4"/></entry></feed>"""
    assert [each.address for each in in_feed(atom, url=URL)] == ["https://e.example.org/a.mp4"]


@pytest.mark.parametrize("data", [b"", b"<html></html>", b"\xff\xfe"])
def test_what_is_no_feed_is_told(data: bytes) -> None:
    with pytest.raises(InputError):
        in_feed(data, url=URL)


def test_entities_of_a_feed_are_not_followed() -> None:
    bomb = (
        b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/hostname">]><rss version="2.0"><channel>'
        b"<item><title>&x;</title><enclosure url='/a.mp4'/></item></channel></rss>"
    )
    (found,) = in_feed(bomb, url=URL)
    assert found.context == {"title": "&x;"}


def test_a_sitemap_names_videos_and_further_maps() -> None:
    text = b"""<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"
    xmlns:video="http://www.google.com/schemas/sitemap-video/1.1"><url>
    <loc>https://s.example.org/p</loc><video:video><video:title>T</video:title>
    <video:content_loc>/v.mp4</video:content_loc><video:view_count>12</video:view_count>
    </video:video></url><url><loc>https://s.example.org/w.webm</loc></url>
    <url><loc>https://s.example.org/text</loc></url></urlset>"""
    found, further = in_sitemap(text, url="https://s.example.org/map")
    assert [each.address for each in found] == [
        "https://s.example.org/v.mp4", "https://s.example.org/w.webm",
    ]  # fmt: skip
    assert found[0].context["views"] == 12
    assert further == ()
    index = b"<sitemapindex><sitemap><loc>/more.xml</loc></sitemap></sitemapindex>"
    assert in_sitemap(index, url="https://s.example.org/m")[1] == (
        "https://s.example.org/more.xml",
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html/>",
        b'<!DOCTYPE u [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><urlset>&b;</urlset>',
    ],
)
def test_what_is_no_sitemap_is_told(data: bytes) -> None:
    with pytest.raises(InputError):
        in_sitemap(data, url=URL)


def test_a_list_takes_the_web_alone_and_only_so_much() -> None:
    text = "# ours\nhttps://a.example.org/1.mp4\n/etc/passwd\nftp://x\nhttps://a.example.org/1.mp4"
    assert [each.address for each in in_list(text)] == ["https://a.example.org/1.mp4"]
    long = "\n".join(f"https://a.example.org/{number}" for number in range(MOST + 50))
    assert len(in_list(long)) == MOST


def test_a_letter_names_addresses_in_its_text() -> None:
    letter = EmailMessage()
    letter.set_content("Look: https://v.example.org/1.mp4, and <https://v.example.org/2>.")
    letter.add_attachment(b"https://no.example.org/3", maintype="application", subtype="x")
    assert [each.address for each in in_message(letter)] == [
        "https://v.example.org/1.mp4", "https://v.example.org/2",
    ]  # fmt: skip


BROKEN = "http://[x/clip.mp4"


def test_addresses_that_can_not_be_read_are_passed_over() -> None:
    feed = f'''<rss version="2.0"><channel><item><enclosure url="{BROKEN}"/></item>
    <item><enclosure url="https://a.example/b.mp4"/></item></channel></rss>'''.encode()
    maps = f"<sitemapindex><sitemap><loc>{BROKEN}</loc></sitemap></sitemapindex>".encode()
    pages = f"<urlset><url><loc>{BROKEN}</loc></url></urlset>".encode()
    assert [each.address for each in in_feed(feed, url=URL)] == ["https://a.example/b.mp4"]
    assert in_sitemap(maps, url=URL) == ((), ())
    assert in_sitemap(pages, url=URL) == ((), ())
    assert in_list(f"{BROKEN}\nhttps://a.example/b.mp4") == in_list("https://a.example/b.mp4")
    letter = EmailMessage()
    letter.set_content(f"look: {BROKEN} and https://a.example/b.mp4")
    assert [each.address for each in in_message(letter)] == ["https://a.example/b.mp4"]


@pytest.mark.parametrize("told", [10**400, 10**13, -1, True, 1.5, None, "", "9" * 40])
def test_views_that_no_table_takes_are_none(told: object) -> None:
    assert views_of(told) is None
    assert (views_of(7), views_of("12")) == (7, 12)
