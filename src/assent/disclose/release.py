"""The one door out: the very bytes are checked again, and only then may they be read by anyone."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from assent.create.draft import Draft
from assent.disclose.check import check_log, check_media
from assent.disclose.entry import SealEntry
from assent.disclose.reopen import reopen
from assent.disclose.sealed import SealedVideo
from assent.disclose.witnessing import policy_of
from assent.kit.disk import replace_file
from assent.kit.errors import NotFoundError, SealError
from assent.kit.hashing import chunks_of, hash_file
from assent.kit.store.events import note_event
from assent.kit.store.studio import Studio
from assent.kit.store.tables import ReleaseRow
from assent.kit.tlog.receipt import SUFFIX
from assent.purpose.projects import Purpose

__all__ = ["Released", "release", "released_already"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """A file that may go out into the world, and the proof that goes with it."""

    path: Path
    proof: Path
    asset_id: str
    sha256: str
    fingerprint: str
    receipts: tuple[str, ...]
    log_index: int


def release(studio: Studio, purpose: Purpose, video: SealedVideo) -> Released:
    """Check the bytes of `video` and put them into the studio's releases folder.

    Raises `SealError` if label, mark, credential or log proof are not in the bytes, or the asset
    was not reserved for this draft; nothing is put there then.
    """
    entry = SealEntry.parse(video.entry)
    sha256 = hash_file(video.media)
    place = check_log(
        video.entry,
        video.receipt,
        studio.log_verifier,
        sha256=sha256,
        policy=policy_of(studio),
        now=studio.clock(),
    )
    _check_asset(studio, video, entry)
    check_media(video.media, entry, chain=studio.chain, key=studio.reading_key, corner=video.corner)
    name = f"{purpose.slug}-{video.asset_id}"
    path = studio.releases_folder / f"{name}.mp4"
    proof = path.with_suffix(SUFFIX)
    # The proof first: a video never lies there without it.
    replace_file(studio.disk, proof, video.receipt.encode())
    replace_file(studio.disk, path, chunks_of(video.media))
    for file in (proof, path):
        studio.disk.share(file)
    with studio.database.session() as session:
        row = session.get_one(ReleaseRow, video.asset_id)
        row.state = "released"
        row.name = path.name
        row.sha256 = sha256
        row.fingerprint = entry.fingerprint
        row.log_index = place.index
        row.receipts = list(entry.receipts)
        note_event(
            session,
            "release.made",
            moment=studio.clock(),
            project_id=purpose.project_id,
            ids={"release": video.asset_id, "draft": video.draft_id},
            once=f"release.made:{video.asset_id}",
        )
    return Released(
        path=path,
        proof=proof,
        asset_id=video.asset_id,
        sha256=sha256,
        fingerprint=entry.fingerprint,
        receipts=entry.receipts,
        log_index=place.index,
    )


def _check_asset(studio: Studio, video: SealedVideo, entry: SealEntry) -> None:
    if entry.asset_id != video.asset_id:
        raise SealError("the log entry is of another asset")
    with studio.database.session() as session:
        row = session.get(ReleaseRow, video.asset_id)
    if row is None or row.draft_id != video.draft_id:
        raise SealError("the asset id belongs to another draft")


def released_already(studio: Studio, draft: Draft) -> Released | None:
    """Return the release of `draft` if it was made and its files are what was released."""
    with studio.database.session() as session:
        row = session.scalar(
            select(ReleaseRow).where(
                ReleaseRow.draft_id == draft.id, ReleaseRow.state == "released"
            )
        )
    if row is None:
        return None
    try:
        video = reopen(studio, row.asset_id)
    except NotFoundError:
        return None
    video.media.close()
    path = studio.releases_folder / str(row.name)
    return Released(
        path=path,
        proof=path.with_suffix(SUFFIX),
        asset_id=row.asset_id,
        sha256=video.sha256,
        fingerprint=str(row.fingerprint),
        receipts=tuple(row.receipts),
        log_index=video.log_index,
    )
