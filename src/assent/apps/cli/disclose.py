"""Step 7: seal and release."""

from pathlib import Path
from typing import Annotated

import typer

from assent.apps.cli.console import err, out, progress_bar, show_json
from assent.apps.cli.options import AsJson, ProjectName, StudioFolder, the_studio
from assent.apps.work.acts import Desk, export_form, release_draft
from assent.disclose.forms import Form
from assent.kit.store.studio import Studio
from assent.purpose.projects import find_project

__all__ = ["register"]

PANEL = "7 · Disclose"
HERE = Path()


def register(app: typer.Typer) -> None:
    """Add this step's commands."""
    app.command("release", rich_help_panel=PANEL)(release_)
    app.command("export", rich_help_panel=PANEL)(export)


def release_(
    draft: Annotated[str, typer.Argument(help="The draft's id or its beginning.", metavar="DRAFT")],
    project: ProjectName,
    spoken_notice: Annotated[
        str | None,
        typer.Option(help="Say at the start, in this language (e.g. en), that the face is AI."),
    ] = None,
    tsa: Annotated[
        str | None, typer.Option(help="An RFC 3161 time-stamping service.", metavar="URL")
    ] = None,
    studio: StudioFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Label, watermark, sign, log, check again, and put the video into the releases folder."""
    opened = the_studio(studio)
    purpose = find_project(opened, project)
    with progress_bar() as progress:
        desk = Desk(studio=opened, purpose=purpose, progress=progress)
        made = release_draft(desk, draft, spoken_notice=spoken_notice, tsa=tsa)
    if not made["said"]:
        err.print("[yellow]espeak-ng is not installed: no spoken notice was added.[/yellow]")
    if as_json:
        show_json(made | {each: str(_beside(opened, made[each])) for each in ("file", "proof")})
        return
    out.print(f"Released: [bold]{_beside(opened, made['file'])}[/bold]", soft_wrap=True)
    out.print(f"Asset {made['asset_id']}, log entry {made['log_index']}; proof beside it.")


def export(
    draft: Annotated[str, typer.Argument(help="The draft's id or its beginning.", metavar="DRAFT")],
    project: ProjectName,
    form: Annotated[Form, typer.Option("--as", help="What to make of the release.")],
    at: Annotated[float, typer.Option(help="Of a still: its second.", min=0.0)] = 0.0,
    studio: StudioFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Make a still, WAV, MOV, MKV or matte of a release, and put it beside it.

    A matte is the film in ProRes 4444 (MOV), opaque where the face and the label are, for programs
    that compose pictures. Each is signed with the release as its ingredient, checked and logged. An
    MKV's credential lies beside it and must be passed on with it.
    """
    opened = the_studio(studio)
    purpose = find_project(opened, project)
    made = export_form(Desk(studio=opened, purpose=purpose), draft, form, at=at)
    if as_json:
        paths = {each: _beside(opened, made[each]) for each in ("file", "proof", "beside")}
        show_json(made | {each: path and str(path) for each, path in paths.items()})
        return
    out.print(f"Made: [bold]{_beside(opened, made['file'])}[/bold]", soft_wrap=True)
    if made["beside"] is not None:
        beside = _beside(opened, made["beside"])
        out.print(f"Its credential, to be passed on with it: {beside}", soft_wrap=True)


def _beside(studio: Studio, name: str | None) -> Path | None:
    """Return where a file of the releases folder lies."""
    return None if name is None else studio.releases_folder / name
