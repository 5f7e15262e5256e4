"""Every route by every role, from the one table of permissions; and every way around it."""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from housed import PLACE, Housed, Visitor
from starlette.responses import JSONResponse, Response
from studio_walk import FILL
from studios import brief_with

from assent.apps.access.accounts import find_account
from assent.apps.access.permissions import PERMISSIONS, Action, Role
from assent.apps.access.who import Membership
from assent.apps.studio.page import Page, Visit
from assent.apps.studio.routes import PAGES
from assent.apps.web.guard import FORM, Guard
from assent.kit.store.studio import Studio
from assent.purpose.projects import Purpose, create_project

if TYPE_CHECKING:
    from studios import Prepared, Scene

ROUTES = pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.method}-{page.path}")


def reached(visit: Visit) -> Response:
    return JSONResponse({"reached": visit.page.path})


def only_the_gate(page: Page) -> Page:
    """The same route with a handler that says that it was reached: what's asked is who gets in."""
    return replace(page, handler=reached, raw=False)


def anything(studio: Studio, purpose: Purpose) -> str:
    return "anything"


def address_of(page: Page, scene: "Scene") -> str:
    """An address of the route in the project of the test, whether it leads to something or not."""
    return re.sub(
        r"\{(\w+)(?::\w+)?\}",
        lambda part: FILL.get(part.group(1), anything)(scene.studio, scene.purpose),
        page.path,
    )


class Cast:
    """One studio, two projects, and somebody for each role in each place."""

    def __init__(self, scene: "Scene") -> None:
        self.housed = Housed(scene.studio, team=True, pages=[only_the_gate(p) for p in PAGES])
        self.scene = scene
        self.other: Purpose = create_project(scene.studio, brief_with(title="Another film"))
        person = scene.ada.id
        self.visitors: dict[tuple[Role, str], Visitor] = {}
        for role in Role:
            for place, project in (
                ("studio", None),
                ("here", scene.purpose.project_id),
                ("there", self.other.project_id),
            ):
                self.visitors[role, place] = self.housed.with_session(
                    f"{role.value}-{place}",
                    Membership(role, project),
                    person_id=person if role is Role.SUBJECT else None,
                )

    def ask(self, visitor: Visitor, page: Page, **headers: str) -> int:
        path = address_of(page, self.scene)
        if page.method == "GET":
            return visitor.get(path, accept="application/json", **headers).status_code
        return visitor.post(path, headers={"accept": "application/json", **headers}).status_code


@pytest.fixture(scope="module")
def cast(prepared: "Prepared", tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cast]:
    scene = prepared.open_copy(tmp_path_factory.mktemp("matrix") / "studio")
    yield Cast(scene)
    scene.studio.database.close()


@ROUTES
def test_every_route_by_every_role(cast: Cast, page: Page) -> None:
    for (role, place), visitor in cast.visitors.items():
        status = cast.ask(visitor, page)
        if page.action is None:
            assert status == 200
        elif page.of_project and place == "there":
            assert status == 404, (role, "another project is told from none")
        else:
            allowed = PERMISSIONS[page.action]
            enough = page.of_project or place == "studio" or allowed.anywhere
            expected = 200 if role in allowed.roles and enough else 403
            assert status == expected, (role, place)


@ROUTES
def test_nobody_gets_in_without_a_session(cast: Cast, page: Page) -> None:
    if page.action is not None:
        assert cast.ask(cast.housed.stranger(), page) == 401
        forged = cast.housed.stranger()
        forged.cookies = {"__Host-assent-studio": "0" * 43}
        assert cast.ask(forged, page) == 401


@ROUTES
def test_what_changes_something_comes_from_our_own_pages(cast: Cast, page: Page) -> None:
    if page.method == "GET":
        return
    visitor = next(
        each
        for (role, place), each in cast.visitors.items()
        if place == "studio" and (page.action is None or role in PERMISSIONS[page.action].roles)
    )
    assert cast.ask(visitor, page) == 200
    assert cast.ask(visitor, page, origin="https://elsewhere.example") == 403
    assert cast.ask(visitor, page, origin="null") == 403
    token, visitor.csrf = visitor.csrf, "guessed"
    assert cast.ask(visitor, page) == 403
    visitor.csrf = ""
    assert cast.ask(visitor, page) == 403
    visitor.csrf = next(
        each.csrf for each in cast.visitors.values() if each is not visitor and each.csrf != token
    )
    assert cast.ask(visitor, page) == 403, "another session's token"
    visitor.csrf = token


@ROUTES
def test_headers_on_every_answer(cast: Cast, page: Page) -> None:
    path = address_of(page, cast.scene)
    for visitor in (cast.housed.stranger(), cast.visitors[Role.PRODUCER, "studio"]):
        headers = visitor.send(page.method, f"/studio{path}").headers
        policy = headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-frame-options"] == "DENY"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert "strict-transport-security" in headers


@ROUTES
def test_other_names_of_the_machine_are_refused(cast: Cast, page: Page) -> None:
    path = address_of(page, cast.scene)
    visitor = cast.visitors[Role.PRODUCER, "studio"]
    for host in ("evil.example", f"{PLACE.host}.evil.example", "localhost", ""):
        assert (
            visitor.send(page.method, f"/studio{path}", headers={"host": host}).status_code == 421
        )


@ROUTES
def test_no_other_method(cast: Cast, page: Page) -> None:
    path = f"/studio{address_of(page, cast.scene)}"
    methods = {each.method for each in PAGES if each.path == page.path}
    for method in {"GET", "POST", "PUT", "DELETE", "PATCH", "TRACE"} - methods:
        assert cast.visitors[Role.PRODUCER, "studio"].send(method, path).status_code in (404, 405)


@ROUTES
def test_bodies_have_a_limit(cast: Cast, page: Page) -> None:
    path = f"/studio{address_of(page, cast.scene)}"
    visitor = cast.visitors[Role.PRODUCER, "studio"]
    told = visitor.send(page.method, path, headers={"content-length": str(page.largest + 1)})
    assert told.status_code == 413


def test_a_project_that_is_not_ones_own_is_told_from_none_by_nothing(cast: Cast) -> None:
    visitor = cast.visitors[Role.PRODUCER, "there"]
    slug = cast.scene.purpose.slug
    there = visitor.get(f"/p/{slug}").text.replace(slug, "X")
    assert there == visitor.get("/p/nothing").text.replace("nothing", "X")


@pytest.mark.parametrize(
    "path",
    [
        "/static/../page.py",
        "/static/..%2fpage.py",
        "/static/%2e%2e/templates/base.html",
        "/static//etc/passwd",
        "/static/....//page.py",
        "/p/../../static/studio.css",
        "/p/%00",
        "/p/lesson%2f..%2f..",
    ],
)
def test_paths_lead_nowhere_else(cast: Cast, path: str) -> None:
    told = cast.visitors[Role.PRODUCER, "studio"].get(path)
    assert told.status_code in (404, 405)
    assert "def " not in told.text
    assert "root:" not in told.text


def test_a_scope_is_less_than_a_role(cast: Cast) -> None:
    who = find_account(cast.scene.studio, "producer-studio").who
    less = who.with_only(frozenset({Action.READ_LOG, Action.SIGN_OFF}))
    assert less.may(Action.READ_LOG)
    assert not less.may(Action.RELEASE)
    assert not less.may(Action.SIGN_OFF), "a scope gives nothing that the role doesn't"
    assert not less.with_only(frozenset({Action.RELEASE})).may(Action.RELEASE)


def test_every_action_has_a_permission() -> None:
    assert set(PERMISSIONS) == set(Action)
    assert all(permission.roles for permission in PERMISSIONS.values())
    changing = {page.action for page in PAGES if page.method == "POST"} - {None}
    for action in changing - {Action.ENTER, Action.OWN_ACCOUNT, Action.VERIFY, Action.TOKENS}:
        assert action is not None
        assert Role.AUDITOR not in PERMISSIONS[action].roles, (
            f"an auditor changes nothing: {action}"
        )
        assert Role.SUBJECT not in PERMISSIONS[action].roles


def test_a_body_that_trickles_in_is_given_up(cast: Cast) -> None:
    told: list[Any] = []

    async def reads(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's own
        while (await receive()).get("more_body"):
            pass

    async def forever() -> dict[str, Any]:
        await asyncio.sleep(60)
        return {}

    async def send(message: Any) -> None:  # noqa: ANN401 - ASGI's own
        told.append(message)

    scope = {"type": "http", "path": "/x", "headers": [(b"host", PLACE.host.encode())]}
    guard = Guard(reads, place=PLACE, largest=lambda path: FORM, grace=0.05)
    with pytest.raises(Exception, match="too slowly"):
        asyncio.run(guard(scope, forever, send))
