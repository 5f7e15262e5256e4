import copy
import dataclasses
import pickle  # noqa: TID251 - to show that it fails
from dataclasses import replace
from datetime import timedelta

import pytest
from studios import NOON, Scene

from assent.consent._key import Key
from assent.consent.clearance import Act, Clearance, Modality, require_all
from assent.consent.desk import GOOD_FOR, clear
from assent.kit.errors import NotClearedError


@pytest.fixture
def clearance(scene: Scene) -> Clearance:
    return clear(scene.studio, scene.purpose, person_id=scene.ada.id, acts=[Act.TRAIN])


def test_it_covers_what_was_cleared(scene: Scene, clearance: Clearance) -> None:
    clearance.require(Act.TRAIN, project_id=scene.purpose.project_id, now=NOON)


@pytest.mark.parametrize("act", [act for act in Act if act is not Act.TRAIN])
def test_it_covers_no_other_act(scene: Scene, clearance: Clearance, act: Act) -> None:
    with pytest.raises(NotClearedError, match=f"doesn't cover '{act.value}' with the face"):
        clearance.require(act, project_id=scene.purpose.project_id, now=NOON)


def test_it_covers_no_other_modality(scene: Scene, clearance: Clearance) -> None:
    with pytest.raises(NotClearedError, match="doesn't cover 'train' with the voice"):
        clearance.require(Act.TRAIN, Modality.VOICE, project_id=scene.purpose.project_id, now=NOON)


def test_it_covers_no_other_project(clearance: Clearance) -> None:
    with pytest.raises(NotClearedError, match="a clearance of another project was shown"):
        clearance.require(Act.TRAIN, project_id="another", now=NOON)


def test_it_runs_out(scene: Scene, clearance: Clearance) -> None:
    project = scene.purpose.project_id
    last = NOON + GOOD_FOR - timedelta(microseconds=1)
    clearance.require(Act.TRAIN, project_id=project, now=last)
    with pytest.raises(NotClearedError, match="a clearance has run out") as caught:
        clearance.require(Act.TRAIN, project_id=project, now=NOON + GOOD_FOR)
    assert caught.value.exit_code == 3
    assert "asks the desk anew" in caught.value.advice


def test_nobody_else_makes_one(clearance: Clearance) -> None:
    """Neither with a key of one's own nor by changing or storing one that was issued."""
    fields = {each.name: getattr(clearance, each.name) for each in dataclasses.fields(clearance)}
    fields.pop("mark")
    assert set(fields) >= {"person_id", "acts", "expires"}
    with pytest.raises(TypeError, match=r"issued by consent\.desk"):
        Clearance(**fields, key=Key())
    with pytest.raises(TypeError, match="key"):
        Clearance(**fields)
    with pytest.raises((TypeError, ValueError), match="key"):
        replace(clearance, acts=frozenset(Act))  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="stays in its process"):
        pickle.dumps(clearance)
    with pytest.raises(TypeError, match="stays in its process"):
        copy.copy(clearance)
    with pytest.raises(AttributeError):
        clearance.acts = frozenset(Act)  # type: ignore[misc]


def test_everyone_concerned_must_be_cleared(scene: Scene, clearance: Clearance) -> None:
    project = scene.purpose.project_id
    require_all([clearance], [scene.ada.id], Act.TRAIN, project_id=project, now=NOON)
    require_all([clearance], [], Act.RELEASE, project_id=project, now=NOON)
    with pytest.raises(NotClearedError, match="no clearance of someone whom 'train' concerns"):
        require_all(
            [clearance], [scene.ada.id, scene.ben.id], Act.TRAIN, project_id=project, now=NOON
        )
    with pytest.raises(NotClearedError, match="doesn't cover 'perform'"):
        require_all([clearance], [scene.ada.id], Act.PERFORM, project_id=project, now=NOON)
