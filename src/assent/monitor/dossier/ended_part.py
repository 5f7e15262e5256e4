"""Section on consent that has ended, its certificates, and copies that were seen elsewhere."""

from collections.abc import Iterator

from sqlalchemy import select

from assent.consent.certificate import hash_certificate, read_certificate
from assent.kit.errors import AssentError
from assent.kit.store.tables import ConsentRow, DraftRow, EndingRow, ReleaseRow, SightingRow
from assent.monitor.dossier.document import Block, Cell, Section, Text, table, to_minute
from assent.monitor.dossier.reading import Reading

__all__ = ["ended_section"]


def ended_section(reading: Reading) -> Section:
    """Return the section on endings; what still has to be done stands open."""
    open_points: list[str] = []
    blocks: tuple[Block, ...] = (
        Text(
            text="When a consent ends its key is destroyed, and the subject gets a signed "
            "certificate of what was destroyed and what remains. The log holds its SHA-256."
        ),
        table(
            "Certificates of deletion",
            (
                ("person", 1.2), ("how", 1), ("key destroyed", 1.8), ("closed with it", 1.2),
                ("certificate, SHA-256", 3.4), ("log", 0.7),
            ),
            _certificates(reading, open_points),
        ),
        table(
            "Copies seen elsewhere",
            (("release", 2), ("where", 4), ("first seen", 2)),
            _sightings(reading),
        ),
    )  # fmt: skip
    return Section(
        id="ended", title="Endings, and copies elsewhere", blocks=blocks, open=tuple(open_points)
    )


def _certificates(reading: Reading, open_points: list[str]) -> Iterator[tuple[object, ...]]:
    with reading.studio.database.session() as session:
        rows = session.execute(
            select(EndingRow, ConsentRow.person_id, ConsentRow.state)
            .join(ConsentRow, ConsentRow.record_id == EndingRow.record_id)
            .where(ConsentRow.project_id == reading.project.id)
            .order_by(EndingRow.time, EndingRow.record_id, ConsentRow.version)
        ).all()
    # A record has an ending; its last version tells whose it is and how it ended.
    for ending, person, state in {row[0].record_id: row for row in rows}.values():
        who = reading.handle(person)
        problem = _problem(reading, ending)
        if problem is not None:
            open_points.append(f"{who}'s consent has ended, but {problem}.")
        token = ending.certificate
        hashed = Cell(text=hash_certificate(token), mono=True) if token else "none yet"
        closed = len(ending.objects)
        yield who, state, to_minute(ending.time), f"{closed} object(s)", hashed, ending.log_index


def _problem(reading: Reading, ending: EndingRow) -> str | None:
    """Say what is missing of an ending, or None."""
    if reading.studio.keyring.has(ending.record_id):
        return "the key is still there"
    if ending.certificate is None:
        return "a copy of the key may still be in an escrow: there is no certificate"
    try:
        read_certificate(ending.certificate, reading.studio.signing_key)
    except AssentError as error:
        return f"its certificate doesn't hold: {error}"
    entry = reading.entry(ending.log_index)
    if entry is None or hash_certificate(ending.certificate).encode() not in entry:
        return "the log doesn't hold its certificate"
    return None


def _sightings(reading: Reading) -> Iterator[tuple[object, ...]]:
    with reading.studio.database.session() as session:
        rows = session.scalars(
            select(SightingRow)
            .join(ReleaseRow, ReleaseRow.asset_id == SightingRow.asset_id)
            .join(DraftRow, DraftRow.id == ReleaseRow.draft_id)
            .where(DraftRow.project_id == reading.project.id)
            .order_by(SightingRow.seen, SightingRow.place)
        ).all()
    for row in rows:
        where = reading.names.clean(row.place)
        yield Cell(text=row.asset_id, mono=True), where, to_minute(row.seen)
