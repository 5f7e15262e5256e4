import pytest
from studios import Scene, add_member

from assent.consent.people import add_person, find_person, list_people, person_by_id
from assent.kit.errors import InputError, NotFoundError
from assent.kit.signing import new_key, public_of, thumbprint


def test_people_are_found(scene: Scene) -> None:
    key = public_of(new_key())
    added = add_person(scene.studio, handle="dora", name="  Dora Dobson ", key=key)
    assert added.name == "Dora Dobson"
    assert added.key_id == thumbprint(key)
    for found in (find_person(scene.studio, "dora"), person_by_id(scene.studio, added.id)):
        assert (found.id, found.handle, found.key_id) == (added.id, "dora", added.key_id)
    assert [person.handle for person in list_people(scene.studio)] == ["ada", "ben", "cleo", "dora"]


def test_the_same_person_again_changes_nothing(scene: Scene) -> None:
    again = add_person(scene.studio, handle="ada", name="Ada", key=scene.ada.person.key)
    assert again.id == scene.ada.id
    assert len(list_people(scene.studio)) == 3


@pytest.mark.parametrize("handle", ["", "Ada", "ada lovelace", "-ada", "a" * 41, "ada\n", "../x"])
def test_bad_handles_are_refused(scene: Scene, handle: str) -> None:
    with pytest.raises(InputError, match="can't be a handle") as caught:
        add_person(scene.studio, handle=handle, name="Ada", key=public_of(new_key()))
    assert "40 lower-case letters" in caught.value.advice


def test_a_person_needs_a_name(scene: Scene) -> None:
    with pytest.raises(InputError, match="a person needs a name"):
        add_person(scene.studio, handle="dora", name="  ", key=public_of(new_key()))


def test_a_handle_is_one_persons(scene: Scene) -> None:
    with pytest.raises(InputError, match="already a person 'ada' with another key"):
        add_person(scene.studio, handle="ada", name="Ada", key=public_of(new_key()))


def test_a_key_is_one_persons(scene: Scene) -> None:
    """Else one key could sign for two people."""
    with pytest.raises(InputError, match="this key is already ada's") as caught:
        add_person(scene.studio, handle="dora", name="Dora", key=scene.ada.person.key)
    assert "assent consent keygen" in caught.value.advice


def test_the_studio_cant_sign_for_anyone(scene: Scene) -> None:
    with pytest.raises(InputError, match="this is the studio's own key"):
        add_member(scene.studio, "dora", scene.studio.signing_key)


def test_strangers(scene: Scene) -> None:
    with pytest.raises(NotFoundError, match="no person 'dora'") as caught:
        find_person(scene.studio, "dora")
    assert "assent person list" in caught.value.advice
    with pytest.raises(NotFoundError, match="no such person"):
        person_by_id(scene.studio, "dora")
