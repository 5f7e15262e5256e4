import numpy as np
from numpy.typing import NDArray
from studios import Member, Scene, agree, brief_with, face_of

from assent.consent.familiar import Familiar, compare_face
from assent.consent.withdrawal import withdraw
from assent.kit.store.tables import ConsentRow
from assent.purpose.projects import Purpose, create_project


def compared(
    scene: Scene, who: Member, faces: NDArray[np.float32], purpose: Purpose | None = None
) -> Familiar:
    return compare_face(scene.studio, purpose or scene.purpose, who.person, faces)


def faces(handle: str) -> NDArray[np.float32]:
    return face_of(handle).embeddings


def test_the_subject_as_known(scene: Scene) -> None:
    assert compared(scene, scene.ada, faces("ada")) is Familiar.SAME


def test_somebody_new(scene: Scene) -> None:
    assert compared(scene, scene.cleo, faces("cleo")) is Familiar.NEW


def test_somebody_else_of_the_project(scene: Scene) -> None:
    """Ben poses as Cleo, whom nobody has seen yet, or as Ada, whom the studio knows."""
    assert compared(scene, scene.cleo, faces("ben")) is Familiar.OTHER
    assert compared(scene, scene.ada, faces("ben")) is Familiar.OTHER


def test_a_stranger_poses_as_the_subject(scene: Scene) -> None:
    assert compared(scene, scene.ada, faces("cleo")) is Familiar.CHANGED


def test_a_stranger_in_part_of_it(scene: Scene) -> None:
    mixed = np.concatenate([faces("ada"), faces("cleo")[:1]])
    assert compared(scene, scene.ada, mixed) is Familiar.CHANGED


def test_the_subject_is_known_from_other_projects(scene: Scene) -> None:
    other = create_project(scene.studio, brief_with(title="Another"))
    assert compared(scene, scene.ada, faces("cleo"), other) is Familiar.CHANGED
    assert compared(scene, scene.ada, faces("ada"), other) is Familiar.SAME
    # Nobody is looked up beyond the project.
    assert compared(scene, scene.cleo, faces("ben"), other) is Familiar.NEW


def test_who_withdrew_is_compared_with_nobody(scene: Scene) -> None:
    with scene.studio.database.session() as session:
        record_id = session.query(ConsentRow).filter_by(person_id=scene.ben.id).one().record_id
    withdraw(scene.studio, record_id)
    assert compared(scene, scene.cleo, faces("ben")) is Familiar.NEW


def test_whose_term_is_over_is_compared_with_nobody(scene: Scene) -> None:
    agree(scene.studio, scene.purpose, scene.cleo)
    scene.clock.to("2027-11-02")
    assert compared(scene, scene.cleo, faces("ben")) is Familiar.NEW
