"""Is the face of a recording one that the studio knows: the subject's own, or somebody else's?

Compared are the faces enrolled for the same project, and the subject's own from other projects. The
desk opens each: who has withdrawn is compared with nobody.
"""

from collections.abc import Iterator
from enum import Enum

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from assent.consent.desk import clear
from assent.consent.enrolment import unpack_templates
from assent.consent.locker import Locker
from assent.consent.people import Person
from assent.kit.errors import RefusedError
from assent.kit.faces.calibration import SAME_PERSON
from assent.kit.faces.identity import nearest
from assent.kit.store.studio import Studio
from assent.kit.store.tables import ConsentRow
from assent.purpose.projects import Purpose, find_project

__all__ = ["Familiar", "compare_face"]


class Familiar(Enum):
    """What the comparison says."""

    NEW = "new"
    """Nobody whom the studio knows."""
    SAME = "same"
    """The subject, as enrolled before."""
    CHANGED = "changed"
    """Not the person who was enrolled as the subject before."""
    OTHER = "other"
    """Somebody else of the same project."""


def compare_face(
    studio: Studio, purpose: Purpose, person: Person, faces: NDArray[np.float32]
) -> Familiar:
    """Say whose `faces` (embeddings [n, 128] of one recording) are, as far as the studio knows."""
    own: list[NDArray[np.float32]] = []
    others: dict[str, NDArray[np.float32]] = {}
    for row, templates in _enrolled(studio, purpose, person):
        if row.person_id == person.id:
            own.append(templates)
        else:
            others[row.person_id] = templates
    gallery = {**others, **({person.id: np.concatenate(own)} if own else {})}
    if not gallery:
        return Familiar.NEW
    matches = [nearest(face, gallery) for face in faces]
    near = {match.name for match in matches if match.distance < SAME_PERSON}
    if near - {person.id}:
        return Familiar.OTHER
    if not own:
        return Familiar.NEW
    # Each face must be theirs: in one recording there is one person.
    same = all(match.distance < SAME_PERSON for match in matches)
    return Familiar.SAME if same else Familiar.CHANGED


def _enrolled(
    studio: Studio, purpose: Purpose, person: Person
) -> Iterator[tuple[ConsentRow, NDArray[np.float32]]]:
    with studio.database.session() as session:
        rows = session.scalars(
            select(ConsentRow).where(
                ConsentRow.state == "live",
                (ConsentRow.person_id == person.id) | (ConsentRow.project_id == purpose.project_id),
            )
        ).all()
    locker = Locker(studio)
    for row in rows:
        try:
            clearance = clear(
                studio,
                find_project(studio, row.project_id),
                person_id=row.person_id,
                acts=(),
                modalities=(),
            )
        except RefusedError:
            continue
        yield row, unpack_templates(locker.read(str(row.enrolment_blob), [clearance]))
