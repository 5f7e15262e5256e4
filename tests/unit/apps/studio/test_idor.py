"""Whoever may see one project names another's things: every page that takes an id, by itself.

The studio has everything in one project; a producer of the other asks for it there.
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from housed import Housed, Visitor
from studio_walk import FILL, prepare

from assent.apps.access.permissions import Role
from assent.apps.access.who import Membership
from assent.apps.studio.page import Page
from assent.apps.studio.routes import PAGES
from assent.purpose.projects import find_project

if TYPE_CHECKING:
    from casts import Cast

OTHER = "with-claims"
OWN = {"{project}", "{number}"}
"""Parts of a path that are counted within the project itself."""


def takes_an_id(page: Page) -> bool:
    parts = set(re.findall(r"\{\w+(?::\w+)?\}", page.path))
    return page.of_project and bool(parts - OWN) and not page.raw


@pytest.fixture(scope="module")
def walk(
    released: "Cast", tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple["Visitor", dict[str, str]]]:
    stage = released.open_copy(tmp_path_factory.mktemp("idor") / "studio")
    prepare(stage.studio, stage.purpose, tmp_path_factory.mktemp("doubt"))
    other = find_project(stage.studio, OTHER)
    visitor = Housed(stage.studio, team=True).with_session(
        "there",
        Membership(Role.PRODUCER, other.project_id),
        Membership(Role.REVIEWER, other.project_id),
    )
    ids = {name: find(stage.studio, stage.purpose) for name, find in FILL.items()}
    yield visitor, {**ids, "project": OTHER}
    stage.studio.database.close()


@pytest.mark.parametrize(
    "page", [each for each in PAGES if takes_an_id(each)], ids=lambda page: page.path
)
def test_things_of_another_project_are_not_there(
    walk: tuple["Visitor", dict[str, str]], page: Page
) -> None:
    visitor, ids = walk
    path = re.sub(r"\{(\w+)(?::\w+)?\}", lambda part: ids.get(part.group(1), "anything"), page.path)
    if page.method == "GET":
        assert visitor.get(path, accept="application/json").status_code == 404, path
        return
    told = visitor.post(f"{path}?by=cleo", data={"by": "cleo"})
    assert told.status_code in (400, 403, 404, 422), (path, told.status_code)
    assert "Ada" not in told.text
