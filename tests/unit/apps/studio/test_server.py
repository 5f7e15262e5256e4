from typing import TYPE_CHECKING

import pytest
from housed import PASSWORD, Housed, Visitor
from studios import brief_with

from assent.apps.access.permissions import Action, Role
from assent.apps.access.who import Membership
from assent.apps.studio.page import Visit, get, post
from assent.apps.studio.routes import PAGES
from assent.purpose.projects import create_project

if TYPE_CHECKING:
    from starlette.responses import Response
    from studios import Scene


@pytest.fixture
def holder(scene: "Scene") -> Visitor:
    return Housed(scene.studio).holder()


def test_the_link_lets_its_holder_in(scene: "Scene") -> None:
    housed = Housed(scene.studio)
    stranger = housed.stranger()
    told = stranger.get("/")
    assert (told.status_code, told.headers["location"]) == (303, "/studio/signin?next=/studio/")
    assert "assent studio" in stranger.get("/signin").text
    assert stranger.get("/enter?token=guess").status_code == 403
    assert "Projects" in housed.holder().get("/").text


def test_a_new_run_has_a_new_token_and_no_old_sessions(scene: "Scene") -> None:
    before = Housed(scene.studio)
    visitor = before.holder()
    after = Housed(scene.studio)
    visitor.app = after.app
    assert visitor.get("/").status_code == 303
    assert visitor.get(f"/enter?token={before.house.token}").status_code == 403


def test_projects_and_their_path(holder: Visitor, scene: "Scene") -> None:
    slug = scene.purpose.slug
    assert f'href="/studio/p/{slug}"' in holder.get("/").text
    shown = holder.get(f"/p/{slug}")
    assert shown.status_code == 200
    for name in ("Purpose", "Consent", "Footage", "Model", "Video", "Review", "Release"):
        assert name in shown.text


def test_what_is_not_there(holder: Visitor) -> None:
    for path in ("/nothing", "/p/nothing", "/p/..%2f..", "/static/../server.py"):
        told = holder.get(path)
        assert told.status_code == 404
        assert "content-security-policy" in told.headers
    assert holder.get("/nothing", accept="application/json").text.startswith('{"error"')


def test_the_subjects_pages_are_beside_it(scene: "Scene") -> None:
    stranger = Housed(scene.studio).stranger()
    assert "key" in stranger.send("GET", "/signin").text
    assert stranger.send("GET", "/studio").headers["location"] == "/studio/"
    assert stranger.send("GET", "/static/page.js").status_code == 200


def test_accounts_come_in_by_password(scene: "Scene") -> None:
    housed = Housed(scene.studio, team=True)
    kim = housed.account("kim")
    assert "Kim" in kim.get("/").text
    assert housed.stranger().get("/enter?token=").status_code == 403
    wrong = housed.stranger().post("/signin", {"handle": "kim", "password": f"{PASSWORD}!"})
    nobody = housed.stranger().post("/signin", {"handle": "nobody", "password": PASSWORD})
    assert wrong.status_code == nobody.status_code == 403
    assert wrong.text.replace("kim", "") == nobody.text.replace("nobody", "")
    kim.post("/signout")
    assert kim.get("/").status_code == 303


def test_a_mistake_of_the_program_gives_nothing_away(scene: "Scene") -> None:
    def broken(visit: Visit) -> "Response":
        raise RuntimeError("with a secret in it")

    housed = Housed(scene.studio, pages=[*PAGES, get("/broken", broken, Action.ENTER)])
    with pytest.raises(RuntimeError):
        housed.holder().get("/broken")


def test_a_project_of_others_is_none(scene: "Scene") -> None:
    def changed(visit: Visit) -> "Response":
        return visit.see("/", notice="changed")

    path = "/p/{project}/change"
    housed = Housed(
        scene.studio, team=True, pages=[*PAGES, post(path, changed, Action.CHANGE_PEOPLE)]
    )
    slug, project_id = scene.purpose.slug, scene.purpose.project_id
    here = housed.account("here", Membership(Role.PRODUCER, project_id))
    reads = housed.account("reads", Membership(Role.AUDITOR, project_id))
    other = create_project(scene.studio, brief_with(title="Another film"))
    there = housed.account("there", Membership(Role.PRODUCER, other.project_id))
    assert there.get(f"/p/{slug}").status_code == 404
    assert there.get(f"/p/{slug}").text == there.get(f"/p/{slug}").text
    assert there.post(f"/p/{slug}/change").status_code == 404
    assert reads.get(f"/p/{slug}").status_code == 200
    assert reads.post(f"/p/{slug}/change").status_code == 403
    assert here.post(f"/p/{slug}/change").status_code == 303
    assert "changed" in here.get("/").text
    assert "changed" not in here.get("/").text
    assert here.post(f"/p/{slug}/change", {"csrf": "x"}, headers={"x-csrf": "x"}).status_code == 403
    assert here.post(f"/p/{slug}/change", headers={"origin": "https://evil"}).status_code == 403
