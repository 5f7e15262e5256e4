"""Asking a source what there is: one function a kind, all with the same shape.

Each gets the source and what it needs to look, and returns the finds together with what the source
shall remember until the next look. An adapter that somebody installs under the entry point
`assent.sources` is a function of the same shape.
"""

import imaplib
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default as modern
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote, urlsplit

from assent.kit.errors import AssentError, FetchError, InputError, NotFoundError
from assent.kit.fetch.exchange import Version
from assent.kit.fetch.urls import is_url
from assent.monitor.watch.finds import Find, in_feed, in_list, in_message, in_sitemap
from assent.monitor.watch.polite import Polite
from assent.monitor.watch.sites import videos_of
from assent.monitor.watch.sources import Source
from assent.verify.many import find_files

__all__ = ["ADAPTERS", "Asked", "Asking", "ask", "readable"]

ADAPTERS = "assent.sources"
"""The entry point group of installed adapters."""
# What libraries raise at strangers' bytes.
_BROKEN = (
    ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError,
)  # fmt: skip
_SITEMAPS = 50  # of one index, in one look
_LETTERS = 200  # of a mail box, in one look
_LARGEST_LETTER = 4 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a source had, and what it shall remember."""

    finds: tuple[Find, ...]
    state: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What asking takes: polite requests, the source's secret, whose certificates count."""

    polite: Polite
    secret: bytes | None = None
    trust: ssl.SSLContext | None = None


Ask = Callable[[Source, Asking], Asked]


def ask(source: Source, asking: Asking) -> Asked:
    """Return what the source has now; raises as its kind does: an `AssentError` that says why."""
    found = _adapter(source.address) if source.kind == "adapter" else _ASK[source.kind]
    with readable(f"what the source {source.name} has"):
        return found(source, asking)


@contextmanager
def readable(what: str) -> Iterator[None]:
    """Tell what a library fails at as what can't be read: one source must not end a round."""
    try:
        yield
    except _BROKEN as error:
        raise InputError(
            f"{what} can't be read ({type(error).__name__})",
            advice="It is asked again by itself; look at it yourself if that goes on.",
        ) from error


def _folder(source: Source, asking: Asking) -> Asked:
    if not Path(source.address).is_dir():
        raise NotFoundError(f"there is no folder {source.address}", advice="Mount it again.")
    found = tuple(Find(address=job.target) for job in find_files([source.address]))
    return Asked(finds=found, state=source.state)


def _feed(source: Source, asking: Asking) -> Asked:
    got, state = _page(source, source.address, asking)
    finds = () if got is None else in_feed(got, url=source.address)
    return Asked(finds=finds, state=state)


def _sitemap(source: Source, asking: Asking) -> Asked:
    got, state = _page(source, source.address, asking)
    if got is None:
        return Asked(finds=(), state=state)
    finds, further = in_sitemap(got, url=source.address)
    problem: AssentError | None = None
    for url in further[:_SITEMAPS]:
        try:
            page = asking.polite.page(url, own=source.owns(url))
            finds += in_sitemap(page[1], url=url)[0] if page else ()
        except AssentError as error:
            problem = error
    if problem is not None and not finds:
        raise problem
    # Maps below an index change without it.
    return Asked(finds=finds, state={} if further else state)


def _list(source: Source, asking: Asking) -> Asked:
    if is_url(source.address):
        got, state = _page(source, source.address, asking)
        finds = () if got is None else in_list(got.decode("utf-8", "replace"))
        return Asked(finds=finds, state=state)
    path = Path(source.address)
    if not path.is_file():
        raise NotFoundError(f"there is no list {path}", advice="Check the path.")
    return Asked(finds=in_list(path.read_text("utf-8", "replace")), state=source.state)


def _webhook(source: Source, asking: Asking) -> Asked:
    # The platform calls: there is nothing to ask.
    return Asked(finds=(), state=source.state)


def _site(source: Source, asking: Asking) -> Asked:
    return Asked(finds=videos_of(source.address, asking.polite, owns=source.owns), state={})


def _page(source: Source, url: str, asking: Asking) -> tuple[bytes | None, dict[str, Any]]:
    """Fetch what is newer than the last look; None if nothing is."""
    known = Version(
        etag=str(source.state.get("etag", "")), modified=str(source.state.get("modified", ""))
    )
    got = asking.polite.page(url, own=source.owns(url), newer_than=known)
    if got is None:
        return None, dict(source.state)
    answer, data = got
    return data, {"etag": answer.version.etag, "modified": answer.version.modified}


def _mail(source: Source, asking: Asking) -> Asked:
    """Read the letters that came since the last look; nothing in the box is changed."""
    last = int(source.state.get("uid", 0))
    finds: list[Find] = []
    with _mail_box(source.address, asking) as box:
        age = box.response("UIDVALIDITY")[1][0]
        valid = age.decode() if isinstance(age, bytes) else ""
        if valid != source.state.get("valid", valid):
            last = 0
        for uid in _newer(box, last)[:_LETTERS]:
            letter = _letter(box, uid)
            # A letter that can't be read must not be in the way of those that came after it.
            with suppress(InputError), readable("a letter"):
                finds += in_message(message_from_bytes(letter, policy=modern))
            last = uid
    kept = {find.address: find for find in finds}
    return Asked(finds=tuple(kept.values()), state={"uid": last, "valid": valid})


@contextmanager
def _mail_box(address: str, asking: Asking) -> Iterator[imaplib.IMAP4_SSL]:
    parts = urlsplit(address)
    if not parts.hostname or not parts.username or asking.secret is None:
        raise InputError("the mail box's address, user or password is missing")
    trust = asking.trust or ssl.create_default_context()
    try:
        box = imaplib.IMAP4_SSL(parts.hostname, parts.port or 993, ssl_context=trust, timeout=30)
        try:
            box.login(unquote(parts.username), asking.secret.decode().strip())
            said, _ = box.select(_quoted(unquote(parts.path.strip("/")) or "INBOX"), readonly=True)
            if said != "OK":
                raise FetchError(f"{parts.hostname} has no such mail box")
            yield box
        finally:
            box.logout()
    except (OSError, imaplib.IMAP4.error) as error:
        # What the server says can hold the user's name.
        raise FetchError(
            f"the mail box at {parts.hostname} can't be read",
            advice="Check its address, user and password.",
        ) from error


def _quoted(name: str) -> str:
    if not name.isprintable():
        raise InputError("the mail box has a name that can't be")
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _newer(box: imaplib.IMAP4_SSL, last: int) -> list[int]:
    _, data = box.uid("SEARCH", "UID", f"{last + 1}:*")
    uids = sorted(int(each) for each in (data[0] or b"").split() if each.isdigit())
    # With nothing newer a server answers with the last one.
    return [uid for uid in uids if uid > last]


def _letter(box: imaplib.IMAP4_SSL, uid: int) -> bytes:
    """Return the beginning of a letter; nothing of one that went meanwhile."""
    _, data = box.uid("FETCH", str(uid), f"(BODY.PEEK[]<0.{_LARGEST_LETTER}>)")
    part = next((each for each in data if isinstance(each, tuple)), (b"", b""))
    return bytes(part[1])


def _adapter(name: str) -> Ask:
    found: Iterable[Any] = entry_points(group=ADAPTERS, name=name)
    for point in found:
        return cast(Ask, point.load())
    raise NotFoundError(
        f"there is no adapter {name!r}",
        advice=f"Install the package that has it under the entry point {ADAPTERS}.",
    )


_ASK: dict[str, Ask] = {
    "folder": _folder,
    "feed": _feed,
    "sitemap": _sitemap,
    "list": _list,
    "mail": _mail,
    "webhook": _webhook,
    "site": _site,
}
