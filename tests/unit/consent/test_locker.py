from datetime import UTC, datetime, timedelta

import pytest
from studios import Scene

from assent.consent.clearance import Act, Clearance
from assent.consent.desk import GOOD_FOR, clear
from assent.consent.locker import Locker
from assent.consent.withdrawal import withdraw
from assent.kit.errors import NotClearedError, NotFoundError


def cleared(scene: Scene, *names: str) -> list[Clearance]:
    return [
        clear(scene.studio, scene.purpose, person_id=getattr(scene, name).id, acts=[Act.INGEST])
        for name in names
    ]


def test_it_opens_for_those_whom_it_concerns(scene: Scene) -> None:
    locker = Locker(scene.studio)
    both = cleared(scene, "ada", "ben")
    blob = locker.put([b"a film", b" of two"], both)
    assert locker.read(blob, both) == b"a film of two"
    assert locker.read(blob, both[::-1]) == b"a film of two"
    with locker.open(blob, both) as reader:
        reader.seek(2)
        assert reader.read(4) == b"film"


@pytest.mark.parametrize("name", ["ada", "ben"])
def test_it_stays_shut_without_everyone(scene: Scene, name: str) -> None:
    locker = Locker(scene.studio)
    blob = locker.put([b"a film"], cleared(scene, "ada", "ben"))
    with pytest.raises(NotClearedError, match="not everyone whom this concerns"):
        locker.open(blob, cleared(scene, name))


def test_nobody_opens_nothing(scene: Scene) -> None:
    locker = Locker(scene.studio)
    blob = locker.put([b"a film"], cleared(scene, "ada"))
    for use in (lambda: locker.open(blob, []), lambda: locker.put([b"more"], [])):
        with pytest.raises(NotClearedError, match="nobody was cleared"):
            use()


def test_a_clearance_that_ran_out(scene: Scene) -> None:
    locker = Locker(scene.studio)
    clearances = cleared(scene, "ada")
    blob = locker.put([b"a film"], clearances)
    scene.clock.now += GOOD_FOR
    for use in (lambda: locker.open(blob, clearances), lambda: locker.put([b""], clearances)):
        with pytest.raises(NotClearedError, match="a clearance has run out") as caught:
            use()
        assert "asks the desk anew" in caught.value.advice
    assert locker.read(blob, cleared(scene, "ada")) == b"a film"


def test_withdrawal_closes_it_for_good(scene: Scene) -> None:
    """Even for a clearance that was issued a moment before."""
    locker = Locker(scene.studio)
    clearances = cleared(scene, "ada", "ben")
    blob = locker.put([b"a film"], clearances)
    withdraw(scene.studio, clearances[0].record_id)
    with pytest.raises(NotClearedError, match="was destroyed"):
        locker.open(blob, clearances)
    with pytest.raises(NotClearedError, match="was destroyed"):
        locker.put([b"more"], clearances)


def test_a_deposit_needs_a_clearance_to_be_read(scene: Scene) -> None:
    locker = Locker(scene.studio)
    ada = cleared(scene, "ada")
    blob = locker.deposit([b"template"], ada[0].record_id)
    assert locker.read(blob, ada) == b"template"
    with pytest.raises(NotClearedError):
        locker.read(blob, cleared(scene, "ben"))


def test_what_is_forgotten_is_gone(scene: Scene) -> None:
    locker = Locker(scene.studio)
    ada = cleared(scene, "ada")
    blob = locker.put([b"a film"], ada)
    locker.forget(blob)
    locker.forget(blob)
    with pytest.raises(NotFoundError):
        locker.open(blob, ada)


def test_only_what_was_left_behind_is_swept(scene: Scene) -> None:
    """The files' own times are of today, so the studio's clock is moved instead."""
    locker = Locker(scene.studio)
    ada = cleared(scene, "ada")
    kept, lost = locker.put([b"kept"], ada), locker.put([b"lost"], ada)
    enrolments = 2
    scene.clock.now = datetime.now(UTC) + timedelta(hours=23)
    assert locker.sweep([kept]) == 0
    scene.clock.now = datetime.now(UTC) + timedelta(hours=25)
    assert locker.sweep([kept]) == 1 + enrolments
    assert locker.read(kept, cleared_again(scene, ada)) == b"kept"
    with pytest.raises(NotFoundError):
        locker.read(lost, cleared_again(scene, ada))


def cleared_again(scene: Scene, clearances: list[Clearance]) -> list[Clearance]:
    """The same clearances while they still hold."""
    scene.clock.now = clearances[0].expires - timedelta(minutes=1)
    return clearances
