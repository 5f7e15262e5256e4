"""The handlers of what is only shown: pages, records, codes, files of the pages themselves."""

from starlette.responses import Response

from assent.apps.public.guest import FOREVER, FRESH, Guest
from assent.apps.public.pages import STATIC, static_file, version_of
from assent.kit.errors import NotFoundError
from assent.kit.imaging.qr import qr_png, qr_svg

__all__ = [
    "card_page", "code", "contact_page", "find", "home_page", "log_page", "proof", "record_json",
    "record_page", "static", "verify_page",
]  # fmt: skip

_CODES = {"svg": ("image/svg+xml", qr_svg), "png": ("image/png", qr_png)}


def home_page(guest: Guest) -> Response:
    """Show the first page."""
    return guest.page(guest.corner.pages.home(guest.language))


def verify_page(guest: Guest) -> Response:
    """Show where a file can be verified."""
    return guest.page(guest.corner.pages.verify(guest.language))


def contact_page(guest: Guest) -> Response:
    """Show whom to write to."""
    return guest.page(guest.corner.pages.report(guest.language))


def log_page(guest: Guest) -> Response:
    """Show what the log is."""
    return guest.page(guest.corner.pages.log(guest.language))


def record_page(guest: Guest) -> Response:
    """Show a release's record."""
    return guest.page(guest.corner.pages.record(guest.language, guest.path("asset")))


def card_page(guest: Guest) -> Response:
    """Show a release's card."""
    return guest.page(guest.corner.pages.card(guest.language, guest.path("asset")))


def record_json(guest: Guest) -> Response:
    """Send a release's record to a program."""
    return _shared(
        guest.send(guest.corner.pages.json(guest.path("asset")), "application/json", cache=FRESH)
    )


def proof(guest: Guest) -> Response:
    """Send the proof that the log holds a seal."""
    body = guest.corner.pages.proof(guest.path("asset"), int(guest.path("index")))
    return _shared(guest.send(body, "text/plain; charset=utf-8"))


def code(guest: Guest) -> Response:
    """Send a release's QR code."""
    asset, pages = guest.path("asset"), guest.corner.pages
    if pages.source.now().release(asset) is None:
        raise NotFoundError("the log knows no such release")
    kind, draw = _CODES[guest.path("form")]
    return guest.send(draw(pages.place.record(asset)), kind)


def find(guest: Guest) -> Response:
    """Lead from what was typed to a record."""
    found = guest.corner.pages.source.now().find(guest.query("id"))
    if found is None:
        raise NotFoundError("the log knows no such release")
    return guest.see(f"/r/{found}/")


def static(guest: Guest) -> Response:
    """Send a file that the pages need."""
    name = guest.path("name")
    if name not in STATIC:
        raise NotFoundError("there is no such file")
    # Under the hash of what it is now, and no other: nobody can have a cache keep it for what is
    # to come.
    cache = FOREVER if guest.query("v") == version_of(name) else FRESH
    return guest.send(static_file(name), STATIC[name], cache=cache)


def _shared(response: Response) -> Response:
    """Let other sites' pages read what is public data."""
    if response.headers.get("Access-Control-Allow-Origin") is None:
        response.headers["Access-Control-Allow-Origin"] = "*"
    return response
