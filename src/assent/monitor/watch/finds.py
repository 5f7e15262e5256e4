"""What a source names: addresses of videos, read from feeds, sitemaps, lists and messages.

Everything here is a stranger's bytes: XML is read without entities, numbers of addresses and
lengths of titles are bounded, and only http and https addresses are taken.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any
from urllib.parse import urljoin
from xml.etree.ElementTree import Element, ParseError

import feedparser
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from assent.kit.errors import AssentError, InputError
from assent.kit.fetch.urls import check_url, is_url
from assent.verify.findings import plain

__all__ = [
    "MOST",
    "Find",
    "in_feed",
    "in_list",
    "in_message",
    "in_sitemap",
    "is_fetchable",
    "views_of",
]

MOST = 5000
"""Addresses that are taken from one feed, map or list."""
_LONGEST = 2000
_MOST_DIGITS = 13
_ADDRESS = re.compile(r"https?://[^\s<>\"'\\]{3,2000}")
_VIDEO = re.compile(r"\.(mp4|m4v|mov|mkv|webm|avi|ts|jpe?g|png|mp3|m4a|wav|ogg|opus)(\?|$)", re.I)
_TEXT = 1 << 20  # characters of a message that are read


@dataclass(frozen=True, slots=True, kw_only=True)
class Find:
    """An address of something to look at, and what its source says about it.

    `context` has title, page, published and views, each only if told.
    """

    address: str
    context: Mapping[str, Any] = field(default_factory=dict)


def in_feed(data: bytes, *, url: str) -> tuple[Find, ...]:
    """Return what an RSS or Atom feed links to as media; raises `InputError` if it is none."""
    # Bytes, never an address: the library would fetch that itself.
    parsed = feedparser.parse(data, sanitize_html=False, resolve_relative_uris=False)
    if not parsed.entries and not parsed.get("version"):
        raise InputError(
            "the address holds no feed", advice="Give the address of an RSS or Atom feed."
        )
    return _bounded(_of_entries(parsed.entries, url))


def _of_entries(entries: Any, url: str) -> Iterator[Find]:  # noqa: ANN401 - feedparser's own
    for entry in entries[:MOST]:
        context = _context(
            title=entry.get("title"),
            page=entry.get("link"),
            published=entry.get("published") or entry.get("updated"),
            views=(entry.get("media_statistics") or {}).get("views"),
        )
        media = [each.get("href") for each in entry.get("enclosures", [])]
        media += [each.get("url") for each in entry.get("media_content", [])]
        if not any(media):
            link = str(entry.get("link") or "")
            media = [link] if _VIDEO.search(link) else []
        for address in dict.fromkeys(filter(None, media)):
            yield Find(address=_joined(url, str(address)), context=context)


def in_sitemap(data: bytes, *, url: str) -> tuple[tuple[Find, ...], tuple[str, ...]]:
    """Return the media that a sitemap names, and the further sitemaps of an index.

    Raises `InputError` if it is none, or makes use of entities.
    """
    try:
        root = fromstring(data, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise InputError("the address holds no sitemap that can be read") from error
    kind = _name(root)
    if kind == "sitemapindex":
        further = [_text(each, "loc") for each in root if _name(each) == "sitemap"]
        joined = (_joined(url, each) for each in further[:MOST] if each)
        return (), tuple(each for each in joined if each)
    if kind != "urlset":
        raise InputError("the address holds no sitemap")
    return _bounded(_of_urls(root, url)), ()


def _of_urls(root: Element, url: str) -> Iterator[Find]:
    for entry in root:
        page = _text(entry, "loc")
        videos = [each for each in entry if _name(each) == "video"]
        for video in videos:
            address = _text(video, "content_loc")
            if address:
                context = _context(
                    title=_text(video, "title"),
                    page=page,
                    published=_text(video, "publication_date"),
                    views=_text(video, "view_count"),
                )
                yield Find(address=_joined(url, address), context=context)
        if not videos and _VIDEO.search(page):
            published = _text(entry, "lastmod")
            yield Find(address=_joined(url, page), context=_context(published=published))


def in_list(text: str) -> tuple[Find, ...]:
    """Return the addresses of a list, one a line; lines that begin with # are remarks."""
    lines = (line.strip() for line in text.splitlines())
    return _bounded(Find(address=line) for line in lines if line and not line.startswith("#"))


def in_message(message: EmailMessage) -> tuple[Find, ...]:
    """Return the addresses that an e-mail's text names."""
    found = []
    for part in message.walk():
        if part.get_content_maintype() != "text" or part.is_attachment():
            continue
        try:
            text = str(part.get_content())[:_TEXT]
        except (LookupError, ValueError):
            continue
        found += _ADDRESS.findall(text)
    context = _context(published=message.get("Date"))
    addresses = dict.fromkeys(each.rstrip(").,;:!?]") for each in found)
    return _bounded(Find(address=each, context=context) for each in addresses)


def is_fetchable(address: str) -> bool:
    """Tell whether an address is short enough, on the web, and one that can be read."""
    if not is_url(address) or len(address) > _LONGEST:
        return False
    try:
        check_url(address)
    except AssentError:
        return False
    return True


def views_of(told: object) -> int | None:
    """Return how often a place says that something was looked at; None if that is no such number.

    >>> views_of("12"), views_of(10**30), views_of(True)
    (12, None, None)
    """
    digits = "" if isinstance(told, bool) or not isinstance(told, (int, str)) else _digits(told)
    return int(digits) if digits.isdecimal() and len(digits) < _MOST_DIGITS else None


def _digits(told: int | str) -> str:
    return told if isinstance(told, str) else str(told) if abs(told) < 10**_MOST_DIGITS else ""


def _joined(base: str, address: str) -> str:
    """Return an address as it is meant beside `base`; nothing for one that can't be read."""
    try:
        return urljoin(base, address)
    except ValueError:
        return ""


def _bounded(finds: Iterator[Find]) -> tuple[Find, ...]:
    """Return at most `MOST`, each address once, and only those on the web."""
    kept: dict[str, Find] = {}
    for find in finds:
        if is_fetchable(find.address):
            kept.setdefault(find.address, find)
        if len(kept) == MOST:
            break
    return tuple(kept.values())


def _context(**told: object) -> dict[str, Any]:
    context: dict[str, Any] = {}
    for name, value in told.items():
        if name == "views":
            views = views_of(value)
            if views is not None:
                context[name] = views
        elif value:
            context[name] = plain(str(value))[:300]
    return context


def _name(element: Element) -> str:
    return str(element.tag).rsplit("}", 1)[-1]


def _text(element: Element, name: str) -> str:
    found = next((each for each in element if _name(each) == name), None)
    return (found.text or "").strip() if found is not None else ""
