"""Step 3: footage."""

from pathlib import Path
from typing import Annotated

import typer

from assent.apps.cli.console import out, progress_bar, show_json, show_table
from assent.apps.cli.options import AsJson, ProjectName, StudioFolder, the_studio
from assent.consent.people import find_person, handles_of
from assent.data.clips import list_clips
from assent.data.ingest import Bystanders, ingest
from assent.purpose.projects import find_project

__all__ = ["register"]

PANEL = "3 · Gather data"
HERE = Path()

footage = typer.Typer(no_args_is_help=True, help="Clips in which everyone has agreed to be.")


def register(app: typer.Typer) -> None:
    """Add this step's commands."""
    app.add_typer(footage, name="footage", rich_help_panel=PANEL)


@footage.command("add")
def add(
    file: Annotated[Path, typer.Argument(help="The clip.", metavar="FILE")],
    project: ProjectName,
    person: Annotated[list[str], typer.Option(help="Who is in it; repeat for each person.")],
    rights: Annotated[str, typer.Option(help="On what rights the footage is used.")],
    bystanders: Annotated[
        Bystanders,
        typer.Option(
            help="Faces of people who weren't named: refuse the clip, or blur them for good. What "
            "is put in their place holds nothing of them and can't be undone; the clear clip isn't "
            "kept. Voices, bodies and clothes stay."
        ),
    ] = Bystanders.REFUSE,
    studio: StudioFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Take a clip in: find every face in it, make sure of each, and encrypt it into the vault."""
    opened = the_studio(studio)
    people = [find_person(opened, handle) for handle in dict.fromkeys(person)]
    purpose = find_project(opened, project)
    with progress_bar() as progress:
        taken = ingest(
            opened, purpose, file, people, rights=rights, bystanders=bystanders, progress=progress
        )
    if as_json:
        show_json(
            {
                "id": taken.clip.id,
                "name": taken.clip.name,
                "sha256": taken.clip.sha256,
                "faces": dict(taken.faces),
                "already": taken.already,
                "hidden": taken.clip.hidden,
            }
        )
        return
    faces = ", ".join(f"{count} of {handle}" for handle, count in taken.faces.items())
    word = "was here already" if taken.already else "is in the vault"
    out.print(f"[bold]{taken.clip.name}[/bold] {word}; faces kept: {faces}.")
    if taken.clip.hidden:
        out.print(
            f"Faces of bystanders hidden: {taken.clip.hidden}. Listen to it as well: their voices "
            "aren't changed."
        )


@footage.command("list")
def list_(project: ProjectName, studio: StudioFolder = HERE, as_json: AsJson = False) -> None:
    """List a project's footage."""
    opened = the_studio(studio)
    clips = list_clips(opened, find_project(opened, project))
    handles = handles_of(opened, {person for clip in clips for person in clip.people})
    rows = [
        (c.id, c.name, [handles[p] for p in c.people], c.frames, c.sound, c.hidden) for c in clips
    ]
    if as_json:
        names = ("id", "name", "people", "frames", "sound", "hidden")
        show_json([dict(zip(names, row, strict=True)) for row in rows])
        return
    show_table(
        ("footage", "name", "people", "frames with a face", "sound", "bystanders hidden"),
        [(i[:8], n, ", ".join(p), f, "yes" if s else "no", h) for i, n, p, f, s, h in rows],
    )
