"""Hand a release's files out of the studio: none whose bytes the log doesn't know, and none of a
release that is suspended, revoked or taken down.

for each in files_of(studio, asset_id):
    with open_file(studio, asset_id, each.name) as (file, size): ...
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from assent.disclose.standing import GOOD, state_of
from assent.kit.canonical import parse_object
from assent.kit.errors import NotFoundError, RefusedError, SealError
from assent.kit.hashing import hash_file
from assent.kit.store.studio import Studio
from assent.kit.store.tables import ReleaseRow

__all__ = ["Offered", "check_handed_out", "files_of", "open_file"]

_SEALED = frozenset({".mp4", ".mov", ".mkv", ".jpg", ".png", ".wav"})
_PAPERS = (".tlog-proof", ".c2pa", ".qr.svg", ".qr.png", ".card.html")
"""What goes with a release and holds no picture of anybody."""
_GIVEN = frozenset({GOOD, "corrected"})
"""How a release stands whose files are given: what was corrected is needed to compare."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """A file of a release; `sealed` says that it is film, still or sound, and not a paper."""

    name: str
    size: int
    sealed: bool


def files_of(studio: Studio, asset_id: str) -> tuple[Offered, ...]:
    """Return the files of a release that are handed out; `NotFoundError` if it is none.

    Of one that is suspended, revoked or taken down these are none.
    """
    with studio.database.session() as session:
        row = session.get(ReleaseRow, asset_id)
    if row is None or row.state != "released":
        raise NotFoundError(f"no release {asset_id}", advice="See `assent monitor list`.")
    if state_of(studio, asset_id) not in _GIVEN:
        return ()
    begins = Path(str(row.name)).stem
    folder = studio.releases_folder
    names = [name for name in studio.disk.names(folder) if name.startswith(begins)]
    return tuple(
        Offered(name=name, size=(folder / name).stat().st_size, sealed=not _is_paper(name))
        for name in names
        if _is_paper(name) or Path(name).suffix in _SEALED
    )


def check_handed_out(studio: Studio, asset_id: str) -> None:
    """Raise `RefusedError` for a release that is suspended, revoked or taken down."""
    state = state_of(studio, asset_id)
    if state not in _GIVEN:
        raise RefusedError(
            f"release {asset_id} is {state}: its files are not handed out",
            advice="See its case for why.",
        )


@contextmanager
def open_file(studio: Studio, asset_id: str, name: str) -> Iterator[BinaryIO]:
    """Open a file of a release for reading, from its beginning.

    Raises `RefusedError` if the release doesn't stand, `NotFoundError` if it has none of that name,
    `SealError` if its bytes are not what was sealed for this asset.
    """
    check_handed_out(studio, asset_id)
    known = {each.name: each for each in files_of(studio, asset_id)}
    if name not in known:
        raise NotFoundError("this release has no such file", advice="Load the page again.")
    with (studio.releases_folder / name).open("rb") as file:
        if known[name].sealed and hash_file(file) not in _sealed_hashes(studio, asset_id):
            raise SealError(
                f"{name} is not what was released",
                advice="Restore it from a backup, or remove it and make it again.",
            )
        file.seek(0)
        yield file


def _is_paper(name: str) -> bool:
    return name.endswith(_PAPERS)


def _sealed_hashes(studio: Studio, asset_id: str) -> set[str]:
    """Return the hashes of everything that the log says was sealed for an asset."""
    found = set()
    for _, data in studio.log.reader().entries():
        fields = parse_object(data, name="a log entry")
        if fields.get("kind") == "seal" and fields.get("asset") == asset_id:
            found.add(str(fields["sha256"]))
    return found
