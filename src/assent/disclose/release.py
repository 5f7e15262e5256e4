"""The one door out: the very bytes are checked again, and only then may they be read by anyone."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from assent.disclose.check import check_log, check_media
from assent.disclose.entry import SealEntry
from assent.disclose.sealed import SealedVideo
from assent.kit.errors import SealError
from assent.kit.store.studio import Studio
from assent.kit.store.tables import ReleaseRow
from assent.purpose.projects import Purpose

__all__ = ["Released", "release"]

_CHUNK = 1 << 20


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

    Raises `SealError` if label, mark, credential or log proof are not in the bytes.
    """
    entry = SealEntry.parse(video.entry)
    video.media.seek(0)
    sha256 = hashlib.file_digest(video.media, "sha256").hexdigest()
    check_log(video.entry, video.receipt, studio.log_verifier, sha256=sha256)
    check_media(video.media, entry, chain=studio.chain, key=studio.reading_key)
    name = f"{purpose.slug}-{video.asset_id}"
    path = studio.releases_folder / f"{name}.mp4"
    proof = studio.releases_folder / f"{name}.proof"
    # The proof first: a video never lies there without it.
    studio.disk.write_atomic(proof, video.receipt.encode())
    studio.disk.write_atomic_chunks(path, _chunks(video.media))
    with studio.database.session() as session:
        row = session.get_one(ReleaseRow, video.asset_id)
        if row.draft_id != video.draft_id:
            raise SealError("the asset id belongs to another draft")
        row.state = "released"
        row.name = path.name
        row.sha256 = sha256
        row.fingerprint = entry.fingerprint
        row.log_index = video.log_index
        row.receipts = list(entry.receipts)
    return Released(
        path=path,
        proof=proof,
        asset_id=video.asset_id,
        sha256=sha256,
        fingerprint=entry.fingerprint,
        receipts=entry.receipts,
        log_index=video.log_index,
    )


def _chunks(media: BinaryIO) -> Iterator[bytes]:
    media.seek(0)
    while chunk := media.read(_CHUNK):
        yield chunk
