"""Step 5: render."""

from pathlib import Path
from typing import Annotated

import typer

from assent.apps.cli.console import out, progress_bar, show_json, show_table
from assent.apps.cli.files import write_document
from assent.apps.cli.options import AsJson, ProjectName, Queued, StudioFolder, the_studio
from assent.apps.cli.queued import put
from assent.apps.work.acts import Desk, make_sheet, render_draft, report_on
from assent.consent.desk import clear_all
from assent.create.draft import find_draft, list_drafts
from assent.create.drawing import draw
from assent.create.report import QualityReport, donor_poses
from assent.data.clips import find_clip, list_clips
from assent.kit.imaging.colour import Colour
from assent.purpose.projects import find_project
from assent.train.models import find_model

__all__ = ["register"]

PANEL = "5 · Create the video"
HERE = Path()

draft = typer.Typer(no_args_is_help=True, help="Renders that have not been released.")


def register(app: typer.Typer) -> None:
    """Add this step's commands."""
    app.command("render", rich_help_panel=PANEL)(render_)
    app.add_typer(draft, name="draft", rich_help_panel=PANEL)


def render_(
    footage: Annotated[str, typer.Argument(help="The performance: footage name or id.")],
    model: Annotated[str, typer.Option(help="The model's name.")],
    project: ProjectName,
    colour: Annotated[
        Colour,
        typer.Option(
            help="Where the face's colours come from: its own, or more and more the scene."
        ),
    ] = Colour.TOUCH,
    queue: Queued = False,
    studio: StudioFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Put the model's face onto the performance; the draft stays encrypted in the vault."""
    opened = the_studio(studio)
    purpose = find_project(opened, project)
    if queue:
        asked = {
            "footage": find_clip(opened, purpose, footage).id,
            "model": find_model(opened, purpose, model).id,
            "colour": colour.value,
        }
        put(opened, "render", purpose, asked, as_json=as_json)
        return
    with progress_bar() as progress:
        desk = Desk(studio=opened, purpose=purpose, progress=progress)
        made, report = render_draft(desk, footage, model, colour=colour)
    if as_json:
        show_json(made)
        return
    out.print(
        f"Draft [bold]{made['draft'][:8]}[/bold]: face replaced in {made['replaced']} of "
        f"{made['frames']} frames."
    )
    _tell(report)


@draft.command("list")
def list_(project: ProjectName, studio: StudioFolder = HERE, as_json: AsJson = False) -> None:
    """List a project's drafts."""
    opened = the_studio(studio)
    purpose = find_project(opened, project)
    clips = {clip.id: clip.name for clip in list_clips(opened, purpose)}
    names = ("draft", "footage", "state", "frames", "replaced", "made")
    rows = [
        (row.id, clips[row.footage_id], row.state, row.frames, row.replaced, row.created)
        for row in list_drafts(opened, purpose)
    ]
    if as_json:
        show_json([dict(zip(names, row, strict=True)) for row in rows])
        return
    show_table(names, [(row[0][:8], *row[1:]) for row in rows])


@draft.command("quality")
def quality(
    name: Annotated[str, typer.Argument(help="The draft's id or its beginning.", metavar="DRAFT")],
    project: ProjectName,
    to: Annotated[
        Path | None, typer.Option("--out", help="An SVG file to draw it into.", metavar="FILE")
    ] = None,
    studio: StudioFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Tell how good a draft is, where it is weak, and what to film next."""
    opened = the_studio(studio)
    purpose = find_project(opened, project)
    found = find_draft(opened, purpose, name)
    report = report_on(Desk(studio=opened, purpose=purpose), found)
    if to is not None:
        clearances = clear_all(opened, purpose, found.needs(to_release=False))
        write_document(to, draw(report, donor=donor_poses(opened, found, clearances)))
    if as_json:
        show_json(report.as_dict())
        return
    show_table(("", ""), report.rows())
    if report.worst:
        rows = [(each.number, each.seconds, each.confidence, each.why) for each in report.worst]
        show_table(("frame", "seconds", "confidence", "why"), rows, title="Worst frames")
    _tell(report)
    if to is not None:
        out.print(f"Drawing: {to}")


@draft.command("sheet")
def sheet(
    name: Annotated[str, typer.Argument(help="The draft's id or its beginning.", metavar="DRAFT")],
    project: ProjectName,
    worst: Annotated[
        bool, typer.Option("--worst", help="Show the worst frames (see `assent draft quality`).")
    ] = False,
    studio: StudioFolder = HERE,
) -> None:
    """Put a before/after sheet into previews/, labelled, marked, signed and logged."""
    opened = the_studio(studio)
    purpose = find_project(opened, project)
    made = make_sheet(Desk(studio=opened, purpose=purpose), draft=name, worst=worst)
    out.print(f"Before/after sheet: {opened.previews_folder / made['sheet']}")


def _tell(report: QualityReport) -> None:
    out.print(report.verdict)
    for sentence in report.advice:
        out.print(f"- {sentence}")
