"""Step 6: review."""

from pathlib import Path
from typing import Annotated

import typer

from assent.apps.cli.console import out, progress_bar, show_json
from assent.apps.cli.files import read_bytes
from assent.apps.cli.options import AsJson, ProjectName, StudioFolder, the_studio
from assent.apps.work.acts import Desk, review_draft
from assent.create.draft import find_draft
from assent.kit.signing import from_pem
from assent.purpose.projects import find_project
from assent.safeguard.review import sign_off

__all__ = ["register"]

PANEL = "6 · Implement safeguards"
HERE = Path()

DraftId = Annotated[str, typer.Argument(help="The draft's id or its beginning.", metavar="DRAFT")]


def register(app: typer.Typer) -> None:
    """Add this step's commands."""
    app.command("review", rich_help_panel=PANEL)(review_)
    app.command("sign-off", rich_help_panel=PANEL)(sign_off_)


def review_(
    draft: DraftId, project: ProjectName, studio: StudioFolder = HERE, as_json: AsJson = False
) -> None:
    """Look through a draft: content gate, resolution cap, whether a person must sign."""
    opened = the_studio(studio)
    purpose = find_project(opened, project)
    with progress_bar() as progress:
        seen = review_draft(Desk(studio=opened, purpose=purpose, progress=progress), draft)
    if as_json:
        show_json(seen)
        return
    out.print(
        f"{seen['looked_at']} frames looked at; risk {seen['risk']}; up to "
        f"{seen['shortest_side']} lines."
    )
    if seen["approved"]:
        out.print("[bold]Approved.[/bold]")
    else:
        out.print(
            f"Waits for the signature of {seen['waits_for'] or 'a reviewer'}: "
            f"assent sign-off {seen['draft'][:8]}"
        )


def sign_off_(
    draft: DraftId,
    project: ProjectName,
    reviewer: Annotated[str, typer.Option(help="The reviewer whom the brief names.")],
    key: Annotated[Path, typer.Option(help="The reviewer's private key.", metavar="FILE")],
    studio: StudioFolder = HERE,
) -> None:
    """For reviewers: sign a draft that you have looked at (see `assent draft sheet`)."""
    opened = the_studio(studio)
    purpose = find_project(opened, project)
    found = find_draft(opened, purpose, draft)
    signer = from_pem(read_bytes(key), name=key.name)
    sign_off(opened, purpose, found, reviewer=reviewer, key=signer)
    out.print(f"Draft {found.id[:8]} is signed off by {reviewer}.")
