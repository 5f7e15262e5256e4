import pytest
from passkeys import Authenticator
from sqlalchemy.orm import Session
from studios import PRODUCER, Scene, add_member

from assent.consent.people import (
    add_person,
    bind_key,
    check_key_is_free,
    find_person,
    handles_of,
    list_people,
    person_by_id,
    person_by_key,
    person_by_passkey,
)
from assent.kit.errors import InputError, NotClearedError, NotFoundError
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


# Without a key at first


def test_a_key_may_come_later(scene: Scene) -> None:
    dora = add_person(scene.studio, handle="dora", name="Dora", key=None)
    assert dora.known_key is None
    with pytest.raises(NotClearedError, match="dora has no key yet"):
        dora.key_id  # noqa: B018 - asking is what is refused
    key = public_of(new_key())
    for _ in range(2):
        with scene.studio.database.session() as session:
            bind_key(scene.studio, session, dora.id, key)
    assert find_person(scene.studio, "dora").key_id == thumbprint(key)
    again = add_person(scene.studio, handle="dora", name="Dora", key=None)
    assert again.key_id == thumbprint(key)


def test_a_key_is_bound_once(scene: Scene) -> None:
    with (
        pytest.raises(InputError, match="ada has another key"),
        scene.studio.database.session() as session,
    ):
        bind_key(scene.studio, session, scene.ada.id, public_of(new_key()))
    assert find_person(scene.studio, "ada").key_id == scene.ada.person.key_id


@pytest.mark.parametrize("whose", ["ben", "studio", "producer"])
def test_nobody_elses_key_is_bound(scene: Scene, whose: str) -> None:
    """Not another subject's, not the studio's, not that of who works there."""
    add_person(scene.studio, handle="producer", name="P", key=public_of(PRODUCER), staff=True)
    dora = add_person(scene.studio, handle="dora", name="Dora", key=None)
    key = {
        "ben": scene.ben.person.key,
        "studio": public_of(scene.studio.signing_key),
        "producer": public_of(PRODUCER),
    }[whose]
    with pytest.raises(InputError, match=r"this key is already|the studio's own key"):
        check_key_is_free(scene.studio, dora, key)
    with (
        pytest.raises(InputError, match=r"this key is already|the studio's own key"),
        scene.studio.database.session() as session,
    ):
        bind_key(scene.studio, session, dora.id, key)
    assert find_person(scene.studio, "dora").known_key is None


def test_staff_have_keys_and_stay_what_they_are(scene: Scene) -> None:
    with pytest.raises(InputError, match="needs a key"):
        add_person(scene.studio, handle="kim", name="Kim", key=None, staff=True)
    kim = add_person(scene.studio, handle="kim", name="Kim", key=public_of(PRODUCER), staff=True)
    assert kim.staff
    with pytest.raises(InputError, match="there is already a person 'kim'"):
        add_person(scene.studio, handle="kim", name="Kim", key=kim.key)
    with pytest.raises(InputError, match="there is already a person 'ada'"):
        add_person(scene.studio, handle="ada", name="A", key=scene.ada.person.key, staff=True)


def test_what_goes_with_somebody_new_is_done_with_them_or_not_at_all(scene: Scene) -> None:
    key = public_of(PRODUCER)
    done: list[str] = []
    kim = add_person(
        scene.studio, handle="kim", name="Kim", key=key, also=lambda _, new: done.append(new)
    )
    assert done == [kim.id]

    def fails(_: Session, new: str) -> None:
        raise InputError(new)

    with pytest.raises(InputError):
        add_person(scene.studio, handle="lee", name="Lee", key=None, also=fails)
    with pytest.raises(NotFoundError):
        find_person(scene.studio, "lee")
    with pytest.raises(InputError, match="there is already a person 'kim'"):
        add_person(scene.studio, handle="kim", name="Kim", key=key, also=fails)


def test_passkeys_are_kept(scene: Scene) -> None:
    passkey = Authenticator().passkey
    dora = add_person(scene.studio, handle="dora", name="Dora", key=passkey)
    assert find_person(scene.studio, "dora").key == passkey
    assert dora.key_id == passkey.thumbprint()


def test_people_are_found_by_their_keys(scene: Scene) -> None:
    authenticator = Authenticator()
    add_person(scene.studio, handle="dora", name="Dora", key=authenticator.passkey)
    credential = authenticator.passkey.credential_id
    assert person_by_passkey(scene.studio, credential).handle == "dora"
    assert person_by_key(scene.studio, thumbprint=scene.ada.person.key_id).handle == "ada"
    with pytest.raises(NotFoundError, match="nobody has this key"):
        person_by_passkey(scene.studio, "")
    with pytest.raises(NotFoundError, match="nobody has this key"):
        person_by_key(scene.studio, thumbprint="x")


def test_people_a_page_at_a_time(scene: Scene) -> None:
    assert [each.handle for each in list_people(scene.studio, limit=2)] == ["ada", "ben"]
    assert [each.handle for each in list_people(scene.studio, limit=2, after="ben")] == ["cleo"]
    assert list_people(scene.studio, after="cleo") == ()


def test_handles_of_some(scene: Scene) -> None:
    wanted = {scene.ada.id, scene.cleo.id, "nobody"}
    assert handles_of(scene.studio, wanted) == {scene.ada.id: "ada", scene.cleo.id: "cleo"}
    assert handles_of(scene.studio, ()) == {}
