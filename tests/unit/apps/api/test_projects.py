import pytest
from programs import Program, Served
from studios import Scene

from assent.apps.access.permissions import Role
from assent.purpose.brief import EXAMPLE


@pytest.fixture
def served(scene: Scene) -> Served:
    return Served(scene.studio)


@pytest.fixture
def program(served: Served) -> Program:
    return served.program()


def test_a_brief_goes_in_and_the_rules_answers_come_out(program: Program) -> None:
    made = program.post("/projects", {"brief": EXAMPLE, "name": "lesson"})
    assert made.status == 201, made.body
    assert made.headers["location"] == "/api/v1/projects/lesson"
    told = program.get("/projects/lesson").json
    assert told == made.json
    assert (told["allowed"], told["risk"]) == (True, "medium")
    assert {"id", "source", "because"} <= set(told["rules"][0])


def test_a_forbidden_purpose_is_refused_with_the_rules_name(program: Program) -> None:
    brief = EXAMPLE | {"risk": {**EXAMPLE["risk"], "intimate": True}}  # type: ignore[dict-item]
    refused = program.post("/projects", {"brief": brief, "name": "x"})
    assert (refused.status, refused.code) == (403, "forbidden-purpose")
    assert "rule '" in refused.json["detail"]
    asked = program.post("/rules/check", {"brief": brief})
    assert (asked.status, asked.json["allowed"]) == (200, False)
    assert asked.json["rules"][0]["effect"] == "refuse"


def test_studio_and_token_tell_who_they_are(program: Program, scene: Scene) -> None:
    assert program.get("/studio").json["log_key"] == scene.studio.log_verifier.vkey
    me = program.get("/me").json
    assert (me["account"], me["name"]) == (None, "You")
    packs = program.get("/rule-packs").json
    assert {each["name"] for each in packs["items"]} >= {"eu"}
    assert packs["always"]


def test_projects_come_in_pages(program: Program) -> None:
    for number in range(5):
        program.post("/projects", {"brief": EXAMPLE, "name": f"p{number}"})
    seen, cursor = [], ""
    while True:
        page = program.get(f"/projects?limit=2{cursor}").json
        seen += [each["name"] for each in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert sorted(seen) == ["a-lesson-in-two-faces", "p0", "p1", "p2", "p3", "p4"]
    for wrong in ("", "x", "bnVsbA", "WyJwZW9wbGUiLCJhIiwiYiJd", "%00", "W1tbW1tb"):
        refused = program.get(f"/projects?cursor={wrong}")
        assert (refused.status, refused.code) == (422, "invalid")


def test_who_has_a_part_in_one_project_sees_that_one(served: Served, scene: Scene) -> None:
    served.program().post("/projects", {"brief": EXAMPLE, "name": "other"})
    member = served.member(Role.PRODUCER, scene.purpose.project_id)
    listed = member.get("/projects").json["items"]
    assert [each["id"] for each in listed] == [scene.purpose.project_id]
    assert (member.get("/projects/other").status, member.get("/projects/none").status) == (404, 404)
    assert member.post("/projects", {"brief": EXAMPLE}).code == "not-permitted"
