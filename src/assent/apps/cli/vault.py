"""Beside the steps: the studio's keys, and what lies encrypted in its vault."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from assent.apps.cli.console import err, out, progress_bar, show_json
from assent.apps.cli.files import read_bytes, read_text
from assent.apps.cli.options import (
    AsJson,
    StudioFolder,
    ask_passphrase,
    check_passphrase,
    check_program,
    guard,
    the_studio,
)
from assent.consent.inspection import inspect
from assent.consent.withdrawal import catch_up
from assent.disclose import standing
from assent.kit.errors import InputError, IntegrityError, NotFoundError
from assent.kit.store.backup import export
from assent.kit.store.restore import restore
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


@vault.command("check")
def check(studio: StudioFolder = HERE, as_json: AsJson = False) -> None:
    """Open every object of the vault, and compare vault, keys, database and log."""
    with progress_bar() as progress:
        found = inspect(the_studio(studio), progress=progress)
    if as_json:
        show_json(asdict(found))
    else:
        out.print(
            f"{found.open} object(s) open; {len(found.closed)} closed for good with their people's "
            f"consent; {len(found.orphaned)} that nothing refers to."
        )
        problems = [*(f"{blob}: {why}" for blob, why in found.faults), *found.keys, *found.openings]
        problems += [f"{blob}: is needed and isn't there" for blob in found.missing]
        for problem in problems:
            out.print(escape(problem), soft_wrap=True)
    if not found.sound:
        raise IntegrityError("the vault is not as it should be")


@vault.command("export")
def export_(
    path: Annotated[Path, typer.Argument(help="The backup to make.", metavar="FILE")],
    to: Annotated[list[str], typer.Option("--to", help="An age recipient; repeat for each.")],
    escrow: Annotated[
        Path | None,
        typer.Option(help="A folder on another medium, for escrow keys.", metavar="DIR"),
    ] = None,
    studio: StudioFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Back the studio up into one file, encrypted to age recipients.

    People's keys are in it only as the escrow wraps them, so that a withdrawal, which destroys the
    escrow's key too, closes the backup as well. Without an escrow nobody's data opens from it.
    """
    with progress_bar() as progress:
        made = export(the_studio(studio), path, recipients=to, escrow=escrow, progress=progress)
    if as_json:
        show_json(
            {"path": str(path), "sha256": made.sha256, "files": made.files, "keys": made.keys}
        )
        return
    out.print(f"{path}: {made.files} file(s), keys of {made.keys} record(s).", soft_wrap=True)
    if escrow is None:
        out.print("It holds no person's key: footage, faces and models can't be opened from it.")
        return
    out.print(f"Keep {escrow} apart from the backup, and at hand when someone withdraws.")


@vault.command("import")
def import_(
    path: Annotated[Path, typer.Argument(help="The backup.", metavar="FILE")],
    folder: Annotated[Path, typer.Argument(help="A new folder.", metavar="DIR")],
    identity: Annotated[Path, typer.Option(help="A file with the age identity.", metavar="FILE")],
    escrow: Annotated[
        Path | None, typer.Option(help="The folder with the escrow keys.", metavar="DIR")
    ] = None,
    log: Annotated[
        Path | None,
        typer.Option(help="A newer copy of the log: what ended since ends.", metavar="DIR"),
    ] = None,
    log_key: Annotated[
        str | None, typer.Option("--log-key", help="The studio's log key as it published it.")
    ] = None,
) -> None:
    """Restore a studio from a backup, into a fresh folder.

    Who has withdrawn since stays withdrawn: their escrow key is gone, and a newer log says so.
    """
    if not path.is_file():
        raise NotFoundError(f"there is no file {path}", advice="Check the path.")
    text = read_text(identity)
    identities = [line for line in text.splitlines() if line and not line.startswith("#")]
    with path.open("rb") as source:
        made = restore(
            source,
            folder,
            identities=identities,
            guard=guard(),
            escrow=escrow,
            newer_log=log,
            vkey=log_key,
        )
    ended = catch_up(made.studio)
    standing.catch_up(made.studio)
    out.print(
        f"{folder}: {made.opened} record(s) with their keys, {made.closed} closed since, "
        f"{made.missing} without a key; {len(ended)} ended as the log says.",
        soft_wrap=True,
    )
    if log is None:
        err.print(
            "[yellow]If the log was appended to after this backup, import it again with --log and "
            "a newer copy: going on from here would fork it.[/yellow]"
        )


def _new_keeper(asked: bool, file: Path | None, program: Path | None) -> Guard | None:
    if sum((asked, file is not None, program is not None)) > 1:
        raise InputError("more than one new keeper was named", advice="Name one.")
    if program is not None:
        return KeyCommand(check_program(program))
    if file is not None:
        return Passphrase(check_passphrase(read_bytes(file).strip()))
    return Passphrase(ask_passphrase()) if asked else None
