"""The dossier of a project, as HTML and PDF."""

from pathlib import Path
from typing import Annotated

import typer

from assent.apps.cli.console import out, progress_bar, show_json
from assent.apps.cli.files import write_document, write_printed
from assent.apps.cli.options import AsJson, StudioFolder, the_studio
from assent.kit.errors import InputError
from assent.monitor.dossier.assemble import assemble
from assent.monitor.dossier.html import to_html

__all__ = ["PANEL", "register"]

PANEL = "8 · Monitor and respond"
HERE = Path()


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("report", rich_help_panel=PANEL)(report)


def report(
    project: Annotated[str, typer.Argument(help="The project's name.", metavar="PROJECT")],
    to: Annotated[
        Path, typer.Option("--out", help="Where to put both files.", metavar="DIR")
    ] = HERE,
    names: Annotated[
        bool, typer.Option("--names", help="Name people and footage, not handles and ids alone.")
    ] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Look for label and marks in every release again.")
    ] = False,
    studio: StudioFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Write the project's dossier as HTML and PDF: what was done, on what ground, what is open."""
    from assent.monitor.dossier.pdf import to_pdf

    opened = the_studio(studio)
    if to.exists() and not to.is_dir():
        raise InputError(f"{to} is no folder", advice="Name a folder with --out.")
    with progress_bar() as progress:
        dossier = assemble(opened, project, names=names, full=full, progress=progress)
    if not to.exists():
        opened.disk.make_folder(to)
    page, printed = to / f"{project}-dossier.html", to / f"{project}-dossier.pdf"
    write_document(page, to_html(dossier))
    write_printed(printed, to_pdf(dossier))
    points = [point for _, point in dossier.open_points]
    if as_json:
        show_json({"html": str(page), "pdf": str(printed), "open_points": points})
        return
    out.print(f"Dossier: {page}\n         {printed}", soft_wrap=True)
    out.print(
        f"[red]{len(points)} open points stand at its beginning.[/red]"
        if points
        else "[green]No open points were found.[/green]"
    )
