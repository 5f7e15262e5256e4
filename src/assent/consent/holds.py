"""Work on a project that was stopped for a case: the desk clears nobody as long as it is.

What is under way asks the desk again and stops by itself; ending a consent is never stopped.
"""

from sqlalchemy import select

from assent.kit.clock import stamp
from assent.kit.errors import NotClearedError
from assent.kit.store.case_tables import HoldRow
from assent.kit.store.studio import Studio

__all__ = ["hold", "holds_of", "lift", "require_free"]


def hold(studio: Studio, project_id: str, *, case_id: str, number: str) -> None:
    """Stop all work on a project, for a case; the same again changes nothing."""
    with studio.database.session() as session:
        if session.get(HoldRow, (project_id, case_id)) is None:
            session.add(
                HoldRow(
                    project_id=project_id, case_id=case_id, number=number,
                    created=stamp(studio.clock()),
                )
            )  # fmt: skip


def lift(studio: Studio, project_id: str, *, case_id: str) -> None:
    """Let work go on, as far as this case is concerned."""
    with studio.database.session() as session:
        row = session.get(HoldRow, (project_id, case_id))
        if row is not None:
            session.delete(row)


def holds_of(studio: Studio, project_id: str) -> tuple[str, ...]:
    """Return the numbers of the cases for which work on the project is stopped."""
    with studio.database.session() as session:
        numbers = session.scalars(
            select(HoldRow.number).where(HoldRow.project_id == project_id).order_by(HoldRow.number)
        )
        return tuple(numbers)


def require_free(studio: Studio, project_id: str, *, slug: str) -> None:
    """Raise `NotClearedError` while work on the project is stopped."""
    numbers = holds_of(studio, project_id)
    if numbers:
        raise NotClearedError(
            f"work on '{slug}' is stopped for case {', '.join(numbers)}",
            advice="Decide the case first: `assent case show`; undoing its act lets work go on.",
        )
