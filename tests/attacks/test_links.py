"""One-time links and challenges: guessed, used twice, replayed, kept too long."""

import secrets
from datetime import timedelta

import pytest
from attempts import refused
from studios import Scene, terms_for

from assent.consent.challenge import Challenge
from assent.consent.challenges import ARRIVES_WITHIN, MOST_A_DAY, ask, begin, use
from assent.consent.invitations import (
    OFFER_LIFETIME,
    find_invitation,
    invite,
    use_up,
)
from assent.kit.store.tables import ChallengeRow, InvitationRow

GONE = "this link does not work"


@pytest.fixture
def link(scene: Scene) -> str:
    return invite(scene.studio, scene.purpose, scene.cleo.person, terms_for(scene.purpose))


def begun(scene: Scene) -> Challenge:
    challenge = ask(scene.studio, "cleos", language="en")
    return begin(scene.studio, challenge.nonce, record_id="cleos")


def test_link_guessed(scene: Scene, link: str) -> None:
    """A link is guessed, changed by a letter, or cut short."""
    assert len(link) >= 43
    other = ("A" if link[0] != "A" else "B") + link[1:]
    guesses = [secrets.token_urlsafe(32), other, link[:-1], link.lower(), "", "%", "' OR 1=1 --"]
    for guess in guesses:
        with refused(GONE):
            find_invitation(scene.studio, guess)


def test_link_read_from_the_database(scene: Scene, link: str) -> None:
    """What the database holds of a link is used as the link."""
    with scene.studio.database.session() as session:
        kept = session.query(InvitationRow).one()
    assert link not in str(vars(kept))
    for guess in (kept.token_hash, kept.id, str(kept.record_id)):
        with refused(GONE):
            find_invitation(scene.studio, guess)


def test_link_used_twice(scene: Scene, link: str) -> None:
    """A link is used again after its ceremony ended."""
    invitation = find_invitation(scene.studio, link)
    with scene.studio.database.session() as session:
        use_up(session, invitation.id)
    with refused(GONE):
        find_invitation(scene.studio, link)


def test_link_used_in_two_tabs(scene: Scene, link: str) -> None:
    """Two tabs finish the ceremony of one link: the second comes too late."""
    tabs = [find_invitation(scene.studio, link) for _ in range(2)]
    with scene.studio.database.session() as session:
        use_up(session, tabs[0].id)
    with refused(GONE), scene.studio.database.session() as session:
        use_up(session, tabs[1].id)


def test_link_too_old(scene: Scene, link: str) -> None:
    """A link is used after its time."""
    scene.clock.now += OFFER_LIFETIME
    with refused(GONE):
        find_invitation(scene.studio, link)


def test_link_with_the_clock_set_back(scene: Scene, link: str) -> None:
    """The clock is set to before the link was made."""
    scene.clock.now -= timedelta(hours=1)
    with refused(GONE):
        find_invitation(scene.studio, link)


def test_link_replaced(scene: Scene, link: str) -> None:
    """An older link is used after a new one was made."""
    invite(scene.studio, scene.purpose, scene.cleo.person, terms_for(scene.purpose))
    with refused(GONE):
        find_invitation(scene.studio, link)


def test_challenge_answered_twice(scene: Scene) -> None:
    """A second recording is handed in for a challenge that was answered."""
    challenge = begun(scene)
    use(scene.studio, challenge.nonce, record_id="cleos")
    with refused("this challenge was answered already"):
        use(scene.studio, challenge.nonce, record_id="cleos")


def test_challenge_of_another_record(scene: Scene) -> None:
    """The challenge of one record is answered for another."""
    challenge = begun(scene)
    with refused("this challenge was drawn for another consent record"):
        use(scene.studio, challenge.nonce, record_id="adas")


def test_challenge_in_two_tabs(scene: Scene) -> None:
    """A second tab draws other words, and the first goes on with its own."""
    first = begun(scene)
    begun(scene)
    with refused("gave way to a newer one"):
        use(scene.studio, first.nonce, record_id="cleos")


def test_challenge_that_was_not_begun(scene: Scene) -> None:
    """A recording is handed in before the page has shown the turns."""
    challenge = ask(scene.studio, "cleos", language="en")
    with refused("was not begun"):
        use(scene.studio, challenge.nonce, record_id="cleos")


def test_challenge_begun_twice(scene: Scene) -> None:
    """The turns are looked at, and then shown anew with the time running from there."""
    challenge = begun(scene)
    with refused("this challenge was answered already, was not begun"):
        begin(scene.studio, challenge.nonce, record_id="cleos")


def test_challenge_with_time_to_edit(scene: Scene) -> None:
    """A video is put together after the turns were shown, within the ten minutes."""
    challenge = begun(scene)
    scene.clock.now += ARRIVES_WITHIN + timedelta(seconds=1)
    with refused("the recording took too long to arrive"):
        use(scene.studio, challenge.nonce, record_id="cleos")


def test_challenge_too_old(scene: Scene) -> None:
    """Words that were drawn ten minutes ago are read."""
    challenge = ask(scene.studio, "cleos", language="en")
    scene.clock.now += timedelta(minutes=10)
    with refused("this challenge has expired"):
        begin(scene.studio, challenge.nonce, record_id="cleos")


def test_challenge_with_the_clock_set_back(scene: Scene) -> None:
    """The clock is set back, so that the ten minutes last longer."""
    challenge = ask(scene.studio, "cleos", language="en")
    scene.clock.now -= timedelta(minutes=5)
    with refused("this challenge was drawn in the future"):
        begin(scene.studio, challenge.nonce, record_id="cleos")


def test_challenge_made_up(scene: Scene) -> None:
    """A challenge is answered that was never drawn."""
    for nonce in ("0" * 64, "", "../../x", "' OR 1=1 --"):
        with refused("no such challenge was drawn"):
            use(scene.studio, nonce, record_id="cleos")


def test_challenge_lengthened_in_the_database(scene: Scene) -> None:
    """A challenge's time, words or turns are changed in the database."""
    challenge = begun(scene)
    for change in (
        {"expires": "2099-01-01T00:00:00Z"},
        {"words": ["easy"] * 6},
        {"turns": ["left"] * 5},
    ):
        with scene.studio.database.session() as session:
            session.get_one(ChallengeRow, challenge.nonce).document = {
                **challenge.to_json(),
                **change,
            }
        with refused("this is not a challenge"):
            use(scene.studio, challenge.nonce, record_id="cleos")


def test_waiting_for_a_challenge_that_suits(scene: Scene) -> None:
    """Challenges are drawn again and again until one suits a video that is there."""
    for _ in range(MOST_A_DAY):
        scene.clock.now += timedelta(seconds=1)
        ask(scene.studio, "cleos", language="en")
    with refused("recordings were begun for this record within a day"):
        ask(scene.studio, "cleos", language="en")
