"""Sections on data and models: what was filmed on what right, and a card for each model."""

from collections.abc import Iterator
from fractions import Fraction

from sqlalchemy import func, select

from assent import __version__
from assent.consent.clearance import Act
from assent.consent.desk import clear_all
from assent.consent.locker import Locker
from assent.data.clips import clip_of
from assent.kit.errors import AssentError
from assent.kit.media.probe import probe
from assent.kit.store.tables import FaceSetRow, FootageRow, ModelRow
from assent.monitor.dossier.document import (
    Block,
    Cell,
    Section,
    Text,
    facts,
    table,
    to_minute,
)
from assent.monitor.dossier.reading import Reading
from assent.purpose.projects import find_project

__all__ = ["data_section", "model_section"]

_LIMITS = (
    "Only for footage of the performer that it was made for, of whom the desk asks at each use. "
    "Heads turned further than the donor was filmed are not painted. A close-up larger than its "
    "pictures looks soft. It says nothing about what anybody said or did."
)
_USE = "To put the donor's face onto the performer's footage within this project, labelled."
_NOT = "Live use, anyone else's face, intimate content, identification of people, proof of events."


def data_section(reading: Reading) -> Section:
    """Return the section on footage and the rights in it."""
    rows = _footage(reading)
    open_points = [] if rows else ["No footage has been added yet."]
    shown = [_footage_row(reading, row) for row in rows]
    open_points += [
        f"On what right footage {row.id[:8]} is used is said in one word: '{row.rights}'."
        for row in rows
        if len(row.rights.split()) < 2
    ]
    blocks: tuple[Block, ...] = (
        Text(
            text="Footage, faces, models and drafts lie encrypted, each under the keys of everyone "
            "in it; without any one of these keys it can't be read. Every face was held against "
            "the enrolment of its person when the footage was taken in."
        ),
        table(
            "Footage",
            (
                ("id", 1.2), ("who is in it", 1.6), ("on what right", 3), ("frames", 1.1),
                ("others hidden", 1.1), ("sound", 1), ("taken in", 1.8), ("SHA-256", 3.4),
            ),
            shown,
        ),
        table(
            "Faces cut out to learn from",
            (("footage", 2), ("person", 2), ("faces", 1)),
            _face_sets(reading),
        ),
    )  # fmt: skip
    return Section(id="data", title="Data and rights", blocks=blocks, open=tuple(open_points))


def model_section(reading: Reading) -> Section:
    """Return a card for each model."""
    with reading.studio.database.session() as session:
        rows = session.scalars(
            select(ModelRow)
            .where(ModelRow.project_id == reading.project.id)
            .order_by(ModelRow.created, ModelRow.id)
        ).all()
    blocks: list[Block] = []
    open_points = [] if rows else ["No model has been trained yet."]
    for row in rows:
        blocks.append(_card(reading, row))
        if row.state != "ready":
            open_points.append(f"Model '{row.name}' is still being trained.")
    return Section(
        id="models", title="Models", blocks=tuple(blocks), open=tuple(open_points)
    )  # fmt: skip


def _footage(reading: Reading) -> list[FootageRow]:
    with reading.studio.database.session() as session:
        return list(
            session.scalars(
                select(FootageRow)
                .where(FootageRow.project_id == reading.project.id)
                .order_by(FootageRow.created, FootageRow.id)
            )
        )


def _footage_row(reading: Reading, row: FootageRow) -> tuple[object, ...]:
    name = f" {row.name}" if reading.names.shown else ""
    return (
        Cell(text=f"{row.id[:8]}{name}", mono=True),
        reading.handles(row.people),
        reading.names.clean(row.rights),
        row.frames,
        row.hidden or "none",
        "kept" if row.keep_sound else "no",
        to_minute(row.created),
        Cell(text=row.sha256, mono=True),
    )


def _face_sets(reading: Reading) -> Iterator[tuple[object, ...]]:
    with reading.studio.database.session() as session:
        rows = session.execute(
            select(FaceSetRow.footage_id, FaceSetRow.person_id, func.sum(FaceSetRow.faces))
            .join(FootageRow, FootageRow.id == FaceSetRow.footage_id)
            .where(FootageRow.project_id == reading.project.id)
            .group_by(FaceSetRow.footage_id, FaceSetRow.person_id)
            .order_by(FaceSetRow.footage_id, FaceSetRow.person_id)
        ).all()
    for footage, person, faces in rows:
        yield Cell(text=footage[:8], mono=True), reading.handle(person), faces


def _card(reading: Reading, row: ModelRow) -> Block:
    losses = f"{row.losses[0]:.3f} to {row.losses[-1]:.3f}" if row.losses else "not recorded"
    donor, performer = reading.handle(row.donor_id), reading.handle(row.performer_id)
    return facts(
        ("Model", Cell(text=row.name, mono=True)),
        ("State", Cell(text=row.state, state="good" if row.state == "ready" else "warn")),
        ("Made by", f"Assent {__version__} or earlier, on {row.created}"),
        ("What it does", f"{donor}'s face on {performer}'s performances"),
        ("For what", _USE),
        ("Not for", _NOT),
        ("Learned from", f"{_learned(reading, row.donor_id)} of {donor}"),
        ("Followed with", f"{_learned(reading, row.performer_id)} of {performer}"),
        ("Training", f"{row.iterations} iterations, {row.seconds / 60:.1f} minutes"),
        ("Settings", ", ".join(f"{k} = {v}" for k, v in sorted(row.config.items())) or "defaults"),
        ("Loss, first to last", losses),
        ("Quality", "See the drafts made with it; there is no figure for a model alone."),
        ("Limits", _LIMITS),
    )


def _learned(reading: Reading, person: str) -> str:
    """Say how much footage of a person there is, as far as it may be looked at."""
    rows = [row for row in _footage(reading) if row.people == [person]]
    with reading.studio.database.session() as session:
        faces = session.scalar(
            select(func.sum(FaceSetRow.faces)).where(
                FaceSetRow.person_id == person,
                FaceSetRow.footage_id.in_([row.id for row in rows]),
            )
        )
    frames = sum(row.frames for row in rows)
    minutes = _minutes(reading, rows)
    length = "of a length that can't be read any more" if minutes is None else f"{minutes:.2f} min"
    clips = ", ".join(row.id[:8] for row in rows) or "none that is there now"
    return f"{faces or 0} faces in {frames} frames ({length}; footage {clips})"


def _minutes(reading: Reading, rows: list[FootageRow]) -> float | None:
    """Return how long the clips are, or None if the desk gives no permission to look."""
    total = Fraction(0)
    try:
        purpose = find_project(reading.studio, reading.project.id)
        for row in rows:
            clip = clip_of(row)
            clearances = clear_all(reading.studio, purpose, clip.needs(Act.INGEST))
            with clip.open(Locker(reading.studio), clearances) as footage:
                facts_of = probe(footage, name=row.id[:8])
            total += Fraction(row.frames) / facts_of.frame_rate
    except AssentError:
        return None
    return float(total / 60)
