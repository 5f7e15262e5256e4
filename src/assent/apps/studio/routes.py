"""Every page of the studio; a page that isn't here is nowhere."""

from assent.apps.studio.page import Page
from assent.apps.studio.pages import (
    accounts,
    after,
    brief,
    cases,
    dossier,
    drafts,
    entrance,
    footage,
    jobs,
    log,
    monitor,
    people,
    projects,
    recordings,
    release,
    repair,
    review,
    status,
    training,
    uploads,
    verify,
    viewings,
)

__all__ = ["PAGES"]

PAGES: tuple[Page, ...] = (
    *entrance.PAGES,
    *accounts.PAGES,
    *projects.PAGES,
    *brief.PAGES,
    *people.PAGES,
    *recordings.PAGES,
    *footage.PAGES,
    *training.PAGES,
    *drafts.PAGES,
    *viewings.PAGES,
    *repair.PAGES,
    *review.PAGES,
    *after.PAGES,
    *cases.PAGES,
    *release.PAGES,
    *verify.PAGES,
    *log.PAGES,
    *dossier.PAGES,
    *status.PAGES,
    *uploads.PAGES,
    *jobs.PAGES,
    *monitor.PAGES,
)
