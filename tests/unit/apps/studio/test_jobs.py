"""The pages of jobs and uploads, asked without a network."""

import hashlib
import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from housed import Housed, Visitor
from studios import brief_with

from assent.apps.access.accounts import find_account, who_is
from assent.apps.access.jobs import may_see, seen_by
from assent.apps.access.permissions import Action, Role
from assent.apps.access.who import Membership
from assent.apps.work.broadcast import Broadcast
from assent.apps.work.uploads import Uploads
from assent.kit.jobs.job import Job
from assent.kit.jobs.queue import Queue
from assent.kit.vault.growing import PIECE
from assent.purpose.projects import create_project

if TYPE_CHECKING:
    from studios import Scene

JSON = {"accept": "application/json"}


@pytest.fixture
def housed(scene: "Scene") -> Housed:
    return Housed(scene.studio, team=True)


@pytest.fixture
def queue(scene: "Scene") -> Queue:
    return Queue(scene.studio.database, scene.clock)


def producer(housed: Housed, project_id: str | None = None, name: str = "kim") -> Visitor:
    return housed.account(name, Membership(Role.PRODUCER, project_id))


def put(queue: Queue, scene: "Scene", name: str = "a") -> Job:
    return queue.put("render", scene.purpose.project_id, {"footage": name, "model": "m"})


def test_the_page_tells_what_runs_and_what_failed(
    housed: Housed, queue: Queue, scene: "Scene"
) -> None:
    visitor = producer(housed)
    assert "Nothing to do" in visitor.get("/jobs").text
    waiting, over = put(queue, scene, "scene.mp4"), put(queue, scene, "other.mp4")
    queue.cancel(over.id)
    page = visitor.get("/jobs").text
    assert f'id="job-{waiting.id}"' in page
    assert "scene.mp4" in page
    assert "Try again" in page
    assert json.loads(visitor.get(f"/jobs/{over.id}").text)["state"] == "cancelled"


def test_jobs_are_changed_by_buttons(housed: Housed, queue: Queue, scene: "Scene") -> None:
    visitor, job = producer(housed), put(queue, scene)
    last = put(queue, scene, "b")
    for what, state in (
        ("pause", "paused"), ("resume", "waiting"), ("last", "waiting"), ("first", "waiting"),
        ("cancel", "cancelled"), ("retry", "waiting"),
    ):  # fmt: skip
        assert visitor.post(f"/jobs/{job.id}/{what}").status_code == 303
        assert queue.get(job.id).state == state
    assert [each.id for each in queue.list()] == [last.id, job.id]
    assert visitor.post(f"/jobs/{job.id}/explode").status_code == 400


def test_another_project_s_jobs_are_as_good_as_none(
    housed: Housed, queue: Queue, scene: "Scene"
) -> None:
    other = create_project(scene.studio, brief_with(title="Another film"))
    job = put(queue, scene)
    whole = queue.put("verify", None, {"upload": "u"}, by="somebody")
    stranger = producer(housed, other.project_id, "lee")
    assert job.id not in stranger.get("/jobs").text
    for each in (job, whole):
        assert stranger.get(f"/jobs/{each.id}").status_code == 404
        assert stranger.post(f"/jobs/{each.id}/cancel").status_code == 404
    assert queue.get(job.id).state == "waiting"


def test_the_list_and_the_single_job_say_the_same(
    housed: Housed, queue: Queue, scene: "Scene"
) -> None:
    other = create_project(scene.studio, brief_with(title="Another film"))
    here = scene.purpose.project_id
    for number in range(3):
        queue.put("render", here, {"footage": str(number), "model": "m"})
        queue.put("render", other.project_id, {"footage": str(number), "model": "m"})
        queue.put("verify", None, {"upload": str(number)}, by=f"somebody {number}")
    jobs = queue.list()
    for number, roles in enumerate(
        (
            [Membership(Role.PRODUCER)],
            [Membership(Role.AUDITOR, here)],
            [Membership(Role.REVIEWER, other.project_id), Membership(Role.SUBJECT, here)],
            [Membership(Role.SUBJECT)],
        )
    ):
        visitor = housed.with_session(f"v{number}", *roles, person_id=scene.ada.id)
        who = who_is(scene.studio, find_account(scene.studio, f"v{number}").id)
        own = queue.put("verify", None, {"upload": "own"}, by=who.account_id)
        singly = {job.id for job in (*jobs, own) if may_see(who, job)}
        assert {job.id for job in queue.list(seen=seen_by(who))} == singly
        if who.may(Action.READ_JOBS):
            page = visitor.get("/jobs").text
            assert {job.id for job in jobs if f"job-{job.id}" in page} == singly - {own.id}
        queue.cancel(own.id)


def test_too_many_windows_of_one_are_told_so(housed: Housed, queue: Queue, scene: "Scene") -> None:
    full = Broadcast(queue, of_one=0)
    housed.house.services.get(Broadcast, lambda: full)
    told = producer(housed).get("/events", accept="text/event-stream")
    assert told.status_code == 429
    assert "too many pages" in json.loads(told.text)["error"]
    assert told.headers["retry-after"] == "30"


def test_who_may_look_may_not_change(housed: Housed, queue: Queue, scene: "Scene") -> None:
    job = put(queue, scene)
    auditor = housed.account("max", Membership(Role.AUDITOR, scene.purpose.project_id))
    page = auditor.get("/jobs").text
    assert job.id in page
    assert "/cancel" not in page
    assert auditor.post(f"/jobs/{job.id}/cancel").status_code == 403


def upload(visitor: Visitor, scene: "Scene", size: int) -> tuple[str, dict[str, Any]]:
    place = f"/p/{scene.purpose.slug}/uploads"
    told = visitor.post(place, data={"name": "scene.mp4", "size": size})
    assert told.status_code == 201, told.text
    made: dict[str, Any] = json.loads(told.text)
    return f"{place}/{made['id']}", made


def piece(visitor: Visitor, path: str, data: bytes, offset: int, digest: str | None = None) -> Any:  # noqa: ANN401 - what was told
    headers = {
        "origin": "https://studio.example",
        "x-csrf": visitor.csrf,
        "content-type": "application/octet-stream",
        "x-sha256": digest or hashlib.sha256(data).hexdigest(),
    }
    return visitor.send("POST", f"/studio{path}/piece?offset={offset}", data, headers)


def test_a_file_is_sent_piece_by_piece(housed: Housed, scene: "Scene") -> None:
    visitor, data = producer(housed), os.urandom(2 * PIECE + 7)
    path, made = upload(visitor, scene, len(data))
    assert made["offset"] == 0
    first = piece(visitor, path, data[: PIECE + 5], 0)
    # Whole mebibytes are kept; what is beyond is sent again.
    assert json.loads(first.text) == {"offset": PIECE}
    assert json.loads(visitor.get(path, **JSON).text)["offset"] == PIECE
    assert piece(visitor, path, data[PIECE:], 0).status_code == 409
    assert piece(visitor, path, data[PIECE:], PIECE, "0" * 64).status_code == 422
    assert json.loads(piece(visitor, path, data[PIECE:], PIECE).text)["offset"] == len(data)
    with Uploads(scene.studio).file(str(made["id"])).open() as file:
        assert file.read() == data
    job = visitor.post(f"{path}/ingest", data={"people": ["ada"], "rights": "ours"})
    assert job.status_code == 202, job.text
    assert json.loads(job.text)["kind"] == "ingest"
    assert visitor.post(f"{path}/discard").status_code == 200
    assert visitor.get(path, **JSON).status_code == 404


@pytest.mark.parametrize("sent", [{}, {"name": "a"}, {"name": "a", "size": "9"},
                                  {"name": "a", "size": True}, {"name": "../a", "size": 1},
                                  {"name": "a", "size": -1}, {"name": 3, "size": 1},
                                  {"name": "a", "size": 1, "sha256": 5}])  # fmt: skip
def test_what_is_no_upload(housed: Housed, scene: "Scene", sent: dict[str, object]) -> None:
    told = producer(housed).post(f"/p/{scene.purpose.slug}/uploads", data=sent, headers=JSON)
    assert told.status_code == 400
    assert json.loads(told.text)["advice"]


@pytest.mark.parametrize("offset", ["", "-1", "a", "1e3", "9" * 30, "٣"])
def test_a_piece_begins_somewhere(housed: Housed, scene: "Scene", offset: str) -> None:
    visitor = producer(housed)
    path, _ = upload(visitor, scene, 9)
    from urllib.parse import quote

    headers = {"origin": "https://studio.example", "x-csrf": visitor.csrf}
    told = visitor.send("POST", f"/studio{path}/piece?offset={quote(offset)}", b"x", headers)
    assert told.status_code == 400


def test_another_project_s_upload_is_as_good_as_none(housed: Housed, scene: "Scene") -> None:
    visitor = producer(housed)
    path, made = upload(visitor, scene, 9)
    other = create_project(scene.studio, brief_with(title="Another film"))
    elsewhere = f"/p/{other.slug}/uploads/{made['id']}"
    assert visitor.get(elsewhere).status_code == 404
    assert piece(visitor, elsewhere, b"film", 0).status_code == 404
    for what in ("ingest", "discard"):
        assert visitor.post(f"{elsewhere}/{what}", data={}).status_code == 404
    assert visitor.get(path, **JSON).status_code == 200
