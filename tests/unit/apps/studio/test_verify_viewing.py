"""A picture that was saved from the studio's player, verified: the page says what it is."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from housed import Housed
from studios import brief_with

from assent.apps.access.permissions import Role
from assent.apps.access.who import Membership
from assent.apps.public.checks import Checks
from assent.disclose.viewing.viewings import Viewings
from assent.purpose.projects import create_project
from assent.verify.bundle import make_bundle, open_bundle
from assent.verify.examine import examine
from assent.verify.findings import Status, Verdict
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
    assert (found.verdict, found.asset_id) == (Verdict.VIEWING, None)
    assert "not a release" in found.summary
    assert Status.BAD not in {layer.status for layer in found.layers}
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


def test_anybody_learns_that_a_picture_was_never_released(rendered: "Cast", tmp_path: Path) -> None:
    """By its mark alone too, and from a trust bundle, unless that is of later times."""
    stage = rendered.open_copy(tmp_path / "studio")
    studio = stage.studio
    viewings = Viewings(studio)
    viewing = viewings.open_draft(stage.purpose, stage.draft, by="somebody")
    picture = viewings.picture(viewing.id, 3, by="somebody", width=640)
    bare = tmp_path / "bare.jpg"
    pixels = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    cv2.imwrite(str(bare), pixels)

    def told(since: datetime | None = None) -> Verdict:
        text = make_bundle(
            studio.log_folder, studio.log_verifier, studio.signing_key,
            now=stage.clock(), since=since,
        )  # fmt: skip
        log = open_bundle(text.encode(), vkey=studio.log_verifier.vkey, now=stage.clock())
        return examine(bare, log).verdict

    assert told() is Verdict.VIEWING
    assert told(since=stage.clock() + timedelta(days=1)) is Verdict.CONTRADICTION
    viewings.close()
    studio.database.close()
