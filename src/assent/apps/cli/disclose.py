"""Step 7: seal and release."""

from pathlib import Path
from typing import Annotated

import typer

from assent.apps.cli.console import err, out, progress_bar, show_json
from assent.apps.cli.options import AsJson, ProjectName, StudioFolder, the_studio
from assent.consent.desk import clear_all
from assent.create.draft import find_draft
from assent.disclose.forms import Form, make_form
from assent.disclose.release import release, released_already
from assent.disclose.seal import seal
from assent.disclose.wording import spoken_notice as words_in
from assent.kit.errors import NotFoundError
from assent.kit.media.notice import Speech, speak
from assent.purpose.projects import find_project
from assent.safeguard.review import recall

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
    found = find_draft(opened, purpose, draft)
    # One that exists is named again, but not after someone has withdrawn.
    clear_all(opened, purpose, found.needs(to_release=False))
    made = released_already(opened, found)
    if made is None:
        needs = found.needs(to_release=True)
        clearances = clear_all(opened, purpose, needs)
        approved = recall(opened, purpose, found, clearances)
        with progress_bar() as progress:
            sealed = seal(
                opened,
                purpose,
                approved,
                clearances,
                ask_again=lambda: clear_all(opened, purpose, needs),
                notice=_notice(spoken_notice),
                tsa_url=tsa,
                progress=progress,
            )
            made = release(opened, purpose, sealed)
    if as_json:
        show_json(
            {
                "asset_id": made.asset_id,
                "file": str(made.path),
                "proof": str(made.proof),
                "sha256": made.sha256,
                "fingerprint": made.fingerprint,
                "log_index": made.log_index,
            }
        )
        return
    out.print(f"Released: [bold]{made.path}[/bold]", soft_wrap=True)
    out.print(f"Asset {made.asset_id}, log entry {made.log_index}; proof beside it.")


def export(
    draft: Annotated[str, typer.Argument(help="The draft's id or its beginning.", metavar="DRAFT")],
    project: ProjectName,
    form: Annotated[Form, typer.Option("--as", help="What to make of the release.")],
    at: Annotated[float, typer.Option(help="Of a still: its second.", min=0.0)] = 0.0,
    studio: StudioFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Make a still of a release, its sound as WAV, or the film as MOV or MKV, and put it beside it.

    Each is signed with the release as its ingredient, checked and logged. An MKV's credential lies
    beside it and must be passed on with it.
    """
    opened = the_studio(studio)
    purpose = find_project(opened, project)
    found = find_draft(opened, purpose, draft)
    needs = found.needs(to_release=True)
    clearances = clear_all(opened, purpose, needs)
    released = released_already(opened, found)
    if released is None:
        raise NotFoundError("this draft has no release", advice="Release it: `assent release`.")
    made = make_form(
        opened, purpose, found, released.asset_id, form, clearances, at_s=at,
        ask_again=lambda: clear_all(opened, purpose, needs),
    )  # fmt: skip
    if as_json:
        told = {"file": str(made.path), "proof": str(made.proof), "sha256": made.sha256}
        show_json(told | {"beside": made.beside and str(made.beside), "log_index": made.log_index})
        return
    out.print(f"Made: [bold]{made.path}[/bold]", soft_wrap=True)
    if made.beside is not None:
        out.print(f"Its credential, to be passed on with it: {made.beside}", soft_wrap=True)


def _notice(language: str | None) -> Speech | None:
    if language is None:
        return None
    notice = speak(words_in(language), language=language)
    if notice is None:
        err.print("[yellow]espeak-ng is not installed: no spoken notice was added.[/yellow]")
    return notice
