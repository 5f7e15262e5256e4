"""The public pages as bytes: the same ones whether they are served or written into a folder.

    pages = Pages(place, source)
    pages.record("en", "00" * 8)

A page depends on its language and on what is published, and on nothing that a visitor sends.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from assent.apps.public.place import PublicPlace
from assent.apps.public.source import Release, Source
from assent.apps.public.words import LANGUAGES, Words, words_in
from assent.consent.notice import wording
from assent.kit.errors import NotFoundError
from assent.kit.imaging.qr import qr_svg
from assent.purpose.brief import Category

__all__ = ["STATIC", "Pages", "answer_facts", "etag", "static_file", "version_of"]

STATIC: Mapping[str, str] = {
    "page.css": "text/css; charset=utf-8",
    "icon.svg": "image/svg+xml",
    "find.js": "text/javascript; charset=utf-8",
    "send.js": "text/javascript; charset=utf-8",
    "report.js": "text/javascript; charset=utf-8",
    "sha256.js": "text/javascript; charset=utf-8",
}
"""What the pages need, with its type."""
_KINDS = frozenset(each.value for each in Category)
_MEDIA = frozenset({"video", "image", "audio"})


def static_file(name: str) -> bytes:
    """Return one of `STATIC`; the style is that of results, and what these pages have besides."""
    if name == "sha256.js":
        # The same as that of the page that checks in one's own browser.
        return (resources.files("assent.verify.page") / "static" / name).read_bytes()
    own = (resources.files("assent.apps.public") / "static" / name).read_bytes()
    if name != "page.css":
        return own
    return (resources.files("assent.verify.page") / "style.css").read_bytes() + own


@cache
def version_of(name: str) -> str:
    """Return what names the bytes of one of `STATIC`."""
    return hashlib.sha256(static_file(name)).hexdigest()[:16]


def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("assent.apps.public"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """Renders pages.

    Attributes:
        place: where they are.
        source: what they are about.
        largest: bytes of a file that may be sent to be verified; 0 where none may, as in a folder.
        in_browser: whether the page that checks in one's own browser is there.
        reports: whether there is a form for reports; else the contact is shown.
    """

    place: PublicPlace
    source: Source
    largest: int = 0
    in_browser: bool = False
    reports: bool = False
    templates: Environment = field(default_factory=_environment)

    def show(self, template: str, language: str, path: str, **values: object) -> bytes:
        """Return a page; `path` is its own without language, for the links to the others."""
        words = words_in(language)
        base = self.place.base
        text = self.templates.get_template(template).render(
            t=words,
            language=language,
            languages=[(each, wording(each).name) for each in LANGUAGES],
            base=base,
            here=f"{base}/{language}",
            path=path,
            place=self.place,
            studio=self.source.now().log.studio,
            pages=self,
            asset=lambda name: f"{base}/static/{name}?v={version_of(name)}",
            day=lambda stamp: _day(words, stamp),
            **values,
        )
        return text.encode()

    def home(self, language: str) -> bytes:
        """Return the first page."""
        return self.show("home.html", language, "/")

    def verify(self, language: str) -> bytes:
        """Return the page where a file can be verified."""
        return self.show("verify.html", language, "/verify/")

    def report(self, language: str) -> bytes:
        """Return how to report a concern where no form is served."""
        return self.show("contact.html", language, "/report/")

    def log(self, language: str) -> bytes:
        """Return what the log is, and how to check it."""
        state = self.source.now()
        lists = sorted(state.log.status_lists)
        return self.show("log.html", language, "/log/", state=state.reader.state, log=state.log,
                         lists=lists)  # fmt: skip

    def record(self, language: str, asset_id: str) -> bytes:
        """Return a release's record; `NotFoundError` if the log knows none."""
        found = self._release(asset_id)
        return self.show(
            "record.html", language, f"/r/{asset_id}/", r=found, kind=_kind(found),
            words=_words(found, language), media=_MEDIA,
            log=self.source.now().log, size=self.source.now().reader.size,
            qr=self.drawn(asset_id),
        )  # fmt: skip

    def card(self, language: str, asset_id: str) -> bytes:
        """Return a release's card, to be printed; raises as `record`."""
        found = self._release(asset_id)
        return self.show(
            "card.html", language, f"/r/{asset_id}/card/", r=found, kind=_kind(found),
            words=_words(found, language), qr=self.drawn(asset_id),
            address=self.place.record(asset_id),
        )  # fmt: skip

    def loose_card(self, language: str, asset_id: str) -> bytes:
        """Return the card as one file that fetches nothing, to lie beside the release."""
        found = self._release(asset_id)
        return self.show(
            "loose_card.html", language, "", r=found, kind=_kind(found),
            words=_words(found, language), qr=self.drawn(asset_id),
            address=self.place.record(asset_id),
            style=Markup(static_file("page.css").decode()),  # noqa: S704 - the package's own
        )  # fmt: skip

    def missing(self, language: str, *, asset: bool = False, gone: bool = False) -> bytes:
        """Return that there is no such page; or no such release; or no longer such an answer."""
        return self.show("missing.html", language, "/", release=asset, gone=gone)

    def json(self, asset_id: str) -> bytes:
        """Return a release's record for programs; raises as `record`."""
        found, state = self._release(asset_id), self.source.now()
        told = found.told
        return (json.dumps(
            {
                "format": "assent-public-record",
                "version": 1,
                "asset_id": asset_id,
                "studio": state.log.studio,
                "studio_id": state.log.studio_id,
                "state": found.state,
                "since": found.since,
                "successor": found.ended.successor if found.ended else None,
                "category": told.category if told else None,
                "label": told.label if told else None,
                "purpose": dict(told.words) if told else {},
                "seals": [
                    {
                        "media": seal.entry.media,
                        "sha256": seal.entry.sha256,
                        "fingerprint": seal.entry.fingerprint,
                        "time": seal.entry.time,
                        "index": seal.index,
                        "proof": f"{self.place.url}/r/{asset_id}/{seal.index}.tlog-proof",
                    }
                    for seal in found.seals
                ],
                "log": {"origin": state.log.origin, "size": state.reader.size,
                        "vkey": state.log.vkey},
                "page": self.place.record(asset_id),
            },
            ensure_ascii=False, indent=1,
        ) + "\n").encode()  # fmt: skip

    def proof(self, asset_id: str, index: int) -> bytes:
        """Return the log's proof of one of a release's seals; raises as `record`."""
        if index not in {seal.index for seal in self._release(asset_id).seals}:
            raise NotFoundError("this release has no such entry")
        return self.source.now().proof(index).encode()

    def drawn(self, asset_id: str) -> Markup:
        """Return a release's QR code as a drawing."""
        return Markup(qr_svg(self.place.record(asset_id)).decode())  # noqa: S704 - numbers only

    def _release(self, asset_id: str) -> Release:
        found = self.source.now().release(asset_id)
        if found is None:
            raise NotFoundError("the log knows no such release")
        return found


def _kind(found: Release) -> str:
    """Return by which words the kind of work is told."""
    if found.told is None or found.told.category not in _KINDS:
        return "unknown"
    return found.told.category.replace("-", "_")


def _words(found: Release, language: str) -> tuple[str, str] | None:
    """Return what the studio says it is for, and in which language; the reader's if there is."""
    told = dict(found.told.words) if found.told else {}
    for each in (language, LANGUAGES[0], *told):
        if each in told:
            return told[each], each
    return None


def _day(words: Words, stamp: str) -> str:
    """Return the day of a time in RFC 3339 as people write it; another text as it is."""
    try:
        return words.day(datetime.fromisoformat(stamp).date())
    except ValueError:
        return stamp[:40]


def etag(body: bytes) -> str:
    """Return what names these bytes."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def answer_facts(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the page of a result shows besides the document itself."""
    return {"r": document, "key": str(document["verdict"]).replace("-", "_")}
