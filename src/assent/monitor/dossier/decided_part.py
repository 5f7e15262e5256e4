"""Section on what people decided where no machine may: statements, faces, the last word."""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import select

from assent.consent import ground
from assent.consent.finals import decision_on
from assent.create.draft import load
from assent.data import doubts
from assent.kit.errors import AssentError
from assent.kit.store.tables import ConsentRow, DoubtRow, DraftRow, FinalRow
from assent.monitor.dossier.document import Block, Cell, Section, Text, table, to_minute
from assent.monitor.dossier.reading import Reading

__all__ = ["decided_section"]

_COLUMNS = (("about", 2.2), ("by", 1), ("when", 1.8), ("decision", 1.2), ("why", 3.4), ("log", 0.7))


def decided_section(reading: Reading) -> Section:
    """Return the section on decisions, each with its signature verified."""
    open_points: list[str] = []
    blocks: tuple[Block, ...] = (
        Text(
            text="Each decision is signed by who made it, with a key of their own; nobody decides "
            "about themselves. The log holds a salted hash of each."
        ),
        table("About recorded statements", _COLUMNS, _statements(reading, open_points)),
        table("About faces that no distance tells", _COLUMNS, _faces(reading, open_points)),
        table(
            "The last word of subjects who kept it",
            (("draft", 2), ("person", 2), ("when", 2), ("decision", 2)),
            _finals(reading, open_points),
        ),
    )
    return Section(
        id="decided", title="Decided by people", blocks=blocks, open=tuple(open_points)
    )  # fmt: skip


def _statements(reading: Reading, open_points: list[str]) -> Iterator[tuple[object, ...]]:
    with reading.studio.database.session() as session:
        rows = session.scalars(
            select(ConsentRow)
            .where(ConsentRow.project_id == reading.project.id)
            .order_by(ConsentRow.created, ConsentRow.version)
        ).all()
    for row in rows:
        who = reading.handle(row.person_id)
        if row.state == "waiting":
            open_points.append(f"The recorded statement of {who} waits for a decision.")
        try:
            said = ground.read_decision(reading.studio, row)
        except AssentError as error:
            open_points.append(f"The decision about {who}'s statement doesn't hold: {error}.")
            continue
        if said is not None:
            about = f"{who}, version {row.version}"
            told = said["told"]
            yield _told(reading, about, said, said["outcome"], told["reason"], row.log_index)


def _faces(reading: Reading, open_points: list[str]) -> Iterator[tuple[object, ...]]:
    with reading.studio.database.session() as session:
        rows = session.scalars(
            select(DoubtRow)
            .where(DoubtRow.project_id == reading.project.id)
            .order_by(DoubtRow.created, DoubtRow.id)
        ).all()
    for row in rows:
        clip = f"clip {row.sha256[:12]}"
        if row.state == "waiting":
            open_points.append(f"Faces in {clip} wait for a decision.")
            continue
        try:
            said = doubts.read_decision(reading.studio, row)
        except AssentError as error:
            open_points.append(f"The decision about {clip} doesn't hold: {error}.")
            continue
        if said is not None:
            people = {span["person_id"] for span in row.spans["spans"]}
            outcome = "the same person" if said["outcome"] == "same" else "somebody else"
            about = f"{reading.handles(people)} in {clip}"
            yield _told(reading, about, said, outcome, said["reason"], row.log_index)


def _told(
    reading: Reading,
    about: str,
    said: Mapping[str, Any],
    outcome: object,
    why: object,
    index: int | None,
) -> tuple[object, ...]:
    by, when = reading.handle(str(said["by"])), to_minute(str(said["time"]))
    return about, by, when, outcome, reading.names.clean(str(why)), index


def _finals(reading: Reading, open_points: list[str]) -> Iterator[tuple[object, ...]]:
    with reading.studio.database.session() as session:
        rows = session.execute(
            select(FinalRow, DraftRow)
            .join(DraftRow, DraftRow.id == FinalRow.draft_id)
            .where(DraftRow.project_id == reading.project.id)
            .order_by(DraftRow.created, FinalRow.person_id)
        ).all()
    for final, row in rows:
        who, draft = reading.handle(final.person_id), row.id[:8]
        try:
            person, digest = reading.people[final.person_id], load(reading.studio, row).digest
            said = decision_on(reading.studio, person, draft_id=row.id, draft=digest)
        except (AssentError, KeyError) as error:
            open_points.append(f"What {who} said about draft {draft} doesn't hold: {error}.")
            continue
        good = said == "approve"
        yield (
            Cell(text=draft, mono=True), who, to_minute(final.created),
            Cell(text="approved" if good else "declined", state="good" if good else "bad"),
        )  # fmt: skip
