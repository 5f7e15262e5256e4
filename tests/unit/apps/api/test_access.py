"""Who comes through: every operation by every role, and nobody into another's project."""

import asyncio
import re

import pytest
from programs import Program, Said, Served
from studios import Prepared, Scene, add_draft, agree

from assent.apps.access.permissions import PERMISSIONS, Action, Role
from assent.apps.access.tokens import revoke
from assent.apps.api.app import OPERATIONS
from assent.apps.api.call import Operated, Where
from assent.apps.hooks.webhooks import add_webhook
from assent.kit.jobs.queue import Queue
from assent.purpose.brief import EXAMPLE

every = pytest.mark.parametrize("operated", OPERATIONS, ids=lambda o: f"{o.method} {o.path}")


@pytest.fixture(scope="module")
def scene_of_all(prepared: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return prepared.open_copy(tmp_path_factory.mktemp("access") / "studio")


@pytest.fixture(scope="module")
def served_to_all(scene_of_all: Scene) -> Served:
    return Served(scene_of_all.studio)


@pytest.fixture(scope="module")
def members(served_to_all: Served, scene_of_all: Scene) -> dict[tuple[Role, bool], Program]:
    """A program for each role in the whole studio, and in the one project."""
    project = scene_of_all.purpose.project_id
    return {
        (role, whole): served_to_all.member(role, None if whole else project)
        for role in Role
        for whole in (True, False)
    }


def path_of(operated: Operated, project: str) -> str:
    path = operated.path.replace("{project}", project).replace("{index}", "0")
    path = re.sub(r"\{[a-z]+\}", "0123456789abcdef", path.replace("{number}", "1"))
    return f"{path}?wait=0" if path == "/jobs/events" else path


def ask(program: Program, operated: Operated, path: str) -> tuple[int, str]:
    if operated.method == "PATCH" and "uploads" in path:
        headers = {"content-type": "application/octet-stream", "upload-offset": "0"}
        said = program.request("PATCH", path, [b""], headers=headers)
    elif operated.method == "GET":
        said = program.get(path)
    else:
        said = program.send(operated.method, path, None, {})
    return said.status, said.code if said.status >= 400 else ""


@every
@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("whole", [True, False], ids=["studio", "project"])
def test_the_table_of_permissions_decides(
    operated: Operated,
    role: Role,
    whole: bool,
    members: dict[tuple[Role, bool], Program],
    scene_of_all: Scene,
) -> None:
    allowed = PERMISSIONS[operated.action]
    held = role in allowed.roles
    if operated.where is Where.STUDIO:
        held = held and (whole or allowed.anywhere)
    program = members[role, whole]
    status, code = ask(program, operated, path_of(operated, scene_of_all.purpose.slug))
    assert (code == "not-permitted") == (not held), (status, code)
    assert status not in (401, 500)
    assert held or status == 403


@every
def test_a_token_without_the_scope_is_refused(
    operated: Operated, served_to_all: Served, scene_of_all: Scene
) -> None:
    scopes = set(Action) - {operated.action}
    status, code = ask(
        served_to_all.program(scopes), operated, path_of(operated, scene_of_all.purpose.slug)
    )
    assert (status, code) == (403, "not-permitted")


@every
def test_nobody_comes_through_without_a_token(
    operated: Operated, served_to_all: Served, scene_of_all: Scene
) -> None:
    path = path_of(operated, scene_of_all.purpose.slug)
    for secret in ("", "assent_x", "x" * 4000):
        stranger = Program(app=served_to_all.app, secret=secret)
        assert ask(stranger, operated, path) == (401, "unauthenticated")


@every
def test_another_project_is_as_good_as_none(
    operated: Operated,
    members: dict[tuple[Role, bool], Program],
    served_to_all: Served,
) -> None:
    """Asked by id or by name, with what exists in it or not."""
    served_to_all.program().post("/projects", {"brief": EXAMPLE, "name": "other"})
    if "{project}" in operated.path:
        told = {
            ask(members[Role.PRODUCER, False], operated, path_of(operated, name))
            for name in ("other", "none")
        }
        assert told == {(404, "not-found")}


def test_ids_of_one_project_open_nothing_in_another(scene: Scene) -> None:
    api = Served(scene.studio)
    holder = api.program()
    holder.post("/projects", {"brief": EXAMPLE, "name": "other"})
    draft = add_draft(scene.studio, scene.purpose, donor=scene.ben, performer=scene.ada)
    for path in (
        f"drafts/{draft}", f"drafts/{draft}/review", f"drafts/{draft}/sign-off?reviewer=ada",
        f"models/m{draft}", f"footage/f{draft}",
    ):  # fmt: skip
        assert holder.get(f"/projects/other/{path}").status == 404, path
    assert holder.get(f"/projects/{scene.purpose.slug}/drafts/{draft}").status == 200
    told = holder.post(f"/projects/other/drafts/{draft}/release", {})
    assert (told.status, told.code) == (404, "not-found")


def test_who_works_for_one_project_asks_nobody_of_another(scene: Scene) -> None:
    agree(scene.studio, scene.purpose, scene.ada)
    api = Served(scene.studio)
    api.program().post("/projects", {"brief": EXAMPLE, "name": "other"})
    another = api.program().get("/projects/other").json["id"]
    offer = {"person": "ada", "adult": True, "terms": {"acts": ["ingest"]}}
    there = api.member(Role.PRODUCER, another)
    assert there.post("/projects/other/invitations", offer).code == "not-found"
    here = api.member(Role.PRODUCER, scene.purpose.project_id)
    made = here.post(f"/projects/{scene.purpose.slug}/invitations", offer)
    assert made.json["person"] == "ada"


def test_jobs_of_others_are_as_good_as_none(scene: Scene) -> None:
    api = Served(scene.studio)
    queue = Queue(scene.studio.database, scene.clock)
    own = scene.purpose.project_id
    mine = queue.put("render", own, {"draft": "1"})
    api.program().post("/projects", {"brief": EXAMPLE, "name": "other"})
    another = api.program().get("/projects/other").json["id"]
    other = queue.put("render", another, {"draft": "1"})
    loose = queue.put("verify", None, {"upload": "1"}, by="somebody")
    member = api.member(Role.PRODUCER, own)
    assert [each["id"] for each in member.get("/jobs").json["items"]] == [mine.id]
    assert member.get(f"/jobs/{mine.id}").json["state"] == "waiting"
    for job in (other, loose):
        for said in (member.get(f"/jobs/{job.id}"), member.post(f"/jobs/{job.id}/cancel")):
            assert (said.status, said.code) == (404, "not-found")
    events = member.get("/jobs/events?after=0&wait=0").body.decode()
    assert mine.id in events
    assert other.id not in events
    assert loose.id not in events
    system = queue.put("webhooks", None, {})
    narrow = api.program([Action.READ_JOBS, Action.CHANGE_JOBS], projects=[own])
    for program in (member, narrow):
        assert program.post(f"/jobs/{system.id}/pause").code == "not-found"
    assert api.program().post(f"/jobs/{system.id}/pause").json["state"] == "paused"
    reader = api.member(Role.AUDITOR, own)
    assert reader.post(f"/jobs/{mine.id}/cancel").code == "not-permitted"
    assert member.post(f"/jobs/{mine.id}/cancel").json["state"] == "cancelled"


def test_one_token_keeps_no_more_than_some_streams_open(scene: Scene) -> None:
    api = Served(scene.studio)
    follower, other = api.program(), api.program()

    async def follow() -> tuple[list[Said], Said]:
        path = "/jobs/events?wait=1"
        first = [asyncio.create_task(follower.talk("GET", path)) for _ in range(10)]
        while len(api.app.state.api.listening) < 10:
            await asyncio.sleep(0.01)
        refused, taken = await asyncio.gather(
            follower.talk("GET", path), other.talk("GET", "/jobs/events?wait=0")
        )
        assert (refused.status, refused.code) == (429, "too-often")
        return list(await asyncio.gather(*first)), taken

    first, taken = asyncio.run(follow())
    assert {said.status for said in (*first, taken)} == {200}
    assert api.app.state.api.listening == {}
    assert follower.get("/jobs/events?wait=0").status == 200


def test_webhooks_of_others_are_as_good_as_none(scene: Scene) -> None:
    api = Served(scene.studio)
    hook, _ = add_webhook(
        scene.studio, account_id=None, url="https://a.example/", kinds=["release.made"]
    )
    member = api.member(Role.PRODUCER, scene.purpose.project_id)
    assert member.get("/webhooks").json["items"] == []
    path = f"/webhooks/{hook.id}"
    for said in (
        member.get(path), member.delete(path), member.patch(path, {"active": False}),
        member.post(f"{path}/key"), member.get(f"{path}/deliveries"),
    ):  # fmt: skip
        assert (said.status, said.code) == (404, "not-found")
    assert api.program().get(path).json["state"] == "active"


def test_a_token_for_one_project_reaches_no_webhook_of_more(scene: Scene) -> None:
    api = Served(scene.studio)
    own = scene.purpose.project_id
    wide, _ = add_webhook(
        scene.studio, account_id=None, url="https://a.example/", kinds=["release.made"]
    )
    narrow = api.program([Action.WEBHOOKS, Action.READ_RELEASES], projects=[own])
    hook = {"url": "https://b.example/", "kinds": ["release.made"]}
    mine = narrow.post("/webhooks", hook).json
    assert mine["projects"] == [own]
    assert [each["id"] for each in narrow.get("/webhooks").json["items"]] == [mine["id"]]
    path = f"/webhooks/{wide.id}"
    for said in (
        narrow.get(path), narrow.delete(path), narrow.patch(path, {"active": False}),
        narrow.post(f"{path}/key"), narrow.get(f"{path}/deliveries"),
    ):  # fmt: skip
        assert (said.status, said.code) == (404, "not-found")
    assert narrow.delete(f"/webhooks/{mine['id']}").status == 204


def test_an_expired_or_revoked_token_opens_nothing(scene: Scene) -> None:
    api = Served(scene.studio)
    program = api.program()
    token = program.get("/me").json["token"]
    revoke(scene.studio, token)
    said = program.get("/me")
    assert (said.status, said.code) == (401, "unauthenticated")
    assert said.headers["www-authenticate"].startswith("Bearer")
    old = api.program()
    scene.clock.to("2026-11-22")
    assert old.get("/me").status == 401


def test_a_webhook_hears_no_more_than_its_token_may_read(scene: Scene) -> None:
    api = Served(scene.studio)
    narrow = api.program([Action.WEBHOOKS])
    hook = {"url": "https://a.example/", "kinds": ["consent.given"]}
    assert narrow.post("/webhooks", hook).code == "not-permitted"
    member = api.member(Role.PRODUCER, scene.purpose.project_id)
    assert member.post("/webhooks", hook).code == "not-permitted"
    named = hook | {"projects": [scene.purpose.slug]}
    made = member.post("/webhooks", named)
    assert made.json["projects"] == [scene.purpose.project_id]
    assert member.post("/webhooks", hook | {"projects": ["other"]}).code == "not-found"
    changed = {"kinds": ["sighting.found"]}
    path = f"/webhooks/{made.json['id']}"
    assert member.patch(path, changed).status == 200
    limited = api.program([Action.WEBHOOKS], account=None)
    own, _ = add_webhook(
        scene.studio, account_id=None, url="https://a.example/", kinds=["release.made"]
    )
    assert limited.patch(f"/webhooks/{own.id}", changed).code == "not-permitted"
