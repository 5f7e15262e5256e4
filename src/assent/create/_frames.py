"""Open a draft. Only `safeguard.review` and the seals of `disclose` may import this."""

from collections.abc import Iterator

from assent.consent.clearance import AskAgain
from assent.consent.locker import Locker
from assent.create.draft import Draft
from assent.create.looks import is_look_of
from assent.create.patches import Patch, apply, unpack, unpack_looks
from assent.kit.ahead import ahead
from assent.kit.errors import IntegrityError
from assent.kit.media.picture import Picture
from assent.kit.media.read import read_pictures

__all__ = ["frames_of", "looks_of", "pairs_of"]


def frames_of(draft: Draft, locker: Locker, ask_again: AskAgain) -> Iterator[Picture]:
    """Yield the draft's frames in order.

    The desk is asked before each segment; raises `NotClearedError` as soon as someone withdraws.
    """
    for _, after in pairs_of(draft, locker, ask_again):
        yield after


def looks_of(
    draft: Draft, locker: Locker, ask_again: AskAgain
) -> Iterator[tuple[int, Picture | None]]:
    """Yield each frame's time stamp and its look, if the draft keeps one; raises as `frames_of`.

    The footage is not decoded.
    """
    with ahead(_segments(draft, locker, ask_again), depth=1) as segments:
        for data in segments:
            for patch in unpack_looks(data):
                yield patch.pts, patch.look


def pairs_of(
    draft: Draft, locker: Locker, ask_again: AskAgain
) -> Iterator[tuple[Picture, Picture]]:
    """Yield each frame as shot and as rendered; raises as `frames_of`."""
    patches = _patches(draft, locker, ask_again)
    with draft.clip.open(locker, ask_again()) as footage:
        for picture in read_pictures(footage, name=draft.clip.name):
            patch = next(patches, None)
            if patch is None:
                raise IntegrityError("the draft holds fewer frames than its footage")
            rendered = apply(patch, picture)
            # Review saw the look; this is where the frame itself is held to it.
            if patch.look is not None and not is_look_of(patch.look, rendered):
                raise IntegrityError("the draft's looks are not those of its frames")
            yield picture, rendered
    if next(patches, None) is not None:
        raise IntegrityError("the draft holds more frames than its footage")


def _patches(draft: Draft, locker: Locker, ask_again: AskAgain) -> Iterator[Patch]:
    for data in _segments(draft, locker, ask_again):
        yield from unpack(data)


def _segments(draft: Draft, locker: Locker, ask_again: AskAgain) -> Iterator[bytes]:
    return locker.read_all(draft._segments, ask_again)  # noqa: SLF001 - the one door
