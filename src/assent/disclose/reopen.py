"""Turn a released file back into a sealed video by verifying it."""

from typing import BinaryIO

from assent.create.draft import label_of
from assent.disclose._key import KEY
from assent.disclose.check import check_log, check_media
from assent.disclose.entry import SealEntry
from assent.disclose.sealed import SealedVideo
from assent.kit.errors import NotFoundError, SealError
from assent.kit.hashing import hash_file
from assent.kit.imaging.label import Corner
from assent.kit.store.studio import Studio
from assent.kit.store.tables import ReleaseRow
from assent.kit.tlog.receipt import SUFFIX

__all__ = ["reopen"]


def reopen(studio: Studio, asset_id: str) -> SealedVideo:
    """Verify label, mark, signature and log proof of a release and return it.

    Raises `NotFoundError` if there is no such release or its files are gone, `SealError` if the
    file is not what was released.
    """
    with studio.database.session() as session:
        row = session.get(ReleaseRow, asset_id)
    if row is None or row.state != "released" or row.name is None or row.log_index is None:
        raise NotFoundError(f"no release {asset_id}", advice="See `assent monitor releases`.")
    path = studio.releases_folder / row.name
    proof = path.with_suffix(SUFFIX)
    if not (path.is_file() and proof.is_file()):
        raise NotFoundError(
            f"{path.name} or its proof is not in the releases folder any more",
            advice="Restore it from a backup.",
        )
    entry = studio.log.reader().entry(row.log_index)
    media = path.open("rb")
    try:
        receipt = proof.read_text("utf-8")
        corner = label_of(studio, row.draft_id)
        sha256 = _check(studio, media, asset_id, entry, receipt, corner)
    except (SealError, UnicodeDecodeError) as error:
        media.close()
        raise SealError(
            f"{path.name} or its proof is not what was released: {error}",
            advice="Restore both from a backup, or remove them and seal the draft again.",
        ) from error
    except BaseException:
        media.close()
        raise
    return SealedVideo(
        asset_id=asset_id,
        draft_id=row.draft_id,
        corner=corner,
        media=media,
        sha256=sha256,
        entry=entry,
        log_index=row.log_index,
        receipt=receipt,
        key=KEY,
    )


def _check(
    studio: Studio, media: BinaryIO, asset_id: str, entry: bytes, receipt: str, corner: Corner
) -> str:
    """Return the hash of `media` if it is the release `asset_id`; raises `SealError`."""
    sha256 = hash_file(media)
    check_log(entry, receipt, studio.log_verifier, sha256=sha256)
    parsed = SealEntry.parse(entry)
    if parsed.asset_id != asset_id:
        raise SealError("the log entry is of another asset")
    check_media(media, parsed, chain=studio.chain, key=studio.reading_key, corner=corner)
    return sha256
