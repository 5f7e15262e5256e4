"""A large studio: what the desk, the lists, a withdrawal and the end of terms take.

    python benchmarks/consent_load.py [--people 10000] [--projects 5] [--asked 400]

Builds a studio with that many people and a live record of each for each project, signed and
countersigned as real ones are; only the face templates, which the desk doesn't open, are left out.
Prints times and memory, for a fifth of the people first and then for all, so that what grows is
seen. Assent promises: `clear` under 5 ms, lists a page at a time, memory flat.
"""

import argparse
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import func, select

from assent.consent.clearance import Act, Modality
from assent.consent.desk import clear
from assent.consent.people import Person, list_people, person_by_id
from assent.consent.receipt import countersign, hash_receipt, sign_record
from assent.consent.record import Evidence
from assent.consent.register import list_records
from assent.consent.retention import end_expired
from assent.consent.status_list import (
    ENTRIES,
    Place,
    credential_status,
    note_published,
    publish_missing,
)
from assent.consent.terms import Terms, draw_up
from assent.consent.versions import note_version
from assent.consent.withdrawal import withdraw
from assent.kit.canonical import canonical
from assent.kit.clock import stamp
from assent.kit.disk import Disk
from assent.kit.signing import SigningKey, new_key, public_of, thumbprint, to_jwk
from assent.kit.store.studio import Studio, create_studio, open_studio
from assent.kit.store.tables import ConsentRow, PersonRow
from assent.purpose.brief import EXAMPLE, Brief
from assent.purpose.projects import Purpose, create_project, find_project

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
AT_ONCE = 500


class Hasty(Disk):
    """A disk that waits for nothing: building isn't what is measured."""

    def sync(self, file: BinaryIO) -> None:
        """Do nothing."""

    def sync_folder(self, folder: Path) -> None:
        """Do nothing."""


def build(folder: Path, people: int, projects: int) -> None:
    """Make the studio."""
    studio = create_studio(
        folder, name="A large studio", contact="hello@example.org", clock=lambda: NOON, disk=Hasty()
    )
    purposes = [
        create_project(studio, Brief.from_mapping({**EXAMPLE, "title": f"Film {number}"}))
        for number in range(projects)
    ]
    places = iter(random.Random(0).sample(range(ENTRIES), people * projects))  # noqa: S311 - a benchmark
    published = publish_missing(studio, 1)
    studio.log.append([canonical(each.entry) for each in published])
    with studio.database.session() as session:
        note_published(session, published)
    for start in range(0, people, AT_ONCE):
        count = min(AT_ONCE, people - start)
        members = [_member(studio, start + number) for number in range(count)]
        for purpose in purposes:
            _agree(studio, purpose, members, places)
    studio.database.close()


def _member(studio: Studio, number: int) -> tuple[Person, SigningKey]:
    key = new_key()
    row = PersonRow(
        id=uuid.uuid4().hex,
        handle=f"person-{number:06}",
        name=f"Person {number}",
        created=stamp(NOON),
        public_key=to_jwk(public_of(key)),
        key_thumbprint=thumbprint(key),
    )
    with studio.database.session() as session:
        session.add(row)
    return person_by_id(studio, row.id), key


def _agree(
    studio: Studio,
    purpose: Purpose,
    members: list[tuple[Person, SigningKey]],
    places: Iterator[int],
) -> None:
    """Let all of these agree, as `accept` would, in one append of the log."""
    rows = [_row(studio, purpose, *member, next(places)) for member in members]
    entries = [
        {"kind": "consent.granted", "receipt": row.receipt_hash, "time": row.created}
        for row in rows
    ]
    indices = studio.log.append([canonical(entry) for entry in entries])
    with studio.database.session() as session:
        for row, index in zip(rows, indices, strict=True):
            row.log_index = index
            session.add(row)


def _row(
    studio: Studio, purpose: Purpose, person: Person, key: SigningKey, place: int
) -> ConsentRow:
    brief = purpose.brief
    terms = Terms(
        acts=frozenset(Act), modalities=frozenset({Modality.FACE}), use=brief.purpose,
        channels=frozenset(brief.channels), starts=brief.starts, ends=brief.ends,
    )  # fmt: skip
    record = draw_up(
        studio, purpose, person, terms, record_id=str(uuid.uuid4()), version=1,
        evidence=(Evidence(kind="statement", sha256="0" * 64),), key=person.key,
    )  # fmt: skip
    receipt = countersign(
        sign_record(record, key), record, studio.signing_key, moment=stamp(NOON),
        status=credential_status(studio.id, Place(number=1, index=place)),
    )  # fmt: skip
    studio.keyring.create(record.record_id)
    note_version(studio, record.record_id, 1)
    salt = uuid.uuid4().hex
    # Accepted over the last year, in no order.
    created = NOON - timedelta(seconds=int(uuid.UUID(record.record_id)) % 31_000_000)
    return ConsentRow(
        id=uuid.uuid4().hex, record_id=record.record_id, version=1, state="live",
        project_id=purpose.project_id, person_id=person.id, document=record.to_json(), salt=salt,
        created=stamp(created), receipt=receipt, receipt_hash=hash_receipt(receipt, salt),
        status_list=1, status_index=place,
    )  # fmt: skip


def measure(folder: Path, asked: int, seed: int) -> None:
    """Print what a studio takes, in a process of its own."""
    began = time.perf_counter()
    studio = open_studio(folder, clock=lambda: NOON)
    opened = time.perf_counter() - began
    with studio.database.session() as session:
        records = session.scalar(select(func.count()).select_from(ConsentRow)) or 0
        chosen = random.Random(seed)  # noqa: S311 - a benchmark
        everyone = list(session.scalars(select(PersonRow.id)))
        some = chosen.sample(everyone, min(asked, len(everyone)))
    purpose = find_project(studio, "film-0")
    print(f"{len(everyone):,} people, {records:,} records")
    print(f"  open the studio             {opened * 1000:9.1f} ms")
    _time("clear, each somebody else", [_clearing(studio, purpose, each) for each in some])
    middle = f"person-{len(everyone) // 2:06}"
    page = list_people(studio, limit=100, after=middle)
    _time("100 people from the middle", [lambda: list_people(studio, limit=100, after=middle)])
    _time("100 records, the first", [lambda: list_records(studio, limit=100)])
    half = _last_of_half(studio, records)
    _time("100 records from the middle", [lambda: list_records(studio, limit=100, after=half)])
    before = _memory()
    _time("withdraw", [_withdrawing(studio, purpose, each.id) for each in page[:5]])
    _time("look for expired terms", [lambda: end_expired(studio)])
    print(f"  memory, once all was done   {_memory():9.0f} MB ({before:.0f} before withdrawing)")


def _clearing(studio: Studio, purpose: Purpose, person: str) -> Callable[[], object]:
    acts = (Act.INGEST, Act.TRAIN, Act.RELEASE)
    return lambda: clear(studio, purpose, person_id=person, acts=acts)


def _withdrawing(studio: Studio, purpose: Purpose, person: str) -> Callable[[], object]:
    with studio.database.session() as session:
        record = session.scalar(
            select(ConsentRow.record_id).where(
                ConsentRow.person_id == person, ConsentRow.project_id == purpose.project_id
            )
        )
    return lambda: withdraw(studio, str(record)[:18])


def _last_of_half(studio: Studio, records: int) -> str:
    with studio.database.session() as session:
        record = session.scalar(
            select(ConsentRow.record_id).order_by(ConsentRow.created).offset(records // 2).limit(1)
        )
    return f"{record}:1"


def _time(what: str, calls: list[Callable[[], object]]) -> None:
    """Print medians of wall clock and processor time; the first call only warms up."""
    calls[0]()
    times, used = [], []
    for call in calls:
        began, busy = time.perf_counter(), time.process_time()
        call()
        used.append((time.process_time() - busy) * 1000)
        times.append((time.perf_counter() - began) * 1000)
    late = sorted(times)[min(len(times) - 1, int(len(times) * 0.95))]
    print(
        f"  {what:<27} {statistics.median(times):9.1f} ms, 95 % under {late:.1f} ms; "
        f"{statistics.median(used):.1f} ms of processor time",
        flush=True,
    )


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Build both studios and measure each in a fresh process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--projects", type=int, default=5)
    parser.add_argument("--asked", type=int, default=400)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        measure(given.measure, given.asked, seed=1)
        return
    with tempfile.TemporaryDirectory() as folder:
        for people in (given.people // 5, given.people):
            place = Path(folder) / str(people)
            began = time.perf_counter()
            build(place, people, given.projects)
            print(f"built in {time.perf_counter() - began:.0f} s", flush=True)
            asked = ["--asked", str(given.asked), "--measure", str(place)]
            subprocess.run([sys.executable, __file__, *asked], check=True)


if __name__ == "__main__":
    main()
