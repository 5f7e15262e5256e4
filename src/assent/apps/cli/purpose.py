"""Step 1: a studio, and what the work in it is for."""

from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from assent.apps.cli.console import err, out, show_json, show_table
from assent.apps.cli.files import read_text
from assent.apps.cli.options import AsJson, StudioFolder, ask_passphrase, guard, the_studio
from assent.apps.cli.rulings import ruling_as_json, show_rulings
from assent.kit.clock import system
from assent.kit.errors import InputError
from assent.kit.store.studio import create_studio
from assent.kit.vault.guard import Passphrase
from assent.purpose.brief import Brief
from assent.purpose.projects import Purpose, create_project, find_project, list_projects

__all__ = ["example_brief", "project", "register", "tell_project"]

PANEL = "1 · Define the purpose"
HERE = Path()

EXAMPLE = """\
# A brief. Every field is read against the rules: `assent project create --brief brief.toml`, or
# answer one question after the other: `assent project new`
title = "A lesson in two faces"
purpose = "Show students how a face replacement is made and how it is recognised."
category = "education"  # film, education, art, satire, advertising, news, accessibility, research,
                        # identity-protection
audience = "Secondary school classes"
channels = ["classroom"]
jurisdictions = ["EU"]
languages = ["en"]
starts = {starts}
ends = {ends}
# reviewer = "handle"         # who signs off work of high risk, and ticks its claims
# second_reviewer = "handle"  # who signs besides, where the risk is severe

[risk]
intimate = false               # nudity or sexual content?
minors = false                 # is anyone in it, or shown as, under 18?
realistic = true               # could a viewer take it for a recording?
meant_to_be_believed = false   # should viewers take it for real?
public_figure = false          # is anyone in it publicly known?
private_person = false         # is it about a private person outside the cast?
deceased = false               # is anyone in it no longer alive?
political = false              # is it about politics?
election = false               # is it about an election, a vote or a candidate?
news = false                   # will it be shown as news or beside news?
shows_real_event = false       # does it show an event as having happened?
real_world_claims = false      # does it say anything as a fact of the world?
finance = false                # does it advise on money, or promise any?
health = false                 # does it advise on health?
crime = false                  # is anyone shown committing or suffering a crime?
satire = false                 # does it mock somebody?
advertising = false            # does it advertise something?

# [[claims]]                   # what the video says of the real world, with its source
# text = "..."
# source = "https://..."
"""

project = typer.Typer(no_args_is_help=True, help="What the work is for.")


def register(app: typer.Typer) -> None:
    """Add this step's commands."""
    app.command("init", rich_help_panel=PANEL)(init)
    app.add_typer(project, name="project", rich_help_panel=PANEL)


def init(
    folder: Annotated[Path, typer.Argument(help="A new folder.", metavar="DIR")],
    name: Annotated[str, typer.Option(help="The studio's name, shown to everyone.")] = "My studio",
    contact: Annotated[
        str, typer.Option(help="Where subjects can write, for example an e-mail address.")
    ] = "not given",
    passphrase: Annotated[
        bool, typer.Option("--passphrase", help="Ask for a passphrase that seals the keys.")
    ] = False,
) -> None:
    """Make a studio folder: keys, vault, log, database.

    A passphrase seals the keys (asked for with --passphrase, or from ASSENT_PASSPHRASE_FILE,
    ASSENT_PASSPHRASE_FD or ASSENT_PASSPHRASE), or a key program does (ASSENT_KEY_COMMAND). Without
    either they lie beside the data that they open: only the rights of the files keep them.
    """
    keeper = Passphrase(ask_passphrase()) if passphrase else guard()
    studio = create_studio(folder, name=name, contact=contact, guard=keeper)
    out.print(f"Studio [bold]{studio.name}[/bold] is ready in {folder}.")
    if not studio.secrets.protected:
        err.print(
            "[yellow]Nothing but the rights of its files keeps its keys: who copies the folder or "
            "takes the disk can open the vault. Seal them with `assent vault rotate "
            "--new-passphrase`.[/yellow]"
        )
    out.print(f"Its log key, to be published: {studio.log_verifier.vkey}", soft_wrap=True)
    out.print(
        f"[dim]Next: export ASSENT_STUDIO={folder}; assent project example > brief.toml[/dim]"
    )


@project.command("example")
def example() -> None:
    """Print a brief to fill in."""
    out.print(example_brief(system().date()), end="", markup=False, soft_wrap=True)


def example_brief(today: date) -> str:
    """Return a brief in TOML for a project of one year from `today`."""
    return EXAMPLE.format(starts=today, ends=today + timedelta(days=365))


@project.command("create")
def create(
    studio: StudioFolder = HERE,
    brief: Annotated[
        Path | None, typer.Option(help="A TOML file; options given besides win.", metavar="FILE")
    ] = None,
    name: Annotated[str | None, typer.Option(help="A short name for commands.")] = None,
    title: Annotated[str | None, typer.Option(help="The title.")] = None,
    purpose: Annotated[str | None, typer.Option(help="What it is for, in a sentence.")] = None,
    category: Annotated[str | None, typer.Option(help="film, education, art, ...")] = None,
    audience: Annotated[str | None, typer.Option(help="Who will see it.")] = None,
    channel: Annotated[list[str] | None, typer.Option(help="Where; may be repeated.")] = None,
    jurisdiction: Annotated[
        list[str] | None, typer.Option(help="For example EU or US-CA; may be repeated.")
    ] = None,
    starts: Annotated[str | None, typer.Option(help="First day, YYYY-MM-DD.")] = None,
    ends: Annotated[str | None, typer.Option(help="Last day, YYYY-MM-DD.")] = None,
    reviewer: Annotated[str | None, typer.Option(help="Who signs off high risk.")] = None,
    second_reviewer: Annotated[
        str | None, typer.Option(help="Who signs besides, where the risk is severe.")
    ] = None,
    claim: Annotated[
        list[str] | None, typer.Option(help="'what is said | its source'; may be repeated.")
    ] = None,
    risk: Annotated[
        list[str] | None,
        typer.Option(help="An answer, for example realistic=yes; each must be given."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Start a project from a brief; a forbidden purpose is refused with the rule's name."""
    fields = {} if brief is None else Brief.parse_toml(read_text(brief))
    given = {
        "title": title,
        "purpose": purpose,
        "category": category,
        "audience": audience,
        "channels": channel,
        "jurisdictions": jurisdiction,
        "starts": starts,
        "ends": ends,
        "reviewer": reviewer,
        "second_reviewer": second_reviewer,
        "claims": _claims(claim) if claim else None,
    }
    fields |= {field: value for field, value in given.items() if value}
    if risk:
        fields["risk"] = {**dict(fields.get("risk", {})), **_answers(risk)}
    made = create_project(the_studio(studio), Brief.from_mapping(fields), slug=name)
    if as_json:
        show_json(_as_json(made))
        return
    tell_project(made)


@project.command("list")
def list_(studio: StudioFolder = HERE, as_json: AsJson = False) -> None:
    """List the studio's projects."""
    projects = list_projects(the_studio(studio))
    if as_json:
        show_json([{"name": name, "brief": brief.to_json()} for name, brief in projects])
        return
    show_table(
        ("name", "title", "category", "until"),
        [(name, escape(b.title), b.category.value, b.ends) for name, b in projects],
    )


@project.command("show")
def show(
    name: Annotated[str, typer.Argument(help="The project's name.")],
    studio: StudioFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Show a project's brief and what the rules ask of it."""
    found = find_project(the_studio(studio), name)
    if as_json:
        show_json(_as_json(found))
        return
    brief = found.brief
    out.print(f"[bold]{found.slug}[/bold]: {escape(brief.title)}\n{escape(brief.purpose)}")
    _show_assessment(found)


def tell_project(made: Purpose) -> None:
    """Say that a project was made, and what the rules ask of it."""
    out.print(f"Project [bold]{made.slug}[/bold]: {escape(made.brief.title)}")
    _show_assessment(made)


def _show_assessment(purpose: Purpose) -> None:
    level = purpose.assessment.level
    out.print(f"Risk: [bold]{level.name}[/bold]. It asks for: {'; '.join(level.demands())}.")
    show_rulings(purpose.assessment.applied)
    wanted = (
        (level.sign_off and purpose.brief.reviewer is None, "--reviewer"),
        (level.second_reviewer and purpose.brief.second_reviewer is None, "--second-reviewer"),
    )
    for missing, option in wanted:
        if missing:
            err.print(f"[yellow]Nothing can be released without {option}.[/yellow]")


def _as_json(purpose: Purpose) -> dict[str, object]:
    level = purpose.assessment.level
    return {
        "name": purpose.slug,
        "id": purpose.project_id,
        "brief": purpose.brief.to_json(),
        "risk": level.name,
        "shortest_side": level.shortest_side,
        "sign_off": level.sign_off,
        "second_reviewer": level.second_reviewer,
        "ticks": level.ticks,
        "packs": list(purpose.assessment.packs),
        "rules": [ruling_as_json(ruling) for ruling in purpose.assessment.applied],
    }


def _claims(claims: list[str]) -> list[dict[str, str]]:
    pairs = [claim.partition("|") for claim in claims]
    return [{"text": text.strip(), "source": source.strip()} for text, _, source in pairs]


def _answers(answers: list[str]) -> dict[str, bool]:
    words = {"yes": True, "true": True, "no": False, "false": False}
    parsed = {}
    for answer in answers:
        question, _, word = answer.partition("=")
        if word.lower() not in words:
            raise InputError(f"'{answer}' is no answer", advice="Write --risk realistic=yes.")
        parsed[question.strip()] = words[word.lower()]
    return parsed
