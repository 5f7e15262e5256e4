"""A picture that was saved from the studio's player, verified: the page says what it is."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from housed import Housed
from studios import brief_with

from assent.apps.access.permissions import Role
from assent.apps.access.who import Membership
from assent.apps.public.checks import Checks
from assent.disclose.viewing.viewings import Viewings
from assent.purpose.projects import create_project
from assent.verify.examine import examine
from assent.verify.result import result_of

if TYPE_CHECKING:
    from casts import Cast


def test_a_picture_of_a_viewing_is_told_in_words(rendered: "Cast", tmp_path: Path) -> None:
    stage = rendered.open_copy(tmp_path / "studio")
    other = create_project(stage.studio, brief_with(title="Another film"))
    housed = Housed(stage.studio, team=True)
    here = housed.account("here", Membership(Role.REVIEWER, stage.purpose.project_id))
    there = housed.account("there", Membership(Role.REVIEWER, other.project_id))
    viewings = Viewings(stage.studio)
    viewing = viewings.open_draft(stage.purpose, stage.draft, by="somebody")
    path = tmp_path / "saved.jpg"
    path.write_bytes(viewings.picture(viewing.id, 3, by="somebody", width=640))
    found = examine(path, stage.log)
    assert viewing.id in {layer.facts.get("payload") for layer in found.layers}
    result: dict[str, Any] = result_of(found.to_json(), now=stage.clock())
    for visitor, told in ((here, True), (there, False)):
        check = json.loads(visitor.post("/verify", data={"name": "x.jpg", "size": 9}).text)
        checks = housed.house.services.get(Checks, lambda: pytest.fail("it is there"))
        checks.find(check["ticket"]).result = result
        page = visitor.get(f"/verify/{check['ticket']}").text
        assert "not a release" in page
        assert "a draft of" in page if told else "a draft of" not in page
        assert (stage.purpose.brief.title in page) is told
    viewings.close()
    stage.studio.database.close()
