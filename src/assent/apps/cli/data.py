"""Step 3: footage."""

from pathlib import Path
from typing import Annotated

import typer

from assent.apps.cli.console import out, progress_bar, show_json, show_table
from assent.apps.cli.files import read_bytes
from assent.apps.cli.options import AsJson, ProjectName, StudioFolder, the_studio
from assent.apps.work.acts import Desk, take_in
from assent.consent.people import find_person, handles_of
from assent.data.clips import list_clips
from assent.data.doubts import decide, find_doubt, list_doubts
from assent.data.ingest import Bystanders
from assent.disclose.still import seal_doubt_sheet
from assent.kit.content.gate import ContentGate
from assent.kit.signing import from_pem
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
        desk = Desk(studio=opened, purpose=purpose, progress=progress)
        taken = take_in(desk, file, people, rights=rights, bystanders=bystanders)
    if as_json:
        show_json(taken)
        return
    faces = ", ".join(f"{count} of {handle}" for handle, count in taken["faces"].items())
    word = "was here already" if taken["already"] else "is in the vault"
    out.print(f"[bold]{taken['name']}[/bold] {word}; faces kept: {faces}.")
    if taken["hidden"]:
        out.print(
            f"Faces of bystanders hidden: {taken['hidden']}. Listen to it as well: their voices "
            "aren't changed."
        )


@footage.command("review")
def review(
    name: Annotated[
        str | None,
        typer.Argument(help="What to look at; without it, list all.", metavar="[QUESTION]"),
    ] = None,
    *,
    project: ProjectName,
    studio: StudioFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """List faces that somebody must decide about, or put pictures of one into previews/."""
    opened = the_studio(studio)
    purpose = find_project(opened, project)
    if name is not None:
        sheet = seal_doubt_sheet(
            opened, purpose, find_doubt(opened, purpose, name), gate=ContentGate()
        )
        out.print(f"Faces to look at: {sheet}")
        return
    doubts = list_doubts(opened, purpose)
    handles = handles_of(opened, {span.person_id for doubt in doubts for span in doubt.spans})
    rows = [
        (doubt.id, doubt.name, doubt.state, handles[span.person_id], span.begins_ms / 1000,
         span.ends_ms / 1000, span.distance_milli / 1000)
        for doubt in doubts
        for span in doubt.spans
    ]  # fmt: skip
    names = ("question", "footage", "state", "person", "from", "to", "distance")
    if as_json:
        show_json([dict(zip(names, row, strict=True)) for row in rows])
        return
    show_table(names, [(i[:8], *rest) for i, *rest in rows])


@footage.command("decide")
def decide_(
    name: Annotated[str, typer.Argument(help="The question's id.", metavar="QUESTION")],
    project: ProjectName,
    same: Annotated[
        bool,
        typer.Option(
            "--approve/--reject",
            help="The faces are those of the people named, or at least one is somebody else's.",
        ),
    ],
    reviewer: Annotated[str, typer.Option(help="Who decides: a member of staff, no subject.")],
    key: Annotated[Path, typer.Option(help="The reviewer's private key.", metavar="FILE")],
    reason: Annotated[str, typer.Option(help="What you saw, in a sentence.")],
    studio: StudioFolder = HERE,
) -> None:
    """For reviewers: say whether faces are whose they may be, and then add the clip again."""
    opened = the_studio(studio)
    purpose = find_project(opened, project)
    signer = from_pem(read_bytes(key), name=key.name)
    decided = decide(
        opened, purpose, name, find_person(opened, reviewer), signer, same=same, reason=reason
    )
    out.print(f"{decided.name}: {decided.state} by {reviewer}. Now add the clip again.")


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
