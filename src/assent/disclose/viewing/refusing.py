"""How a viewing that isn't there is refused."""

from assent.kit.errors import NotFoundError
from assent.purpose.projects import Purpose

__all__ = ["check_project", "gone"]


def gone() -> NotFoundError:
    """Return what says that a viewing is over, or another's."""
    return NotFoundError(
        "this viewing is over, or was opened by somebody else", advice="Open it again."
    )


def check_project(purpose: Purpose, project_id: str) -> None:
    """Raise `NotFoundError` if something is of another project."""
    if project_id != purpose.project_id:
        raise NotFoundError(f"'{purpose.slug}' has no such thing", advice="Look at its list.")
