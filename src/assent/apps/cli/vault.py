"""Beside the steps: the studio's keys, and what lies encrypted in its vault."""

from pathlib import Path
from typing import Annotated

import typer

from assent.apps.cli.console import out, progress_bar
from assent.apps.cli.files import read_bytes
from assent.apps.cli.options import (
    StudioFolder,
    ask_passphrase,
    check_passphrase,
    check_program,
    the_studio,
)
from assent.kit.errors import InputError
from assent.kit.store.rotation import rotate
from assent.kit.vault.guard import Guard, KeyCommand, Passphrase

__all__ = ["register"]

PANEL = "The studio's keys and vault"
HERE = Path()

vault = typer.Typer(no_args_is_help=True, help="Check, re-key, back up and restore the studio.")


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(vault, name="vault", rich_help_panel=PANEL)


@vault.command("rotate")
def rotate_(
    new_passphrase: Annotated[
        bool, typer.Option("--new-passphrase", help="Ask for a passphrase to seal the keys with.")
    ] = False,
    new_passphrase_file: Annotated[
        Path | None, typer.Option(help="Take the new passphrase from a file.", metavar="FILE")
    ] = None,
    new_key_command: Annotated[
        Path | None, typer.Option(help="Let this program keep the root key.", metavar="PROGRAM")
    ] = None,
    studio: StudioFolder = HERE,
) -> None:
    """Replace the studio's root and master key, and what keeps them if a new keeper is named.

    Everybody's key is wrapped anew. Interrupted, the studio works, and the command finishes when it
    is run again.
    """
    keeper = _new_keeper(new_passphrase, new_passphrase_file, new_key_command)
    opened = the_studio(studio)
    with progress_bar() as progress:
        count = rotate(opened, progress=progress)
    if keeper is not None:
        opened.secrets.guard_anew(keeper)
    out.print(f"New root and master key; {count} key(s) of consent records wrapped anew.")
    if opened.secrets.protected:
        return
    out.print("Nothing but the rights of its files keeps the root key.")


def _new_keeper(asked: bool, file: Path | None, program: Path | None) -> Guard | None:
    if sum((asked, file is not None, program is not None)) > 1:
        raise InputError("more than one new keeper was named", advice="Name one.")
    if program is not None:
        return KeyCommand(check_program(program))
    if file is not None:
        return Passphrase(check_passphrase(read_bytes(file).strip()))
    return Passphrase(ask_passphrase()) if asked else None
