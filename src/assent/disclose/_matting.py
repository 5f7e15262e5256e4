"""A release with its matte: every frame as it was released, and opaque where it was changed.

A compositor lays the face over a plate of their own with it. Where the label lies the frame is
opaque as well: whatever is built on it bears the label.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from assent.consent.clearance import AskAgain
from assent.consent.locker import Locker
from assent.create._frames import pairs_of
from assent.create.draft import Draft
from assent.kit.errors import SealError
from assent.kit.imaging.label import Corner, draw_label
from assent.kit.imaging.matte import cover, matte
from assent.kit.media.picture import Picture

__all__ = ["with_mattes"]


def with_mattes(
    released: Iterator[Picture], draft: Draft, locker: Locker, ask_again: AskAgain
) -> Iterator[tuple[Picture, NDArray[np.uint8]]]:
    """Yield each released frame with its opacity, uint8 `[H, W]`.

    The desk is asked before each segment; raises `NotClearedError` as soon as someone withdraws,
    `SealError` if the release hasn't the draft's frames.
    """
    pairs = pairs_of(draft, locker, ask_again)
    for picture in released:
        pair = next(pairs, None)
        if pair is None:
            raise SealError("the release has more frames than its draft")
        yield picture, _opacity(picture, *pair, draft.label)
    if next(pairs, None) is not None:
        raise SealError("the release has fewer frames than its draft")


def _opacity(
    released: Picture, filmed: Picture, rendered: Picture, corner: Corner
) -> NDArray[np.uint8]:
    opacity = matte(filmed, rendered)
    label = draw_label(filmed.width, filmed.height, corner=corner)
    cover(opacity, label.x, label.y, label.alpha.shape[1], label.alpha.shape[0])
    # Odd sides were made even.
    more = (released.height - filmed.height, released.width - filmed.width)
    if not all(0 <= each <= 1 for each in more):
        raise SealError("the release hasn't the size of its draft")
    return np.pad(opacity, ((0, more[0]), (0, more[1])), mode="edge")
