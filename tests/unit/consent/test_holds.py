import pytest
from studios import Scene

from assent.consent.clearance import Act
from assent.consent.desk import clear
from assent.consent.holds import hold, holds_of, lift
from assent.kit.errors import NotClearedError


def test_nobody_is_cleared_while_a_case_has_stopped_the_work(scene: Scene) -> None:
    studio, project = scene.studio, scene.purpose.project_id
    hold(studio, project, case_id="one", number="AAAA-AAAA-A")
    hold(studio, project, case_id="one", number="AAAA-AAAA-A")
    hold(studio, project, case_id="two", number="BBBB-BBBB-B")
    with pytest.raises(NotClearedError, match="AAAA-AAAA-A, BBBB-BBBB-B"):
        clear(studio, scene.purpose, person_id=scene.ada.id, acts=[Act.TRAIN])
    lift(studio, project, case_id="one")
    lift(studio, project, case_id="one")
    assert holds_of(studio, project) == ("BBBB-BBBB-B",)
    with pytest.raises(NotClearedError, match="is stopped for case BBBB-BBBB-B"):
        clear(studio, scene.purpose, person_id=scene.ada.id, acts=[Act.TRAIN])
    lift(studio, project, case_id="two")
    clear(studio, scene.purpose, person_id=scene.ada.id, acts=[Act.TRAIN])
