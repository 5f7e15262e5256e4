"""Does a receipt still stand? Asked of a copy of the log: the studio doesn't learn who asks.

>>> look_up(log, receipt, today=date(2026, 11, 22)).stands  # doctest: +SKIP
True
"""

from dataclasses import dataclass
from datetime import date

from assent.consent.status_list import ENTRIES, Place, credential_status
from assent.kit.errors import IntegrityError, NotFoundError
from assent.kit.signing import verify
from assent.verify.public import PublicLog

__all__ = ["Standing", "look_up"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Whether a receipt stands, in a word and in a sentence, and which list's version told."""

    stands: bool
    says: str
    number: int
    index: int
    version: int


def look_up(log: PublicLog, receipt: str, *, today: date) -> Standing:
    """Return whether the consent behind a receipt (a JWS of the studio) stands today.

    Raises `IntegrityError` if this studio didn't sign it or it names no place in a list,
    `NotFoundError` if the copy of the log came without that list.
    """
    credential = verify(receipt, log.signing_key, kind="vc+jwt")
    place = _place(log, credential.get("credentialStatus"))
    found = log.status_lists.get(place.number)
    if found is None:
        raise NotFoundError(
            f"the log has no status list {place.number}",
            advice="Copy the log's folder with its status/ and ask again.",
        )
    says = "it stands"
    if found.has_ended(place.index):
        says = "it has ended: it was withdrawn, or its term is over and its key destroyed"
    elif str(credential.get("validUntil"))[:10] < today.isoformat():
        says = "its term is over"
    elif str(credential.get("validFrom"))[:10] > today.isoformat():
        says = "its term hasn't begun"
    return Standing(
        stands=says == "it stands",
        says=says,
        number=place.number,
        index=place.index,
        version=found.version,
    )


def _place(log: PublicLog, status: object) -> Place:
    """Return the place that a receipt names; `IntegrityError` if that is none of this studio's."""
    if isinstance(status, dict):
        index = str(status.get("statusListIndex"))
        # Numbered from 1; one more than there are, to tell a list that wasn't copied.
        for number in range(1, max(log.status_lists, default=0) + 2):
            if index.isdecimal() and len(index) < 7 and int(index) < ENTRIES:
                place = Place(number=number, index=int(index))
                if credential_status(log.studio_id, place) == status:
                    return place
    raise IntegrityError("the receipt names no place in a status list of this studio")
