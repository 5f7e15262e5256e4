import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from programs import Program, Said, Served
from sqlalchemy import select
from studios import Scene

from assent.apps.api.keys import KEPT_FOR, Keys, Operation
from assent.apps.api.problems import BusyError
from assent.apps.hooks.webhooks import list_webhooks
from assent.kit.store.api_tables import AnswerRow
from assent.purpose.brief import EXAMPLE

HOOK = {"url": "https://hooks.example.org/a", "kinds": ["release.made"]}
KEY = "first-key-of-all"


@pytest.fixture
def served(scene: Scene) -> Served:
    return Served(scene.studio)


@pytest.fixture
def program(served: Served) -> Program:
    return served.program()


def test_a_request_that_is_sent_again_is_answered_again(program: Program, scene: Scene) -> None:
    first = program.post("/webhooks", HOOK, key=KEY)
    again = program.post("/webhooks", HOOK, key=KEY)
    assert (first.status, again.status) == (201, 201)
    assert again.body == first.body
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert len(list_webhooks(scene.studio)) == 1
    assert program.post("/webhooks", HOOK).json["id"] != first.json["id"]


def test_the_key_belongs_to_one_request(program: Program) -> None:
    program.post("/webhooks", HOOK, key=KEY)
    for said in (
        program.post("/webhooks", HOOK | {"kinds": ["job.ended"]}, key=KEY),
        program.post("/projects", {"brief": EXAMPLE}, key=KEY),
    ):
        assert (said.status, said.code) == (422, "idempotency-key-reused")


def test_the_key_belongs_to_one_token(served: Served, scene: Scene) -> None:
    ids = {served.program().post("/webhooks", HOOK, key=KEY).json["id"] for _ in range(2)}
    assert len(ids) == 2


def test_eight_at_once_do_it_once(program: Program, scene: Scene) -> None:
    body = json.dumps(HOOK).encode()
    headers = {"content-type": "application/json", "idempotency-key": KEY}

    async def all_at_once() -> list[Said]:
        return list(
            await asyncio.gather(
                *(program.talk("POST", "/webhooks", [body], headers=headers) for _ in range(8))
            )
        )

    said = asyncio.run(all_at_once())
    assert {each.status for each in said} == {201}
    assert len({each.body for each in said}) == 1
    assert sum("idempotency-replayed" in each.headers for each in said) == 7
    assert len(list_webhooks(scene.studio)) == 1


def test_what_failed_can_be_sent_again(program: Program) -> None:
    wrong = program.post("/projects", {"brief": {}}, key=KEY)
    assert wrong.status == 422
    refused = program.get("/projects/lesson")
    assert refused.status == 404
    assert program.post("/projects", {"brief": EXAMPLE, "name": "lesson"}, key=KEY).status == 201


def test_after_a_crash_it_is_taken_up_under_the_same_id(scene: Scene, program: Program) -> None:
    """The process died when the webhook was made and nothing was answered."""
    token = program.get("/me").json["token"]
    made = program.post("/webhooks", HOOK, key=KEY)
    with scene.studio.database.session() as session:
        row = session.scalars(select(AnswerRow)).one()
        assert row.operation == made.json["id"]
        row.answer = None
    assert token == row.owner
    scene.clock.now += timedelta(seconds=61)
    again = program.post("/webhooks", HOOK, key=KEY)
    assert again.status == 201
    assert again.json["id"] == made.json["id"]
    assert len(list_webhooks(scene.studio)) == 1


def test_while_it_is_being_done_others_are_told_to_wait(scene: Scene) -> None:
    keys = Keys(scene.studio)
    begun = keys.begin("token", KEY, "hash")
    assert isinstance(begun, Operation)
    with pytest.raises(BusyError):
        keys.begin("token", KEY, "hash")
    scene.clock.now += timedelta(seconds=61)
    taken = keys.begin("token", KEY, "hash")
    assert isinstance(taken, Operation)
    assert taken.id == begun.id
    # Who was away too long doesn't answer over the other.
    keys.give_up(begun)
    with pytest.raises(BusyError):
        keys.begin("token", KEY, "hash")


def test_answers_are_sealed_and_go_after_a_day(program: Program, scene: Scene) -> None:
    made: Any = program.post("/webhooks", HOOK, key=KEY).json
    with scene.studio.database.session() as session:
        row = session.scalars(select(AnswerRow)).one()
        assert made["key"] not in str(row.answer)
        assert made["key"][6:20] not in str(row.answer)
    scene.clock.now += KEPT_FOR
    later = program.__class__(app=program.app, secret=Served(scene.studio).program().secret)
    later.post("/webhooks", HOOK, key="another-key-now")
    with scene.studio.database.session() as session:
        assert [row.key for row in session.scalars(select(AnswerRow))] == ["another-key-now"]


@pytest.mark.parametrize("key", ["short", "x" * 201, "with space in it", "umlaut-\xe4\xe4\xe4\xe4"])
def test_a_key_that_is_none_is_refused(program: Program, key: str) -> None:
    said = program.post("/webhooks", HOOK, key=key)
    assert (said.status, said.code) == (422, "invalid")
