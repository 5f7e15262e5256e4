"""The repair editor without a browser: what it gives, and what it doesn't take."""

import json
from typing import Any

import pytest
from asgi import Told
from housed import Housed, Visitor
from repairing import FRAMES, Desk

from assent.apps.access.permissions import Role
from assent.apps.access.who import Membership
from assent.kit.imaging.label import Corner, draw_label, label_present
from assent.kit.jobs.queue import Queue
from assent.kit.media.convert import from_rgb
from assent.kit.media.still import read_still

SKIP = [{"first": 1, "last": 2}]


class Editor:
    """Somebody at the editor."""

    def __init__(self, desk: Desk, visitor: Visitor) -> None:
        self.desk = desk
        self.visitor = visitor
        draft = desk.render()
        self.at = f"/p/{desk.stage.purpose.slug}/drafts/{draft.id}/repair"
        self.document: dict[str, Any] = desk.document().to_json()

    def post(self, path: str, **data: object) -> Told:
        return self.visitor.post(
            f"{self.at}{path}", data=data, headers={"accept": "application/json"}
        )


@pytest.fixture
def editor(desk: Desk) -> Editor:
    return Editor(desk, Housed(desk.stage.studio).holder())


def test_a_session_at_the_editor(editor: Editor) -> None:
    page = editor.visitor.get(editor.at)
    assert page.status_code == 200
    assert b"Repair long.mp4" in page.content
    begun = json.loads(editor.post("/begin").content)
    assert (begun["frames"], begun["version"], begun["performer"]) == (FRAMES, 0, "ada")
    assert len(begun["chart"]["points"]) == 478
    viewing = f"/{begun['viewing']}"
    mesh = json.loads(editor.post(f"{viewing}/mesh", number=5, repairs=editor.document).content)
    assert len(mesh["points"]) == 478
    blank = json.loads(editor.post(f"{viewing}/mesh", number=41, repairs=editor.document).content)
    assert blank == {"points": None}
    for before in (False, True):
        frame = editor.post(
            f"{viewing}/frame", number=5, repairs=editor.document, width=320, before=before
        )
        assert (frame.status_code, frame.content[:2]) == (200, b"\xff\xd8")
    changed = {**editor.document, "skips": SKIP}
    kept = json.loads(editor.post("/keep", repairs=changed, expected=0).content)
    assert (kept["version"], kept["back"], kept["forth"]) == (1, True, False)
    stale = editor.post("/keep", repairs=editor.document, expected=0)
    assert stale.status_code == 409
    assert b"somebody else saved version 1" in stale.content
    back = json.loads(editor.post("/undo", expected=1).content)
    assert (back["version"], back["forth"]) == (0, True)
    assert json.loads(editor.post("/redo", expected=0).content)["repairs"]["skips"] == SKIP
    job = json.loads(editor.post("/render").content)["job"]
    queue = Queue(editor.desk.stage.studio.database, editor.desk.stage.studio.clock)
    assert queue.get(job).kind == "render"


def test_the_label_is_moved_and_shown_where_it_will_be(editor: Editor) -> None:
    begun = json.loads(editor.post("/begin").content)
    assert begun["repairs"]["settings"]["label"] == "top-right"
    assert set(begun["label"]) == {each.value for each in Corner}
    assert any("Code of Practice" in each for each in begun["label"]["bottom-left"])
    for corner in Corner:
        moved = {**editor.document, "settings": {"label": corner.value}}
        jpeg = editor.post(f"/{begun['viewing']}/frame", number=5, repairs=moved, width=320).content
        picture = from_rgb(read_still(jpeg, name="frame"))
        shown = {
            each
            for each in Corner
            if label_present(picture, draw_label(picture.width, picture.height, corner=each)) > 0.7
        }
        assert shown == {corner}
    for none in ("off", None, "", 0):
        bare = {**editor.document, "settings": {"label": none}}
        answer = editor.post(f"/{begun['viewing']}/frame", number=5, repairs=bare, width=320)
        assert answer.status_code == 400


def test_the_release_page_simulates_the_corner_that_was_chosen(editor: Editor) -> None:
    desk = editor.desk
    desk.save(settings={"label": "bottom-left"})
    draft = desk.render()
    answer = editor.visitor.get(
        f"/p/{desk.stage.purpose.slug}/release/{draft.id}/framing?w=1080&h=1920"
    )
    label = draw_label(1080, 1920, corner=Corner.BOTTOM_LEFT)
    assert json.loads(answer.content)["label"][:2] == [label.x, label.y]


def test_hostile_requests_are_refused(editor: Editor) -> None:
    viewing = f"/{json.loads(editor.post('/begin').content)['viewing']}"
    good = editor.document
    for path, data in (
        ("/frame", {"number": FRAMES, "repairs": good}),
        ("/frame", {"number": -1, "repairs": good}),
        ("/frame", {"number": True, "repairs": good}),
        ("/frame", {"number": 1, "repairs": {**good, "clip": "0" * 64}}),
        ("/frame", {"number": 1, "repairs": {**good, "skips": [{"first": 0, "last": 10**6}]}}),
        ("/frame", {"number": 1}),
        ("/mesh", {"number": 1, "repairs": [1]}),
    ):
        assert editor.post(f"{viewing}{path}", **data).status_code == 400, data
    assert editor.post("/keep", repairs=good).status_code == 400
    stranger = {**good, "owners": [{"track": 0, "first": 0, "last": 3, "person": "cleo"}]}
    assert editor.post("/keep", repairs=stranger, expected=0).status_code == 400
    assert editor.post("/0123456789abcdef/frame", number=1, repairs=good).status_code == 404
    assert (
        editor.visitor.get(f"/p/{editor.desk.stage.purpose.slug}/drafts/x/repair").status_code
        == 404
    )


def test_a_face_given_to_another_needs_a_decision_and_nobody_else_may_edit(editor: Editor) -> None:
    desk = editor.desk
    moved = {"first": 8, "last": 12, "keys": [{"frame": 10, "x": 600, "y": 600}]}
    told = editor.post("/keep", repairs={**editor.document, "shapes": [moved]}, expected=0)
    assert told.status_code == 403
    assert b"sure whose face it is" in told.content
    house = Housed(desk.stage.studio, team=True)
    for role in (Role.REVIEWER, Role.AUDITOR):
        visitor = house.account(role.value, Membership(role, desk.stage.purpose.project_id))
        answer = visitor.post(f"{editor.at}/begin", data={})
        assert answer.status_code in (403, 404), role
