"""The codes of the studio's releases: taken from the released files, kept, and put into an index.

The database keeps them; an index can be made anew from it at any time. The embedded one lies in the
studio's folder `index/`; a studio that has named a PostgreSQL database uses that.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from sqlalchemy import select

from assent.kit.clock import stamp
from assent.kit.disk import replace_file
from assent.kit.errors import IntegrityError, MediaError
from assent.kit.fingerprint.clustered import ClusteredIndex, Of
from assent.kit.fingerprint.embedded import EmbeddedIndex
from assent.kit.fingerprint.index import CodeIndex
from assent.kit.fingerprint.taking import take
from assent.kit.fingerprint.track import Track
from assent.kit.progress import Progress, nothing
from assent.kit.store.studio import Studio
from assent.kit.store.tables import ReleaseRow
from assent.kit.store.watch_tables import CodesRow

__all__ = ["DATABASE", "Indexes", "open_indexes", "take_missing"]

DATABASE = "codes.database"
"""The secret that holds the address of a PostgreSQL database with pgvector."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexes:
    """Where codes of pictures and of sound are looked up."""

    pictures: CodeIndex
    sound: CodeIndex


def take_missing(studio: Studio, *, progress: Progress = nothing) -> int:
    """Take and keep the codes of the releases that have none yet; return how many.

    A release whose file is no longer there, or can't be read, is passed over.
    """
    with studio.database.session() as session:
        known = set(session.scalars(select(CodesRow.asset_id)))
        rows = session.scalars(select(ReleaseRow).where(ReleaseRow.state == "released")).all()
    missing = [row for row in rows if row.asset_id not in known]
    taken = 0
    for number, row in enumerate(missing, start=1):
        progress("fingerprinting releases", number, len(missing))
        taken += _take(studio, row.asset_id, studio.releases_folder / str(row.name))
    return taken


def _take(studio: Studio, asset_id: str, path: Path) -> bool:
    try:
        taken = take(path, name=path.name, keep=True)
    except (MediaError, OSError):
        return False
    pictures, sound = taken.track.to_bytes(), taken.sound.to_bytes()
    row = CodesRow(
        asset_id=asset_id,
        pictures=pictures,
        sound=sound,
        digest=sha256(pictures + sound).hexdigest(),
        seconds=taken.seconds,
        created=stamp(studio.clock()),
    )
    with studio.database.session() as session:
        session.merge(row)
    return True


@contextmanager
def open_indexes(studio: Studio) -> Iterator[Indexes]:
    """Yield the indexes, brought up to date with what the database keeps."""
    if DATABASE in studio.secrets.names():
        url = studio.secrets.get(DATABASE).decode()
        with (
            ClusteredIndex.open(url) as pictures,
            ClusteredIndex.open(url, of="sound") as sound,
        ):
            _fill(studio, pictures, "pictures")
            _fill(studio, sound, "sound")
            yield Indexes(pictures=pictures, sound=sound)
        return
    yield Indexes(pictures=_embedded(studio, "pictures"), sound=_embedded(studio, "sound"))


def _fill(studio: Studio, index: CodeIndex, of: Of) -> None:
    """Put into a shared index what it lacks; what others keep there is left alone."""
    there = index.assets()
    for asset_id, track in _tracks(studio, of):
        if asset_id not in there and len(track):
            index.put(asset_id, track)


def _embedded(studio: Studio, of: Of) -> EmbeddedIndex:
    path = studio.folder / "index" / f"{of}.codes"
    with studio.database.session() as session:
        kept = session.execute(select(CodesRow.asset_id, CodesRow.digest)).all()
    state = sha256("".join(sorted(f"{a}{d}" for a, d in kept)).encode()).hexdigest()
    data = studio.disk.read(path)
    if data is not None:
        with suppress(IntegrityError):
            index = EmbeddedIndex.from_bytes(data, state)
            if index is not None:
                return index
    made = EmbeddedIndex()
    made.put_all(_tracks(studio, of))
    studio.disk.make_folder(path.parent)
    replace_file(studio.disk, path, made.to_bytes(state))
    return made


def _tracks(studio: Studio, of: Of) -> Iterator[tuple[str, Track]]:
    with studio.database.session() as session:
        for row in session.scalars(select(CodesRow).order_by(CodesRow.asset_id)).yield_per(500):
            yield row.asset_id, Track.from_bytes(row.pictures if of == "pictures" else row.sound)
