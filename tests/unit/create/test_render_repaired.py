"""A render with repairs: what they change is rendered anew, and nothing else."""

from typing import Any

import pytest
from repairing import FRAMES, Desk

from assent.create.draft import Draft, list_drafts
from assent.create.repair.store import Version, history, undo
from assent.create.staging import SEGMENT
from assent.kit.imaging.label import Corner
from assent.kit.store.tables import SegmentRow


def everything(desk: Desk, draft: Draft) -> list[object]:
    return [
        (p.pts, p.x, p.y, p.note, [a.tobytes() for a in p.planes or ()],
         p.look.y.tobytes() if p.look else None)
        for p in desk.patches(draft)
    ]  # fmt: skip


def forget_drafts(desk: Desk) -> None:
    with desk.stage.studio.database.session() as session:
        session.query(SegmentRow).delete()
        for row in list_drafts(desk.stage.studio, desk.stage.purpose):
            session.delete(session.merge(row))


ERASED = {"mode": "erase", "points": [[5000, 6000], [5600, 6400]], "size": 60}
CASES: list[tuple[dict[str, Any], set[int]]] = [
    ({"masks": [{"first": 70, "last": 80, "keys": [{"frame": 75, "strokes": [ERASED]}]}]}, {2}),
    ({"skips": [{"first": 60, "last": 66}]}, {1, 2}),
    (
        {"shapes": [{"first": 10, "last": 14, "keys": [{"frame": 12, "points": {"57": [0, 60]}}]}]},
        {0, 1},
    ),
    ({"settings": {"grow": -50, "feather": 1500, "colour": None, "sharpen": 400}}, {0, 1, 2, 3}),
]


@pytest.mark.parametrize(("parts", "changed"), CASES)
def test_a_repair_renders_its_segments_anew_and_ends_as_a_whole_render_would(
    desk: Desk, parts: dict[str, Any], changed: set[int]
) -> None:
    plain = desk.render()
    before = desk.blobs(plain)
    assert len(before) == -(-FRAMES // SEGMENT) == 4
    desk.save(**parts)
    told: list[int] = []
    repaired = desk.render(progress=lambda what, done, total: told.append(done))
    assert repaired.id != plain.id
    assert repaired.digest != plain.digest
    after = desk.blobs(repaired)
    assert {n for n in range(4) if before[n] != after[n]} == changed
    assert len(told) == len(changed)
    found = everything(desk, repaired)
    assert found != everything(desk, plain)
    forget_drafts(desk)
    whole = desk.render()
    assert everything(desk, whole) == found


def test_a_label_moved_is_another_draft_of_the_very_same_segments(desk: Desk) -> None:
    plain = desk.render()
    desk.save(settings={"label": "bottom-left"})
    told: list[int] = []
    moved = desk.render(progress=lambda what, done, total: told.append(done))
    assert (plain.label, moved.label) == (Corner.TOP_RIGHT, Corner.BOTTOM_LEFT)
    assert (moved.id == plain.id, moved.digest == plain.digest) == (False, False)
    assert desk.blobs(moved) == desk.blobs(plain)
    assert told == []


def test_undone_repairs_give_the_first_draft_back(desk: Desk) -> None:
    plain = desk.render()
    made: Version = desk.save(skips=[{"first": 0, "last": 3}])
    repaired = desk.render()
    assert (repaired.replaced, plain.replaced - repaired.replaced) == (plain.replaced - 4, 4)
    undo(desk.stage.studio, desk.shot, expected=made.number)
    assert desk.render().id == plain.id
    assert desk.render(version=history(desk.stage.studio, desk.shot)[1]).id == repaired.id
