"""What the path of a project tells, from an empty project to a release."""

from typing import TYPE_CHECKING

from studios import Scene, add_draft, add_member, brief_with

from assent.apps.studio.steps import Step, steps_of
from assent.kit.store.tables import (
    DoubtRow,
    ReleaseRow,
    ReviewRow,
    SightingRow,
    SignOffRow,
)
from assent.purpose.projects import create_project, look_up

if TYPE_CHECKING:
    from assent.kit.store.tables import Base


def told(scene: Scene, slug: str = "") -> dict[str, Step]:
    project = look_up(scene.studio, slug or scene.purpose.slug)
    return {step.name: step for step in steps_of(scene.studio, project)}


def put(scene: Scene, *rows: "Base") -> None:
    with scene.studio.database.session() as session:
        session.add_all(rows)


def test_an_empty_project(scene: Scene) -> None:
    create_project(scene.studio, brief_with(title="Another film"), slug="empty")
    steps = told(scene, "empty")
    assert [step.state for step in steps.values()] == ["done", "now", *["later"] * 6]
    assert steps["Consent"].who == "The producer"
    assert all(step.missing for step in steps.values() if step.state != "done")


def test_a_project_that_can_never_be_released_says_so(scene: Scene) -> None:
    risk = {**brief_with().to_json()["risk"], "election": True}
    create_project(scene.studio, brief_with(title="A vote", risk=risk), slug="vote")
    step = told(scene, "vote")["Purpose"]
    assert step.state == "now"
    assert "names none" in step.missing


def test_step_by_step(scene: Scene) -> None:
    steps = told(scene)
    assert steps["Consent"].state == "done"
    assert steps["Footage"].state == "now"
    draft = add_draft(scene.studio, scene.purpose, donor=scene.ben, performer=scene.ada)
    steps = told(scene)
    assert [steps[name].state for name in ("Footage", "Model", "Video")] == ["done"] * 3
    assert steps["Review"].state == "now"
    put(scene, ReviewRow(draft_id=draft, created="t", decision="d"))
    assert told(scene)["Review"].state == "done"
    assert told(scene)["Release"].who == "The producer"
    put(scene, ReleaseRow(asset_id="a" * 16, draft_id=draft, state="released", created="t"))
    put(scene, SightingRow(asset_id="a" * 16, place="https://x", sha256="0", seen="t"))
    steps = told(scene)
    assert all(step.state == "done" for step in steps.values())
    assert steps["Afterwards"].done == "1 copy seen elsewhere."


def test_a_face_in_doubt_holds_the_step_up(scene: Scene) -> None:
    add_draft(scene.studio, scene.purpose, donor=scene.ben, performer=scene.ada)
    put(
        scene,
        DoubtRow(
            id="d", project_id=scene.purpose.project_id, name="clip", sha256="0", people=[],
            receipts=[], spans={}, state="waiting", created="t", salt="", binding="",
        ),
    )  # fmt: skip
    step = told(scene)["Footage"]
    assert (step.state, step.who) == ("now", "A reviewer")


def test_who_must_sign_is_named(scene: Scene) -> None:
    risk = {**brief_with().to_json()["risk"], "election": True}
    dan = add_member(scene.studio, "dan")
    brief = brief_with(title="A vote", risk=risk, reviewer="cleo", second_reviewer="dan")
    project = create_project(scene.studio, brief, slug="vote")
    assert told(scene, "vote")["Purpose"].state == "done"
    draft = add_draft(scene.studio, project, donor=scene.ben, performer=scene.ada)
    put(scene, ReviewRow(draft_id=draft, created="t", decision="d"))
    for who in (scene.cleo, dan):
        assert told(scene, "vote")["Review"].who == who.person.handle
        put(scene, SignOffRow(draft_id=draft, person_id=who.id, token=f"{who.id}", created="t"))
    assert told(scene, "vote")["Review"].missing == ""
