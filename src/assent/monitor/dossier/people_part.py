"""Section on people: who has agreed to what, and whether their receipts hold."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from assent.consent.receipt import hash_receipt, read_receipt
from assent.kit.canonical import parse_object
from assent.kit.errors import AssentError
from assent.kit.store.tables import ConsentRow, DraftRow, FootageRow, ModelRow
from assent.monitor.dossier.document import Block, Cell, Section, State, Text, facts, table
from assent.monitor.dossier.reading import Reading
from assent.safeguard.claims import reviewers_of

__all__ = ["Standing", "people_section", "standings"]

_ENDED = ("withdrawn", "expired")
_SOON = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How one version of a record stands; `problem` says what is wrong with its proofs."""

    row: ConsentRow
    state: str
    problem: str | None

    @property
    def live(self) -> bool:
        """Tell whether it may be used today."""
        return self.state == "live" and self.problem is None


def standings(reading: Reading) -> tuple[Standing, ...]:
    """Return every version of every record of the project, oldest first."""
    with reading.studio.database.session() as session:
        rows = session.scalars(
            select(ConsentRow)
            .where(ConsentRow.project_id == reading.project.id)
            .order_by(ConsentRow.created, ConsentRow.version)
        ).all()
    return tuple(
        Standing(row=row, state=_state(reading, row), problem=_problem(reading, row))
        for row in rows
    )


def people_section(reading: Reading) -> Section:
    """Return the section on people and receipts."""
    found = standings(reading)
    parts = _parts(reading)
    blocks: list[Block] = [
        Text(
            text="People are named by their handles. A receipt is the record that a person signed, "
            "countersigned by the studio; here and in the log it stands as a salted SHA-256."
        ),
        table(
            "People, and their parts",
            (("person", 2), ("part", 4), ("consent", 2)),
            [_person_row(reading, person, part, found) for person, part in sorted(parts.items())],
        ),
    ]
    blocks += [_record(reading, standing) for standing in found]
    return Section(
        id="people",
        title="People and receipts",
        blocks=tuple(blocks),
        open=tuple(_open(reading, found, parts)),
    )


def _state(reading: Reading, row: ConsentRow) -> str:
    ended = row.state == "live" and str(row.document["scope"]["ends"]) < reading.day.isoformat()
    return "expired" if ended else row.state


def _problem(reading: Reading, row: ConsentRow) -> str | None:
    """Say what is wrong with the proofs of a record that was signed, or None."""
    if row.receipt is None:
        return None
    try:
        person = reading.people[row.person_id]
        receipt = read_receipt(row.receipt, subject=person.key, studio=reading.studio.signing_key)
    except (AssentError, KeyError) as error:
        return f"the signatures don't hold ({error})"
    if (receipt.record.record_id, receipt.record.version) != (row.record_id, row.version):
        return "the receipt is of another record"
    if hash_receipt(row.receipt, row.salt) != row.receipt_hash:
        return "the receipt is not the one that was hashed"
    if not _says(reading, row.log_index, row.receipt_hash):
        return "the log doesn't hold its receipt"
    if row.state == "live" and not reading.studio.keyring.has(row.record_id):
        return "its key is destroyed"
    return None


def _says(reading: Reading, index: int | None, receipt_hash: str | None) -> bool:
    entry = reading.entry(index)
    return entry is not None and parse_object(entry, name="entry").get("receipt") == receipt_hash


def _parts(reading: Reading) -> dict[str, str]:
    """Return what each person's part is, by id."""
    project = reading.project.id
    with reading.studio.database.session() as session:
        models = session.scalars(select(ModelRow).where(ModelRow.project_id == project)).all()
        footage = session.scalars(select(FootageRow).where(FootageRow.project_id == project)).all()
        asked = session.scalars(
            select(ConsentRow.person_id).where(ConsentRow.project_id == project)
        ).all()
        rendered = session.scalars(
            select(DraftRow.footage_id).where(DraftRow.project_id == project)
        ).all()
    found: dict[str, set[str]] = {person: set() for person in asked}
    for model in models:
        found.setdefault(model.donor_id, set()).add("donor of a face")
        found.setdefault(model.performer_id, set()).add("performer")
    for clip in footage:
        part = "in the frame of a render" if clip.id in rendered else "in footage"
        for person in clip.people:
            found.setdefault(person, set()).add(part)
    for known in reading.people.values():
        if known.handle in reviewers_of(reading.project.brief):
            found.setdefault(known.id, set()).add("reviewer")
    return {person: ", ".join(sorted(parts)) or "asked" for person, parts in found.items()}


def _person_row(
    reading: Reading, person: str, part: str, found: tuple[Standing, ...]
) -> tuple[object, ...]:
    own = [standing for standing in found if standing.row.person_id == person]
    name = reading.handle(person)
    if reading.names.shown and person in reading.people:
        name = f"{name} ({reading.people[person].name})"
    if part == "reviewer":
        return name, part, "not needed"
    return name, part, _verdict(own)


def _verdict(own: list[Standing]) -> Cell:
    if any(standing.live for standing in own):
        return Cell(text="live, both signatures hold", state="good")
    last = own[-1] if own else None
    text = "none" if last is None else last.problem or last.state
    return Cell(text=text, state="bad")


def _record(reading: Reading, standing: Standing) -> Block:
    row, document = standing.row, standing.row.document
    scope: dict[str, Any] = document["scope"]
    clean = reading.names.clean
    authority = document["principal"]["authority"]
    colour: State = "good" if standing.live else "bad" if standing.state in _ENDED else "warn"
    proofs = standing.problem or (
        "both signatures verified" if row.receipt is not None else "not signed"
    )
    return facts(
        ("Record", Cell(text=f"{row.record_id}, version {row.version}", mono=True)),
        ("Person", reading.handle(row.person_id)),
        ("State", Cell(text=_told(row, standing.state), state=colour)),
        ("Signatures", Cell(text=proofs, state=_held(standing))),
        ("Use", clean(str(scope["use"]))),
        ("Acts", ", ".join(scope["acts"])),
        ("Of the person", ", ".join(scope["modalities"])),
        ("Channels", ", ".join(clean(channel) for channel in scope["channels"])),
        ("Territory", scope["territory"]),
        ("Term", f"{scope['starts']} to {scope['ends']}"),
        ("Releases at most", scope["most_releases"]),
        ("Ruled out", ", ".join(document["forbidden"]) or "intimate content (always)"),
        ("Last word kept", "yes" if document.get("final_approval") else "no"),
        ("Matching of the face", document["biometrics"]["purpose"]),
        ("Kept until", document["handling"]["retention"]),
        *(_authority(authority) if authority else ()),
        ("Receipt, salted SHA-256", Cell(text=row.receipt_hash or "-", mono=True)),
        ("Log entries", _entries(row)),
    )


def _authority(authority: dict[str, str]) -> tuple[tuple[str, object], ...]:
    """Say who answered for the person, and by what."""
    return (
        ("Signed for them by", f"their {authority['kind']} ({authority['relation']})"),
        ("By the document, SHA-256", Cell(text=authority["document_sha256"], mono=True)),
    )


def _held(standing: Standing) -> State:
    if standing.problem:
        return "bad"
    return "good" if standing.row.receipt is not None else "warn"


def _told(row: ConsentRow, state: str) -> str:
    return f"{state} ({row.withdrawn})" if row.withdrawn else state


def _entries(row: ConsentRow) -> str:
    first = "decided" if row.state == "rejected" else "granted"
    found = ((first, row.log_index), ("ended", row.withdrawal_log_index))
    return ", ".join(f"{what}: {index}" for what, index in found if index is not None) or "-"


def _open(reading: Reading, found: tuple[Standing, ...], parts: dict[str, str]) -> Iterator[str]:
    if not found:
        yield "Nobody has been asked for consent yet."
    for person, part in sorted(parts.items()):
        own = [standing for standing in found if standing.row.person_id == person]
        if part != "reviewer" and not any(standing.live for standing in own):
            state = own[-1].state if own else "none"
            yield f"{reading.handle(person)} ({part}) has no live consent: {state}."
    for standing in found:
        if standing.problem is not None:
            who = reading.handle(standing.row.person_id)
            yield f"A receipt of {who} can't be relied on: {standing.problem}."
        ends = str(standing.row.document["scope"]["ends"])
        if standing.live and ends <= (reading.day + _SOON).isoformat():
            yield f"The consent of {reading.handle(standing.row.person_id)} ends on {ends}."
