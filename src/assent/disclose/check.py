"""Look at sealed bytes and say whether each safeguard is really in them.

Release trusts nothing that seal said: it asks these functions about the very bytes that will leave.
Each returns what it verified, or raises `SealError`.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from assent.disclose.entry import SealEntry
from assent.kit.c2pa.certificates import Chain
from assent.kit.c2pa.read import Credential, read
from assent.kit.errors import AssentError, MediaError, SealError
from assent.kit.imaging.label import Corner, draw_label, label_present
from assent.kit.media.listen import listen
from assent.kit.media.picture import Picture, luma8
from assent.kit.media.read import read_pictures, sample_pictures
from assent.kit.tlog.note import NoteVerifier
from assent.kit.tlog.policy import Policy
from assent.kit.tlog.receipt import VerifiedEntry, verify_receipt
from assent.kit.watermark.key import ReadingKey
from assent.kit.watermark.mark import Mark
from assent.kit.watermark.read import read_mark
from assent.kit.watermark.sound.code import short_number
from assent.kit.watermark.sound.read import SoundSearch, read_sound

__all__ = [
    "LABEL_SEEN",
    "MIME",
    "check_credential",
    "check_label",
    "check_log",
    "check_mark",
    "check_media",
    "check_sound",
]

MIME = "video/mp4"
_NAME = "the sealed video"
_ANYONE = Policy()
# Over all samples a frame with the label scores 0.88 and more down to CRF 38, one without 0.05 at
# most, and one whose label is half transparent 0.59.
LABEL_SEEN = 0.7
_MARK_LOOKS = 64
_SOUND_RATE = 16000
# Of so many seconds of sound that could hold a mark, one must be heard; less may be too little.
_SECONDS_TO_HEAR = 12.0
# And with so many it is never misread (docs/specs/watermark-sound.md, section 9). With less a
# number that nobody marked may be read, once in a thousand times at most: that is no mark at all.
_SECONDS_TO_TELL = 3.0
# Seconds from one picture that the label is looked for in to the next, at most. The seal's own
# files have key frames as close, and every picture between them is predicted from what was seen.
_LABEL_LOOKS_APART = 0.5


def check_media(
    media: BinaryIO, entry: SealEntry, *, chain: Chain, key: ReadingKey, corner: Corner
) -> None:
    """Check label, marks and credential of sealed video bytes; raises `SealError`.

    `corner` is where its draft has the label: no other will do.
    """
    try:
        check_credential(media, mime=MIME, chain=chain, entry=entry)
        check_label(sample_pictures(media, name=_NAME, seconds=_LABEL_LOOKS_APART), corner=corner)
        check_mark(read_pictures(media, name=_NAME), key=key, asset_id=entry.asset_id)
        sound = listen(media, name=_NAME, rate=_SOUND_RATE)
        check_sound(sound, rate=_SOUND_RATE, key=key, asset_id=entry.asset_id)
    except MediaError as error:
        raise SealError(f"the sealed video can't be read back: {error}") from error


def check_credential(
    media: BinaryIO, *, mime: str, chain: Chain, entry: SealEntry, beside: bytes | None = None
) -> Credential:
    """Return the credential if it is unaltered, ours, and tells of this asset and its receipts."""
    media.seek(0)
    credential = read(
        media, mime=mime, anchors_pem=chain.anchors_pem, serials=chain.serials, beside=beside
    )
    # A certificate that has run out since doesn't undo what the log shows was sealed in time.
    if credential.state != "trusted" and not _ran_out(credential, chain):
        raise SealError(f"the content credential is {credential.state}: {credential.problems}")
    if credential.asset_id != entry.asset_id:
        raise SealError("the content credential names another asset")
    if set(credential.receipts) != set(entry.receipts):
        raise SealError("the content credential names other consent receipts")
    return credential


def _ran_out(credential: Credential, chain: Chain) -> bool:
    return credential.expired and credential.serial in chain.serials


def check_mark(pictures: Iterable[Picture], *, key: ReadingKey, asset_id: str) -> Mark:
    """Return the watermark as read from the pictures if it carries `asset_id`."""
    search = read_mark((luma8(picture) for picture in pictures), key=key, max_frames=_MARK_LOOKS)
    if search.mark is None:
        raise SealError("the watermark can't be read back from the encoded video")
    if search.mark.asset_id != int(asset_id, 16):
        raise SealError("the watermark carries another asset id")
    return search.mark


def check_sound(
    blocks: Iterable[NDArray[np.float32]], *, rate: int, key: ReadingKey, asset_id: str
) -> SoundSearch:
    """Return the search of the sound if its mark is the asset's, or there is too little for one."""
    search = read_sound(blocks, rate=rate, key=key)
    numbers = {mark.number for mark in search.marks}
    if not numbers and search.broad >= _SECONDS_TO_HEAR:
        raise SealError("the mark in the sound can't be read back from the encoded video")
    misread = search.broad < _SECONDS_TO_TELL
    if numbers and short_number(int(asset_id, 16)) not in numbers and not misread:
        raise SealError("the mark in the sound carries another asset id")
    return search


def check_label(pictures: Iterable[Picture], *, corner: Corner) -> int:
    """Return how many pictures were looked at if every one of them shows the label there."""
    count = 0
    label = None
    for picture in pictures:
        label = label or draw_label(picture.width, picture.height, corner=corner)
        if label_present(picture, label) < LABEL_SEEN:
            raise SealError(f"the label is missing at frame {count}")
        count += 1
    if count == 0:
        raise SealError("the sealed video holds no picture")
    return count


def check_log(
    entry: bytes,
    receipt: str,
    verifier: NoteVerifier,
    *,
    sha256: str,
    policy: Policy = _ANYONE,
    now: datetime | None = None,
) -> VerifiedEntry:
    """Return the proven place in the log if the entry tells of these very bytes.

    As many witnesses as `policy` asks for must have seen the log with the entry.
    """
    if SealEntry.parse(entry).sha256 != sha256:
        raise SealError("the log entry is not of these bytes")
    try:
        place = verify_receipt(receipt, entry, verifier, policy=policy, now=now)
    except AssentError as error:
        raise SealError(f"the log proof does not hold: {error}") from error
    if not place.enough:
        raise SealError("the log proof lacks witnesses that the studio's policy asks for")
    return place
