"""Step 4: train a face model."""

from pathlib import Path
from typing import Annotated, Any

import typer

from assent.apps.cli.console import out, progress_bar, show_json, show_table
from assent.apps.cli.files import write_document
from assent.apps.cli.options import AsJson, ProjectName, Queued, StudioFolder, the_studio
from assent.apps.cli.queued import put
from assent.apps.work.acts import Desk, Engine, make_sheet, train_model
from assent.consent.people import find_person, handles_of
from assent.kit.errors import InputError
from assent.purpose.projects import find_project
from assent.train.curve import loss_curve
from assent.train.models import list_models

__all__ = ["register"]

PANEL = "4 · Train the model"
HERE = Path()


model = typer.Typer(no_args_is_help=True, help="Trained face models.")


def register(app: typer.Typer) -> None:
    """Add this step's commands."""
    app.command("train", rich_help_panel=PANEL)(train)
    app.add_typer(model, name="model", rich_help_panel=PANEL)


def train(
    project: ProjectName,
    donor: Annotated[str, typer.Option(help="Whose face.")],
    performer: Annotated[str, typer.Option(help="Whose performance.")],
    minutes: Annotated[float | None, typer.Option(help="Training time in all.", min=0)] = None,
    iterations: Annotated[int | None, typer.Option(help="Steps in all.", min=0)] = None,
    name: Annotated[str | None, typer.Option(help="The model's name.")] = None,
    engine: Annotated[
        Engine, typer.Option(help="Look the donor's pictures up, or paint from a network's memory.")
    ] = Engine.PORTRAIT,
    save_every: Annotated[float, typer.Option(help="Seconds between saves.", min=1)] = 30.0,
    queue: Queued = False,
    studio: StudioFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Train DONOR's face for PERFORMER's performances; run again to go on or to add time.

    A portrait (the default) is learned in a minute or two and then has no use for more time; an
    autoencoder learns for as long as it is given.
    """
    opened = the_studio(studio)
    purpose = find_project(opened, project)
    pair = find_person(opened, donor), find_person(opened, performer)
    if queue:
        asked: dict[str, Any] = {
            "donor": pair[0].id,
            "performer": pair[1].id,
            "engine": engine.value,
        }
        asked |= {} if name is None else {"name": name}
        asked |= {} if iterations is None else {"iterations": iterations}
        asked |= {} if minutes is None else {"minutes": minutes}
        put(opened, "train", purpose, asked, as_json=as_json)
        return
    with progress_bar() as progress:
        trained = train_model(
            Desk(studio=opened, purpose=purpose, progress=progress),
            *pair,
            name=name,
            minutes=minutes,
            iterations=iterations,
            engine=engine,
            save_every_s=save_every,
        )
    if as_json:
        show_json(trained)
        return
    out.print(
        f"Model [bold]{trained['name']}[/bold]: {trained['iterations']} iterations in "
        f"{trained['seconds'] / 60:.1f} minutes."
    )


@model.command("list")
def list_(project: ProjectName, studio: StudioFolder = HERE, as_json: AsJson = False) -> None:
    """List a project's models."""
    opened = the_studio(studio)
    models = list_models(opened, find_project(opened, project))
    handles = handles_of(
        opened, {id_ for row in models for id_ in (row.donor_id, row.performer_id)}
    )
    names = ("name", "donor", "performer", "state", "iterations", "minutes", "loss")
    rows = [
        (
            row.name,
            handles[row.donor_id],
            handles[row.performer_id],
            row.state,
            row.iterations,
            round(row.seconds / 60, 2),
            row.losses[-1] if row.losses else None,
        )
        for row in models
    ]
    if as_json:
        show_json([dict(zip(names, row, strict=True)) for row in rows])
        return
    show_table(names, rows)


@model.command("curve")
def curve(
    name: Annotated[str, typer.Argument(help="The model's name.", metavar="MODEL")],
    project: ProjectName,
    to: Annotated[Path, typer.Option("--out", help="An SVG file.", metavar="FILE")],
    studio: StudioFolder = HERE,
) -> None:
    """Draw how the loss fell."""
    opened = the_studio(studio)
    rows = [r for r in list_models(opened, find_project(opened, project)) if r.name == name]
    if not rows or not rows[0].losses:
        raise InputError(f"model '{name}' has no history", advice="See `assent model list`.")
    write_document(to, loss_curve(rows[0].losses))
    out.print(f"Loss curve: {to}")


@model.command("sheet")
def sheet(
    name: Annotated[str, typer.Argument(help="The model's name.", metavar="MODEL")],
    project: ProjectName,
    studio: StudioFolder = HERE,
) -> None:
    """Put the model's preview sheet into previews/, labelled, marked, signed and logged."""
    opened = the_studio(studio)
    made = make_sheet(Desk(studio=opened, purpose=find_project(opened, project)), model=name)
    out.print(f"Preview sheet: {opened.previews_folder / made['sheet']}")
