"""A public corner for tests: a studio's log with seals, and pages that are asked without a network.

    corner = make_corner(tmp_path)
    corner.client.get(f"/assent/r/{VALID}").text

Nothing was filmed: the log's entries are what is under test.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asgi import Client
from starlette.applications import Starlette

from assent.apps.public.checks import Limits
from assent.apps.public.guest import Corner
from assent.apps.public.place import PublicPlace, place_of
from assent.apps.public.server import build, corner_of
from assent.apps.public.source import PUBLIC, RECORDS, Source
from assent.disclose.entry import SealEntry
from assent.kit.canonical import canonical
from assent.kit.signing import sign
from assent.kit.store.studio import Studio, create_studio
from assent.verify.ended import entry_of_end

__all__ = ["CORRECTED", "UNTOLD", "URL", "VALID", "WITHDRAWN", "Told", "make_corner"]

VALID, UNTOLD = "ae458e06b13e8f75", "0123456789abcdef"
WITHDRAWN, CORRECTED = "1111111111111111", "fedcba9876543210"
URL = "https://films.example/assent"
TIME = "2026-11-22T08:00:00Z"
_LOOKS = "ISCC:EMDX4ZUR2JIZITJDLCJNXZJ6RARBST5IUR2QWSI3UBJWWABKDFWUAAI"
"""A Video-Code as releases have it."""
_RECEIPT, _ENDED = "22" * 32, "33" * 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A studio, its public corner, and a client."""

    studio: Studio
    source: Source
    place: PublicPlace
    corner: Corner
    app: Starlette
    client: Client

    def note(self, *entries: dict[str, Any]) -> None:
        """Append entries to the log."""
        self.studio.log.append([canonical(each) for each in entries])


def seal(asset: str, number: int, receipts: tuple[str, ...], media: str = "video") -> bytes:
    """Return the entry of a sealed file."""
    return SealEntry(
        media=media, asset_id=asset, sha256=f"{number:064x}", fingerprint=_LOOKS, frames=9,
        receipts=receipts, time=TIME,
    ).to_bytes()  # fmt: skip


def tell(studio: Studio, of: str, **changes: Any) -> Path:  # noqa: ANN401 - parts of a record
    """Write the published record of a release."""
    folder = studio.folder / PUBLIC / RECORDS
    folder.mkdir(parents=True, exist_ok=True)
    payload = {
        "format": "assent-release-record", "version": 1, "asset": of, "category": "education",
        "label": "AI + MODIFIED", "words": {"en": "A lesson about <faces>.", "de": "Unterricht."},
    }  # fmt: skip
    path = folder / f"{of}.jws"
    path.write_text(
        sign({**payload, **changes}, studio.signing_key, kind="assent-release-record+jwt")
    )
    return path


def make_corner(
    folder: Path,
    *,
    name: str = "Small <Films>",
    url: str = URL,
    limits: Limits | None = None,
    monotonic: Callable[[], float] = time.monotonic,
    checker: Callable[[], dict[str, bytes]] | None = None,
    with_studio: bool = True,
) -> Told:
    """Make a studio whose log has four releases, and its public corner at `url`."""
    studio = create_studio(folder / "studio", name=name, contact="reports@films.example")
    studio.log.append(
        [
            seal(VALID, 1, (_RECEIPT,)),
            seal(UNTOLD, 2, (_RECEIPT,)),
            seal(WITHDRAWN, 3, (_RECEIPT, _ENDED)),
            seal(CORRECTED, 4, (_RECEIPT,)),
            seal(VALID, 5, (_RECEIPT,), media="image"),
            canonical({"kind": "consent.withdrawn", "receipt": _ENDED, "time": TIME}),
            canonical(entry_of_end(CORRECTED, "corrected", time=TIME, successor=VALID)),
        ]
    )
    tell(studio, VALID)
    source = Source(studio.folder, vkey=studio.log_verifier.vkey, monotonic=monotonic)
    place = place_of(url, contact=studio.contact)
    corner = corner_of(
        source, place, limits=limits, studio=studio if with_studio else None,
        in_browser=checker is not None,
    )  # fmt: skip
    app = build(corner, checker=checker)
    return Told(
        studio=studio, source=source, place=place, corner=corner, app=app, client=Client(app)
    )
