from datetime import timedelta

import pytest
from studios import Scene, agree, draw_up

from assent.consent.clearance import Act
from assent.consent.register import Listed, list_records
from assent.consent.withdrawal import withdraw
from assent.kit.errors import InputError, NotFoundError


def test_every_version_is_listed_with_its_state(scene: Scene) -> None:
    scene.clock.now += timedelta(seconds=1)
    agree(scene.studio, scene.purpose, scene.ada, acts=frozenset({Act.INGEST}))
    scene.clock.now += timedelta(seconds=1)
    withdrawn = agree(scene.studio, scene.purpose, scene.cleo)
    withdraw(scene.studio, withdrawn.record.record_id)
    scene.clock.now += timedelta(seconds=1)
    draw_up(scene.studio, scene.purpose, scene.cleo)
    listed = list_records(scene.studio)
    assert [(each.handle, each.version, each.state) for each in listed] == [
        ("ada", 1, "superseded"),
        ("ben", 1, "live"),
        ("ada", 2, "live"),
        ("cleo", 1, "withdrawn"),
        ("cleo", 1, "offered"),
    ]
    scene.clock.to("2027-11-01")
    assert [each.state for each in list_records(scene.studio)] == [
        "superseded",
        "expired",
        "expired",
        "withdrawn",
        "offered",
    ]


def test_what_a_line_tells(scene: Scene) -> None:
    line = list_records(scene.studio)[0].to_json()
    assert line.pop("record_id")
    assert line == {
        "version": 1,
        "handle": "ada",
        "project": "a-lesson-in-two-faces",
        "state": "live",
        "starts": "2026-11-01",
        "ends": "2027-10-31",
        "acts": ("ingest", "perform", "portray", "release", "train"),
    }


def test_a_page_at_a_time(scene: Scene) -> None:
    for second in range(3):
        scene.clock.now += timedelta(seconds=second % 2)
        agree(scene.studio, scene.purpose, scene.cleo)
    everything = list_records(scene.studio)
    assert len(everything) == 5
    for size in (1, 2, 4, 5, 9):
        seen: list[Listed] = []
        while page := list_records(scene.studio, limit=size, after=_name(seen)):
            assert len(page) <= size
            seen += page
        assert tuple(seen) == everything


def _name(seen: list[Listed]) -> str | None:
    return f"{seen[-1].record_id}:{seen[-1].version}" if seen else None


@pytest.mark.parametrize("after", ["", "nobody", "x:", ":1", "x:y", "nobody:1"])
def test_after_what_isnt_there(scene: Scene, after: str) -> None:
    with pytest.raises((InputError, NotFoundError)):
        list_records(scene.studio, after=after)
    first = list_records(scene.studio)[0]
    with pytest.raises(NotFoundError, match="no version 7"):
        list_records(scene.studio, after=f"{first.record_id[:8]}:7")


def test_records_can_be_listed_by_project(scene: Scene) -> None:
    own = scene.purpose.project_id
    assert list_records(scene.studio, project_id=own) == list_records(scene.studio)
    assert len(list_records(scene.studio, project_id=own, limit=1)) == 1
    assert list_records(scene.studio, project_id="another") == ()
