"""Step 8, cases: what was reported, what is due, what is done about it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from assent.apps.cli.console import out, show_json, show_table
from assent.apps.cli.files import read_bytes, read_text, write_document
from assent.apps.cli.options import AsJson, StudioFolder, the_studio
from assent.consent.people import find_person
from assent.kit.canonical import parse_object
from assent.kit.errors import InputError
from assent.kit.signing import from_pem
from assent.kit.store.studio import Studio
from assent.monitor.cases.acts import ACTS, Done, act, find_act, list_acts, propose, undo
from assent.monitor.cases.approval import approve, approvers_of, sign_approval
from assent.monitor.cases.case import (
    Case,
    find_case,
    hours_left,
    list_cases,
    notice_of,
    read_events,
)
from assent.monitor.cases.decision import OUTCOMES, Decision, decide, statement_of
from assent.monitor.cases.evidence import list_evidence
from assent.monitor.cases.handling import check_step, set_facts, steps_done, take_up
from assent.monitor.cases.handout import whole_case
from assent.monitor.cases.intake import open_case
from assent.monitor.cases.notice import Notice, read_notice
from assent.monitor.cases.rules import rules
from assent.monitor.cases.talk import answer

__all__ = ["By", "CaseNumber", "case", "register"]

PANEL = "8 · Monitor and respond"
HERE = Path()

case = typer.Typer(no_args_is_help=True, help="Answer those who are hurt or misled.")

CaseNumber = Annotated[str, typer.Argument(help="The case's number.", metavar="CASE")]
By = Annotated[str, typer.Option("--by", help="Who does it: a handle.", metavar="HANDLE")]


def register(app: typer.Typer) -> None:
    """Add this step's commands."""
    app.add_typer(case, name="case", rich_help_panel=PANEL)


@case.command("open")
def open_(
    kind: Annotated[
        str | None, typer.Option(help=f"What it is: {', '.join(rules().kinds)}.")
    ] = None,
    reasons: Annotated[str | None, typer.Option(help="What is wrong, in words.")] = None,
    place: Annotated[
        list[str] | None, typer.Option(help="Where it is; can be repeated.", metavar="ADDRESS")
    ] = None,
    asset: Annotated[str | None, typer.Option(help="The release's number.")] = None,
    sha256: Annotated[
        list[str] | None, typer.Option(help="Hash of a file; can be repeated.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", help="A report as JSON, instead.", metavar="FILE")
    ] = None,
    studio: StudioFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Take a report in, as somebody phoned or wrote it; prints its number and PIN once."""
    opened_studio = the_studio(studio)
    opened = open_case(
        opened_studio, _notice(kind, reasons, place, asset, sha256, file), channel="cli"
    )
    if as_json:
        told = {"number": opened.number, "pin": opened.pin, "joined": opened.joined}
        show_json({**told, "case": opened.case.to_json()})
        return
    out.print(f"Report {opened.number}, PIN {opened.pin}")
    out.print("Give both to who reported; the PIN is kept nowhere.")
    if opened.joined:
        out.print("Joined to a case of the same file, release or place.")
    else:
        out.print(f"Answer due {opened.case.due} ({escape(opened.case.rule.clock)}).")


def _notice(
    kind: str | None,
    reasons: str | None,
    place: Sequence[str] | None,
    asset: str | None,
    sha256: Sequence[str] | None,
    file: Path | None,
) -> Notice:
    if file is not None:
        return read_notice(parse_object(read_text(file), name=file.name))
    if kind is None or reasons is None:
        raise InputError(
            "a report needs a kind and reasons", advice="Give --kind and --reasons, or --file."
        )
    given = {
        "kind": kind, "reasons": reasons, "places": tuple(place or ()), "asset_id": asset,
        "sha256": tuple(sha256 or ()),
    }  # fmt: skip
    return read_notice(given)


@case.command("list")
def list_(
    state: Annotated[
        str | None, typer.Option(help="Only open, complaint, decided or closed ones.")
    ] = None,
    studio: StudioFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """List the cases, the most urgent first."""
    opened = the_studio(studio)
    cases = list_cases(opened, state=state)
    if as_json:
        show_json([each.to_json() for each in cases])
        return
    show_table(
        ("case", "kind", "severity", "state", "left", "reports", "release"),
        [
            (c.number, c.kind, c.severity, _state(c), _left(opened, c), 1 + len(c.joined),
             c.asset_id or "")
            for c in cases
        ],
    )  # fmt: skip


@case.command("show")
def show(number: CaseNumber, studio: StudioFolder = HERE, as_json: AsJson = False) -> None:
    """Show a case: what was reported, the steps, the acts, what happened."""
    opened = the_studio(studio)
    found = find_case(opened, number)
    if as_json:
        show_json(whole_case(opened, found) if found.readable else {"case": found.to_json()})
        return
    left = _left(opened, found)
    out.print(f"[bold]Case {found.number}[/bold]  {found.kind}, severity {found.severity}")
    out.print(f"{_state(found)}; {left or 'no clock runs'}; due {found.due or '-'}")
    if not found.readable:
        out.print("What was kept of it was destroyed.")
        return
    for each in (found, *(find_case(opened, joined) for joined in found.joined)):
        _show_report(opened, each)
    _show_steps(opened, found)
    _show_acts(opened, found)
    _show_timeline(opened, found)
    statement = statement_of(opened, found.id)
    if statement:
        out.print("\n[bold]Decision[/bold]")
        out.print(escape(statement), soft_wrap=True)


def _show_report(studio: Studio, found: Case) -> None:
    notice = notice_of(studio, found.id)
    out.print(f"\n[bold]Report {found.number}[/bold] ({found.channel}, {found.opened})")
    for name, value in notice.to_json().items():
        if name != "kind" and value:
            shown = ", ".join(value) if isinstance(value, list) else str(value)
            out.print(f"  {name}: {escape(shown)}", soft_wrap=True)


def _show_steps(studio: Studio, found: Case) -> None:
    done = steps_done(studio, found)
    out.print(f"\n[bold]{escape(found.playbook.name)}[/bold]")
    for step in found.playbook.step:
        mark = "x" if step.id in done else " "
        does = f"  (assent case act {found.number} {step.act})" if step.act else ""
        out.print(f"  \\[{mark}] {step.id}: {escape(step.text)}{does}", soft_wrap=True)


def _show_acts(studio: Studio, found: Case) -> None:
    acts = list_acts(studio, found)
    if acts:
        out.print("\n[bold]Acts[/bold]")
    for each in acts:
        signed = ""
        if each.state == "proposed" and each.rule.reversal == "final":
            signed = f"; signed by {', '.join(approvers_of(studio, each)) or 'nobody yet'}"
        out.print(f"  {each.id[:8]}  {each.act}: {each.state}, {each.by}{signed}")
    frozen = list_evidence(studio, found)
    for piece in frozen:
        name = escape(piece.name or "destroyed")
        out.print(f"  evidence {piece.id[:8]}  {name}, {piece.size} bytes, {piece.sha256}")


def _show_timeline(studio: Studio, found: Case) -> None:
    out.print("\n[bold]What happened[/bold]")
    for event in read_events(studio, found.id):
        details = ", ".join(f"{key} {value}" for key, value in event.details.items())
        words = f": {event.words}" if event.words else ""
        out.print(
            f"  {event.time}  {event.kind} ({event.by}) {escape(details + words)}", soft_wrap=True
        )


@case.command("set")
def set_(
    number: CaseNumber,
    by: By,
    asset: Annotated[str | None, typer.Option(help="The release that it is of.")] = None,
    severity: Annotated[
        int | None, typer.Option(min=0, max=3, help="How grave it is; 0 is the gravest.")
    ] = None,
    take: Annotated[bool, typer.Option("--take-up", help="Let a clock run that waited.")] = False,
    studio: StudioFolder = HERE,
) -> None:
    """Say which release a case is of, how grave it is, or that it is looked at."""
    opened = the_studio(studio)
    found = find_case(opened, number)
    if take:
        found = take_up(opened, found, by=by)
    if asset is not None or severity is not None or not take:
        found = set_facts(opened, found, asset_id=asset, severity=severity, by=by)
    out.print(f"Case {found.number}: severity {found.severity}, release {found.asset_id or '-'}.")


@case.command("step")
def step_(
    number: CaseNumber,
    step: Annotated[str, typer.Argument(help="A step of the playbook.", metavar="STEP")],
    by: By,
    not_done: Annotated[bool, typer.Option("--not-done", help="Take the tick back.")] = False,
    studio: StudioFolder = HERE,
) -> None:
    """Tick a step of the playbook."""
    opened = the_studio(studio)
    check_step(opened, find_case(opened, number), step, by=by, done=not not_done)
    out.print(f"{step}: {'not done' if not_done else 'done'}.")


@case.command("act")
def act_(
    number: CaseNumber,
    name: Annotated[str, typer.Argument(help=f"One of: {', '.join(ACTS)}.", metavar="ACT")],
    by: By,
    key: Annotated[
        Path | None, typer.Option(help="Your private key, for what two sign.", metavar="FILE")
    ] = None,
    to: Annotated[
        list[str] | None, typer.Option(help="An e-mail address; can be repeated.")
    ] = None,
    reasons: Annotated[str | None, typer.Option(help="Why, for a notice to channels.")] = None,
    words: Annotated[str | None, typer.Option(help="What the person is told.")] = None,
    person: Annotated[str | None, typer.Option(help="Whose link it is: a handle.")] = None,
    successor: Annotated[str | None, typer.Option(help="The corrected release's number.")] = None,
    language: Annotated[str | None, typer.Option(help="Of a letter: en, de or es.")] = None,
    no_files: Annotated[
        bool, typer.Option("--no-files", help="Freeze the record alone, not the files.")
    ] = False,
    studio: StudioFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Do something in a case; what can't be taken back, two people sign."""
    opened = the_studio(studio)
    found = find_case(opened, number)
    given = {
        "to": to, "reasons": reasons, "words": words, "person": person, "successor": successor,
        "language": language, "files": "no" if no_files else None,
    }  # fmt: skip
    if name in ACTS and ACTS[name].reversal == "final":
        done = _sign(opened, _waiting(opened, found, name, by), by, key)
    else:
        done = act(opened, found, name, given, by=by)
    _tell(opened, done, as_json=as_json)


@case.command("undo")
def undo_(
    act_id: Annotated[str, typer.Argument(help="The act's id or its beginning.", metavar="ACT")],
    by: By,
    studio: StudioFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Take an act back, if it can be."""
    opened = the_studio(studio)
    _tell(opened, undo(opened, act_id, by=by), as_json=as_json)


def _waiting(studio: Studio, found: Case, name: str, by: str) -> Done:
    """Return what a first person proposed, or propose it."""
    waiting = [
        each for each in list_acts(studio, found) if (each.act, each.state) == (name, "proposed")
    ]
    return waiting[-1] if waiting else propose(studio, found, name, by=by)


def _sign(studio: Studio, proposed: Done, by: str, key: Path | None) -> Done:
    if key is None:
        raise InputError(
            f"'{proposed.act}' is signed by two people, each with their key",
            advice="Give your private key with --key.",
        )
    person = find_person(studio, by)
    token = sign_approval(studio, proposed, person, from_pem(read_bytes(key), name=key.name))
    return approve(studio, proposed.id, person, token)


def _tell(studio: Studio, done: Done, *, as_json: bool) -> None:
    if as_json:
        show_json({"id": done.id, "act": done.act, "state": done.state, **done.result})
        return
    if done.state == "proposed":
        who = ", ".join(approvers_of(studio, find_act(studio, done.id)))
        out.print(f"{done.act}: signed by {who}; a second person must sign.")
        return
    out.print(f"{done.act} ({done.id[:8]}): {done.state}.")
    if "_secret" in done.result:
        out.print(f"Link, shown once: /c/{done.result['_secret']}")
    if done.state == "done" and done.rule.takes_back is not None:
        out.print(f"Take it back with: assent case undo {done.id[:8]}")


@case.command("answer")
def answer_(
    number: CaseNumber,
    text: Annotated[str, typer.Argument(help="What is said to who reported.", metavar="TEXT")],
    by: By,
    studio: StudioFolder = HERE,
) -> None:
    """Write to who reported; they read it with number and PIN."""
    opened = the_studio(studio)
    answer(opened, find_case(opened, number).id, text, by=by)
    out.print("They see it with their number and PIN.")


@case.command("decide")
def decide_(
    number: CaseNumber,
    by: By,
    outcome: Annotated[str, typer.Option(help=f"One of: {', '.join(OUTCOMES)}.")],
    facts: Annotated[str, typer.Option(help="What was found.")],
    ground: Annotated[str, typer.Option(help="Law, terms or record, and why it applies.")],
    restriction: Annotated[str, typer.Option(help="What was done with the release.")] = "",
    scope: Annotated[str, typer.Option(help="Where and for how long.")] = "",
    automated: Annotated[
        bool, typer.Option("--automated", help="Automated means found the content.")
    ] = False,
    studio: StudioFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Decide a case with reasons; everyone who reported is told."""
    opened = the_studio(studio)
    made = Decision(
        outcome=outcome, facts=facts, ground=ground, restriction=restriction, scope=scope,
        automated=automated,
    )  # fmt: skip
    found = decide(opened, find_case(opened, number), made, by=by)
    if as_json:
        show_json(found.to_json())
        return
    out.print(escape(statement_of(opened, found.id) or ""), soft_wrap=True)


@case.command("print")
def print_(
    number: CaseNumber,
    to: Annotated[Path, typer.Option("--out", help="Where to write it.", metavar="FILE")],
    studio: StudioFolder = HERE,
) -> None:
    """Write the statement of reasons to a file, as text."""
    opened = the_studio(studio)
    statement = statement_of(opened, find_case(opened, number).id)
    if statement is None:
        raise InputError("this case is not decided yet", advice="Decide it: `assent case decide`.")
    write_document(to, f"{statement}\n")
    out.print(f"Written to {to}.")


def _state(found: Case) -> str:
    return "waits for a person" if found.set_aside else found.state


def _left(studio: Studio, found: Case) -> str:
    left = hours_left(found, studio.clock())
    if left is None:
        return ""
    return f"{left:.0f} h" if left > 0 else f"OVERDUE {-left:.0f} h"
