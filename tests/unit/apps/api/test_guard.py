import json
import time

import pytest
from programs import ORIGIN, Program, Served
from studios import Scene

from assent.apps.api.app import build_api
from assent.apps.api.call import Api
from assent.apps.api.guard import MOST_JSON, ApiGuard, Pace, read_json
from assent.apps.api.problems import InvalidError
from assent.purpose.brief import EXAMPLE

JSON = {"content-type": "application/json"}


@pytest.fixture
def served(scene: Scene) -> Served:
    return Served(scene.studio)


@pytest.fixture
def program(served: Served) -> Program:
    return served.program()


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[" * 100_000,
        b'{"a":' * 40 + b"1" + b"}" * 40,
        b'{"brief": NaN}',
        b'{"brief": Infinity}',
        b'{"brief": 1, "brief": 2}',
        b'{"brief": "\\ud800"}',
        b"\xff\xfe{\x00}\x00",
        b'{"brief": "\xed\xa0\x80"}',
        b'{"brief": ' + b"1" * 10_000 + b"}",
    ],
    ids=[
        "cut",
        "deep list",
        "deep",
        "nan",
        "inf",
        "twice",
        "half",
        "utf-16",
        "surrogate",
        "digits",
    ],
)
def test_json_that_plays_tricks_is_refused(program: Program, body: bytes) -> None:
    said = program.request("POST", "/projects", [body], headers=JSON)
    assert (said.status, said.code) == (422, "invalid")


@pytest.mark.parametrize("text", ['{"a": "[[[[{{{{\\"[["}', '[{"a": [1, 2]}, null]', '"\\\\"'])
def test_brackets_in_texts_are_no_depth(text: str) -> None:
    assert read_json(text.encode()) == json.loads(text)
    with pytest.raises(InvalidError):
        read_json(text.replace("1", "1e").encode() + b"]")


def test_a_body_is_bounded_whatever_it_says_of_itself(program: Program) -> None:
    for headers in ({}, {"content-length": str(MOST_JSON + 1)}, {"content-length": "-1"}):
        pieces = [b" " * (64 << 10)] * 5
        said = program.request("POST", "/projects", pieces, headers=JSON | headers)
        assert (said.status, said.code) == (413, "too-large")


def test_a_slow_body_is_refused(scene: Scene) -> None:
    api = Api(studio=scene.studio, origin=ORIGIN)
    slow = ApiGuard(build_api(api), idle_s=0.2)
    secret = Served(scene.studio).program().secret
    began = time.monotonic()
    pieces = [b" "] * 1000
    said = Program(app=slow, secret=secret).request(  # type: ignore[arg-type]
        "POST", "/projects", pieces, headers=JSON, pause=0.03
    )
    assert (said.status, said.code) == (408, "too-slow")
    assert time.monotonic() - began < 20


@pytest.mark.parametrize(
    "kind",
    ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "a" * 999],
)
def test_other_types_of_bodies_are_refused(program: Program, kind: str) -> None:
    body = json.dumps({"brief": EXAMPLE}).encode()
    said = program.request("POST", "/projects", [body], headers={"content-type": kind})
    assert (said.status, said.code) == (415, "type-of-body")
    # A piece of an upload is none where JSON is asked for.
    octets = {"content-type": "application/octet-stream"}
    assert program.request("POST", "/projects", [body], headers=octets).status == 415
    assert program.request("PATCH", "/webhooks/0123456789", [body], headers=octets).status == 422


def test_fields_that_are_not_named_are_refused(program: Program) -> None:
    for said in (
        program.post("/projects", {"brief": EXAMPLE, "admin": True}),
        program.post("/projects", {"brief": EXAMPLE | {"risk": {"intimate": "no"}}}),
        program.post("/people", {"handle": "dan", "name": "Dan", "staff": True}),
        program.post("/people", {"handle": "dan", "name": "Dan", "key": {"kty": "OKP"}}),
        program.get("/projects?limit=1&admin=1"),
        program.get("/projects?limit=1&limit=2"),
        program.get("/projects?limit=0"),
        program.get("/projects?limit=9999999999999999999999"),
    ):
        assert (said.status, said.code) == (422, "invalid")
        assert said.json["problems"]


def test_a_method_can_not_be_overridden(program: Program) -> None:
    for name in ("x-http-method-override", "x-http-method", "x-method-override"):
        said = program.post("/projects/lesson", None, **{name: "GET"})
        assert (said.status, said.code) == (405, "method")
        assert "GET" in said.headers["allow"]
    assert program.get("/webhooks?_method=POST").status == 422


def test_other_sites_are_told_nothing(program: Program, served: Served) -> None:
    origin = {"origin": "https://elsewhere.example"}
    asked = program.get("/studio", **origin)
    headers = {"access-control-request-method": "GET", **origin}
    preflight = served.stranger().request("OPTIONS", "/studio", headers=headers)
    assert preflight.status == 405
    for said in (asked, preflight):
        assert not [name for name in said.headers if name.startswith("access-control")]
        assert said.headers["cross-origin-resource-policy"] == "same-origin"
        assert said.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in said.headers["content-security-policy"]


@pytest.mark.parametrize(
    "path",
    [
        "/projects/../studio",
        "/projects/%2e%2e/%2e%2e/etc/passwd",
        "/projects/a-lesson-in-two-faces/releases/..%2f..%2fkeys%2fmaster.secret/file",
        "/projects/a-lesson-in-two-faces/releases/0123456789abcdeF/file",
        "/projects/a-lesson-in-two-faces/releases/0123456789abcde%00/file",
        "/people/..%2f..%2fstudio.db",
        "/people/\u202eada",
        "/projects/\U0001f600",
        "//projects",
        "/projects/",
        "/PROJECTS",
    ],
)
def test_paths_lead_nowhere_else(program: Program, path: str) -> None:
    said = program.get(path)
    assert said.status in (404, 422)
    assert said.code in ("not-found", "invalid")


def test_hostile_words_come_back_as_they_are_or_not_at_all(program: Program) -> None:
    names = ["\u202egnp.exe", "<script>alert(1)</script>", "a\x00b", "\ufeff", "Z\u0335" * 60]
    for number, name in enumerate(names):
        said = program.post("/people", {"handle": f"p{number}", "name": name})
        assert said.status in (201, 422)
        assert said.headers["content-type"].startswith("application/")
    for each in program.get("/people").json["items"]:
        assert each["name"]


def test_a_caller_who_asks_too_often_is_told_when_to_come_again(scene: Scene) -> None:
    api = Served(scene.studio, pace=Pace(most=3, a_second=0.5))
    one, other = api.program(), api.program()
    assert [one.get("/me").status for _ in range(4)] == [200, 200, 200, 429]
    said = one.get("/me")
    assert said.code == "too-often"
    assert 1 <= int(said.headers["retry-after"]) <= 3
    assert other.get("/me").status == 200


def test_a_bucket_fills_again() -> None:
    now = [0.0]
    pace = Pace(most=2, a_second=1.0, clock=lambda: now[0], known=2)
    assert [pace.take("a") for _ in range(3)] == [0, 0, 2]
    now[0] = 1.5
    assert [pace.take("a"), pace.take("a")] == [0, 1]
    for name in ("b", "c"):
        pace.take(name)
    assert pace.take("a") == 0


def test_strangers_are_held_to_a_pace_too(scene: Scene) -> None:
    api = Api(studio=scene.studio, origin=ORIGIN)
    guarded = ApiGuard(build_api(api), pace=Pace(most=2, a_second=0.1))
    stranger = Program(app=guarded)  # type: ignore[arg-type]
    assert [stranger.get("/me").status for _ in range(3)] == [401, 401, 429]
    elsewhere = Program(app=guarded, address="192.0.2.9")  # type: ignore[arg-type]
    assert elsewhere.get("/me").status == 401


def test_another_host_is_not_served(scene: Scene) -> None:
    api = Api(studio=scene.studio, origin=ORIGIN)
    app = ApiGuard(build_api(api), hosts=frozenset({"studio.example.org"}))
    stranger = Program(app=app)  # type: ignore[arg-type]
    assert stranger.get("/me", host="rebound.example").code == "invalid"
    assert stranger.get("/me").status == 401


def test_what_is_known_is_not_sent_again(program: Program) -> None:
    first = program.get("/studio")
    tag = first.headers["etag"]
    for known in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        again = program.get("/studio", if_none_match=known)
        assert (again.status, again.body, again.headers["etag"]) == (304, b"", tag)
    assert program.get("/studio", if_none_match='"x"').status == 200
