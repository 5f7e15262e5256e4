"""Options that many commands share, and the studio that they open."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from assent.apps.cli.files import read_bytes, read_text
from assent.kit.disk import Disk
from assent.kit.errors import InputError
from assent.kit.store.credentials import TokenAccess
from assent.kit.store.studio import Studio, open_studio
from assent.kit.vault.guard import Guard, KeyCommand, Passphrase, Unguarded, takes_passphrase

__all__ = [
    "AsJson",
    "Limit",
    "ProjectName",
    "Queued",
    "StudioFolder",
    "ask_passphrase",
    "check_passphrase",
    "check_program",
    "guard",
    "keeper_of",
    "the_studio",
    "token_access",
]

StudioFolder = Annotated[
    Path,
    typer.Option("--studio", envvar="ASSENT_STUDIO", help="The studio's folder.", metavar="DIR"),
]
ProjectName = Annotated[
    str, typer.Option("--project", "-p", envvar="ASSENT_PROJECT", help="The project's name.")
]
LOCAL = "http://localhost:8765"
PublicUrl = Annotated[
    str,
    typer.Option(envvar="ASSENT_PUBLIC_URL", help="Where subjects reach the pages.", metavar="URL"),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]

Queued = Annotated[
    bool, typer.Option("--queue", help="Put it into the studio's queue and don't wait for it.")
]

Limit = Annotated[int, typer.Option("--limit", min=1, help="How many to show at most.")]

PASSPHRASE_FILE = "ASSENT_PASSPHRASE_FILE"  # noqa: S105 - the name of a variable
PASSPHRASE = "ASSENT_PASSPHRASE"  # noqa: S105 - the name of a variable
PASSPHRASE_FD = "ASSENT_PASSPHRASE_FD"  # noqa: S105 - the name of a variable
KEY_COMMAND = "ASSENT_KEY_COMMAND"
PKCS11_MODULE = "ASSENT_PKCS11_MODULE"
PKCS11_PIN = "ASSENT_PKCS11_PIN"
PKCS11_PIN_FILE = "ASSENT_PKCS11_PIN_FILE"

_LONGEST_PASSPHRASE = 4096
_SHORTEST = 12


def guard() -> Guard:
    """Return what keeps the studio's root key, as the environment says.

    The program of `ASSENT_KEY_COMMAND`; or the passphrase in the file, the open file descriptor or
    the variable that is named. None of them: nothing but the rights of the file. A studio's folder
    never says which program is run, since folders are passed around.
    """
    given = [
        each
        for each in (KEY_COMMAND, PASSPHRASE_FILE, PASSPHRASE_FD, PASSPHRASE)
        if os.environ.get(each)
    ]
    if len(given) > 1:
        raise InputError(f"{' and '.join(given)} are both set", advice="Set one of them.")
    if given == [KEY_COMMAND]:
        return KeyCommand(check_program(Path(os.environ[KEY_COMMAND])))
    phrase = _passphrase(given[0]) if given else None
    return Passphrase(phrase) if phrase else Unguarded()


def ask_passphrase() -> bytes:
    """Ask for a new passphrase, twice, without showing it."""
    text: str = typer.prompt(
        "New passphrase", hide_input=True, confirmation_prompt=True, err=True, default=""
    )
    return check_passphrase(text.encode())


def check_passphrase(phrase: bytes) -> bytes:
    """Return a passphrase for new keys; raises `InputError` if it is soon guessed."""
    if len(phrase) < _SHORTEST:
        raise InputError(
            f"a passphrase has at least {_SHORTEST} characters", advice="Use a few random words."
        )
    return phrase


def check_program(program: Path) -> Path:
    """Return a key program's path; raises `InputError` unless it is a full one."""
    if not program.is_absolute():
        raise InputError(
            f"{program} is not the full path of a key program", advice="Begin it with /."
        )
    return program


def _passphrase(variable: str) -> bytes | None:
    value = os.environ[variable]
    if variable == PASSPHRASE:
        return value.encode()
    if variable == PASSPHRASE_FILE:
        return read_bytes(Path(value)).strip() or None
    try:
        return os.read(int(value), _LONGEST_PASSPHRASE).strip()
    except (ValueError, OSError) as error:
        raise InputError(f"{variable} names no open file descriptor") from error


def the_studio(folder: Path) -> Studio:
    """Open the studio in `folder`; a passphrase that nothing gives is asked for."""
    return open_studio(folder, guard=keeper_of(folder), token=token_access())


def keeper_of(folder: Path) -> Guard:
    """Return what keeps a studio's root key; a passphrase that nothing gives is asked for."""
    keeper = guard()
    if not keeper.protects and sys.stdin.isatty():
        root = Disk().read(folder / "keys" / "root.key")
        if root is not None and takes_passphrase(root):
            keeper = Passphrase(typer.prompt("Passphrase", hide_input=True, err=True).encode())
    return keeper


def token_access() -> TokenAccess | None:
    """Return how a token with the signing key is reached, as the environment says.

    The library of `ASSENT_PKCS11_MODULE` runs inside this process, so a studio's folder never names
    it; the PIN is in `ASSENT_PKCS11_PIN` or the file that `ASSENT_PKCS11_PIN_FILE` names.
    """
    module = os.environ.get(PKCS11_MODULE)
    if not module:
        return None
    file = os.environ.get(PKCS11_PIN_FILE)
    pin = read_text(Path(file)).strip() if file else os.environ.get(PKCS11_PIN, "")
    return TokenAccess(module=check_program(Path(module)), pin=pin)
