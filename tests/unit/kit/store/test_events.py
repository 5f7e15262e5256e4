from datetime import UTC, datetime

import pytest
from studios import Scene, agree

from assent.consent.invitations import decline, find_invitation, invite
from assent.consent.retention import end_expired
from assent.consent.withdrawal import withdraw
from assent.kit.store.database import Database
from assent.kit.store.events import KINDS, Event, events_since, last_event, note_event

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def database() -> Database:
    return Database("sqlite://")


def told(scene: Scene, since: int) -> list[tuple[str, str | None]]:
    with scene.studio.database.session() as session:
        return [(e.kind, e.ids.get("person")) for e in events_since(session, since)]


def newest(scene: Scene) -> int:
    with scene.studio.database.session() as session:
        return last_event(session)


def test_events_come_in_their_order(database: Database) -> None:
    with database.session() as session:
        assert last_event(session) == 0
        for name in ("a", "b", "c"):
            ids = {"release": name}
            note_event(session, "release.made", moment=NOON, ids=ids, project_id="p")
    with database.session() as session:
        first, second, third = events_since(session, 0)
        assert [e.ids["release"] for e in (first, second, third)] == ["a", "b", "c"]
        assert events_since(session, second.number) == (third,)
        assert events_since(session, 0, limit=1) == (first,)
        assert last_event(session) == third.number
    assert third == Event(
        number=third.number, kind="release.made", project_id="p", ids={"release": "c"},
        created="2026-11-20T12:00:00Z",
    )  # fmt: skip


def test_the_same_thing_is_told_once(database: Database) -> None:
    for _ in range(2):
        with database.session() as session:
            note_event(session, "case.opened", moment=NOON, ids={"case": "1"}, once="case 1")
    with database.session() as session:
        assert len(events_since(session, 0)) == 1


def test_what_was_not_done_is_not_told(database: Database) -> None:
    def change() -> None:
        with database.session() as session:
            note_event(session, "case.opened", moment=NOON, ids={"case": "1"})
            raise KeyError

    with pytest.raises(KeyError):
        change()
    with database.session() as session:
        assert events_since(session, 0) == ()


def test_unknown_kinds_are_a_mistake(database: Database) -> None:
    with pytest.raises(ValueError, match=r"consent\.gone"), database.session() as session:
        note_event(session, "consent.gone", moment=NOON, ids={})
    assert len(set(KINDS)) == len(KINDS)


def test_consent_tells_that_it_was_given_and_withdrawn(scene: Scene) -> None:
    assert told(scene, 0) == [("consent.given", scene.ada.id), ("consent.given", scene.ben.id)]
    before = newest(scene)
    record = agree(scene.studio, scene.purpose, scene.ada).record.record_id
    for _ in range(2):
        withdraw(scene.studio, record)
    assert told(scene, before) == [
        ("consent.given", scene.ada.id),
        ("consent.withdrawn", scene.ada.id),
    ]


def test_consent_tells_that_it_ran_out_or_was_declined(scene: Scene) -> None:
    from studios import terms_for

    before = newest(scene)
    secret = invite(scene.studio, scene.purpose, scene.cleo.person, terms_for(scene.purpose))
    decline(scene.studio, find_invitation(scene.studio, secret))
    scene.clock.to("2027-11-01")
    end_expired(scene.studio)
    end_expired(scene.studio)
    assert told(scene, before) == [
        ("consent.declined", scene.cleo.id),
        ("consent.expired", scene.ada.id),
        ("consent.expired", scene.ben.id),
    ]


def test_events_hold_ids_and_no_names(scene: Scene) -> None:
    with scene.studio.database.session() as session:
        for event in events_since(session, 0):
            assert {"ada", "ben"}.isdisjoint(str(event).lower().split())
            assert set(event.ids) == {"consent", "person"}
