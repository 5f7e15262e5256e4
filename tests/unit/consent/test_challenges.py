from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from studios import Scene

from assent.consent.challenge import LIFETIME, Challenge
from assent.consent.challenges import ARRIVES_WITHIN, MOST_A_DAY, ask, begin, use
from assent.kit.errors import AssentError, IntegrityError, NotClearedError
from assent.kit.store.tables import ChallengeRow


def asked(scene: Scene, record_id: str = "one") -> Challenge:
    return ask(scene.studio, record_id, language="en")


def test_a_challenge_is_asked_begun_and_used(scene: Scene) -> None:
    challenge = asked(scene)
    assert begin(scene.studio, challenge.nonce, record_id="one") == challenge
    scene.clock.now += ARRIVES_WITHIN
    assert use(scene.studio, challenge.nonce, record_id="one") == challenge


def test_each_step_can_be_taken_once(scene: Scene) -> None:
    challenge = asked(scene)
    with pytest.raises(NotClearedError, match="was not begun"):
        use(scene.studio, challenge.nonce, record_id="one")
    begin(scene.studio, challenge.nonce, record_id="one")
    with pytest.raises(NotClearedError, match="answered already"):
        begin(scene.studio, challenge.nonce, record_id="one")
    use(scene.studio, challenge.nonce, record_id="one")
    for step in (begin, use):
        with pytest.raises(NotClearedError, match="answered already"):
            step(scene.studio, challenge.nonce, record_id="one")


@pytest.mark.parametrize("step", [begin, use])
def test_of_many_at_once_one_succeeds(scene: Scene, step: Callable[..., Challenge]) -> None:
    challenge = asked(scene)
    if step is use:
        begin(scene.studio, challenge.nonce, record_id="one")

    def attempt(_: int) -> bool:
        studio = scene.reopened()
        try:
            step(studio, challenge.nonce, record_id="one")
        except NotClearedError:
            return False
        finally:
            studio.database.close()
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(attempt, range(6))) == 1


def test_a_second_tab_closes_the_first(scene: Scene) -> None:
    first = asked(scene)
    begin(scene.studio, first.nonce, record_id="one")
    second = asked(scene)
    other = asked(scene, "two")
    with pytest.raises(NotClearedError, match="gave way to a newer one"):
        use(scene.studio, first.nonce, record_id="one")
    begin(scene.studio, second.nonce, record_id="one")
    begin(scene.studio, other.nonce, record_id="two")


def test_another_record_cannot_use_it(scene: Scene) -> None:
    challenge = asked(scene)
    for step in (begin, use):
        with pytest.raises(NotClearedError, match="another consent record"):
            step(scene.studio, challenge.nonce, record_id="two")
    begin(scene.studio, challenge.nonce, record_id="one")


def test_time_runs_out(scene: Scene) -> None:
    challenge = asked(scene)
    scene.clock.now += LIFETIME - timedelta(seconds=1)
    begin(scene.studio, challenge.nonce, record_id="one")
    scene.clock.now += timedelta(seconds=1)
    with pytest.raises(NotClearedError, match="expired"):
        use(scene.studio, challenge.nonce, record_id="one")


@pytest.mark.parametrize("passed", [ARRIVES_WITHIN + timedelta(seconds=1), timedelta(seconds=-30)])
def test_a_recording_must_arrive_soon_after_its_turns_were_shown(
    scene: Scene, passed: timedelta
) -> None:
    challenge = asked(scene)
    scene.clock.now += timedelta(minutes=1)
    begin(scene.studio, challenge.nonce, record_id="one")
    scene.clock.now += passed
    with pytest.raises(NotClearedError, match="took too long"):
        use(scene.studio, challenge.nonce, record_id="one")


def test_an_unknown_challenge_is_refused(scene: Scene) -> None:
    with pytest.raises(NotClearedError, match="no such challenge"):
        begin(scene.studio, "0" * 64, record_id="one")


def test_asking_has_a_limit_that_a_day_lifts(scene: Scene) -> None:
    for _ in range(MOST_A_DAY):
        scene.clock.now += timedelta(seconds=1)
        asked(scene)
    with pytest.raises(NotClearedError, match="within a day"):
        asked(scene)
    asked(scene, "two")
    scene.clock.now += timedelta(days=1)
    asked(scene)


@pytest.mark.parametrize("edit", ["nonce", "record", "document"])
def test_an_edited_row_is_refused(scene: Scene, edit: str) -> None:
    challenge, other = asked(scene), asked(scene, "two")
    with scene.studio.database.session() as session:
        row = session.get_one(ChallengeRow, challenge.nonce)
        if edit == "nonce":
            row.document = {**row.document, "nonce": "1" * 64}
        elif edit == "record":
            row.document = other.to_json()
        else:
            row.document = {**row.document, "expires": "2099-01-01T00:00:00Z"}
    expected = AssentError if edit == "document" else IntegrityError
    with pytest.raises(expected):
        begin(scene.studio, challenge.nonce, record_id="one")
