"""What a subject has agreed to, checked a moment ago.

A function that works on somebody demands a `Clearance` of them; there is no other way to ask.
"""

import hmac
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import InitVar, dataclass, field
from datetime import datetime
from enum import Enum
from typing import NoReturn, final

from assent.consent._key import KEY, SECRET, Key
from assent.kit.errors import NotClearedError

__all__ = ["Act", "AskAgain", "Clearance", "Modality", "check_issued", "require_all"]


class Modality(Enum):
    """What of a person is used."""

    FACE = "face"
    VOICE = "voice"


class Act(Enum):
    """What is done with it."""

    INGEST = "ingest"
    """Footage of the person is kept, and their face matched with their enrolment."""
    TRAIN = "train"
    """A face model is trained on them."""
    PORTRAY = "portray"
    """Their face is put onto somebody's performance."""
    PERFORM = "perform"
    """Their performance is given somebody's face."""
    RELEASE = "release"
    """The result is released on the channels of the record."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Clearance:
    """Permission to act on one subject; issued by `consent.desk`, never built by hand."""

    person_id: str
    project_id: str
    record_id: str
    receipt_hash: str
    modalities: frozenset[Modality]
    acts: frozenset[Act]
    expires: datetime
    key: InitVar[Key]
    mark: bytes = field(init=False, repr=False, compare=False)
    """Of what the desk issued; changed by hand, it no longer fits."""

    def __post_init__(self, key: Key) -> None:
        if key is not KEY:
            raise TypeError("a Clearance is issued by consent.desk")
        object.__setattr__(self, "mark", _mark(self))

    def __init_subclass__(cls) -> None:
        raise TypeError("a Clearance can't be derived from")

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Clearance stays in its process; ask the desk again")

    def require(
        self, act: Act, modality: Modality = Modality.FACE, *, project_id: str, now: datetime
    ) -> None:
        """Raise `NotClearedError` unless this covers `act` on `modality` there and then."""
        check_issued((self,))
        if now >= self.expires:
            raise NotClearedError(
                "a clearance has run out", advice="Run the command again; it asks the desk anew."
            )
        if self.project_id != project_id:
            raise NotClearedError("a clearance of another project was shown")
        if act not in self.acts or modality not in self.modalities:
            raise NotClearedError(
                f"the clearance doesn't cover '{act.value}' with the {modality.value}"
            )


def check_issued(clearances: Iterable[object]) -> None:
    """Raise `NotClearedError` unless each is, unchanged, what the desk of this process issued.

    This catches what imitates a clearance or was changed in place. Code in the same process that
    reads the desk's secret can't be stopped by anything in it.
    """
    for each in clearances:
        if type(each) is not Clearance or not hmac.compare_digest(each.mark, _mark(each)):
            raise NotClearedError(
                "this clearance was not issued by the desk", advice="Ask the desk for one."
            )


def _mark(clearance: Clearance) -> bytes:
    told = (
        clearance.person_id,
        clearance.project_id,
        clearance.record_id,
        clearance.receipt_hash,
        sorted(modality.value for modality in clearance.modalities),
        sorted(act.value for act in clearance.acts),
        clearance.expires.isoformat(),
    )
    return hmac.digest(SECRET, repr(told).encode(), "sha256")


AskAgain = Callable[[], Sequence[Clearance]]
"""Asks the desk again during long work; raises `NotClearedError` if someone has withdrawn."""


def require_all(
    clearances: Collection[Clearance],
    people: Collection[str],
    act: Act,
    *,
    project_id: str,
    now: datetime,
) -> None:
    """Raise `NotClearedError` unless each of `people` (ids) has a clearance that covers `act`."""
    check_issued(clearances)
    by_person = {clearance.person_id: clearance for clearance in clearances}
    for person in people:
        if person not in by_person:
            raise NotClearedError(f"there is no clearance of someone whom '{act.value}' concerns")
        by_person[person].require(act, project_id=project_id, now=now)
