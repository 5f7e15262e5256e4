"""Platforms call: signed, bounded, not too often, and each call once."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from programs import Program, Said, Served
from sqlalchemy import select
from studios import Scene

from assent.apps.api.app import PREFIX
from assent.apps.api.call import Api
from assent.apps.api.calls import CALLS, call_route
from assent.apps.api.guard import Pace
from assent.kit.errors import InputError
from assent.kit.store.watch_tables import CallRow, FindRow
from assent.monitor.watch.called import LARGEST, sign_call, take_call
from assent.monitor.watch.sources import add_source, remove_source, set_paused

SECRET = b"of the platform and the studio alone"
CLIP = "https://videos.example.org/1.mp4"


@pytest.fixture
def platform(scene: Scene) -> Program:
    add_source(scene.studio, name="tube", kind="webhook", address="tube.example", secret=SECRET)
    return Served(scene.studio).stranger()


def call(
    platform: Program, scene: Scene, said: object = None, *, source: str = "tube",
    secret: bytes = SECRET, late: float = 0, signed: object = None,
    headers: Mapping[str, str] | None = None,
) -> Said:  # fmt: skip
    body = (
        said if isinstance(said, bytes) else json.dumps(said or {"items": [{"url": CLIP}]}).encode()
    )
    at = int(scene.clock().timestamp() - late)
    signature = sign_call(secret, signed if isinstance(signed, bytes) else body, at=at)
    sent = {"content-type": "application/json", "assent-signature": signature}
    return platform.request(
        "POST", f"/monitor/calls/{source}", [body], headers={**sent, **(headers or {})}
    )


def finds(scene: Scene) -> dict[str, dict[str, Any]]:
    with scene.studio.database.session() as session:
        return {row.address: row.context for row in session.scalars(select(FindRow))}


def test_what_a_platform_names_waits_to_be_looked_at(platform: Program, scene: Scene) -> None:
    said = {"items": [{"url": CLIP, "title": "A clip", "views": 12}, {"url": f"{CLIP}?2"}]}
    answer = call(platform, scene, said)
    assert (answer.status, answer.json) == (200, {"new": 2})
    assert finds(scene) == {CLIP: {"title": "A clip", "views": 12}, f"{CLIP}?2": {}}
    scene.clock.now += timedelta(seconds=1)
    assert call(platform, scene, {"items": [{"url": CLIP, "views": 15}]}).json == {"new": 0}
    assert finds(scene)[CLIP]["views"] == 15


def test_the_same_call_again_changes_nothing(platform: Program, scene: Scene) -> None:
    old = {"items": [{"url": CLIP, "views": 1}]}
    began = scene.clock()
    assert call(platform, scene, old).json == {"new": 1}
    scene.clock.now += timedelta(seconds=9)
    assert call(platform, scene, {"items": [{"url": CLIP, "views": 2}]}).json == {"new": 0}
    late = (scene.clock() - began).total_seconds()
    assert call(platform, scene, old, late=late).json == {"new": 0}
    assert finds(scene)[CLIP]["views"] == 2
    # What can't come again needn't be remembered.
    scene.clock.now += timedelta(minutes=11)
    call(platform, scene)
    with scene.studio.database.session() as session:
        assert len(session.scalars(select(CallRow)).all()) == 1
    remove_source(scene.studio, "tube")
    with scene.studio.database.session() as session:
        assert session.scalars(select(CallRow)).all() == []


@pytest.mark.parametrize(
    "changes",
    [
        {"secret": b"another"},
        {"secret": b""},
        {"source": "nobody"},
        {"source": "list"},
        {"late": 301},
        {"late": -301},
        {"signed": b"other bytes"},
        {"headers": {"assent-signature": ""}},
        {"headers": {"assent-signature": "t=1,v1=" + "0" * 64}},
        {"headers": {"assent-signature": "t=" + "9" * 400 + ",v1=" + "0" * 64}},
        {"headers": {"assent-signature": "\xff"}},
    ],
)
def test_a_call_that_is_not_rightly_signed_is_refused(
    platform: Program, scene: Scene, changes: dict[str, Any]
) -> None:
    add_source(scene.studio, name="list", kind="list", address="https://a.example/list")
    answer = call(platform, scene, **changes)
    assert (answer.status, answer.code) == (403, "not-cleared")
    assert finds(scene) == {}


def test_who_calls_learns_of_no_source(platform: Program, scene: Scene) -> None:
    told = {
        call(platform, scene, source=name, secret=b"guessed").json["detail"]
        for name in ("tube", "nobody")
    }
    set_paused(scene.studio, "tube", paused=True)
    told.add(call(platform, scene).json["detail"])
    assert len(told) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"{}", b'{"items": 1}', b'{"items": [1]}', b'{"items": [{"url": 1}]}',
        b'{"items": [{"url": "file:///etc/passwd"}]}', b'{"items": [{"title": "x"}]}', b"\xff",
        b'{"items": [], "items": []}', b"[" * 5000,
    ],
)  # fmt: skip
def test_a_body_that_says_nothing_is_refused(platform: Program, scene: Scene, body: bytes) -> None:
    answer = call(platform, scene, body)
    assert 400 <= answer.status < 500
    assert answer.code in ("input", "invalid")
    assert finds(scene) == {}


def test_large_and_frequent_calls_are_refused(platform: Program, scene: Scene) -> None:
    large = json.dumps({"items": [{"url": CLIP, "title": "x" * LARGEST}]}).encode()
    assert call(platform, scene, large).code == "too-large"
    signature = sign_call(SECRET, large, at=int(scene.clock().timestamp()))
    with pytest.raises(InputError, match="too large"):
        take_call(scene.studio, "tube", large, signature=signature)
    text = call(platform, scene, headers={"content-type": "text/plain"})
    assert (text.status, text.code) == (415, "type-of-body")
    app = Served(scene.studio).app
    api = Api(studio=scene.studio, origin="https://studio.example.org")
    pace = Pace(most=2, a_second=0.5, clock=lambda: 0.0)
    app.router.routes[:] = [call_route(api, pace=pace)]
    eager, calm = Program(app=app), Program(app=app, address="192.0.2.9")
    assert [call(eager, scene).status for _ in range(3)] == [200, 200, 429]
    assert int(call(eager, scene).headers["retry-after"]) >= 1
    assert call(calm, scene).status == 200


def test_it_is_where_it_is_told(platform: Program, scene: Scene) -> None:
    from assent.monitor.watch import called

    assert f"POST {PREFIX}{CALLS.replace('{source}', 'NAME')}" in str(called.__doc__)
    assert platform.get("/monitor/calls/tube").status == 405
    assert platform.request("POST", "/monitor/calls/", [b"{}"]).status in (404, 415)
