"""Options that many commands share, and the studio that they open."""

import os
from pathlib import Path
from typing import Annotated

import typer

from assent.apps.cli.files import read_bytes
from assent.kit.store.studio import Studio, open_studio

__all__ = ["AsJson", "ProjectName", "StudioFolder", "passphrase", "the_studio"]

StudioFolder = Annotated[
    Path,
    typer.Option("--studio", envvar="ASSENT_STUDIO", help="The studio's folder.", metavar="DIR"),
]
ProjectName = Annotated[
    str, typer.Option("--project", "-p", envvar="ASSENT_PROJECT", help="The project's name.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]

PASSPHRASE_FILE = "ASSENT_PASSPHRASE_FILE"  # noqa: S105 - the name of a variable


def passphrase() -> bytes | None:
    """Return the passphrase in the file that the environment names, or None."""
    path = os.environ.get(PASSPHRASE_FILE)
    return read_bytes(Path(path)).strip() or None if path else None


def the_studio(folder: Path) -> Studio:
    """Open the studio in `folder`."""
    return open_studio(folder, passphrase=passphrase())
