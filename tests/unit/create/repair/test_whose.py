"""The recogniser is asked about a face that was moved far; what it doubts, a person decides."""

import json
from typing import Any

import pytest
from repairing import Desk

from assent.consent.people import add_person
from assent.create.staging import check_repairs
from assent.data.doubts import decide, list_doubts
from assent.kit.errors import SignOffError, UnlistedFaceError
from assent.kit.signing import new_key, public_of


def moved(x: int, y: int) -> list[dict[str, Any]]:
    return [{"first": 8, "last": 10, "keys": [{"frame": 9, "x": x, "y": y}]}]


def check(desk: Desk, x: int, y: int) -> None:
    repairs = desk.document(shapes=moved(x, y))
    check_repairs(desk.stage.studio, desk.stage.purpose, desk.shot, repairs, desk.cleared())


@pytest.mark.parametrize("same", [True, False])
def test_a_face_moved_to_where_none_is_waits_for_a_decision_that_is_logged(
    desk: Desk, same: bool
) -> None:
    studio, purpose = desk.stage.studio, desk.stage.purpose
    check(desk, 40, 0)
    for _ in range(2):
        with pytest.raises(SignOffError, match="isn't sure whose face"):
            check(desk, 600, 600)
    desk.save(shapes=moved(600, 600))
    with pytest.raises(SignOffError):
        desk.render()
    (doubt,) = list_doubts(studio, purpose)
    key = new_key()
    dora = add_person(studio, handle="dora", name="Dora", key=public_of(key), staff=True)
    decide(studio, purpose, doubt.id, dora, key, same=same, reason="I looked at the frame.")
    entry = json.loads(list(studio.log.reader().entries())[-1][1])
    assert entry["kind"] == "face.decided"
    assert "ada" not in json.dumps(entry)
    if same:
        check(desk, 600, 600)
    else:
        with pytest.raises(UnlistedFaceError, match="isn't whose the repairs say"):
            check(desk, 600, 600)
    # It was decided about that place alone.
    with pytest.raises(SignOffError):
        check(desk, 700, 500)


def test_a_move_of_a_few_frames_is_looked_at(desk: Desk) -> None:
    keys = [{"frame": 5, "x": 140}, {"frame": 7, "x": 600, "y": 600}, {"frame": 9, "x": 140}]

    def check_keys(keys: list[dict[str, Any]]) -> None:
        shapes = [{"first": 5, "last": 15, "blend": "hold", "keys": keys}]
        repairs = desk.document(shapes=shapes)
        check_repairs(desk.stage.studio, desk.stage.purpose, desk.shot, repairs, desk.cleared())

    check_keys([keys[0]])
    with pytest.raises(SignOffError, match="isn't sure whose face"):
        check_keys(keys)
