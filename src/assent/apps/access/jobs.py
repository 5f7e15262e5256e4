"""Which jobs concern somebody: one answer for the pages, the API and what is told live."""

from assent.apps.access.permissions import Action
from assent.apps.access.who import Who
from assent.kit.jobs.job import Job
from assent.kit.jobs.queue import Seen

__all__ = ["may_see", "seen_by"]


def may_see(who: Who, job: Job, action: Action = Action.READ_JOBS) -> bool:
    """Tell whether a job concerns somebody; one of no project is its owner's, or the studio's."""
    if job.project_id is not None:
        return who.may(action, job.project_id)
    own = job.account is not None and job.account == who.account_id
    return who.may(action) and (own or bool(who.roles_in(None)))


def seen_by(who: Who) -> Seen:
    """Return the same for all jobs at once, to be asked of the database."""
    held = {each.project_id for each in who.memberships if each.project_id is not None}
    everywhere = who.may(Action.READ_JOBS, "")
    may = frozenset(each for each in held if who.may(Action.READ_JOBS, each))
    loose = who.may(Action.READ_JOBS)
    return Seen(
        projects=None if everywhere else may,
        account=who.account_id if loose else None,
        all_loose=loose and bool(who.roles_in(None)),
    )
