"""Repairs meet a clip: what they may name, and what they may not do to whom."""

from typing import Any

import numpy as np
import pytest
from repairing import FRAMES, Desk

from assent.create.repair.document import Owner
from assent.create.repair.mending import Mending, reassigned
from assent.data.tracks import PersonTrack
from assent.kit.errors import InputError


def mending(desk: Desk, tracks: tuple[PersonTrack, ...] | None = None, **parts: object) -> Mending:
    return Mending(
        desk.document(**parts),
        desk.tracks() if tracks is None else tracks,
        desk.stage.ada.id,
        people={"ada": desk.stage.ada.id, "ben": desk.stage.ben.id},
        frames=FRAMES,
    )


def test_nothing_is_changed_by_nothing(desk: Desk) -> None:
    found = mending(desk)
    assert all(a is b for a, b in zip(found.tracks, desk_tracks(found), strict=True))
    assert (found.moved_frames, found.field(5), found.skipped(5)) == ((), None, False)


def desk_tracks(found: Mending) -> list[PersonTrack]:
    return [piece.track for piece in found.pieces]


def test_a_move_changes_its_frames_alone(desk: Desk) -> None:
    key = {"frame": 12, "points": {"57": [0, 50]}}
    found = mending(desk, shapes=[{"first": 10, "last": 14, "keys": [key]}])
    assert found.moved_frames == (10, 11, 12, 13, 14)
    before, after = desk_tracks(found)[0], found.tracks[0]
    still = ~np.isin(before.index, found.moved_frames)
    assert np.array_equal(before.meshes[still], after.meshes[still])
    move = found.moved(12)
    assert move is not None
    assert np.array_equal(before.meshes[12] + move, after.meshes[12])
    assert found.mesh(12) is not None
    assert found.mesh(41) is None  # nobody is seen there


HOSTILE: list[tuple[dict[str, Any], str]] = [
    ({"skips": [{"first": 0, "last": FRAMES}]}, "name frame"),
    ({"owners": [{"first": 0, "last": 5, "track": 99, "person": "ada"}]}, "no track 99"),
    ({"owners": [{"first": 0, "last": 5, "track": 0, "person": "cleo"}]}, "not in this clip"),
]


@pytest.mark.parametrize(("parts", "told"), HOSTILE)
def test_what_the_clip_does_not_have_is_refused(
    desk: Desk, parts: dict[str, Any], told: str
) -> None:
    with pytest.raises(InputError, match=told):
        mending(desk, **parts)


def beside(track: PersonTrack, person: str, right: float) -> PersonTrack:
    shift = np.array([right, 0, 0], np.float32)
    return PersonTrack(
        person_id=person, index=track.index, pts=track.pts, seconds=track.seconds,
        landmarks=track.landmarks + shift[:2], meshes=track.meshes + shift,
    )  # fmt: skip


def test_a_face_may_not_be_moved_onto_somebody_elses(desk: Desk) -> None:
    own = desk.tracks()[0]
    other = beside(own, desk.stage.ben.id, 140)
    keys = [{"frame": 5, "x": 900}]
    with pytest.raises(InputError, match="onto somebody else's"):
        mending(desk, (own, other), shapes=[{"first": 5, "last": 5, "keys": keys}])
    slight = [{"frame": 5, "x": -60}]
    mending(desk, (own, other), shapes=[{"first": 5, "last": 5, "keys": slight}])


def test_nobody_is_twice_in_a_frame(desk: Desk) -> None:
    own = desk.tracks()[0]
    pair = (own, beside(own, desk.stage.ben.id, 200))
    with pytest.raises(InputError, match="there twice"):
        mending(desk, pair, owners=[{"first": 3, "last": 9, "track": 1, "person": "ada"}])
    swapped = mending(desk, pair, owners=[
        {"first": 3, "last": 9, "track": 1, "person": "ada"},
        {"first": 3, "last": 9, "track": 0, "person": "ben"},
    ])  # fmt: skip
    given = [(p.origin, len(p.track.index), p.given) for p in swapped.pieces]
    assert [each for each in given if each[2]] == [(0, 7, True), (1, 7, True)]
    assert sum(size for _, size, _ in given) == 2 * len(own.index)


def test_a_later_owner_counts(desk: Desk) -> None:
    people = {"ada": desk.stage.ada.id, "ben": desk.stage.ben.id}
    owners = [Owner(first=0, last=9, track=0, person="ben"),
              Owner(first=0, last=9, track=0, person="ada")]  # fmt: skip
    assert not any(piece.given for piece in reassigned(desk.tracks(), owners, people))


def test_later_strokes_lie_over_earlier_ones(desk: Desk) -> None:
    def repair(mode: str, size: int) -> dict[str, Any]:
        stroke = {"mode": mode, "points": [[5000, 5000]], "size": size, "soft": 0}
        return {"first": 0, "last": 9, "keys": [{"frame": 5, "strokes": [stroke]}]}

    field = mending(desk, masks=[repair("erase", 200), repair("paint", 60)]).field(5)
    assert field is not None
    assert (field[128, 128], field[128, 128 + 30], field[5, 5]) == (1, -1, 0)
