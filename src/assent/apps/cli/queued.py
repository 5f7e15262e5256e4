"""Work that is put into the studio's queue instead of being done here and now."""

from collections.abc import Mapping
from typing import Any

from assent.apps.cli.console import out, show_json
from assent.kit.store.studio import Studio
from assent.purpose.projects import Purpose

__all__ = ["put"]


def put(
    studio: Studio, kind: str, purpose: Purpose, arguments: Mapping[str, Any], *, as_json: bool
) -> None:
    """Put a job of a project into the queue, the one of the studio's pages, and say which."""
    # Only who asks for it pays for it: it knows every kind of work.
    from assent.apps.work.kinds import enqueue

    job = enqueue(studio, kind, purpose.project_id, arguments)
    if as_json:
        show_json(job.to_json())
        return
    out.print(
        f"Job [bold]{job.id[:8]}[/bold] ({job.kind}) is {job.state.value}. Follow it with "
        f"`assent jobs watch {job.id[:8]}`; `assent studio` and `assent worker` do it."
    )
