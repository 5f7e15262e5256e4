import pytest
from studios import Scene, brief_with

from assent.kit.errors import ForbiddenPurposeError, InputError, NotFoundError
from assent.kit.store.tables import ProjectRow
from assent.purpose.projects import create_project, find_project, list_projects


def test_a_project_is_found_by_name_and_id(scene: Scene) -> None:
    brief = brief_with(title="Zwei Köpfe, ein Fest!")
    made = create_project(scene.studio, brief)
    assert made.slug == "zwei-kopfe-ein-fest"
    assert made.assessment.level.name == "medium"
    assert find_project(scene.studio, made.slug) == made
    assert find_project(scene.reopened(), made.project_id) == made


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("日本の映画", "project"),
        ("--- A --- B ---", "a-b"),
        ("x" * 80, "x" * 60),
        ("y" * 59 + " and more", "y" * 59),
    ],
)
def test_names_are_made_of_titles(scene: Scene, title: str, slug: str) -> None:
    assert create_project(scene.studio, brief_with(title=title)).slug == slug


def test_the_same_brief_is_the_same_project(scene: Scene) -> None:
    first = create_project(scene.studio, brief_with(title="Spring"))
    assert create_project(scene.studio, brief_with(title="Spring")) == first
    assert [slug for slug, _ in list_projects(scene.studio)] == [scene.purpose.slug, "spring"]


def test_a_name_is_taken_once(scene: Scene) -> None:
    create_project(scene.studio, brief_with(title="Spring"))
    with pytest.raises(InputError, match="already a project 'spring' with another brief") as caught:
        create_project(scene.studio, brief_with(title="Spring", audience="Everyone"))
    assert "--name" in caught.value.advice
    other = create_project(
        scene.studio, brief_with(title="Spring", audience="Everyone"), slug="spring-2"
    )
    assert find_project(scene.studio, "spring-2") == other


@pytest.mark.parametrize("slug", ["", "Spring", "-spring", "a/b", "../x", "x" * 61, "é", "a\n"])
def test_bad_names_are_refused(scene: Scene, slug: str) -> None:
    with pytest.raises(InputError, match="can't name a project") as caught:
        create_project(scene.studio, brief_with(), slug=slug)
    assert "for example --name spring-film" in caught.value.advice


def test_a_forbidden_purpose_is_not_kept(scene: Scene) -> None:
    before = list_projects(scene.studio)
    with pytest.raises(ForbiddenPurposeError):
        create_project(scene.studio, brief_with(title="Nudes"))
    assert list_projects(scene.studio) == before


def test_there_must_be_such_a_project(scene: Scene) -> None:
    with pytest.raises(NotFoundError, match="no project 'summer'") as caught:
        find_project(scene.studio, "summer")
    assert "assent project list" in caught.value.advice
    assert caught.value.exit_code == 2


def test_a_rule_that_became_stricter_holds_for_old_projects(scene: Scene) -> None:
    """A brief that a rule refuses now is still listed, but can't be worked on."""
    with scene.studio.database.session() as session:
        session.add(
            ProjectRow(
                id="old",
                slug="old",
                brief=brief_with(title="Nudes").to_json(),
                created="2020-01-01T00:00:00Z",
            )
        )
    assert [slug for slug, _ in list_projects(scene.studio)] == ["old", scene.purpose.slug]
    with pytest.raises(ForbiddenPurposeError, match="no-intimate-content"):
        find_project(scene.studio, "old")
