from datetime import timedelta

import pytest
from housed import Housed
from studios import Scene

from assent.apps.access.permissions import Role
from assent.apps.access.who import Membership
from assent.kit.clock import stamp
from assent.kit.store.watch_tables import SeenRow
from assent.monitor.watch.sources import add_source, list_sources


def see(
    scene: Scene, place: str, standing: str, *, days: int = 0, project: str | None = None
) -> None:
    """Keep a copy as if it had been seen some days ago."""
    moment = stamp(scene.clock() - timedelta(days=days))
    with scene.studio.database.session() as session:
        session.add(
            SeenRow(
                asset_id="ae458e06b13e8f75", place=place, source="feed",
                project_id=project or scene.purpose.project_id, first=moment, last=moment,
                sha256="0" * 64, standing=standing, reasons=["its label was cut off or covered"],
                verdict="copy", label="missing", layers={}, context={"title": "<b>A clip</b>"},
                parts={"pictures": [{"at": 3.0, "length": 12.5}], "sound": [], "how": "its mark"},
                confirmed=True, reach=1200, case_number="2026-0001",
            )
        )  # fmt: skip


@pytest.fixture
def filled(scene: Scene) -> Scene:
    for number in range(9):
        see(
            scene,
            f"https://videos.example.org/a-long-path/{number}.mp4",
            "allowed",
            days=8 * number,
        )
    see(scene, "https://videos.example.org/cut.mp4", "unlabelled", days=2)
    see(scene, "https://tv.example.org/x.mp4", "scope", days=15)
    add_source(scene.studio, name="feed", kind="feed", address="https://videos.example.org/feed")
    return scene


def test_an_empty_page_says_what_to_do(scene: Scene) -> None:
    page = Housed(scene.studio).holder().get("/monitor")
    assert page.status_code == 200
    assert "assent monitor source add" in page.text


def test_the_figures_are_shown(filled: Scene) -> None:
    page = Housed(filled.studio).holder().get("/monitor")
    assert "its label was cut off or covered" in page.text
    assert "Case 2026-0001" in page.text
    assert "13,200" in page.text
    assert "<b>A clip</b>" not in page.text
    assert "&lt;b&gt;A clip&lt;/b&gt;" in page.text


def test_who_works_in_one_project_alone_does_not_see_all(filled: Scene) -> None:
    see(filled, "https://elsewhere.example.org/1.mp4", "unlabelled", project="another")
    kim = Housed(filled.studio, team=True).account(
        "kim", Membership(Role.PRODUCER, filled.purpose.project_id)
    )
    page = kim.get("/monitor")
    assert page.status_code == 403
    assert "elsewhere.example.org" not in page.text


def test_a_source_is_paused_and_goes_on(filled: Scene) -> None:
    visitor = Housed(filled.studio).holder()
    (source,) = list_sources(filled.studio)
    assert visitor.post(f"/monitor/sources/{source.id}", {}).status_code == 303
    assert list_sources(filled.studio)[0].paused
    visitor.post(f"/monitor/sources/{source.id}", {})
    assert not list_sources(filled.studio)[0].paused
