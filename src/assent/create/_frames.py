"""Open a draft. Only `safeguard.review` and the seals of `disclose` may import this."""

from collections.abc import Collection, Iterator

from assent.consent.clearance import Clearance
from assent.consent.locker import Locker
from assent.create.draft import Draft
from assent.create.patches import apply, unpack
from assent.kit.errors import IntegrityError
from assent.kit.media.picture import Picture
from assent.kit.media.read import read_pictures

__all__ = ["frames_of", "pairs_of"]


def frames_of(draft: Draft, locker: Locker, clearances: Collection[Clearance]) -> Iterator[Picture]:
    """Yield the draft's frames in order; raises `NotClearedError` as the locker does."""
    for _, after in pairs_of(draft, locker, clearances):
        yield after


def pairs_of(
    draft: Draft, locker: Locker, clearances: Collection[Clearance]
) -> Iterator[tuple[Picture, Picture]]:
    """Yield each frame as shot and as rendered."""
    segments = draft._segments  # noqa: SLF001 - the one door
    patches = (patch for blob in segments for patch in unpack(locker.read(blob, clearances)))
    with draft.clip.open(locker, clearances) as footage:
        for picture in read_pictures(footage, name=draft.clip.name):
            patch = next(patches, None)
            if patch is None:
                raise IntegrityError("the draft holds fewer frames than its footage")
            yield picture, apply(patch, picture)
