"""Turn a released file back into a sealed video by verifying it."""

import hashlib
from pathlib import Path

from assent.disclose._key import KEY
from assent.disclose.check import check_log, check_media
from assent.disclose.entry import SealEntry
from assent.disclose.sealed import SealedVideo
from assent.kit.errors import NotFoundError, SealError
from assent.kit.store.studio import Studio
from assent.kit.store.tables import ReleaseRow

__all__ = ["reopen"]


def reopen(studio: Studio, asset_id: str) -> SealedVideo:
    """Verify label, mark, signature and log proof of a release and return it.

    Raises `NotFoundError` if there is no such release or its files are gone, `SealError` if the
    file is not what was released.
    """
    with studio.database.session() as session:
        row = session.get(ReleaseRow, asset_id)
    if row is None or row.state != "released" or row.name is None or row.log_index is None:
        raise NotFoundError(f"no release {asset_id}", advice="See `assent release list`.")
    path = studio.releases_folder / row.name
    proof = path.with_suffix(".proof")
    if not (path.is_file() and proof.is_file()):
        raise NotFoundError(
            f"{path.name} or its proof is not in the releases folder any more",
            advice="Restore it from a backup.",
        )
    entry = studio.log.reader().entry(row.log_index)
    receipt = proof.read_text("utf-8")
    media = path.open("rb")
    try:
        sha256 = hashlib.file_digest(media, "sha256").hexdigest()
        check_log(entry, receipt, studio.log_verifier, sha256=sha256)
        parsed = SealEntry.parse(entry)
        if parsed.asset_id != asset_id:
            raise SealError("the log entry is of another asset")
        check_media(media, parsed, chain=studio.chain, key=studio.reading_key)
    except BaseException:
        media.close()
        raise
    return SealedVideo(
        asset_id=asset_id,
        draft_id=row.draft_id,
        media=media,
        sha256=sha256,
        entry=entry,
        log_index=row.log_index,
        receipt=receipt,
        key=KEY,
    )
