"""Publishing: what a studio hands out, written where the public pages read it.

    publish(studio)

Signed records of its releases, a trust bundle, and beside each release its QR code and a card to
print. Done again, only what changed is written. It needs the studio's keys; serving doesn't.
"""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from assent.apps.public.pages import Pages
from assent.apps.public.place import PublicPlace, keep_place, kept_place
from assent.apps.public.source import PUBLIC, RECORDS, Source
from assent.disclose.public_record import sign_record
from assent.kit.disk import replace_file
from assent.kit.errors import InputError
from assent.kit.imaging.qr import qr_png, qr_svg
from assent.kit.signing import peek
from assent.kit.store.studio import Studio
from assent.kit.store.tables import ReleaseRow
from assent.verify.bundle import make_bundle

__all__ = ["BUNDLE", "Published", "publish", "publish_facts"]

BUNDLE = "studio.trust"


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """How many releases are public, how many files were written, and where the pages are."""

    releases: int
    written: int
    place: PublicPlace | None


def publish(studio: Studio, *, place: PublicPlace | None = None) -> Published:
    """Write records, bundle, codes and cards; `place` is kept, or else the one that was is used.

    Without a place there are no codes, since nobody could say where they lead.
    """
    if place is not None:
        keep_place(studio.folder, place, studio.disk)
    place = place or kept_place(studio.folder, studio.disk)
    written = publish_facts(studio)
    released = _released(studio)
    if place is not None:
        pages = Pages(place=place, source=Source(studio.folder, vkey=studio.log_verifier.vkey))
        written += sum(_write_codes(studio, pages, asset, name) for asset, name in released)
    return Published(releases=len(released), written=written, place=place)


def publish_facts(studio: Studio) -> int:
    """Write records and bundle, of which the pages tell; return how many files were written."""
    folder = studio.folder / PUBLIC
    for each in (folder, folder / RECORDS):
        studio.disk.make_folder(each)
        studio.disk.share_folder(each)
    written = sum(
        _write(studio, folder / RECORDS / f"{asset}.jws", sign_record(studio, asset).encode())
        for asset, _ in _released(studio)
    )
    return written + _write_bundle(studio, folder / BUNDLE)


def _released(studio: Studio) -> list[tuple[str, str]]:
    """Return asset id and file name of every release, oldest first."""
    with studio.database.session() as session:
        rows = session.scalars(
            select(ReleaseRow)
            .where(ReleaseRow.state == "released")
            .order_by(ReleaseRow.created, ReleaseRow.asset_id)
        ).all()
        return [(row.asset_id, str(row.name)) for row in rows]


def _write_bundle(studio: Studio, path: Path) -> int:
    """Write the trust bundle unless the one that lies there is of this very state."""
    old = studio.disk.read(path)
    try:
        known = peek(old.decode("ascii").strip()).get("checkpoint") if old else None
    except (InputError, UnicodeDecodeError, ValueError):
        known = None
    if known == studio.log.reader().checkpoint:
        return 0
    text = make_bundle(
        studio.log_folder, studio.log_verifier, studio.signing_key, now=studio.clock()
    )
    return _write(studio, path, text.encode())


def _write_codes(studio: Studio, pages: Pages, asset: str, name: str) -> int:
    film = studio.releases_folder / name
    if not film.is_file():
        # Taken down: nothing is put beside what isn't there.
        return 0
    address = pages.place.record(asset)
    return sum(
        _write(studio, film.with_suffix(ending), data)
        for ending, data in (
            (".qr.svg", qr_svg(address)),
            (".qr.png", qr_png(address)),
            (".card.html", pages.loose_card(pages.place.language, asset)),
        )
    )


def _write(studio: Studio, path: Path, data: bytes) -> int:
    if studio.disk.read(path) == data:
        return 0
    replace_file(studio.disk, path, data)
    studio.disk.share(path)
    return 1
