"""A real draft on the page of its review: what was found, who must sign, and the signature."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browser_signs import signature
from housed import Housed, Visitor

from assent.apps.access.permissions import Role
from assent.apps.access.who import Membership
from assent.kit.jobs.queue import Queue
from assent.kit.signing import new_key
from assent.safeguard.review import sign_offs_of

if TYPE_CHECKING:
    from casts import Cast, Stage


@pytest.fixture
def stage(rendered: "Cast", tmp_path: Path) -> "Iterator[Stage]":
    opened = rendered.open_copy(tmp_path / "studio")
    yield opened
    opened.studio.database.close()


@pytest.fixture
def holder(stage: "Stage") -> Visitor:
    return Housed(stage.studio).holder()


def test_a_draft_is_signed_off_in_the_browser(stage: "Stage", holder: Visitor) -> None:
    slug, draft = stage.purpose.slug, stage.draft
    assert draft.id in holder.get(f"/p/{slug}/review").text
    path = f"/p/{slug}/review/{draft.id}"
    page = holder.get(path).text
    assert "found nothing" in page
    assert "Sign it off" in page
    shown = {"shown": draft.digest}
    assert holder.post(f"{path}/key?by=cleo", data={"shown": "0" * 64}).status_code == 403
    for who in ("ada", "ben", ""):
        assert holder.post(f"{path}/key?by={who}", data=shown).status_code == 403
    asked = json.loads(holder.post(f"{path}/key?by=cleo", data=shown).text)
    forged = holder.post(f"{path}/signature?by=cleo", data=signature(asked["text"], new_key()))
    assert forged.status_code == 403
    assert sign_offs_of(stage.studio, stage.purpose, draft) == ()
    asked = json.loads(holder.post(f"{path}/key?by=cleo", data=shown).text)
    signed = signature(asked["text"], stage.cleo.key)
    done = holder.post(f"{path}/signature?by=cleo", data=signed)
    assert (done.status_code, json.loads(done.text)["next"]) == (200, f"/studio{path}")
    (sign_off,) = sign_offs_of(stage.studio, stage.purpose, draft)
    assert sign_off.handle == "cleo"
    assert "Who is named has signed" in holder.get(path).text


def test_an_auditor_reads_and_signs_nothing(stage: "Stage") -> None:
    housed = Housed(stage.studio, team=True)
    auditor = housed.with_session("audit", Membership(Role.AUDITOR))
    path = f"/p/{stage.purpose.slug}/review/{stage.draft.id}"
    page = auditor.get(path).text
    assert "found nothing" in page
    for hidden in ("<button", "<img"):
        assert hidden not in page.split("<main")[1]


def test_the_content_gate_is_asked_to_look_again(stage: "Stage", holder: Visitor) -> None:
    slug, draft = stage.purpose.slug, stage.draft
    path = f"/p/{slug}/review/{draft.id}"
    assert holder.post(f"{path}/look").headers["location"] == f"/studio{path}"
    assert holder.post(f"{path}/look").status_code == 303, "the same job again"
    assert holder.post(f"{path}/sheet").status_code == 303
    jobs = Queue(stage.studio.database, stage.studio.clock).list(stage.purpose.project_id)
    assert sorted(job.kind for job in jobs) == ["review", "sheet"]
    assert "The content gate is looking" in holder.get(path).text
