"""What the studio keeps is held to what was signed of it, and to the records it rests on."""

from typing import Any

import pytest
from studios import Member, Scene, agree

from assent.consent.binding import Bound, bind, check, hold
from assent.consent.clearance import Act, Clearance
from assent.consent.desk import clear
from assent.consent.locker import Locker
from assent.consent.withdrawal import withdraw
from assent.kit.errors import IntegrityError, NotClearedError
from assent.kit.signing import new_key, sign

FACTS = {"blob": "00" * 32, "people": ["ada", "ben"], "frames": 40}


def cleared(scene: Scene, *members: Member) -> list[Clearance]:
    return [
        clear(scene.studio, scene.purpose, person_id=each.id, acts=[Act.INGEST]) for each in members
    ]


def bound(token: str | None, **changes: Any) -> Bound:  # noqa: ANN401 - facts
    return Bound(kind="footage", name="scene.mp4", facts={**FACTS, **changes}, token=token)


@pytest.fixture
def token(scene: Scene) -> str:
    return bind(scene.studio, "footage", FACTS, cleared(scene, scene.ada, scene.ben))


def test_what_was_signed_holds_for_those_who_are_cleared(scene: Scene, token: str) -> None:
    both = cleared(scene, scene.ada, scene.ben)
    hold(scene.studio, bound(token), both)
    hold(scene.studio, bound(token), both[::-1])
    records = {each.person_id: each.record_id for each in both}
    assert check(scene.studio, bound(token)) == records


@pytest.mark.parametrize(
    "change", [{"blob": "01" * 32}, {"people": ["ada"]}, {"frames": 41}, {"more": None}]
)
def test_a_row_that_says_something_else_is_refused(
    scene: Scene, token: str, change: dict[str, Any]
) -> None:
    with pytest.raises(IntegrityError, match=r"^scene\.mp4 is not what it was"):
        check(scene.studio, bound(token, **change))


def test_a_signature_for_something_else_is_refused(scene: Scene, token: str) -> None:
    other_kind = Bound(kind="model", name="m", facts=FACTS, token=token)
    forged = sign({"kind": "footage", "facts": "", "records": {}}, new_key(), kind="x+jws")
    by_ada = sign({"kind": "footage"}, scene.ada.key, kind="assent-binding+jws")
    replayed = sign({"kind": "footage"}, scene.studio.signing_key, kind="assent-review+jws")
    for each in (other_kind, *map(bound, (None, "", "x.y.z", forged, by_ada, replayed))):
        with pytest.raises(IntegrityError, match="the studio's database was changed"):
            check(scene.studio, each)


def test_everyone_in_it_must_be_cleared(scene: Scene, token: str) -> None:
    for few in ([], cleared(scene, scene.ada), cleared(scene, scene.ben)):
        with pytest.raises(NotClearedError, match=r"not everyone whom scene\.mp4 concerns"):
            hold(scene.studio, bound(token), few)


def test_a_new_record_does_not_take_over_what_an_ended_one_allowed(
    scene: Scene, token: str
) -> None:
    (ada,) = cleared(scene, scene.ada)
    withdraw(scene.studio, ada.record_id)
    agree(scene.studio, scene.purpose, scene.ada)
    with pytest.raises(NotClearedError, match="under a consent record that has ended"):
        hold(scene.studio, bound(token), cleared(scene, scene.ada, scene.ben))


def test_the_locker_binds_for_whom_it_opens(scene: Scene) -> None:
    locker, ada = Locker(scene.studio), cleared(scene, scene.ada)
    made = bound(locker.bind("footage", FACTS, ada))
    locker.hold(made, ada)
    with pytest.raises(NotClearedError, match="nobody was cleared"):
        locker.bind("footage", FACTS, [])
    with pytest.raises(NotClearedError, match="nobody was cleared"):
        locker.hold(made, [])
    scene.clock.to("2026-11-21")
    with pytest.raises(NotClearedError, match="has run out"):
        locker.hold(made, ada)
