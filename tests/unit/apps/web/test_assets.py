"""Scripts and styles of the pages."""

from collections.abc import Mapping
from importlib import resources

import pytest
from asgi import Client, Told
from starlette.applications import Starlette
from starlette.routing import Mount

from assent.apps.web.assets import Assets

PACKAGES = ("assent.apps.studio", "assent.apps.web")


def client(package: str = "assent.apps.studio") -> Client:
    return Client(Starlette(routes=[Mount("/static", Assets(package))]))


def ask(path: str, headers: Mapping[str, str] | None = None) -> Told:
    return client().get(f"/static/{path}", headers)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_file_is_answered_as_it_is(package: str) -> None:
    kinds = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
    files = list((resources.files(package) / "static").iterdir())
    assert files
    for each in files:
        told = client(package).get(f"/static/{each.name}")
        assert (told.status_code, told.content) == (200, each.read_bytes())
        assert told.headers["content-type"].startswith(kinds[each.name.rpartition(".")[2]])


def test_who_has_a_file_already_gets_none() -> None:
    tag = ask("studio.css").headers["etag"]
    assert tag != ask("studio.js").headers["etag"]
    for known in (tag, f'"older", {tag}', f"W/{tag}"):
        again = ask("studio.css", {"if-none-match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
    assert ask("studio.css", {"if-none-match": '"older"'}).status_code == 200


@pytest.mark.parametrize(
    "path",
    ["", "nothing.js", "../server.py", "..%2fserver.py", "%2e%2e/server.py", "//studio.css/"],
)
def test_there_is_nothing_else(path: str) -> None:
    assert ask(path).status_code == 404


def test_nothing_is_read_when_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Starlette(routes=[Mount("/static", Assets("assent.apps.web"))])

    def gone(*_: object) -> None:
        raise AssertionError("a file was opened")

    before = Client(app).get("static/page.css")
    monkeypatch.setattr("builtins.open", gone)
    monkeypatch.setattr("io.open", gone)
    assert Client(app).get("static/page.css").content == before.content
    assert Client(app).request("POST", "static/page.css").status_code == 405
