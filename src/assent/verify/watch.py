"""What a file's own bytes give, before the log's records are held against them.

The file is decoded once: the watermark's reader sees some pictures, the fingerprint all of them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from assent.kit.c2pa.read import BESIDE, LARGEST_STORE, Credential, read, type_of
from assent.kit.errors import MediaError
from assent.kit.fingerprint.video import Fingerprint, VideoFingerprint
from assent.kit.hashing import hash_file
from assent.kit.media.convert import from_rgb
from assent.kit.media.listen import holds_only_sound
from assent.kit.media.picture import luma8
from assent.kit.media.probe import Clip, probe
from assent.kit.media.read import read_pictures
from assent.kit.media.still import read_still, still_type
from assent.kit.progress import Progress
from assent.kit.watermark.key import SecretKey
from assent.kit.watermark.known import Known
from assent.kit.watermark.mark import Search
from assent.kit.watermark.read import STRETCH_S, read_mark
from assent.verify.public import PublicLog
from assent.verify.sound import Heard, hear

__all__ = ["UNSEEN", "Evidence", "gather"]

# Pictures that the watermark reader gets of each stretch of a clip, and how many stretches.
_MARK_LOOKS = 64
_STRETCHES = 3
# Seconds that a search may take in the first stretch, and in the others.
_FIRST_BUDGET_S, _BUDGET_S = 12.0, 4.0
ReadStretch = Callable[..., Search]
UNSEEN = Search(mark=None, frames=0, seconds=0.0, searched=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the bytes gave, before the log is asked."""

    sha256: str
    credential: Credential
    search: Search
    fingerprint: Fingerprint | None
    frames: int
    heard: Heard | None = None

    @property
    def marked(self) -> bool:
        """Whether anything in the file that can't be there by chance names an asset."""
        return self.search.mark is not None or self.credential.state == "trusted"


def gather(path: Path, log: PublicLog, *, secret: SecretKey | None, progress: Progress) -> Evidence:
    """Read the file's credential, marks and fingerprint; `log` gives the keys and what it lists.

    With the studio's own `secret`, the mark's second layer is looked for as well.

    Raises `MediaError` if the file is no video, still or sound that can be read, unless it carries
    a credential, which is told all the same.
    """
    with path.open("rb") as file:
        head = file.read(16)
        sha256 = hash_file(file)
        if not head:
            raise MediaError(f"{path.name} is empty")
        still = still_type(head)
        file.seek(0)
        credential = log.judge(_credential(path, file, head, log), sha256)
    if still:
        luma = luma8(from_rgb(read_still(path.read_bytes(), name=path.name)))
        search = _reader(log, secret)(iter([luma]))
        return Evidence(
            sha256=sha256, credential=credential, search=search, fingerprint=None, frames=1
        )
    heard = hear(path, log, sha256=sha256)
    if heard and holds_only_sound(path, name=path.name):
        search, fingerprint, frames = UNSEEN, None, 0
    else:
        read_stretch = _reader(log, secret)
        search, fingerprint, frames = _look(path, read_stretch, credential, progress)
    return Evidence(
        sha256=sha256,
        credential=credential,
        search=search,
        fingerprint=fingerprint,
        frames=frames,
        heard=heard,
    )


def _credential(path: Path, file: BinaryIO, head: bytes, log: PublicLog) -> Credential:
    """Return the credential in the file, or the one that lies beside it as NAME.c2pa."""
    mime = type_of(head)
    if mime is None:
        return Credential(state="missing")
    beside = path.with_name(f"{path.name}.c2pa")
    store = None
    if mime in BESIDE and beside.is_file():
        with beside.open("rb") as other:
            store = other.read(LARGEST_STORE + 1)
    return read(
        file,
        mime=mime,
        anchors_pem=log.root_pem,
        serials=log.certificates.keys(),
        beside=store,
    )


def _look(
    path: Path, read_stretch: ReadStretch, credential: Credential, progress: Progress
) -> tuple[Search, Fingerprint | None, int]:
    clip = probe(path, name=path.name)
    try:
        return _watch(path, clip, read_stretch, progress)
    except MediaError as error:
        if credential.state == "missing":
            raise
        # What the credential says of a damaged file is worth telling all the same.
        return replace(UNSEEN, searched=(f"unreadable: {error}",)), None, 0


def _watch(
    path: Path, clip: Clip, read_stretch: ReadStretch, progress: Progress
) -> tuple[Search, Fingerprint, int]:
    """Decode once; the watermark reader sees some pictures, the fingerprint all of them."""
    stretches = _stretches(clip)
    fingerprint = VideoFingerprint()
    frames = 0

    def watched() -> Iterator[tuple[int, NDArray[np.uint8]]]:
        nonlocal frames
        for index, picture in enumerate(read_pictures(path, name=path.name)):
            frames = index + 1
            luma = luma8(picture)
            fingerprint.add(luma, picture.pts * clip.time_base)
            progress("examining", index + 1, clip.frames)
            for number, stretch in enumerate(stretches):
                if index in stretch:
                    yield number, luma

    search = UNSEEN
    for number, part in groupby(watched(), key=lambda look: look[0]):
        if search.mark is None:
            budget_s = _BUDGET_S if number else _FIRST_BUDGET_S
            more = read_stretch((luma for _, luma in part), budget_s=budget_s)
            search = more if more.mark else _both(search, more)
    return search, fingerprint.finish(), frames


def _reader(log: PublicLog, secret: SecretKey | None) -> ReadStretch:
    known = Known(int(record.entry.asset_id, 16) for record in log.records)
    return partial(read_mark, key=log.reading_key, known=known, secret=secret)


def _stretches(clip: Clip) -> list[range]:
    """Return the numbers of the pictures to look for a mark in: beginning, middle and end.

    One after the other, none in two of them; each spans no more than a reader adds up.
    """
    length = max(1, int(STRETCH_S * float(clip.frame_rate)))
    count = min(_STRETCHES, max(1, round(clip.frames / length)))
    step = max(1, round(min(clip.frames, length) / _MARK_LOOKS))
    stretches: list[range] = []
    for number in range(count):
        start = number * max(0, clip.frames - length) // max(1, count - 1)
        free = stretches[-1].stop if stretches else 0
        stretches.append(range(max(start, free), start + length, step))
    return stretches


def _both(before: Search, after: Search) -> Search:
    return Search(
        mark=None,
        frames=before.frames + after.frames,
        seconds=before.seconds + after.seconds,
        searched=tuple(dict.fromkeys((*before.searched, *after.searched))),
    )
