from datetime import date, timedelta
from typing import Any

import pytest
from studios import Scene, agree, brief_with, draw_up, terms_for

from assent.consent.clearance import Act
from assent.consent.invitations import (
    choose,
    count_attempt,
    decline,
    find_invitation,
    invitation_by_id,
    invite,
    invite_home,
    list_invitations,
    use_up,
)
from assent.consent.people import Person, add_person
from assent.consent.terms import Choices, Terms
from assent.kit.errors import BriefError, InputError, NotClearedError, RefusedError
from assent.kit.store.tables import ConsentRow
from assent.purpose.projects import create_project


def asked(scene: Scene, **changes: Any) -> Terms:  # noqa: ANN401 - fields of terms
    return terms_for(scene.purpose, **changes)


def link(scene: Scene, person: Person | None = None, **changes: Any) -> str:  # noqa: ANN401 - fields of terms
    return invite(scene.studio, scene.purpose, person or scene.cleo.person, asked(scene, **changes))


def everything(terms: Terms) -> Choices:
    return Choices(
        language="en",
        adult=True,
        face_matching=True,
        acts=terms.acts,
        modalities=terms.modalities,
        channels=terms.channels,
        ends=terms.ends,
        most_releases=terms.most_releases,
    )


def test_a_link_leads_to_what_is_asked(scene: Scene) -> None:
    secret = link(scene, most_releases=3)
    found = find_invitation(scene.studio, secret)
    assert found.person.handle == "cleo"
    assert found.project_id == scene.purpose.project_id
    assert (found.version, found.leads_to) == (1, "ceremony")
    assert found.terms == asked(scene, most_releases=3)
    assert invitation_by_id(scene.studio, found.id) == found


def test_a_link_cant_be_guessed_and_isnt_kept(scene: Scene) -> None:
    secrets = {link(scene), link(scene)}
    assert len(secrets) == 2
    assert all(len(secret) >= 43 for secret in secrets)
    raw = b"".join(p.read_bytes() for p in scene.studio.folder.glob("studio.db*"))
    assert not any(secret.encode() in raw for secret in secrets)


def dead(scene: Scene, secret: str) -> bool:
    try:
        find_invitation(scene.studio, secret)
    except NotClearedError as error:
        # The same for whatever reason.
        return str(error) == "this link does not work"
    return False


@pytest.mark.parametrize("secret", ["", "x", "../..", "a" * 100_000, "\x00", "' or 1=1 --"])
def test_guesses(scene: Scene, secret: str) -> None:
    link(scene)
    assert dead(scene, secret)


def test_a_link_ends_in_time(scene: Scene) -> None:
    secret = link(scene)
    scene.clock.now += timedelta(hours=48) - timedelta(seconds=1)
    assert not dead(scene, secret)
    scene.clock.now += timedelta(seconds=1)
    assert dead(scene, secret)
    assert list_invitations(scene.studio)[0].state == "expired"


def test_a_clock_set_back_opens_no_link(scene: Scene) -> None:
    secret = link(scene)
    scene.clock.now -= timedelta(minutes=1)
    assert dead(scene, secret)


def test_a_new_link_ends_the_one_before(scene: Scene) -> None:
    first = link(scene)
    held = find_invitation(scene.studio, first)
    second = link(scene)
    assert dead(scene, first)
    assert not dead(scene, second)
    with pytest.raises(NotClearedError, match="this link does not work"):
        invitation_by_id(scene.studio, held.id)
    states = [each.state for each in list_invitations(scene.studio)]
    assert sorted(states) == ["open", "replaced"]


def test_links_of_others_go_on(scene: Scene) -> None:
    dora = add_person(scene.studio, handle="dora", name="Dora", key=None)
    other = create_project(scene.studio, brief_with(title="Another"))
    first, home = link(scene), invite_home(scene.studio, scene.cleo.person)
    link(scene, dora)
    invite(scene.studio, other, scene.cleo.person, asked(scene))
    assert not dead(scene, first)
    assert not dead(scene, home)


def test_a_link_is_used_once(scene: Scene) -> None:
    found = find_invitation(scene.studio, link(scene))
    with scene.studio.database.session() as session:
        use_up(session, found.id)
    with pytest.raises(NotClearedError), scene.studio.database.session() as session:
        use_up(session, found.id)
    with pytest.raises(NotClearedError):
        decline(scene.studio, found)


def test_saying_no(scene: Scene) -> None:
    secret = link(scene)
    decline(scene.studio, find_invitation(scene.studio, secret))
    assert dead(scene, secret)
    (listed,) = list_invitations(scene.studio)
    assert listed.to_json()["state"] == "declined"
    with scene.studio.database.session() as session:
        assert session.query(ConsentRow).filter_by(person_id=scene.cleo.id).count() == 0


def test_the_studio_sees_what_was_declined(scene: Scene) -> None:
    secret = link(scene)
    found = find_invitation(scene.studio, secret)
    terms = asked(scene)
    chosen = everything(terms).model_copy(update={"acts": terms.acts - {Act.RELEASE}})
    assert choose(scene.studio, found, chosen).acts == terms.acts - {Act.RELEASE}
    again = find_invitation(scene.studio, secret)
    assert again.choices == chosen
    assert list_invitations(scene.studio)[0].declined == ()  # until they have signed
    with scene.studio.database.session() as session:
        use_up(session, found.id)
    (listed,) = list_invitations(scene.studio)
    assert listed.declined == ("release",)


def test_choices_are_checked(scene: Scene) -> None:
    found = find_invitation(scene.studio, link(scene))
    with pytest.raises(RefusedError, match="minors"):
        choose(scene.studio, found, everything(asked(scene)).model_copy(update={"adult": False}))
    assert invitation_by_id(scene.studio, found.id).choices is None


def test_attempts_are_counted(scene: Scene) -> None:
    secret = link(scene)
    for _ in range(2):
        count_attempt(scene.studio, find_invitation(scene.studio, secret))
    assert find_invitation(scene.studio, secret).attempts == 2


def test_a_link_home_has_no_ceremony(scene: Scene) -> None:
    secret = invite_home(scene.studio, scene.ada.person)
    found = find_invitation(scene.studio, secret)
    assert (found.terms, found.project_id, found.leads_to) == (None, None, "home")
    with pytest.raises(NotClearedError, match="leads to no ceremony"):
        choose(scene.studio, found, everything(asked(scene)))
    newer = invite_home(scene.studio, scene.ada.person)
    assert dead(scene, secret)
    with scene.studio.database.session() as session:
        use_up(session, find_invitation(scene.studio, newer).id)
    assert [each.declined for each in list_invitations(scene.studio)] == [(), ()]


def test_a_second_offer_is_the_next_version(scene: Scene) -> None:
    record = draw_up(scene.studio, scene.purpose, scene.cleo)
    found = find_invitation(scene.studio, link(scene))
    assert (found.record_id, found.version) == (record.record_id, 2)
    first = agree(scene.studio, scene.purpose, scene.ada).record
    found = find_invitation(scene.studio, link(scene, scene.ada.person))
    assert (found.record_id, found.version) == (first.record_id, first.version + 1)


@pytest.mark.parametrize(
    ("changes", "error", "told"),
    [
        ({"ends": date(2027, 11, 1)}, InputError, "the project ends on"),
        ({"acts": frozenset()}, BriefError, "acts"),
        ({"language": "tlh"}, InputError, "no notice in 'tlh'"),
        ({"likeness_sha256": "0" * 64}, InputError, "and nobody else does"),
    ],
)
def test_senseless_offers_are_told_at_once(
    scene: Scene, changes: dict[str, Any], error: type[Exception], told: str
) -> None:
    before = link(scene)
    with pytest.raises(error, match=told):
        link(scene, **changes)
    assert not dead(scene, before)


@pytest.mark.parametrize("lifetime", [timedelta(0), timedelta(days=-1), timedelta(days=31)])
def test_links_that_would_last_too_long(scene: Scene, lifetime: timedelta) -> None:
    with pytest.raises(InputError, match="a link lasts at most 30 days"):
        invite(scene.studio, scene.purpose, scene.cleo.person, asked(scene), lifetime=lifetime)
