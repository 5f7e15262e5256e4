"""How many releases under a consent the public log already holds, whatever the database says."""

from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import select

from assent.consent.clearance import Clearance
from assent.consent.people import person_by_id
from assent.consent.receipt import read_receipt
from assent.kit.canonical import parse_object
from assent.kit.errors import NotClearedError
from assent.kit.store.studio import Studio
from assent.kit.store.tables import ConsentRow

__all__ = ["check_unspent"]

_SEAL = b'"kind":"seal"'


def check_unspent(studio: Studio, clearances: Collection[Clearance], *, asset_id: str) -> None:
    """Raise `NotClearedError` if somebody's releases are used up but for that of `asset_id`.

    Each sealed video of another asset counts. The whole log is read, some 5 µs an entry, so this is
    asked once, before a video is sealed.
    """
    sealed = _sealed(studio, {clearance.receipt_hash for clearance in clearances})
    for clearance in clearances:
        used = len(sealed[clearance.receipt_hash] - {asset_id})
        handle, most = _agreed(studio, clearance)
        if used >= most:
            raise NotClearedError(
                f"{handle} agreed to {most} release(s), and the log holds as many",
                advice="Ask the subject for consent to more releases: `assent consent offer`.",
            )


def _sealed(studio: Studio, receipts: Collection[str]) -> defaultdict[str, set[str]]:
    """Return the assets of the videos that were sealed under each of these receipts."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for _, data in studio.log.reader().entries():
        if _SEAL not in data:
            continue
        entry = parse_object(data, name="the log entry")
        if entry.get("media") == "video":
            named = entry.get("receipts")
            for receipt in set(receipts).intersection(named if isinstance(named, list) else ()):
                found[receipt].add(str(entry.get("asset")))
    return found


def _agreed(studio: Studio, clearance: Clearance) -> tuple[str, int]:
    """Return whose clearance it is, and how many releases they signed for."""
    person = person_by_id(studio, clearance.person_id)
    with studio.database.session() as session:
        receipt = session.scalars(
            select(ConsentRow.receipt).where(ConsentRow.receipt_hash == clearance.receipt_hash)
        ).one()
    signed = read_receipt(str(receipt), subject=person.key, studio=studio.signing_key)
    return person.handle, signed.record.scope.most_releases
