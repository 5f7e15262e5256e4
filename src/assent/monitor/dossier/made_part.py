"""Sections on what was made: drafts with their safeguards, and releases verified anew."""

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import select

from assent.consent.desk import clear_all
from assent.create.draft import Draft, load
from assent.disclose.check import MIME, check_credential, check_log
from assent.disclose.entry import SealEntry
from assent.disclose.reopen import reopen
from assent.kit.c2pa.read import Credential
from assent.kit.errors import AssentError, NotFoundError, SealError
from assent.kit.hashing import hash_file
from assent.kit.store.tables import ConsentRow, DraftRow, FootageRow, ModelRow, ReleaseRow
from assent.kit.tlog.receipt import SUFFIX
from assent.monitor.dossier.document import Block, Cell, Section, Text, facts, table
from assent.monitor.dossier.reading import Reading
from assent.purpose.projects import Purpose, find_project
from assent.purpose.rules import Assessment
from assent.safeguard.review import decision_on, sign_offs_of

__all__ = ["draft_section", "release_section"]


def draft_section(reading: Reading) -> Section:
    """Return the section on drafts and what was looked at before they could leave."""
    drafts = _drafts(reading)
    open_points = [] if drafts else ["Nothing has been rendered yet."]
    level = reading.decision.level
    blocks: list[Block] = [
        Text(
            text="A draft stays encrypted until it is sealed. A content gate that nothing turns "
            "off looks at two frames of it a second; the decision is signed by the studio over "
            "the draft's digest, and by each reviewer with their own key."
        ),
        Text(text=f"Asked for at level {level.name}: {'; '.join(level.demands())}."),
    ]
    for row in drafts:
        block, points = _draft(reading, row)
        blocks.append(block)
        open_points += points
    return Section(
        id="drafts", title="Drafts and safeguards", blocks=tuple(blocks), open=tuple(open_points)
    )


def release_section(reading: Reading, *, full: bool) -> Section:
    """Return the section on releases; with `full` label and marks are looked for in each again."""
    with reading.studio.database.session() as session:
        rows = session.scalars(
            select(ReleaseRow)
            .join(DraftRow, DraftRow.id == ReleaseRow.draft_id)
            .where(DraftRow.project_id == reading.project.id, ReleaseRow.state == "released")
            .order_by(ReleaseRow.created, ReleaseRow.asset_id)
        ).all()
    open_points = [] if rows else ["Nothing has been released yet."]
    blocks: list[Block] = [
        Text(
            text="Each file carries the label AI + MODIFIED for its whole length, a mark in "
            "picture and sound, and a signed manifest. All of it was read back from the very bytes "
            "when they were sealed. Below is what was verified again for this dossier."
        )
    ]
    for row in rows:
        block, points = _release(reading, row, full=full)
        blocks.append(block)
        open_points += points
    blocks.append(
        table(
            "Sheets that left, for those who decide",
            (("asset", 2), ("log entry", 1), ("sealed", 2), ("SHA-256", 5)),
            _stills(reading),
        )
    )
    return Section(
        id="releases", title="Releases and disclosure", blocks=tuple(blocks),
        open=tuple(open_points),
    )  # fmt: skip


def _drafts(reading: Reading) -> list[DraftRow]:
    with reading.studio.database.session() as session:
        return list(
            session.scalars(
                select(DraftRow)
                .where(DraftRow.project_id == reading.project.id)
                .order_by(DraftRow.created, DraftRow.id)
            )
        )


def _draft(reading: Reading, row: DraftRow) -> tuple[Block, list[str]]:
    with reading.studio.database.session() as session:
        model = session.get_one(ModelRow, row.model_id)
        footage = session.get_one(FootageRow, row.footage_id)
    known = [
        ("Draft", Cell(text=row.id, mono=True)),
        ("Made with", f"{model.name}, on footage {footage.id[:8]}"),
        ("Rendered", f"{row.created}; {row.frames} frames, {row.replaced} with a face replaced"),
        ("State", Cell(text=row.state, state="good" if row.state == "complete" else "warn")),
    ]
    try:
        draft = load(reading.studio, row)
        reviewed, points = _reviewed(reading, draft)
        known += [*reviewed, *_quality(reading, draft)]
    except AssentError as error:
        return facts(*known), [f"Draft {row.id[:8]}: {error}."]
    return facts(*known), points


def _reviewed(reading: Reading, draft: Draft) -> tuple[list[tuple[str, Cell]], list[str]]:
    decision = decision_on(reading.studio, draft)
    if decision is None:
        rows = [("Content gate", Cell(text="not looked at yet", state="warn"))]
        return rows, [f"Draft {draft.id[:8]} has not been reviewed."]
    signed = sign_offs_of(reading.studio, _purpose(reading), draft)
    asked = _asked(reading)
    told = ", ".join(f"{each.handle} ({each.time})" for each in signed)
    missing = [who for who in asked if who not in {each.handle for each in signed}]
    rows = [
        (
            "Content gate",
            Cell(text=f"{decision['looked_at']} frames, nothing explicit", state="good"),
        ),
        ("Reviewed", Cell(text=f"{decision['time']}, at level {decision['level']}")),
        ("Longest allowed shortest side", Cell(text=f"{decision['shortest_side']} lines")),
        (
            "Signatures",
            Cell(
                text=told or ("none yet" if asked else "none asked for"),
                state="bad" if missing else "good",
            ),
        ),
    ]
    return rows, [f"Draft {draft.id[:8]} lacks the signature of {who}." for who in missing]


def _asked(reading: Reading) -> list[str]:
    brief, level = reading.project.brief, reading.decision.level
    asked = [brief.reviewer or "a reviewer"] if level.sign_off else []
    return (
        [*asked, brief.second_reviewer or "a second reviewer"] if level.second_reviewer else asked
    )


def _purpose(reading: Reading) -> Purpose:
    """Return the project as a purpose even if a rule refuses it: nothing is made from it here."""
    decision = reading.decision
    return Purpose(
        project_id=reading.project.id,
        slug=reading.project.slug,
        brief=reading.project.brief,
        assessment=Assessment(level=decision.level, applied=decision.rulings, packs=decision.packs),
    )


def _quality(reading: Reading, draft: Draft) -> Iterator[tuple[str, Cell]]:
    """Yield quality figures, or why they can't be read."""
    studio = reading.studio
    try:
        purpose = find_project(studio, reading.project.id)
        needs = draft.needs(to_release=False)
        clear_all(studio, purpose, needs)
        report = reading.judge(draft, lambda: clear_all(studio, purpose, needs))
    except AssentError as error:
        yield "Quality", Cell(text=f"can't be read: {error}", state="warn")
        return
    yield "Quality", Cell(text=report.verdict)
    for name, value in report.rows():
        yield name.capitalize(), Cell(text=value)


def _release(reading: Reading, row: ReleaseRow, *, full: bool) -> tuple[Block, list[str]]:
    studio, points = reading.studio, []
    path = studio.releases_folder / str(row.name)
    checks, problem = _checks(reading, row, path, full=full)
    if problem is not None:
        points.append(f"Release {row.asset_id}: {problem}.")
    ended = _ended(reading, row)
    if ended:
        points.append(f"Release {row.asset_id} rests on consent that has ended: {ended}.")
    return facts(
        ("Asset", Cell(text=row.asset_id, mono=True)),
        ("File", Cell(text=str(row.name), mono=True)),
        ("Sealed", row.created),
        ("SHA-256", Cell(text=str(row.sha256), mono=True)),
        ("Fingerprint (ISCC)", Cell(text=str(row.fingerprint), mono=True)),
        ("Log entry", row.log_index),
        *checks,
        ("Receipts", Cell(text="\n".join(row.receipts), mono=True)),
        (
            "Consent today",
            Cell(text=f"ended: {ended}", state="bad") if ended else Cell(text="live", state="good"),
        ),
    ), points


def _checks(
    reading: Reading, row: ReleaseRow, path: Path, *, full: bool
) -> tuple[list[tuple[str, Cell]], str | None]:
    """Return what was verified of a released file, and the first thing that is wrong with it."""
    try:
        credential = _verify(reading, row, path)
        rows = _credential_rows(credential)
        if full:
            with reopen(reading.studio, row.asset_id).media:
                rows.append(("Label and marks", Cell(text="found again", state="good")))
        else:
            rows.append(("Label and marks", Cell(text="found when sealed, not looked for again")))
    except (AssentError, OSError) as error:
        return [("Verified", Cell(text=str(error), state="bad"))], str(error)
    return [("File and log proof", Cell(text="verified", state="good")), *rows], None


def _verify(reading: Reading, row: ReleaseRow, path: Path) -> Credential:
    studio, proof = reading.studio, path.with_suffix(SUFFIX)
    if not (path.is_file() and proof.is_file()):
        raise NotFoundError("the file or its proof is not in the releases folder any more")
    entry = reading.entry(row.log_index)
    if entry is None:
        raise SealError("the log doesn't hold its entry")
    with path.open("rb") as media:
        sha256 = hash_file(media)
        check_log(
            entry, proof.read_text("utf-8", errors="replace"), studio.log_verifier, sha256=sha256
        )
        return check_credential(
            media, mime=MIME, chain=studio.chain, entry=SealEntry.parse(entry)
        )  # fmt: skip


def _credential_rows(credential: Credential) -> list[tuple[str, Cell]]:
    stamped = credential.signed_at
    return [
        ("Manifest", Cell(text=f"{credential.state}, by the studio's own key", state="good")),
        ("Says of itself", Cell(text=f"{credential.digital_source_type}")),
        ("Actions", Cell(text=", ".join(credential.actions))),
        ("Made by", Cell(text=f"{credential.claim_generator}")),
        (
            "Time stamp of others",
            Cell(text=stamped.isoformat() if stamped else "none", state="" if stamped else "warn"),
        ),
    ]


def _ended(reading: Reading, row: ReleaseRow) -> str:
    """Say whose consent a release rested on and has ended."""
    with reading.studio.database.session() as session:
        rows = session.scalars(
            select(ConsentRow).where(
                ConsentRow.receipt_hash.in_(row.receipts),
                ConsentRow.state.in_(("withdrawn", "expired")),
            )
        ).all()
    return ", ".join(f"{reading.handle(each.person_id)} {each.state}" for each in rows)


def _stills(reading: Reading) -> Iterator[tuple[object, ...]]:
    with reading.studio.database.session() as session:
        own = set(
            session.scalars(
                select(ConsentRow.receipt_hash).where(ConsentRow.project_id == reading.project.id)
            )
        )
    for index, entry in reading.log.entries():
        if b'"media":"still"' not in entry:
            continue
        seal = SealEntry.parse(entry)
        if own & set(seal.receipts):
            yield (
                Cell(text=seal.asset_id, mono=True), index, seal.time,
                Cell(text=seal.sha256, mono=True),
            )  # fmt: skip
