"""Sections on the purpose: the brief, its risk, the rules that apply, its claims."""

from collections.abc import Iterator

from assent.kit.canonical import digest
from assent.kit.errors import AssentError
from assent.monitor.dossier.document import Block, Cell, Section, Text, facts, table
from assent.monitor.dossier.reading import Reading
from assent.purpose.brief import Brief
from assent.purpose.library import check_set
from assent.purpose.questionnaire import QUESTIONS
from assent.purpose.rules import Ruling
from assent.safeguard.claims import CheckedClaim, list_claims

__all__ = ["purpose_section"]


def purpose_section(reading: Reading) -> Section:
    """Return the section on the purpose, with what the rules and the fact check leave open."""
    brief, decision = reading.project.brief, reading.decision
    claims, problem = _claims(reading)
    level = decision.level
    blocks: list[Block] = [
        _facts(reading),
        table("Answers to the questionnaire", (("question", 6), ("answer", 1)), _answers(brief)),
        Text(text=f"Level of risk: {level.name}. It asks for: {'; '.join(level.demands())}."),
        table(
            f"Rules that apply on {reading.day}",
            (("rule", 2.2), ("effect", 1), ("what it says", 4), ("because", 2), ("source", 2.6)),
            [_ruling_row(ruling) for ruling in decision.rulings],
        ),
        table(
            "Rules that begin before the project ends",
            (("from", 1.2), ("rule", 2.2), ("effect", 1), ("what it says", 5)),
            [(r.begins, Cell(text=r.rule, mono=True), r.effect, r.text) for r in decision.upcoming],
        ),
        table(
            "Claims, their sources, and who checked them",
            (("", 0.5), ("what is said", 4), ("source", 3), ("ticked off by", 2)),
            [_claim_row(reading, claim) for claim in claims],
        ),
    ]
    return Section(
        id="purpose",
        title="Purpose, risk and rules",
        blocks=tuple(blocks),
        open=(
            *_open(reading, claims),
            *_open_packs(reading),
            *((problem,) if problem else ()),
        ),
    )


def _facts(reading: Reading) -> Block:
    project, clean = reading.project, reading.names.clean
    brief = project.brief
    return facts(
        ("Title", clean(brief.title)),
        ("Purpose", clean(brief.purpose)),
        ("Kind of work", brief.category.value),
        ("Audience", clean(brief.audience)),
        ("Channels", ", ".join(clean(channel) for channel in brief.channels)),
        ("Shown in", ", ".join(brief.jurisdictions)),
        ("Languages", ", ".join(brief.languages)),
        ("Term", f"{brief.starts} to {brief.ends}"),
        ("Reviewers", ", ".join(filter(None, (brief.reviewer, brief.second_reviewer)))),
        ("Project", Cell(text=f"{project.slug} ({project.id})", mono=True)),
        ("Begun", project.created),
        ("Brief, SHA-256", Cell(text=digest(brief.to_json()), mono=True)),
    )


def _answers(brief: Brief) -> Iterator[tuple[str, Cell]]:
    for question in QUESTIONS:
        yes = getattr(brief.risk, question.name)
        yield question.text, Cell(text="yes" if yes else "no", state="warn" if yes else "")


def _ruling_row(ruling: Ruling) -> tuple[object, ...]:
    mark = " (secondary source)" if ruling.weak else ""
    bad = ruling.effect == "refuse"
    return (
        Cell(text=ruling.rule, mono=True),
        Cell(text=ruling.effect, state="bad" if bad else "warn" if ruling.effect != "note" else ""),
        ruling.text,
        "; ".join(ruling.because) or "always",
        f"{ruling.source}{mark}",
    )


def _claims(reading: Reading) -> tuple[tuple[CheckedClaim, ...], str | None]:
    project = reading.project
    try:
        return list_claims(reading.studio, project.id, project.brief), None
    except AssentError as error:
        return (), f"The fact check can't be relied on: {error}."


def _claim_row(reading: Reading, claim: CheckedClaim) -> tuple[object, ...]:
    clean, ticked = reading.names.clean, ", ".join(claim.ticked_by)
    return (
        claim.number,
        clean(claim.claim.text),
        clean(claim.claim.source),
        Cell(text=ticked or "nobody", state="good" if ticked else "warn"),
    )


def _open(reading: Reading, claims: tuple[CheckedClaim, ...]) -> Iterator[str]:
    brief, decision = reading.project.brief, reading.decision
    level = decision.level
    if decision.refusal is not None:
        refusal = decision.refusal
        yield f"The rules refuse this project today, by '{refusal.rule}': {refusal.text}"
    if level.sign_off and brief.reviewer is None:
        yield "The level of risk asks for a reviewer's signature, and the brief names no reviewer."
    if level.second_reviewer and brief.second_reviewer is None:
        yield "The level of risk asks for a second reviewer, and the brief names none."
    for claim in claims if level.ticks else ():
        if not claim.ticked_by:
            yield f"Claim {claim.number} has not been ticked off by a reviewer."
    if reading.day > brief.ends:
        yield f"The project's term ended on {brief.ends}."


def _open_packs(reading: Reading) -> Iterator[str]:
    for place in reading.decision.without_pack:
        yield f"No rule pack speaks for {place}: the law there has to be looked at otherwise."
    try:
        check_set(reading.studio)
    except AssentError as error:
        yield f"The rule packs can't be relied on: {error}."
