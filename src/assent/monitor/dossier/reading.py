"""What the parts of a dossier are read from, and how people are named in it."""

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date

from assent.consent.clearance import AskAgain
from assent.consent.locker import Locker
from assent.consent.people import Person, list_people
from assent.create.draft import Draft
from assent.create.report import QualityReport, quality_of
from assent.kit.errors import AssentError
from assent.kit.store.studio import Studio
from assent.kit.tlog.reader import LogReader
from assent.kit.tlog.receipt import make_receipt, verify_receipt
from assent.purpose.library import packs_of
from assent.purpose.pack import Pack
from assent.purpose.projects import Project, look_up
from assent.purpose.rules import Decision, decide

__all__ = ["Judge", "Names", "Reading", "read"]

Judge = Callable[[Draft, AskAgain], QualityReport]
"""Says how good a draft is; raises `NotClearedError` unless everyone in it is cleared now."""

# Shorter parts of a name (de, la, Li) are words too.
_SHORTEST = 3


class Names:
    """Puts handles in the place of people's names, unless names are asked for."""

    def __init__(self, people: Iterable[Person], *, shown: bool) -> None:
        self.shown = shown
        self._handles = {}
        for person in () if shown else people:
            for name in _parts(person.name):
                self._handles[name] = person.handle
        longest = sorted(self._handles, key=len, reverse=True)
        found = "|".join(re.escape(name) for name in longest)
        self._pattern = re.compile(rf"(?<!\w)(?:{found})(?!\w)") if longest else None

    def clean(self, text: str) -> str:
        """Return `text` without names of people that the studio knows."""
        if self._pattern is None:
            return text
        return self._pattern.sub(lambda found: f"[{self._handles[found[0]]}]", text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A project as it is at one moment, with all that its dossier is read from."""

    studio: Studio
    project: Project
    day: date
    packs: tuple[Pack, ...]
    decision: Decision
    people: dict[str, Person]
    log: LogReader
    names: Names
    judge: Judge

    def handle(self, person_id: str | None) -> str:
        """Return the handle of a person; one who isn't known is told by their id."""
        person = self.people.get(str(person_id))
        return person.handle if person else f"unknown ({str(person_id)[:8]})"

    def handles(self, people: Collection[str]) -> str:
        """Return the handles of people, in order."""
        return ", ".join(sorted(self.handle(person) for person in people)) or "-"

    def entry(self, index: int | None) -> bytes | None:
        """Return an entry of the log once its inclusion is proved; None if there is none such."""
        if index is None:
            return None
        try:
            entry = self.log.entry(index)
            verify_receipt(make_receipt(self.log, index), entry, self.studio.log_verifier)
        except AssentError:
            return None
        return entry


def read(studio: Studio, name: str, *, names: bool, judge: Judge | None = None) -> Reading:
    """Read the project called `name`, whatever the rules say of it; raises `NotFoundError`.

    Without `judge` drafts are judged anew.
    """
    project = look_up(studio, name)
    packs, day = packs_of(studio), studio.clock().date()
    people = list_people(studio)
    return Reading(
        studio=studio,
        project=project,
        day=day,
        packs=packs,
        decision=decide(project.brief, packs, day=day),
        people={person.id: person for person in people},
        log=studio.log.reader(),
        names=Names(people, shown=names),
        judge=judge or (lambda draft, ask: quality_of(draft, Locker(studio), ask)),
    )


def _parts(name: str) -> Iterable[str]:
    """Yield a name, and its parts that look like names."""
    yield name
    for part in re.findall(r"[^\W\d_]+", name):
        if len(part) >= _SHORTEST and part[0].isupper():
            yield part
