"""What a worker asks now and then: whether anybody is to be told of something.

herald = Herald(studio)
while working:
    herald.tick()
"""

import time
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import select

from assent.apps.hooks.deliver import TELLING, is_due
from assent.kit.jobs.queue import Queue
from assent.kit.store.events import note_event
from assent.kit.store.studio import Studio
from assent.kit.store.tables import ConsentRow

__all__ = ["WARNS_BEFORE", "Herald", "note_expiring"]

WARNS_BEFORE = timedelta(days=14)
_LOOKS_FOR_ENDS_S = 600.0


class Herald:
    """Puts a job into the queue when something is due; never a second one beside it.

    Args:
        studio: whose events are told.
        clock: a monotonic clock.
    """

    def __init__(self, studio: Studio, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._studio = studio
        self._clock = clock
        self._looked = float("-inf")

    def tick(self) -> bool:
        """Look whether something is due; tell whether a job was put there for it."""
        if self._clock() - self._looked >= _LOOKS_FOR_ENDS_S:
            self._looked = self._clock()
            note_expiring(self._studio)
        if not is_due(self._studio):
            return False
        Queue(self._studio.database, self._studio.clock).put(TELLING, None, {})
        return True


def note_expiring(studio: Studio) -> None:
    """Note each consent that ends within two weeks, once."""
    today = studio.clock().date()
    ends = ConsentRow.document["scope"]["ends"].as_string()
    soon = (today + WARNS_BEFORE).isoformat()
    with studio.database.session() as session:
        rows = session.scalars(
            select(ConsentRow).where(
                ConsentRow.state == "live", ends >= today.isoformat(), ends <= soon
            )
        ).all()
        for row in rows:
            note_event(
                session,
                "consent.expiring",
                moment=studio.clock(),
                project_id=row.project_id,
                ids={"consent": row.record_id, "person": row.person_id},
                once=f"consent.expiring:{row.record_id}:{row.version}",
            )
