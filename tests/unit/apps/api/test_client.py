"""The client against a real server on this machine, and against servers that misbehave."""

import hashlib
import io
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from programs import Served as Api
from served import Served, answer, serve
from starlette.applications import Starlette
from starlette.routing import Mount
from studios import Scene, add_draft

from assent.apps.access.permissions import Role
from assent.apps.api.app import PREFIX
from assent.apps.api.client import Client, JobError, sign_statement
from assent.apps.api.problems import PermitError
from assent.apps.api.resources.safeguards import Statement
from assent.apps.api.wire import Wire, path_of
from assent.apps.work.uploads import Uploads
from assent.kit.errors import (
    ConflictError,
    FaultError,
    FetchError,
    ForbiddenPurposeError,
    InputError,
    IntegrityError,
    NotFoundError,
    StorageError,
    TooOftenError,
    UnsafeAddressError,
)
from assent.kit.jobs.job import State
from assent.kit.jobs.queue import Queue
from assent.kit.signing import new_key, public_of, signing_input, verify
from assent.purpose.brief import EXAMPLE

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
NO_WAIT = lambda seconds: None  # noqa: E731 - a name for what a test passes


@pytest.fixture
def running(scene: Scene) -> Iterator[tuple[Api, str]]:
    """The API of the scene's studio, served."""
    config = uvicorn.Config(
        lambda: None, host="127.0.0.1", port=0, log_level="error", lifespan="off"
    )
    server = uvicorn.Server(config)
    sockets = [config.bind_socket()]
    port = sockets[0].getsockname()[1]
    api = Api(scene.studio, origin=f"http://127.0.0.1:{port}")
    config.app = Starlette(routes=[Mount(PREFIX, api.app)])
    thread = threading.Thread(target=server.run, kwargs={"sockets": sockets})
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield api, f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def client(running: tuple[Api, str]) -> Client:
    api, url = running
    return Client(url, api.program().secret, sleep=NO_WAIT)


def test_it_walks_through_what_needs_no_work(client: Client, scene: Scene) -> None:
    assert client.studio().name == "Test Studio"
    assert client.me().account is None
    assert client.check_brief(EXAMPLE).allowed
    made = client.create_project(EXAMPLE, name="lesson")
    assert client.project("lesson") == made
    assert sorted(each.name for each in client.projects()) == [scene.purpose.slug, "lesson"]
    assert client.add_person("dan", "Dan").key is None
    link = client.invite("lesson", "dan", {"acts": ["ingest"]}).link
    assert link.startswith("http://127.0.0.1:")
    found = client.consents(scene.purpose.slug, state="live")
    assert {each.person for each in found} == {"ada", "ben"}
    assert not list(client.consents("lesson", person="dan"))


def test_errors_are_those_of_the_studio(client: Client, running: tuple[Api, str]) -> None:
    with pytest.raises(NotFoundError, match="no project 'x'"):
        client.project("x")
    risk: Any = EXAMPLE["risk"]
    with pytest.raises(ForbiddenPurposeError, match="rule") as refused:
        client.create_project(EXAMPLE | {"risk": {**risk, "minors": True}})
    assert refused.value.advice
    with pytest.raises(InputError, match="asked for here"):
        client.create_project({})
    api, url = running
    reader = Client(url, api.member(Role.AUDITOR).secret, sleep=NO_WAIT)
    with pytest.raises(PermitError):
        reader.create_project(EXAMPLE)


def test_a_file_is_sent_in_pieces_and_goes_on_after_a_cut(
    client: Client, scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assent.apps.api.client.PIECE", 2 << 20)
    data = bytes(range(256)) * (20 << 10) + b"the end"
    file = tmp_path / "scene.mp4"
    file.write_bytes(data)
    project = scene.purpose.slug

    class CutError(Exception):
        pass

    def cut(done: int, total: int) -> None:
        if done >= 2 << 20:
            raise CutError

    with pytest.raises(CutError):
        client.upload(project, file, progress=cut)
    (begun,) = Uploads(scene.studio).list()
    assert 0 < begun.offset < len(data)
    done: list[int] = []
    sent = client.upload(
        project, file, resume=begun.id, progress=lambda so_far, total: done.append(so_far)
    )
    assert (sent.id, sent.complete) == (begun.id, True)
    assert min(done) > begun.offset
    with Uploads(scene.studio).file(sent.id).open() as there:
        assert hashlib.sha256(there.read()).digest() == hashlib.sha256(data).digest()
    file.write_bytes(data + b"!")
    with pytest.raises(InputError, match="not the file"):
        client.upload(project, file, resume=begun.id)
    with pytest.raises(NotFoundError):
        client.upload(project, tmp_path / "none.mp4")
    with pytest.raises(StorageError):
        client.upload(project, tmp_path)


def test_a_piece_belongs_where_the_upload_is(client: Client, scene: Scene, tmp_path: Path) -> None:
    project = scene.purpose.slug
    made = client.wire.ask(
        "POST", path_of("projects", project, "uploads"), data={"name": "a.mp4", "size": 5}
    ).json
    path = path_of("projects", project, "uploads", made["id"])
    octets = {"Content-Type": "application/octet-stream"}
    for offset, kind in (("3", ConflictError), ("x", InputError), ("-1", InputError)):
        with pytest.raises(kind):
            client.wire.ask(
                "PATCH", path, body=b"hello", headers=octets | {"Upload-Offset": offset}
            )
    with pytest.raises(InputError):
        client.wire.ask("PATCH", path, data={}, headers={"Upload-Offset": "0"})
    with pytest.raises(InputError):
        client.wire.ask("PATCH", path, body=b"hello!", headers=octets | {"Upload-Offset": "0"})
    told = client.wire.ask("PATCH", path, body=b"hello", headers=octets | {"Upload-Offset": "0"})
    assert told.json["complete"]
    with pytest.raises(InputError, match="asked for here"):
        client.add_footage(project, client.upload_state(project, made["id"]), people=[], rights="x")
    job = client.add_footage(
        project, client.upload_state(project, made["id"]), people=["ada"], rights="our contract"
    )
    assert (job.kind, job.state) == ("ingest", State.WAITING)
    client.create_project(EXAMPLE, name="other")
    with pytest.raises(NotFoundError):
        client.upload_state("other", made["id"])
    client.wire.ask("DELETE", path)
    with pytest.raises(NotFoundError):
        client.upload_state(project, made["id"])


def test_it_waits_for_jobs_and_tells_how_they_ended(client: Client, scene: Scene) -> None:
    queue = Queue(scene.studio.database, scene.clock)
    job = queue.put("review", scene.purpose.project_id, {"draft": "1"})
    assert [each.id for each in client.jobs(state="waiting")] == [job.id]
    with pytest.raises(FetchError, match="longer"):
        client.wait(client.job(job.id), seconds=0)
    seen: list[State] = []
    client.cancel(job.id)
    with pytest.raises(JobError, match="cancelled") as ended:
        client.wait(client.job(job.id), changed=lambda now: seen.append(now.state))
    assert ended.value.job.state is State.CANCELLED
    assert seen == [State.CANCELLED]
    told = list(client.events(after=0, wait=0))
    assert [(each.id, each.state) for _, each in told] == [(job.id, State.CANCELLED)]
    assert list(client.events(after=told[-1][0], wait=0)) == []
    with pytest.raises(NotFoundError):
        client.job("0" * 32)


def test_work_is_asked_for_once_each_key(client: Client, scene: Scene) -> None:
    draft = add_draft(scene.studio, scene.purpose, donor=scene.ben, performer=scene.ada)
    project = scene.purpose.slug
    for kind, job in (
        ("review", client.review(project, draft)),
        ("release", client.release(project, draft, spoken_notice="en")),
        ("train", client.train(project, donor="ben", performer="ada", iterations=2)),
    ):
        assert (job.kind, job.project) == (kind, scene.purpose.project_id)
    assert [each.id for each in client.drafts(project)] == [draft]
    assert [each.name for each in client.models(project)] == ["model"]
    assert [each.name for each in client.footage(project)] == ["scene.mp4"]
    assert list(client.releases(project)) == []
    with pytest.raises(InputError, match="still being trained"):
        client.render(project, model="model", footage="scene.mp4")


def test_webhooks_come_and_go(client: Client) -> None:
    made = client.add_webhook("https://hooks.example.org/", ["job.ended"])
    assert made.key.startswith("whsec_")
    assert client.renew_webhook_key(made.id) != made.key
    assert [each.id for each in client.webhooks()] == [made.id]
    client.remove_webhook(made.id)
    assert list(client.webhooks()) == []


def test_a_reviewer_signs_what_is_shown_and_nothing_else() -> None:
    key = new_key()
    said = {"decision": "release", "draft": "1"}
    text = signing_input(said, public_of(key), kind="assent-sign-off+jws")
    token = sign_statement(Statement(signing_input=text, payload=said), key)
    assert verify(token, key, kind="assent-sign-off+jws") == said
    for wrong in (
        Statement(signing_input=text, payload=said | {"draft": "2"}),
        Statement(signing_input=text + "x", payload=said),
        Statement(signing_input="", payload=said),
        Statement(signing_input="e30.e30", payload=said),
        Statement(signing_input="\u00e9", payload=said),
        Statement(
            signing_input=signing_input(said, public_of(key), kind="assent-record+jws"),
            payload=said,
        ),
    ):
        with pytest.raises(IntegrityError):
            sign_statement(wrong, key)
    with pytest.raises(IntegrityError, match="another key"):
        sign_statement(Statement(signing_input=text, payload=said), new_key())


def at(served: Served, **more: Any) -> Client:  # noqa: ANN401 - arguments of a client
    return Client(served.url, "assent_x", sleep=NO_WAIT, timeout=2.0, **more)


def test_a_lost_answer_is_asked_for_again_with_the_same_key() -> None:
    said = iter([b"", b"HTTP/1.1 503 Busy\r\nRetry-After: 0\r\n\r\n", answer(b'{"id": 1}')])
    with serve(lambda connection, request: connection.sendall(next(said))) as served:
        assert at(served).wire.ask("POST", "/webhooks", data={}).json == {"id": 1}
    keys = {
        line for request in served.requests for line in request.split(b"\r\n")
        if line.startswith(b"Idempotency-Key")
    }  # fmt: skip
    assert (len(served.requests), len(keys)) == (3, 1)


def test_it_waits_as_long_as_it_is_told() -> None:
    waits: list[float] = []
    problem = b'{"code": "too-often", "detail": "slowly", "advice": "wait"}'
    said = answer(problem, "429 Slow", "Retry-After: 7", "Content-Type: application/problem+json")
    with serve(said) as served:
        client = Client(served.url, "assent_x", sleep=waits.append)
        with pytest.raises(TooOftenError, match="slowly"):
            client.studio()
    assert waits == [7.0] * 4


@pytest.mark.parametrize(
    "said",
    [
        answer(b"<html>", "500 Oops"),
        answer(b"[]", "404 Not Found"),
        answer(b'{"code": "new", "detail": "d", "advice": "a"}', "418 Tea"),
        answer(b"", "302 Found", "Location: http://127.0.0.1:9/"),
        answer(b"{", "200 OK"),
        b"nonsense",
    ],
    ids=["page", "list", "new code", "redirect", "half", "nonsense"],
)
def test_a_server_that_is_none_is_told(said: bytes) -> None:
    with serve(said) as served, pytest.raises((InputError, FetchError, FaultError)):
        at(served).studio()


def test_nobody_there_is_told() -> None:
    with pytest.raises(FetchError, match="no answer"):
        Client("http://127.0.0.1:9", "assent_x", sleep=NO_WAIT).studio()


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("http://studio.example.org", UnsafeAddressError),
        ("ftp://studio.example.org", InputError),
        ("https://studio.example.org/api", InputError),
        ("", InputError),
    ],
)
def test_a_token_goes_nowhere_unprotected(url: str, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        Client(url, "assent_x")
    with pytest.raises(InputError, match="token"):
        Wire(url="https://a.example", token="a\r\nb")  # noqa: S106 - none
    assert "secret" not in repr(Wire(url="https://a.example", token="secret"))  # noqa: S106 - none


def test_a_download_goes_on_where_it_was_cut() -> None:
    data = b"0123456789" * 100
    sha256 = hashlib.sha256(data).hexdigest()
    fields = ("id", "draft", "file", "sha256", "fingerprint", "created")
    told = dict.fromkeys(fields, "0a") | {
        "sha256": sha256,
        "log_index": 1,
        "consent_withdrawn": False,
    }
    half = f"HTTP/1.1 200 OK\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data[:500]
    rest = answer(data[500:], "206 Partial Content")
    said = iter([answer(json.dumps(told).encode()), half, rest])
    sink = io.BytesIO()
    with serve(lambda connection, request: connection.sendall(next(said))) as served:
        assert at(served).download("lesson", "0a", sink).sha256 == sha256
    assert sink.getvalue() == data
    assert b"Range: bytes=500-" in served.requests[2]
    assert f'If-Range: "{sha256}"'.encode() in served.requests[2]
    other = iter([answer(json.dumps(told).encode()), answer(b"another film")])
    with (
        serve(lambda connection, request: connection.sendall(next(other))) as served,
        pytest.raises(IntegrityError),
    ):
        at(served).download("lesson", "0a", io.BytesIO())
