"""`assent project new` and `assent project claims`: the brief by questions, and its fact check."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from assent.apps.cli.console import out, show_json, show_table
from assent.apps.cli.files import read_bytes
from assent.apps.cli.options import AsJson, ProjectName, StudioFolder, the_studio
from assent.apps.cli.purpose import project, tell_project
from assent.apps.cli.rulings import tell_ruling
from assent.kit.errors import AssentError
from assent.kit.signing import from_pem
from assent.kit.store.studio import Studio
from assent.purpose.brief import Brief, Category
from assent.purpose.library import packs_of
from assent.purpose.places import read_places
from assent.purpose.projects import create_project, look_up
from assent.purpose.questionnaire import QUESTIONS, judge, set_off
from assent.safeguard.claims import list_claims, tick

__all__ = ["PANEL", "register"]

PANEL = "1 · Define the purpose"
HERE = Path()

claims = typer.Typer(no_args_is_help=True, help="The claims of a brief, and who checked them.")


def register(app: typer.Typer) -> None:
    """Add the commands to the group of the project's others."""
    project.command("new")(new)
    project.add_typer(claims, name="claims")


def new(
    studio: StudioFolder = HERE,
    name: Annotated[str | None, typer.Option(help="A short name for commands.")] = None,
) -> None:
    """Start a project by answering questions; each answer tells at once which rules it sets off."""
    opened = the_studio(studio)
    fields = _ask_fields(opened)
    fields["risk"] = _ask_risks(opened, fields)
    if fields["risk"]["real_world_claims"] or fields["category"] == "news":
        fields["claims"] = _ask_claims()
    for field, question in (
        ("reviewer", "Handle of the reviewer who signs off high risk (empty for none)"),
        ("second_reviewer", "Handle of a second reviewer (empty for none)"),
    ):
        fields[field] = _ask(question, default="") or None
    tell_project(create_project(opened, Brief.from_mapping(fields), slug=name))


@claims.command("list")
def list_(project: ProjectName, studio: StudioFolder = HERE, as_json: AsJson = False) -> None:
    """List a project's claims with their sources, and who has ticked them off."""
    opened = the_studio(studio)
    found = look_up(opened, project)
    listed = list_claims(opened, found.id, found.brief)
    if as_json:
        show_json(
            [
                {
                    "number": each.number,
                    "text": each.claim.text,
                    "source": each.claim.source,
                    "ticked_by": list(each.ticked_by),
                }
                for each in listed
            ]
        )
        return
    show_table(
        ("claim", "what is said", "source", "ticked off by"),
        [
            (
                each.number,
                escape(each.claim.text),
                escape(each.claim.source),
                ", ".join(each.ticked_by) or "[red]nobody[/red]",
            )
            for each in listed
        ],
    )


@claims.command("tick")
def tick_(
    number: Annotated[int, typer.Argument(help="The claim's number.", metavar="NUMBER")],
    project: ProjectName,
    reviewer: Annotated[str, typer.Option(help="A reviewer whom the brief names.")],
    key: Annotated[Path, typer.Option(help="The reviewer's private key.", metavar="FILE")],
    studio: StudioFolder = HERE,
) -> None:
    """For reviewers: sign that you have held a claim against its source."""
    opened = the_studio(studio)
    found = look_up(opened, project)
    signer = from_pem(read_bytes(key), name=key.name)
    done = tick(opened, found.id, found.brief, number, reviewer=reviewer, key=signer)
    out.print(f"Claim {done.number} is ticked off by {', '.join(done.ticked_by)}.")


def _ask(question: str, *, default: str | None = None) -> str:
    return str(typer.prompt(question, default=default, show_default=bool(default), err=True))


def _ask_until(question: str, check: Callable[[str], object], **options: Any) -> str:  # noqa: ANN401 - options of a prompt
    """Ask until `check` raises nothing."""
    while True:
        answer = _ask(question, **options).strip()
        try:
            check(answer)
        except (AssentError, ValueError) as error:
            out.print(f"[yellow]{escape(str(error))}[/yellow]")
        else:
            return answer


def _ask_fields(studio: Studio) -> dict[str, Any]:
    today = studio.clock().date()
    kinds = ", ".join(category.value for category in Category)
    fields: dict[str, Any] = {
        "title": _ask_until("Title", _long_enough),
        "purpose": _ask_until("What is it for, in a sentence", _long_enough),
        "category": _ask_until(f"Kind of work ({kinds})", Category),
        "audience": _ask_until("Who will see it", _long_enough),
        "channels": _several("On which channels, separated by commas"),
    }
    packs = packs_of(studio)
    spoken_of = sorted({code for pack in packs for code in pack.jurisdictions} - {"*"})
    out.print(f"[dim]There are rules for {', '.join(spoken_of)}.[/dim]")
    fields["jurisdictions"] = _several("Where will it be shown (codes, or worldwide)", _places)
    fields["starts"] = _ask_until("First day", date.fromisoformat, default=str(today))
    fields["ends"] = _ask_until(
        "Last day", date.fromisoformat, default=str(today + timedelta(days=365))
    )
    # All but the answers must make a brief before any is asked for.
    judge(fields, {}, packs, day=today)
    return fields


def _long_enough(text: str) -> None:
    if len(text) < 3:
        raise ValueError("write three letters or more")


def _places(text: str) -> None:
    unread = read_places(text).unread
    if unread or not text:
        raise ValueError(f"'{', '.join(unread)}' is no place that the rules know: use its code")


def _several(question: str, check: Callable[[str], object] = lambda text: None) -> list[str]:
    def filled(text: str) -> None:
        if any(len(part.strip()) < 2 for part in text.split(",")):
            raise ValueError("write at least one, of two letters or more")
        check(text)

    return [part.strip() for part in _ask_until(question, filled).split(",")]


def _ask_risks(studio: Studio, fields: dict[str, Any]) -> dict[str, bool]:
    """Ask every question; raises `ForbiddenPurposeError` as soon as an answer is refused."""
    packs, day = packs_of(studio), studio.clock().date()
    answers: dict[str, bool] = {}
    state = judge(fields, answers, packs, day=day)
    state.require()
    for question in QUESTIONS:
        answers[question.name] = typer.confirm(question.text, err=True)
        after = judge(fields, answers, packs, day=day)
        for ruling in set_off(state, after):
            tell_ruling(ruling)
        state = after
        # What lacks only its claims can still be given them.
        if state.refusal is not None and state.refusal.rule not in _NEED_CLAIMS:
            state.require()
    return answers


_NEED_CLAIMS = ("claims-without-sources", "fabricated-news")


def _ask_claims() -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    while text := _ask(f"Claim {len(found) + 1} (empty when done)", default="").strip():
        found.append({"text": text, "source": _ask_until("Its source", _long_enough)})
    return found
