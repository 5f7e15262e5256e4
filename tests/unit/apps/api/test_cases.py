"""Cases and sightings as a studio's own systems see them."""

from typing import Any

import pytest
from programs import Served
from reports import notice, report
from studios import Scene, add_draft

from assent.apps.access.permissions import Action, Role
from assent.kit.clock import stamp
from assent.kit.store.studio import Studio
from assent.kit.store.tables import ReleaseRow
from assent.kit.store.watch_tables import SeenRow
from assent.monitor.cases.acts import act, propose
from assent.monitor.cases.case import find_case, notice_of
from assent.monitor.cases.intake import open_case
from assent.monitor.cases.receipt import find_by_receipt
from assent.purpose.brief import EXAMPLE

NEW = {
    "kind": "mislabelled", "reasons": "The label is cut off at the top.",
    "places": ["https://videos.example.org/1"], "name": "Rosa", "email": "rosa@example.org",
    "good_faith": True,
}  # fmt: skip
ASSET, OTHER = "ab" * 8, "cd" * 8


@pytest.fixture
def api(scene: Scene) -> Served:
    return Served(scene.studio)


def add_release(scene: Scene, asset: str, draft: str) -> None:
    with scene.studio.database.session() as session:
        row = ReleaseRow(asset_id=asset, draft_id=draft, state="released", created="2026", name="a")
        session.add(row)


@pytest.fixture
def release(scene: Scene) -> str:
    draft = add_draft(scene.studio, scene.purpose, donor=scene.ben, performer=scene.ada)
    add_release(scene, ASSET, draft)
    return ASSET


def add_seen(studio: Studio, *, place: str, standing: str, project: str | None, first: str) -> None:
    row = SeenRow(
        asset_id=ASSET, place=place, source="site", project_id=project, first=first, last=first,
        sha256="0" * 64, standing=standing, reasons=["its label was cut off or covered"],
        verdict="copy", label="missing", layers={"label": "missing"},
        parts={"pictures": [], "sound": [], "how": "its mark"}, context={"title": "A clip"},
        confirmed=True, reach=12, case_number=None,
    )  # fmt: skip
    with studio.database.session() as session:
        session.add(row)


def test_a_case_is_opened_listed_and_shown(api: Served, scene: Scene, release: str) -> None:
    program = api.program()
    made = program.post("/cases", {**NEW, "release": release})
    assert made.status == 201
    number, pin = made.json["number"], made.json["pin"]
    assert find_by_receipt(scene.studio, number, pin).channel == "api"
    (listed,) = program.get("/cases").json["items"]
    assert (listed["number"], listed["release"], listed["state"]) == (number, release, "open")
    assert listed["project"] == scene.purpose.project_id
    assert 0 < listed["hours_left"] <= 72
    case = find_case(scene.studio, number)
    propose(scene.studio, case, "revoke", by="cleo")
    act(scene.studio, case, "preserve", by="cleo")
    for name in (number, listed["id"]):
        shown = program.get(f"/cases/{name}").json
        assert shown["report"]["reasons"] == NEW["reasons"]
        assert shown["report"]["places"] == NEW["places"]
        assert {(each["act"], each["state"]) for each in shown["acts"]} == {
            ("revoke", "proposed"), ("preserve", "done"),
        }  # fmt: skip
        assert not any(each["done"] for each in shown["steps"])
        assert shown["timeline"][0]["kind"] == "opened"
    # Who reported it is for people's eyes; so is who did what.
    for word in (b"Rosa", b"rosa@", b"cleo"):
        assert word not in program.get(f"/cases/{number}").body
    assert program.get("/cases?state=decided").json["items"] == []


def test_sent_again_it_is_one_case(api: Served, scene: Scene) -> None:
    program = api.program()
    first, second = (program.post("/cases", NEW, key="a-key-of-mine") for _ in range(2))
    assert first.json == second.json
    assert len(program.get("/cases").json["items"]) == 1


def test_a_server_that_died_before_it_answered_makes_one_case(scene: Scene) -> None:
    opened = [open_case(scene.studio, notice(), channel="api", case_id="c" * 32) for _ in range(2)]
    first, second = opened
    assert first.number == second.number
    # The PIN that nobody was told doesn't open it any more.
    assert first.pin != second.pin
    assert find_by_receipt(scene.studio, second.number, second.pin).id == "c" * 32
    assert notice_of(scene.studio, "c" * 32).email == "rosa@example.org"


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "fun"}, {"reasons": "short"}, {"places": []}, {"good_faith": False},
        {"email": "nobody"}, {"release": "xyz"}, {"sha256": ["1"]}, {"unknown": 1},
        {"language": "fr"}, {"places": ["x" * 2001]},
    ],
)  # fmt: skip
def test_what_is_no_report_is_refused(api: Served, change: dict[str, Any]) -> None:
    program = api.program()
    said = program.post("/cases", {**NEW, **change})
    assert said.status == 422
    assert said.code in ("invalid", "input")
    assert program.get("/cases").json["items"] == []


def test_who_works_for_one_project_sees_its_cases_alone(
    api: Served, scene: Scene, release: str
) -> None:
    studio, own = scene.studio, scene.purpose.project_id
    holder = api.program()
    holder.post("/projects", {"brief": EXAMPLE, "name": "other"})
    another = holder.get("/projects/other").json["id"]
    mine = report(studio, asset_id=release, places=())
    loose = report(studio, places=("https://elsewhere.example/1",))
    here, there = api.member(Role.REVIEWER, own), api.member(Role.REVIEWER, another)
    narrow = api.program([Action.READ_CASES, Action.CHANGE_CASES], projects=[own])
    for program in (here, narrow):
        assert [e["number"] for e in program.get("/cases").json["items"]] == [mine.number]
        assert program.get(f"/cases/{mine.number}").status == 200
        assert program.get(f"/cases/{loose.number}").code == "not-found"
        assert program.get(f"/cases?project={another}").json["items"] == []
        # A report of a release of theirs they may take; any other is for the whole studio.
        assert program.post("/cases", {**NEW, "release": release}).status == 201
        assert program.post("/cases", NEW).code == "not-permitted"
        assert program.post("/cases", {**NEW, "release": OTHER}).code == "not-permitted"
    assert there.get("/cases").json["items"] == []
    assert there.get(f"/cases/{mine.number}").code == "not-found"
    assert there.post("/cases", {**NEW, "release": release}).code == "not-permitted"
    assert len(holder.get("/cases?limit=1").json["items"]) == 1
    auditor = api.member(Role.AUDITOR, own)
    assert auditor.get(f"/cases/{mine.number}").status == 200
    assert auditor.post("/cases", {**NEW, "release": release}).code == "not-permitted"


def test_a_joined_report_is_told_in_its_case(api: Served, scene: Scene) -> None:
    first, second = report(scene.studio), report(scene.studio)
    assert second.joined
    program = api.program()
    (listed,) = program.get("/cases").json["items"]
    assert listed["joined"] == [second.number]
    assert program.get(f"/cases/{first.number}").status == 200
    assert program.get(f"/cases/{second.number}").code == "not-found"


def test_sightings_are_told_page_by_page_of_ones_own_projects(api: Served, scene: Scene) -> None:
    own, now = scene.purpose.project_id, stamp(scene.clock())
    long = f"https://videos.example.org/{'x' * 1900}"
    for place, standing, project in (
        (long, "unlabelled", own), ("https://a.example/1", "allowed", own),
        ("https://b.example/1", "scope", "f" * 32), ("https://c.example/1", "unsure", None),
    ):  # fmt: skip
        add_seen(scene.studio, place=place, standing=standing, project=project, first=now)
    holder, member = api.program(), api.member(Role.AUDITOR, own)
    assert len(holder.get("/sightings").json["items"]) == 4
    places, cursor = [], ""
    while True:
        page = member.get(f"/sightings?limit=1{cursor}").json
        places += [each["place"] for each in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert sorted(places) == sorted([long, "https://a.example/1"])
    (shown,) = member.get("/sightings?standing=unlabelled").json["items"]
    assert (shown["release"], shown["reach"], shown["label"]) == (ASSET, 12, "missing")
    assert member.get("/sightings?standing=wrong").status == 422
    assert member.get(f"/sightings?project={'f' * 32}").json["items"] == []
