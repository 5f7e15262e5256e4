"""Sections on what is asked from outside: the Code's measures, and the rules of each place."""

from collections.abc import Iterator

from sqlalchemy import func, select

from assent.kit.store.tables import ConsentRow, DraftRow, ReleaseRow
from assent.monitor.dossier.document import Block, Cell, Section, State, Text, facts, table
from assent.monitor.dossier.measures import PARTS, Measure, load_measures, plain
from assent.monitor.dossier.reading import Reading
from assent.purpose.pack import BASE, Pack, Rule
from assent.purpose.rules import Ruling, concerned

__all__ = ["gap_section", "jurisdiction_section"]

_STATES: dict[str, State] = {"yes": "good", "partly": "warn", "no": "bad", "you": "warn"}


def gap_section(reading: Reading, stamped: int, verified: int) -> Section:
    """Return the gap analysis; `stamped` and `verified` count the releases that were found so."""
    measures = load_measures()
    shown = _evidence(reading, stamped, verified)
    blocks: list[Block] = [
        Text(
            text=f"The {measures.title} ({measures.dated}) is the yardstick for Article 50 of the "
            "AI Act; who has not signed it shows how far their own measures go. The state is that "
            f"of this version of Assent ({measures.as_of}); where this project's own files show "
            "something, it stands with it."
        )
    ]
    for part, title in PARTS.items():
        blocks.append(
            table(
                title,
                (("asked", 3), ("state", 0.9), ("in Assent", 4.6), ("in this project", 2.5)),
                [_row(m, shown.get(m.id, "")) for m in measures.measures if m.part == part],
            )
        )
    return Section(
        id="gaps", title="Gap analysis against the EU Code of Practice", blocks=tuple(blocks)
    )


def jurisdiction_section(reading: Reading) -> Section:
    """Return, for each place that the brief names, every rule and what is done about it."""
    places = reading.project.brief.places
    packs = [
        pack for pack in reading.packs if pack.name != BASE and concerned(pack, places)
    ]  # fmt: skip
    applying = {r.rule: r for r in reading.decision.rulings}
    blocks: list[Block] = [
        Text(
            text=f"Chosen in the brief: {', '.join(sorted(places))}. A rule that doesn't apply is "
            "listed too, so that its conditions can be checked against the facts."
        )
    ]
    for pack in packs:
        blocks += _pack(pack, applying, reading)
    if not packs:
        blocks.append(Text(text="No rule pack speaks for these places.", state="bad"))
    return Section(
        id="places",
        title="Jurisdictions",
        blocks=tuple(blocks),
        open=tuple(_open(packs, applying)),
    )


def _evidence(reading: Reading, stamped: int, verified: int) -> dict[str, str]:
    """Say what this project's own files show, by measure."""
    project = reading.project.id
    with reading.studio.database.session() as session:
        releases = session.scalar(
            select(func.count())
            .select_from(ReleaseRow)
            .join(DraftRow, DraftRow.id == ReleaseRow.draft_id)
            .where(DraftRow.project_id == project, ReleaseRow.state == "released")
        )
        live = session.scalar(
            select(func.count())
            .select_from(ConsentRow)
            .where(ConsentRow.project_id == project, ConsentRow.state == "live")
        )
        ended = session.scalar(
            select(func.count())
            .select_from(ConsentRow)
            .where(ConsentRow.project_id == project, ConsentRow.state.in_(("withdrawn", "expired")))
        )
    if not releases:
        of_files = dict.fromkeys(("marks-video", "manifest", "metadata-stamped"), "no release yet")
    else:
        of_files = {
            "marks-video": f"{verified} of {releases} files verified now",
            "manifest": f"{verified} of {releases} files verified now",
            "fingerprint-log": f"{verified} of {releases} proofs verified now",
            "metadata-stamped": f"{stamped} of {releases} stamped by others",
        }
    return {**of_files, "record": f"{live} live, {ended} ended", "withdrawal": f"{ended} ended"}


def _row(measure: Measure, shown: str) -> tuple[object, ...]:
    return (
        plain(measure.asks),
        Cell(text=measure.met, state=_STATES[measure.met]),
        plain(measure.how),
        shown,
    )


def _pack(pack: Pack, applying: dict[str, Ruling], reading: Reading) -> Iterator[Block]:
    yield facts(
        ("Rules of", f"{pack.title} ({', '.join(pack.jurisdictions)})"),
        ("Pack", f"{pack.name} {pack.version} of {pack.date}, {pack.status}"),
        ("SHA-256", Cell(text=pack.digest(), mono=True)),
        ("Source", pack.source),
    )
    yield table(
        f"Rules of {pack.title}",
        (
            ("rule", 2), ("state", 1.4), ("applies", 1.5), ("what it says", 3.6),
            ("done", 1), ("how, or what is left", 3.6),
        ),
        [_rule_row(rule, pack, applying.get(rule.id), reading) for rule in pack.rules],
    )  # fmt: skip


def _rule_row(
    rule: Rule, pack: Pack, ruling: Ruling | None, reading: Reading
) -> tuple[object, ...]:
    status = "draft" if pack.status == "draft" else rule.status
    later = rule.begins is not None and rule.begins > reading.day
    since = f", from {rule.begins}" if rule.begins else ""
    weak = " †" if rule.weak else ""
    applies = Cell(text=f"yes, {ruling.effect}", state="warn") if ruling else Cell(text="no")
    if later:
        applies = Cell(text="not yet")
    met = "for you" if rule.met == "you" else rule.met
    return (
        Cell(text=rule.id, mono=True),
        f"{status}{since}",
        applies,
        f"{rule.text} ({rule.source}{weak})",
        Cell(text=met, state=_STATES[rule.met] if ruling else ""),
        rule.how,
    )


def _open(packs: list[Pack], applying: dict[str, Ruling]) -> Iterator[str]:
    for pack in packs:
        for rule in pack.rules:
            ruling = applying.get(rule.id)
            if ruling is None or ruling.effect == "refuse":
                continue
            if (ruling.effect == "warn" and rule.met != "yes") or rule.met in ("no", "you"):
                yield f"{pack.title}, {rule.id}: {rule.text} {rule.how}"
