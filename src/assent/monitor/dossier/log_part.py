"""Sections on proofs and words: the log, definitions, sources, and what a dossier can't claim."""

from collections.abc import Iterator

from sqlalchemy import select

from assent import __version__
from assent.kit.canonical import parse_object
from assent.kit.store.tables import ConsentRow, DraftRow, ReleaseRow
from assent.kit.tlog.merkle import leaf_hash
from assent.monitor.dossier.document import Cell, Section, Text, facts, table
from assent.monitor.dossier.measures import load_measures
from assent.monitor.dossier.reading import Reading
from assent.purpose.rules import concerned

__all__ = ["definition_section", "limit_section", "log_section", "source_section"]

_MOST = 500

_WORDS = (
    ("act", "What is done with somebody's likeness: taking footage in, training, portraying, "
     "performing, release. Each is agreed to for itself."),
    ("asset", "One sealed file; its id stands in mark, manifest and log."),
    ("checkpoint", "The log's size and root hash at a moment, signed by the log's key."),
    ("desk", "The one place in the program that gives permission, for five minutes, on a live "
     "record."),
    ("donor", "Whose face is put onto somebody's performance."),
    ("draft", "A rendered film that has not left: encrypted, not marked yet."),
    ("effect", "What a rule does: refuse; raise the level of risk (severe, high, medium); warn; "
     "note."),
    ("inclusion proof", "Hashes that lead from an entry to the root in a checkpoint: nothing in "
     "the log can be exchanged without breaking them."),
    ("label", "AI + MODIFIED, burnt into the picture."),
    ("level of risk", "What the answers and rules come to: low, medium, high or severe."),
    ("live", "Of a record: signed by its subject, countersigned, within its term, not withdrawn."),
    ("manifest", "Signed metadata in the file, after C2PA."),
    ("mark", "An imperceptible watermark in picture and sound that carries the asset's id."),
    ("performer", "Whose performance gets the donor's face."),
    ("receipt", "A record with its subject's signature and the studio's over that."),
    ("record", "What one person agreed to for one project, after ISO/IEC TS 27560:2023."),
    ("rule pack", "A data file of one jurisdiction's rules, with version, date and source."),
    ("seal", "To label, mark, sign and log a draft, all or nothing."),
)  # fmt: skip

_LIMITS = (
    "It is not legal advice. Rules are a reading of public sources on the day that each pack "
    "names; sources marked † are secondary. Counsel decides what they mean for this work.",
    "It speaks of one moment, by the studio's own clock. What happened since isn't in it.",
    "It shows that a person with a certain key signed, not that they were free to refuse, nor that "
    "the key is in the hands of the person whose name goes with the handle.",
    "Ages are attested, not measured. Whether an estate or a guardian may "
    "sign was judged by a member of the studio.",
    "It repeats what the brief says of purpose, audience and claims. Whether that is true, nobody "
    "has checked but the reviewers who put their ticks there.",
    "Rights in footage are as stated by the studio.",
    "The content gate finds nudity in sampled frames. It finds no violence and no lies.",
    "The studio's root certificate is on no public trust list, and its log is countersigned by "
    "nobody else: whoever wants to rely on them compares the log's key and an earlier checkpoint.",
    "A lost mark and a removed manifest leave a fingerprint, which proves nothing by itself.",
    "Copies that were published can't be called back.",
)


def log_section(reading: Reading) -> Section:
    """Return the section with the log's checkpoint and this project's entries."""
    state = reading.log.state
    rows, missing = _entries(reading)
    total = len(rows)
    shown = rows[:_MOST]
    limited = f", the first {_MOST} shown" if total > _MOST else ""
    blocks = (
        Text(
            text="Anyone with a copy of the log and its key can check these: the log's files prove "
            "each entry against the checkpoint. Entries hold hashes and codes, never names."
        ),
        facts(
            ("Origin", Cell(text=state.origin, mono=True)),
            ("Entries", state.size),
            ("Root hash", Cell(text=state.root.hex(), mono=True)),
            ("Log key", Cell(text=reading.studio.log_verifier.vkey, mono=True)),
            ("Checkpoint", Cell(text=reading.log.checkpoint.strip(), mono=True)),
        ),
        table(
            f"Entries of this project ({total}{limited})",
            (("entry", 0.8), ("kind", 2), ("time", 2.2), ("leaf hash", 6), ("inclusion", 1.2)),
            shown,
        ),
    )
    return Section(id="log", title="Log proofs", blocks=blocks, open=tuple(missing))


def definition_section() -> Section:
    """Return what words mean."""
    return Section(
        id="words", title="Definitions", blocks=(facts(*_WORDS),)
    )  # fmt: skip


def source_section(reading: Reading) -> Section:
    """Return versions, and where the rules come from."""
    measures = load_measures()
    packs = [pack for pack in reading.packs if concerned(pack, reading.project.brief.places)]
    return Section(
        id="sources",
        title="Versions and sources",
        blocks=(
            table(
                "What this dossier was made with",
                (("part", 2.4), ("version", 1.4), ("date", 1.4), ("source", 6)),
                [
                    ("Assent", __version__, "-", "the program that made what is described here"),
                    (measures.title, "-", measures.as_of, measures.source),
                    *((p.title, f"{p.name} {p.version}", p.date, p.source) for p in packs),
                ],
            ),
        ),
    )


def limit_section() -> Section:
    """Return what a dossier can't claim."""
    return Section(
        id="limits",
        title="What this dossier can't claim",
        blocks=tuple(Text(text=text) for text in _LIMITS),
    )


def _entries(reading: Reading) -> tuple[list[tuple[object, ...]], list[str]]:
    rows: list[tuple[object, ...]] = []
    missing: list[str] = []
    for index in sorted(_indices(reading)):
        entry = reading.entry(index)
        if entry is None:
            missing.append(f"The log doesn't prove its entry {index}.")
            rows.append((index, "-", "-", "-", Cell(text="not proved", state="bad")))
            continue
        told = parse_object(entry, name=f"entry {index}")
        rows.append(
            (
                index, told.get("kind"), told.get("time"),
                Cell(text=leaf_hash(entry).hex(), mono=True),
                Cell(text="proved", state="good"),
            )
        )  # fmt: skip
    return rows, missing


def _indices(reading: Reading) -> Iterator[int]:
    project = reading.project.id
    with reading.studio.database.session() as session:
        consents = session.scalars(select(ConsentRow).where(ConsentRow.project_id == project)).all()
        releases = session.scalars(
            select(ReleaseRow)
            .join(DraftRow, DraftRow.id == ReleaseRow.draft_id)
            .where(DraftRow.project_id == project)
        ).all()
    found = {row.log_index for row in consents} | {row.log_index for row in releases}
    found |= {row.withdrawal_log_index for row in consents}
    yield from (index for index in found if index is not None)
