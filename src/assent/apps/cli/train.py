"""Step 4: train a face model."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assent.apps.cli.console import out, progress_bar, show_json, show_table
from assent.apps.cli.files import write_document
from assent.apps.cli.options import AsJson, ProjectName, StudioFolder, the_studio
from assent.consent.desk import clear_all
from assent.consent.people import find_person, handles_of
from assent.disclose.still import seal_model_sheet
from assent.kit.content.gate import ContentGate
from assent.kit.errors import InputError
from assent.purpose.projects import find_project
from assent.train.curve import loss_curve
from assent.train.models import list_models, training_needs
from assent.train.run import Progress

if TYPE_CHECKING:
    from assent.train.config import TrainConfig
    from assent.train.portraits import PortraitConfig

__all__ = ["register"]

PANEL = "4 · Train the model"
HERE = Path()


class Engine(StrEnum):
    """How a face is made."""

    PORTRAIT = "portrait"
    AUTOENCODER = "autoencoder"


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
    studio: StudioFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Train DONOR's face for PERFORMER's performances; run again to go on or to add time.

    A portrait (the default) is learned in a minute or two and then has no use for more time; an
    autoencoder learns for as long as it is given.
    """
    if minutes is None and iterations is None:
        minutes = 5.0
    from assent.train.fit import fit

    config = _config(engine)
    opened = the_studio(studio)
    purpose = find_project(opened, project)
    pair = find_person(opened, donor), find_person(opened, performer)
    needs = training_needs(pair[0].id, pair[1].id)
    with progress_bar() as progress:

        def show(state: Progress) -> None:
            if state.total is not None:
                note = f"unlikeness {state.losses.total:.3f}"
                progress(f"training|{note}", state.iteration, state.total)
                return
            speed = state.iteration / max(state.seconds, 1e-6)
            note = f"loss {state.losses.total:.3f}, {speed:.1f} iterations/s"
            if iterations is not None:
                progress(f"training|{note}", state.iteration, iterations)
            else:
                note = f"iteration {state.iteration}, {note}"
                progress(f"training|{note}", round(state.seconds), round((minutes or 0) * 60))

        trained = fit(
            opened,
            purpose,
            *pair,
            clear_all(opened, purpose, needs),
            ask_again=lambda: clear_all(opened, purpose, needs),
            name=name or f"{donor}-for-{performer}",
            seconds=None if minutes is None else minutes * 60,
            iterations=iterations,
            config=config,
            save_every_s=save_every,
            on_progress=show,
        )
    if as_json:
        show_json(
            {
                "id": trained.id,
                "name": trained.name,
                "iterations": trained.iterations,
                "seconds": round(trained.seconds, 1),
            }
        )
        return
    out.print(
        f"Model [bold]{trained.name}[/bold]: {trained.iterations} iterations in "
        f"{trained.seconds / 60:.1f} minutes."
    )


def _config(engine: Engine) -> "PortraitConfig | TrainConfig":
    """How to train, by the engine's defaults."""
    if engine is Engine.PORTRAIT:
        from assent.train.portraits import PortraitConfig

        return PortraitConfig()
    try:
        from assent.train.config import TrainConfig
    except ImportError as error:
        raise InputError(
            "the autoencoder needs PyTorch, which is not installed",
            advice="Install it with `pip install 'assent[autoencoder]'`, or use --engine portrait.",
        ) from error
    return TrainConfig()


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
    sealed = seal_model_sheet(opened, find_project(opened, project), name, gate=ContentGate())
    out.print(f"Preview sheet: {sealed}")
