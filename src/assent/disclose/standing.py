"""How a release stands once it has left: suspended, corrected, taken down, revoked, or good again.

Everyone who has the log learns of it: `release.ended` says how, `release.restored` takes it back.
What is revoked is so for good, and the release's own bit in the status list says so besides.

Each step can be repeated: first the studio's own table says it, then the log, then the files go.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO

from sqlalchemy import select
from sqlalchemy.orm import Session

from assent.consent.logged import find_entry
from assent.consent.status_list import (
    Published,
    allot,
    note_published,
    publish,
    publish_missing,
)
from assent.create.draft import label_of
from assent.disclose.check import check_log, check_media
from assent.disclose.entry import SealEntry
from assent.kit.canonical import canonical, parse_object
from assent.kit.clock import stamp
from assent.kit.disk import replace_file
from assent.kit.errors import InputError, NotFoundError, RefusedError, SealError
from assent.kit.hashing import chunks_of, hash_file
from assent.kit.store.case_tables import StandingRow
from assent.kit.store.studio import Studio
from assent.kit.store.tables import ReleaseRow
from assent.kit.tlog.receipt import SUFFIX

__all__ = [
    "GOOD",
    "Standing",
    "catch_up",
    "correct",
    "list_files",
    "put_back",
    "reserve_place",
    "restore",
    "revoke",
    "standing_of",
    "state_of",
    "suspend",
    "take_down",
]

GOOD = "good"
_ENDED, _RESTORED = "release.ended", "release.restored"
_TOMBSTONE = ".ended.json"
# What says less than what stands already changes nothing: else undoing it would undo both.
_WEIGHT = {"corrected": 1, "suspended": 2, "taken-down": 3, "revoked": 4}


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a release stands; `state` is good, suspended, corrected, taken-down or revoked."""

    asset_id: str
    state: str
    changed: str
    successor: str | None = None


def reserve_place(studio: Studio, session: Session, asset_id: str) -> None:
    """Give a release that is about to be sealed its own place in a status list."""
    if session.get(StandingRow, asset_id) is None:
        place = allot(session)
        session.add(
            StandingRow(
                asset_id=asset_id, state=GOOD, changed=stamp(studio.clock()),
                status_list=place.number, status_index=place.index,
            )
        )  # fmt: skip


def standing_of(studio: Studio, asset_id: str) -> Standing:
    """Return how a release stands; raises `NotFoundError`."""
    return _told(_row(studio, asset_id))


def state_of(studio: Studio, asset_id: str) -> str:
    """Return the word for how something stands; it is good as long as nothing else was said."""
    with studio.database.session() as session:
        row = session.get(StandingRow, asset_id)
        return GOOD if row is None else row.state


def suspend(studio: Studio, asset_id: str) -> Standing:
    """Say that a release should not be shown for the time being."""
    return _change(studio, asset_id, "suspended")


def correct(studio: Studio, asset_id: str, successor: str) -> Standing:
    """Say that another release takes this one's place."""
    _row(studio, successor)
    if successor == asset_id:
        raise InputError("a release can't take its own place", advice="Name the corrected one.")
    return _change(studio, asset_id, "corrected", successor=successor)


def revoke(studio: Studio, asset_id: str) -> Standing:
    """Revoke the release's credential for good, in the log and in the status list."""
    return _change(studio, asset_id, "revoked")


def restore(studio: Studio, asset_id: str) -> Standing:
    """Say that a release stands again; raises `RefusedError` for a revoked or missing one."""
    row = _row(studio, asset_id)
    if row.state == "taken-down":
        raise RefusedError(
            f"the files of {asset_id} were taken down", advice="Put them back from the evidence."
        )
    return _change(studio, asset_id, GOOD)


def list_files(studio: Studio, asset_id: str) -> tuple[str, ...]:
    """Return the names of the files in the releases folder that are of this release."""
    names = studio.disk.names(studio.releases_folder)
    return tuple(name for name in names if f"-{asset_id}" in name and not name.endswith(_TOMBSTONE))


def take_down(studio: Studio, asset_id: str) -> tuple[str, ...]:
    """Remove a release and its other forms from the releases folder; return what was removed.

    A tombstone stays, which says that it was taken down and when. Keep copies before.
    """
    row = _row(studio, asset_id)
    before = row.state
    standing = _told(row) if before == "revoked" else _change(studio, asset_id, "taken-down")
    files = list_files(studio, asset_id)
    with studio.database.session() as session:
        release = session.get_one(ReleaseRow, asset_id)
        release.state = "removed"
        stem = str(release.name).removesuffix(".mp4")
    told = {"asset": asset_id, "how": "taken-down", "time": standing.changed}
    path = studio.releases_folder / f"{stem}{_TOMBSTONE}"
    replace_file(studio.disk, path, json.dumps(told, indent=2).encode() + b"\n")
    studio.disk.share(path)
    for name in files:
        studio.disk.remove(studio.releases_folder / name)
    studio.disk.sync_folder(studio.releases_folder)
    return files


def put_back(studio: Studio, asset_id: str, media: BinaryIO, proof: str) -> Standing:
    """Put a release that was taken down back, once its bytes are checked as at its release.

    Raises `RefusedError` if it was revoked, `SealError` if it is not what was released.
    """
    row = _row(studio, asset_id)
    if row.state != "taken-down":
        raise RefusedError(f"release {asset_id} was not taken down, or was revoked since")
    with studio.database.session() as session:
        release = session.get_one(ReleaseRow, asset_id)
    entry = studio.log.reader().entry(int(release.log_index or 0))
    told = SealEntry.parse(entry)
    if told.asset_id != asset_id:
        raise SealError("the log entry is of another asset")
    check_log(entry, proof, studio.log_verifier, sha256=hash_file(media))
    corner = label_of(studio, release.draft_id)
    check_media(media, told, chain=studio.chain, key=studio.reading_key, corner=corner)
    path = studio.releases_folder / str(release.name)
    for file, data in (
        (path.with_suffix(SUFFIX), BytesIO(proof.encode())),
        (path, media),
    ):
        replace_file(studio.disk, file, chunks_of(data))
        studio.disk.share(file)
    with studio.database.session() as session:
        session.get_one(ReleaseRow, asset_id).state = "released"
    standing = _change(studio, asset_id, GOOD)
    studio.disk.remove(path.with_name(f"{path.stem}{_TOMBSTONE}"))
    return standing


def catch_up(studio: Studio) -> int:
    """Tell what was begun and not told, and take over what the log says; return how many changed.

    For a studio restored from an earlier backup: what was revoked since stays revoked.
    """
    changed = 0
    revoked = {
        str(fields.get("asset")): str(fields.get("time"))
        for _, entry in studio.log.reader().entries()
        if _ENDED.encode() in entry
        and (fields := parse_object(entry, name="a log entry")).get("kind") == _ENDED
        and fields.get("how") == "revoked"
    }
    with studio.database.session() as session:
        rows = session.scalars(select(StandingRow).order_by(StandingRow.asset_id)).all()
        for row in rows:
            if row.asset_id in revoked and row.state != "revoked":
                row.state, row.changed = "revoked", revoked[row.asset_id]
                changed += 1
    for row in rows:
        if not row.told:
            _tell(studio, row, resumed=True)
            changed += 1
    return changed


def _change(studio: Studio, asset_id: str, state: str, *, successor: str | None = None) -> Standing:
    _row(studio, asset_id)
    with studio.database.session() as session:
        row = session.get_one(StandingRow, asset_id, with_for_update=True)
        if row.state == "revoked" and state != "revoked":
            raise RefusedError(
                f"release {asset_id} was revoked, which nothing takes back",
                advice="Make a new release.",
            )
        same = (row.state, row.successor) == (state, successor)
        less = state != GOOD and _WEIGHT[state] < _WEIGHT.get(row.state, 0)
        if (same and row.told) or less:
            return _told(row)
        if not same:
            row.state, row.successor, row.told = state, successor, False
            row.changed = stamp(studio.clock())
    # The same that isn't told was begun by who was stopped.
    _tell(studio, row, resumed=same)
    return _told(row)


def _tell(studio: Studio, row: StandingRow, *, resumed: bool = False) -> None:
    """Put what a row says into the log, and into the status list if it is for good.

    `resumed` says that who did so before was stopped: what the log holds isn't said again.
    """
    kind = _RESTORED if row.state == GOOD else _ENDED
    said: dict[str, str | None] = {"asset": row.asset_id, "time": row.changed}
    published: Sequence[Published] = ()
    if row.state != GOOD:
        said |= {"how": row.state, "successor": row.successor}
    if row.state == "revoked":
        published = (
            publish_missing(studio, row.status_list) or (publish(studio, row.status_list),)
        )  # fmt: skip
    known = find_entry(studio, kind, **said) if resumed else None
    entries: list[object] = [] if known is not None else [{"kind": kind, **said}]
    entries += [each.entry for each in published]
    studio.log.append([canonical(each) for each in entries])
    with studio.database.session() as session:
        note_published(session, published)
        session.get_one(StandingRow, row.asset_id).told = True


def _row(studio: Studio, asset_id: str) -> StandingRow:
    with studio.database.session() as session:
        release = session.get(ReleaseRow, asset_id)
        if release is None or release.name is None:
            raise NotFoundError(f"no release {asset_id}", advice="See `assent monitor releases`.")
        reserve_place(studio, session, asset_id)
        session.flush()
        return session.get_one(StandingRow, asset_id)


def _told(row: StandingRow) -> Standing:
    return Standing(
        asset_id=row.asset_id, state=row.state, changed=row.changed, successor=row.successor
    )
