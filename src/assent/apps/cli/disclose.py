"""Step 7: seal and release."""

from pathlib import Path
from typing import Annotated

import typer

from assent.apps.cli.console import err, out, progress_bar, show_json
from assent.apps.cli.options import AsJson, ProjectName, StudioFolder, the_studio
from assent.consent.desk import clear_all
from assent.create.draft import find_draft
from assent.disclose.release import release, released_already
from assent.disclose.seal import seal
from assent.disclose.wording import spoken_notice as words_in
from assent.kit.media.notice import Speech, speak
from assent.purpose.projects import find_project
from assent.safeguard.review import recall

__all__ = ["register"]

PANEL = "7 · Disclose"
HERE = Path()


def register(app: typer.Typer) -> None:
    """Add this step's commands."""
    app.command("release", rich_help_panel=PANEL)(release_)


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


def _notice(language: str | None) -> Speech | None:
    if language is None:
        return None
    notice = speak(words_in(language), language=language)
    if notice is None:
        err.print("[yellow]espeak-ng is not installed: no spoken notice was added.[/yellow]")
    return notice
