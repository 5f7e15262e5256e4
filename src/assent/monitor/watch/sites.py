"""Platforms' pages by yt-dlp, for who has the right to download there (extra `sites`).

yt-dlp reads the page and says where the video lies; it downloads nothing. All that it asks for goes
through the same guarded, polite door as everything else, and its own ways to the network are shut.
"""

from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
from typing import Any

from assent.kit.errors import FetchError, InputError
from assent.monitor.watch.finds import Find, is_fetchable, views_of
from assent.monitor.watch.polite import Polite
from assent.verify.findings import plain

__all__ = ["videos_of"]

Owns = Callable[[str], bool]

_MOST = 100
_OPTIONS = {
    "quiet": True,
    "no_warnings": True,
    "skip_download": True,
    "cachedir": False,
    "playlistend": _MOST,
    "format": "best[protocol^=http]",
    "ignoreerrors": False,
    "noprogress": True,
    "enable_file_urls": False,
}


def videos_of(url: str, polite: Polite, *, owns: Owns) -> tuple[Find, ...]:
    """Return the videos of a page.

    Raises `InputError` without the extra, `FetchError` if the page holds none that can be reached.
    """
    library = _library()
    guarded = _guarded(library, polite, owns)
    try:
        with guarded(_OPTIONS) as reader:
            told = reader.extract_info(url, download=False)
    except library.utils.YoutubeDLError as error:
        raise FetchError(
            "the site shows no video that can be reached",
            advice="Check the address; some sites can't be read without their own programs.",
        ) from error
    return tuple(_finds(told or {}))


def _library() -> Any:  # noqa: ANN401 - a library without types
    try:
        import yt_dlp
    except ImportError as error:
        raise InputError(
            "reading platforms' pages needs yt-dlp, which isn't installed",
            advice="Install it: pip install 'assent[sites]'.",
        ) from error
    return yt_dlp


def _guarded(library: Any, polite: Polite, owns: Owns) -> Any:  # noqa: ANN401 - a library without types
    """Return yt-dlp's reader with our door in the place of its own."""
    from yt_dlp.networking.common import Request, Response
    from yt_dlp.networking.exceptions import RequestError

    class Guarded(library.YoutubeDL):  # type: ignore[misc]
        def urlopen(self, req: Any) -> Any:  # noqa: ANN401 - its own types
            asked = Request(req) if isinstance(req, str) else req
            if asked.method not in ("GET", "HEAD"):
                raise RequestError("only pages are read")
            got = polite.page(asked.url, own=owns(asked.url))
            if got is None:
                raise RequestError("the page is gone")
            answer, data = got
            headers = {"Content-Type": answer.content_type, "Content-Length": str(len(data))}
            return Response(BytesIO(data), answer.url, headers, answer.status)

    return Guarded


def _finds(told: Mapping[str, Any]) -> Iterator[Find]:
    for entry in list(told.get("entries") or [told])[:_MOST]:
        media = str((entry or {}).get("url") or "")
        page = str(entry.get("webpage_url") or media)
        if not is_fetchable(media) or not is_fetchable(page):
            continue
        context: dict[str, Any] = {"media": media, "page": plain(page)}
        for name, key in (("title", "title"), ("published", "upload_date")):
            if entry.get(key):
                context[name] = plain(str(entry[key]))[:300]
        views = views_of(entry.get("view_count"))
        if views is not None:
            context["views"] = views
        # Addresses of media expire; a page stays.
        yield Find(address=page, context=context)
