"""Step 5: correct by hand, without a browser."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from assent.apps.cli.console import out, show_json, show_table
from assent.apps.cli.files import read_bytes, write_document
from assent.apps.cli.options import AsJson, ProjectName, StudioFolder, the_studio
from assent.consent.clearance import Clearance
from assent.consent.desk import clear_all
from assent.consent.locker import Locker
from assent.create.placing import Placing, placings_in
from assent.create.render import rendering_needs
from assent.create.repair.document import Repairs, parse_repairs
from assent.create.repair.store import Shot, held, history, keep, read_version, redo, undo
from assent.create.staging import check_repairs
from assent.data.clips import find_clip
from assent.kit.errors import NotFoundError
from assent.kit.imaging.label import Corner
from assent.kit.store.studio import Studio
from assent.purpose.projects import Purpose, find_project
from assent.train.models import find_model

__all__ = ["register"]

PANEL = "5 · Create the video"
HERE = Path()

repair = typer.Typer(
    no_args_is_help=True,
    help="What is corrected by hand in a clip for a model: landmarks, masks, whose face is whose.",
)

Footage = Annotated[str, typer.Argument(help="The performance: footage name or id.")]
Model = Annotated[str, typer.Option(help="The model's name.")]


def register(app: typer.Typer) -> None:
    """Add this step's commands."""
    app.add_typer(repair, name="repair", rich_help_panel=PANEL)


@repair.command("list")
def list_(
    footage: Footage,
    model: Model,
    project: ProjectName,
    studio: StudioFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """List the versions; the one that holds is rendered."""
    opened, _, shot = _open(studio, project, footage, model)
    here = held(opened, shot).number
    names = ("version", "after", "saved", "by", "holds")
    rows = [
        (each.number, each.parent, each.created or "-", each.saved_by, each.number == here)
        for each in history(opened, shot)
    ]
    if as_json:
        show_json([dict(zip(names, row, strict=True)) for row in rows])
        return
    show_table(names, [(*row[:4], "yes" if row[4] else "") for row in rows])


@repair.command("show")
def show(
    footage: Footage,
    model: Model,
    project: ProjectName,
    version: Annotated[int | None, typer.Option(help="Another version than holds.")] = None,
    studio: StudioFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Tell what is corrected, and in which frames."""
    opened, purpose, shot = _open(studio, project, footage, model)
    repairs = _read(opened, purpose, shot, version)
    if as_json:
        show_json(repairs.to_json())
        return
    rows = [
        *(("landmarks", each.first, each.last, f"{len(each.keys)} keyframe(s)")
          for each in repairs.shapes),
        *(("mask", each.first, each.last, f"{len(each.keys)} keyframe(s)")
          for each in repairs.masks),
        *(("not replaced", each.first, each.last, "") for each in repairs.skips),
        *(("whose", each.first, each.last, f"track {each.track}: {each.person}")
          for each in repairs.owners),
    ]  # fmt: skip
    if rows:
        show_table(("what", "from", "to", "how"), rows)
    for name, value in repairs.settings.to_json().items():
        out.print(f"{name}: {'as rendered' if value is None else value}")


@repair.command("export")
def export(
    footage: Footage,
    model: Model,
    to: Annotated[Path, typer.Option("--out", help="The JSON file to make.", metavar="FILE")],
    project: ProjectName,
    version: Annotated[int | None, typer.Option(help="Another version than holds.")] = None,
    studio: StudioFolder = HERE,
) -> None:
    """Write the repairs into a JSON file: numbers of frames and places on the face, no picture."""
    opened, purpose, shot = _open(studio, project, footage, model)
    repairs = _read(opened, purpose, shot, version)
    write_document(to, repairs.model_dump_json(indent=1) + "\n")
    out.print(f"Repairs: {to}")


@repair.command("import")
def import_(
    footage: Footage,
    file: Annotated[Path, typer.Argument(help="A JSON file (see docs/repair.md).")],
    model: Model,
    project: ProjectName,
    expected: Annotated[
        int | None,
        typer.Option(help="The version that was changed: refused if another holds by now."),
    ] = None,
    studio: StudioFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Save repairs from a JSON file as the version that holds."""
    opened, purpose, shot = _open(studio, project, footage, model)
    repairs = parse_repairs(read_bytes(file), name=file.name)
    _save(opened, purpose, shot, repairs, expected, as_json=as_json)


@repair.command("label")
def label(
    footage: Footage,
    model: Model,
    project: ProjectName,
    corner: Annotated[Corner | None, typer.Option(help="Where it is to lie.")] = None,
    studio: StudioFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Choose the corner of the label, or tell what speaks against each."""
    opened, purpose, shot = _open(studio, project, footage, model)
    repairs = _read(opened, purpose, shot, None)
    places = placings_in(shot.clip, Locker(opened), _cleared(opened, purpose, shot))
    if corner is None:
        _show_places(places, repairs.settings.label, as_json=as_json)
        return
    settings = repairs.settings.model_copy(update={"label": corner})
    changed = repairs.model_copy(update={"settings": settings})
    _save(opened, purpose, shot, changed, None, as_json=as_json)
    if not as_json:
        for place in places:
            for warning in place.warnings if place.corner is corner else ():
                out.print(warning)


@repair.command("clear")
def clear(
    footage: Footage,
    model: Model,
    project: ProjectName,
    studio: StudioFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Correct nothing any more; what was is kept as an earlier version."""
    opened, purpose, shot = _open(studio, project, footage, model)
    _save(opened, purpose, shot, Repairs(clip=shot.clip.sha256), None, as_json=as_json)


@repair.command("undo")
def undo_(
    footage: Footage, model: Model, project: ProjectName, studio: StudioFolder = HERE
) -> None:
    """Go back to the version before."""
    opened, _, shot = _open(studio, project, footage, model)
    out.print(f"Version {undo(opened, shot, expected=held(opened, shot).number).number} holds.")


@repair.command("redo")
def redo_(
    footage: Footage, model: Model, project: ProjectName, studio: StudioFolder = HERE
) -> None:
    """Take an undo back."""
    opened, _, shot = _open(studio, project, footage, model)
    out.print(f"Version {redo(opened, shot, expected=held(opened, shot).number).number} holds.")


def _open(folder: Path, project: str, footage: str, model: str) -> tuple[Studio, Purpose, Shot]:
    opened = the_studio(folder)
    purpose = find_project(opened, project)
    shot = Shot(
        project_id=purpose.project_id,
        clip=find_clip(opened, purpose, footage),
        model=find_model(opened, purpose, model),
    )
    return opened, purpose, shot


def _cleared(opened: Studio, purpose: Purpose, shot: Shot) -> tuple[Clearance, ...]:
    return clear_all(opened, purpose, rendering_needs(shot.model, shot.clip))


def _read(opened: Studio, purpose: Purpose, shot: Shot, number: int | None) -> Repairs:
    versions = {version.number: version for version in history(opened, shot)}
    wanted = held(opened, shot).number if number is None else number
    if wanted not in versions:
        raise NotFoundError(f"there is no version {wanted}", advice="See `assent repair list`.")
    return read_version(opened, shot, versions[wanted], _cleared(opened, purpose, shot))


def _show_places(places: Sequence[Placing], chosen: Corner, *, as_json: bool) -> None:
    if as_json:
        show_json([{**each.to_json(), "chosen": each.corner is chosen} for each in places])
        return
    rows = [
        (each.corner.value, "yes" if each.corner is chosen else "", " ".join(each.warnings))
        for each in places
    ]
    show_table(("corner", "chosen", "what to know"), rows)


def _save(
    opened: Studio,
    purpose: Purpose,
    shot: Shot,
    repairs: Repairs,
    expected: int | None,
    *,
    as_json: bool,
) -> None:
    clearances = _cleared(opened, purpose, shot)
    check_repairs(opened, purpose, shot, repairs, clearances)
    here = held(opened, shot).number if expected is None else expected
    saved = keep(opened, shot, repairs, clearances, expected=here)
    if as_json:
        show_json({"version": saved.number, "sha256": saved.sha256})
        return
    out.print(f"Version {saved.number} holds. Render again to see it in the film.")
