from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from casts import BLANK, SCENE_FRAMES, Cast, Stage

from assent.consent.locker import Locker
from assent.create._frames import frames_of, looks_of, pairs_of
from assent.create.looks import is_look_of
from assent.create.patches import pack, unpack
from assent.kit.errors import IntegrityError, NotClearedError


@pytest.fixture
def stage(rendered: Cast, tmp_path: Path) -> Stage:
    return rendered.open_copy(tmp_path / "studio")


def test_frames_as_shot_and_as_rendered(stage: Stage) -> None:
    asking = stage.asking(stage.draft.needs(to_release=False))
    pairs = list(pairs_of(stage.draft, Locker(stage.studio), asking))
    assert len(pairs) == SCENE_FRAMES
    changed = [
        number
        for number, (shot, rendered) in enumerate(pairs)
        if not np.array_equal(shot.y, rendered.y)
    ]
    assert changed == [number for number in range(SCENE_FRAMES) if number not in BLANK]
    frames = list(frames_of(stage.draft, Locker(stage.studio), asking))
    assert all(np.array_equal(f.y, p[1].y) for f, p in zip(frames, pairs, strict=True))


def test_nobody_looks_without_clearances(stage: Stage) -> None:
    locker = Locker(stage.studio)
    with pytest.raises(NotClearedError):
        next(frames_of(stage.draft, locker, lambda: ()))
    # The face is the donor's, the footage the performer's.
    for clearance in stage.to_release():
        with pytest.raises(NotClearedError):
            list(frames_of(stage.draft, locker, lambda only=clearance: [only]))  # type: ignore[misc]


def test_withdrawal_closes_the_next_segment(stage: Stage) -> None:
    asking = stage.asking(stage.draft.needs(to_release=False))
    frames = frames_of(stage.draft, Locker(stage.studio), asking)
    seen = [next(frames) for _ in range(3)]
    stage.withdraw(stage.ben)
    with pytest.raises(NotClearedError):
        seen.extend(frames)
    assert len(seen) <= 32


def test_other_numbers_of_frames_are_refused(stage: Stage) -> None:
    asking = stage.asking(stage.draft.needs(to_release=False))
    blobs = stage.draft._segments  # noqa: SLF001 - what a bug might pass on
    for segments, match in ((blobs[:1], "fewer"), ((*blobs, blobs[0]), "more"), ((), "fewer")):
        wrong = replace(stage.draft, _segments=segments)
        with pytest.raises(IntegrityError, match=match):
            list(frames_of(wrong, Locker(stage.studio), asking))
    swapped = replace(stage.draft, _segments=blobs[::-1])
    with pytest.raises(IntegrityError, match="not those of its footage"):
        list(frames_of(swapped, Locker(stage.studio), asking))


def test_the_looks_are_those_of_the_frames(stage: Stage) -> None:
    asking = stage.asking(stage.draft.needs(to_release=False))
    locker = Locker(stage.studio)
    looks = list(looks_of(stage.draft, locker, asking))
    frames = list(frames_of(stage.draft, locker, asking))
    assert [n for n, (_, look) in enumerate(looks) if look] == [0, 12, 24, 32, SCENE_FRAMES - 1]
    for (pts, look), frame in zip(looks, frames, strict=True):
        assert pts == frame.pts
        assert look is None or is_look_of(look, frame)


def test_a_look_of_something_else_is_refused(stage: Stage) -> None:
    """What review saw must be what is sealed."""
    asking = stage.asking(stage.draft.needs(to_release=False))
    locker = Locker(stage.studio)
    first, second = stage.draft._segments  # noqa: SLF001 - what a bug might pass on
    patches = list(unpack(locker.read(first, asking())))
    look = patches[12].look
    assert look is not None
    brighter = replace(look, y=look.y + np.uint8(1))
    patches[12] = replace(patches[12], look=brighter)
    wrong = replace(stage.draft, _segments=(locker.put(pack(patches), asking()), second))
    with pytest.raises(IntegrityError, match="looks are not those"):
        list(frames_of(wrong, locker, asking))
