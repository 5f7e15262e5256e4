"""Jobs that failed because somebody had to decide first: once they have, they are done again."""

from assent.apps.work.uploads import Uploads
from assent.kit.errors import NotFoundError, SignOffError
from assent.kit.jobs.job import Job, State
from assent.kit.jobs.queue import Queue
from assent.kit.store.studio import Studio

__all__ = ["take_in_again"]


def take_in_again(studio: Studio, project_id: str, name: str) -> tuple[Job, ...]:
    """Take in what was sent as `name` and refused until somebody decided about it.

    What was sent is kept for a day; whatever is gone must be sent again.
    """
    queue, uploads = Queue(studio.database, studio.clock), Uploads(studio)
    waited = []
    for job in queue.list(project_id, kind="ingest"):
        if job.state is not State.FAILED or job.code != SignOffError.exit_code:
            continue
        try:
            sent = uploads.find(str(job.arguments["upload"]))
        except NotFoundError:
            continue
        if sent.name == name and sent.complete:
            uploads.keep(sent.id)
            waited.append(queue.retry(job.id))
    return tuple(waited)
