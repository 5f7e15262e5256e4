"""Pictures over HTTP: for who may watch, of their project, from their own viewing."""

import asyncio
import json
from pathlib import Path

import pytest
from asgi import Told
from casts import Cast, Stage
from housed import Housed, Visitor
from studios import brief_with

from assent.apps.access.permissions import Role
from assent.apps.access.who import Membership
from assent.disclose.viewing.of_clip import OfClip
from assent.disclose.viewing.viewings import Viewings
from assent.kit.errors import StorageError
from assent.kit.media.still import read_still
from assent.purpose.projects import create_project


@pytest.fixture
def stage(rendered: Cast, tmp_path: Path) -> Stage:
    return rendered.open_copy(tmp_path / "studio")


def opened(visitor: Visitor, stage: Stage, kind: str = "draft", of: str = "") -> Told:
    ids = {"draft": stage.draft.id, "clip": stage.scene.id, "model": stage.model.id}
    return visitor.post(
        f"/p/{stage.purpose.slug}/viewings",
        data={"kind": kind, "id": of or ids.get(kind, "")},
        headers={"accept": "application/json"},
    )


def frame(
    visitor: Visitor, stage: Stage, viewing: str, name: str = "3.jpg", query: str = ""
) -> Told:
    return visitor.get(
        f"/p/{stage.purpose.slug}/viewings/{viewing}/{name}{query}", accept="application/json"
    )


def test_pictures_come_and_are_not_kept(stage: Stage) -> None:
    housed = Housed(stage.studio)
    visitor = housed.holder()
    for kind, side in (("draft", "mask"), ("clip", "before"), ("model", "after")):
        told = json.loads(opened(visitor, stage, kind).content)
        assert len(told["seconds"]) == told["frames"]
        got = frame(visitor, stage, told["id"], "0.jpg", f"?side={side}&w=320")
        assert (got.status_code, got.headers["content-type"]) == (200, "image/jpeg")
        assert got.headers["cache-control"] == "no-store"
        assert read_still(got.content, name="picture").shape[1] <= max(320, told["width"])
    housed.house.services.close()


@pytest.mark.parametrize(
    ("name", "query", "status"),
    [
        ("40.jpg", "", 400),
        ("-1.jpg", "", 404),
        ("1.png", "", 404),
        ("0x1.jpg", "", 404),
        ("٣.jpg", "", 404),
        ("3.jpg", "?side=behind", 400),
        ("3.jpg", "?w=-9&side=after", 200),
        ("3.jpg", "?w=99999999&side=after", 200),
    ],
)
def test_odd_requests(stage: Stage, name: str, query: str, status: int) -> None:
    housed = Housed(stage.studio)
    visitor = housed.holder()
    viewing = json.loads(opened(visitor, stage).content)["id"]
    assert frame(visitor, stage, viewing, name, query).status_code == status
    housed.house.services.close()


@pytest.mark.parametrize("kind", ["draft", "clip", "model", "doubt", "secrets", ""])
def test_there_is_no_such_thing(stage: Stage, kind: str) -> None:
    visitor = Housed(stage.studio).holder()
    wanted = 400 if kind in ("secrets", "") else 404
    assert opened(visitor, stage, kind, "0" * 32).status_code == wanted


def test_nobody_gets_anothers_pictures(stage: Stage) -> None:
    housed = Housed(stage.studio, team=True)
    kim, lee = housed.account("kim"), housed.account("lee")
    viewing = json.loads(opened(kim, stage).content)["id"]
    assert frame(kim, stage, viewing).status_code == 200
    assert frame(lee, stage, viewing).status_code == 404
    assert frame(housed.stranger(), stage, viewing).status_code == 401
    housed.house.services.close()


def test_a_viewing_belongs_to_its_project(stage: Stage) -> None:
    today = stage.studio.clock().date()
    other = create_project(
        stage.studio,
        brief_with(
            title="Another", starts=str(today), ends=str(today.replace(year=today.year + 1))
        ),
    )
    housed = Housed(stage.studio, team=True)
    kim = housed.account("kim", Membership(Role.PRODUCER, other.project_id))
    # Who has no part in the project learns not even that it is there.
    assert opened(kim, stage).status_code == 404
    mine = {"kind": "draft", "id": stage.draft.id}
    told = kim.post(f"/p/{other.slug}/viewings", data=mine, headers={"accept": "application/json"})
    assert told.status_code == 404
    lee = housed.account("lee")
    viewing = json.loads(opened(lee, stage).content)["id"]
    assert lee.get(f"/p/{other.slug}/viewings/{viewing}/0.jpg").status_code == 404
    housed.house.services.close()


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.SUBJECT])
def test_some_roles_see_no_pictures(stage: Stage, role: Role) -> None:
    visitor = Housed(stage.studio, team=True).account(
        "kim", Membership(role), person_id=stage.ada.id
    )
    assert opened(visitor, stage).status_code == 403


def test_a_withdrawal_ends_it(stage: Stage) -> None:
    housed = Housed(stage.studio)
    visitor = housed.holder()
    viewing = json.loads(opened(visitor, stage).content)["id"]
    assert frame(visitor, stage, viewing).status_code == 200
    stage.withdraw(stage.ben)
    assert frame(visitor, stage, viewing).status_code == 404
    told = opened(visitor, stage)
    assert told.status_code == 403
    assert "withdrew" in json.loads(told.content)["error"]


def test_thousands_of_requests(stage: Stage) -> None:
    housed = Housed(stage.studio)
    # However slow the machine is, no time goes by.
    housed.house.services.get(Viewings, lambda: Viewings(stage.studio, clock=lambda: 0.0))
    visitor = housed.holder()
    viewing = json.loads(opened(visitor, stage, "model").content)["id"]
    answers = {frame(visitor, stage, viewing, "9.jpg").status_code for _ in range(300)}
    assert answers == {400, 429}
    housed.house.services.close()


class Failing:
    """What can't be tended."""

    def tend(self) -> None:
        raise StorageError("the disk failed")


@pytest.mark.enable_socket
def test_what_a_withdrawal_closes_is_let_go_though_nobody_asks(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assent.apps.studio.server._TENDED_EVERY_S", 0.01)
    housed = Housed(stage.studio)
    services = housed.house.services
    services.get(Failing, Failing)
    services.get(Housed, lambda: housed)
    viewings = services.get(Viewings, lambda: Viewings(stage.studio))
    viewing = viewings.open_clip(stage.purpose, stage.scene, by="kim")
    found = viewings._open[viewing.id]  # noqa: SLF001 - what must not be seen from outside
    stage.withdraw(stage.ada)

    async def serve() -> None:
        async with housed.app.router.lifespan_context(housed.app):
            while not found.over:
                await asyncio.sleep(0.01)

    asyncio.run(serve())
    assert isinstance(found.shown, OfClip)
    assert found.shown.closed


def test_who_asks_for_a_picture_soon_is_told_what_there_is(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    housed = Housed(stage.studio)
    visitor = housed.holder()
    viewing = json.loads(opened(visitor, stage, "clip").content)["id"]
    got = frame(visitor, stage, viewing, "9.jpg", "?w=320")
    assert got.headers["content-type"] == "image/jpeg"
    monkeypatch.setattr("assent.apps.studio.pages.viewings._PATIENCE_S", 0.0)
    told = frame(visitor, stage, viewing, "12.jpg", "?w=320&soon=1")
    assert (told.status_code, json.loads(told.content)) == (202, {"near": 9})
    assert told.headers["cache-control"] == "no-store"
    monkeypatch.setattr("assent.apps.studio.pages.viewings._PATIENCE_S", 60.0)
    got = frame(visitor, stage, viewing, "12.jpg", "?w=320&soon=1")
    assert (got.status_code, got.headers["content-type"]) == (200, "image/jpeg")
    housed.house.services.close()
