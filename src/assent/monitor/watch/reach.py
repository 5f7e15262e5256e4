"""The dashboard's figures: how far releases reached, and what isn't as it should be."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import func, select

from assent.kit.store.studio import Studio
from assent.kit.store.watch_tables import FindRow
from assent.monitor.watch.seen import Seen, list_seen
from assent.monitor.watch.sources import Source, list_sources
from assent.monitor.watch.standing import Standing

__all__ = ["Dashboard", "Week", "dashboard"]

_WEEKS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """What was first seen in the week that begins on `begins`."""

    begins: date
    copies: int
    wrong: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """Everything that the page shows.

    `reach` is the sum of the views that places told, of `telling` copies.
    """

    copies: int
    by_standing: dict[str, int]
    reach: int
    telling: int
    weeks: tuple[Week, ...]
    unlabelled: tuple[Seen, ...]
    breaches: tuple[Seen, ...]
    unsure: tuple[Seen, ...]
    cases: int
    sources: tuple[Source, ...]
    waiting: int

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "copies": self.copies,
            "by_standing": self.by_standing,
            "reach": self.reach,
            "telling": self.telling,
            "weeks": [
                {"begins": w.begins.isoformat(), "copies": w.copies, "wrong": w.wrong}
                for w in self.weeks
            ],
            "unlabelled": [each.to_json() for each in self.unlabelled],
            "breaches": [each.to_json() for each in self.breaches],
            "unsure": [each.to_json() for each in self.unsure],
            "cases": self.cases,
            "sources": [each.to_json() for each in self.sources],
            "waiting": self.waiting,
        }


def dashboard(
    studio: Studio, *, project_id: str | None = None, projects: Sequence[str] | None = None
) -> Dashboard:
    """Return the figures of all projects, of one, or of those named."""
    seen = list_seen(studio, project_id=project_id)
    if projects is not None:
        seen = tuple(each for each in seen if each.project_id in projects)
    with studio.database.session() as session:
        states = ("waiting", "failed")
        waiting = session.scalar(select(func.count()).where(FindRow.state.in_(states))) or 0
    told = [each.reach for each in seen if each.reach is not None]
    standing = Counter(each.standing.value for each in seen)
    return Dashboard(
        copies=len(seen),
        by_standing={each.value: standing[each.value] for each in Standing},
        reach=sum(told),
        telling=len(told),
        weeks=_weeks(seen, studio.clock().date()),
        unlabelled=_standing(seen, Standing.UNLABELLED),
        breaches=_standing(seen, Standing.SCOPE, Standing.ENDED),
        unsure=_standing(seen, Standing.UNSURE),
        cases=len({each.case_number for each in seen if each.case_number}),
        sources=list_sources(studio),
        waiting=int(waiting),
    )


def _standing(seen: Sequence[Seen], *standings: Standing) -> tuple[Seen, ...]:
    return tuple(each for each in seen if each.standing in standings)


def _weeks(seen: Sequence[Seen], today: date) -> tuple[Week, ...]:
    monday = today - timedelta(days=today.weekday())
    starts = [monday - timedelta(weeks=back) for back in reversed(range(_WEEKS))]
    copies: Counter[date] = Counter()
    wrong: Counter[date] = Counter()
    for each in seen:
        day = date.fromisoformat(each.first[:10])
        week = day - timedelta(days=day.weekday())
        copies[week] += 1
        wrong[week] += each.standing is not Standing.ALLOWED
    return tuple(Week(begins=day, copies=copies[day], wrong=wrong[day]) for day in starts)
