"""The command `assent`: the eight steps as commands, errors in two lines.

Exit codes: 0 done, 1 a fault, 2 bad input, 3 refused by a rule, 4 a log was rewritten,
130 interrupted.
"""

import errno
import os
import resource
import sys
from collections.abc import Sequence
from typing import Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from assent import __version__
from assent.apps.cli import commands
from assent.apps.cli.console import err, out
from assent.kit.errors import AssentError, StorageError

__all__ = ["main", "run", "whole"]

INTERRUPTED = 130
# Shows tracebacks to those who work on Assent itself.
TRACEBACK = "ASSENT_TRACEBACK"


class _InOrder(TyperGroup):
    """Lists commands by the step that they belong to, not leaves before groups."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401 - Typer's own copy of click
        """Return the commands' names in the order of the eight steps."""
        names = [each.name for each in commands.COMMANDS]
        return sorted(super().list_commands(ctx), key=names.index)


def whole() -> typer.Typer:
    """Return the command line with everything in it, for those who look through all of it."""
    return _rooted(commands.whole())


def main() -> None:
    """Run the command line and exit with its code."""
    # A core dump would hold clear frames and keys.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.exit(run())


def run(args: list[str] | None = None) -> int:
    """Run one command and return its exit code; errors are told in two lines."""
    try:
        app = _app_for(sys.argv[1:] if args is None else args)
        code = typer.main.get_command(app).main(args, prog_name="assent", standalone_mode=False)
    except AssentError as error:
        return _tell(str(error), error.advice, error.exit_code)
    except TyperException as error:
        return _tell(_message(error), _usage_advice(error), 2)
    except (typer.Abort, KeyboardInterrupt):
        code = INTERRUPTED
    except Exception as error:
        if os.environ.get(TRACEBACK):
            raise
        return _tell_fault(error)
    # Typer turns an interrupt into this code of its own accord.
    if code == INTERRUPTED:
        return _tell("Interrupted.", "Run the command again; it goes on where it stopped.", code)
    return code if isinstance(code, int) else 0


def _app_for(args: Sequence[str]) -> typer.Typer:
    """Return the command line with the command that is asked for, or with all names if none is."""
    name = next((each for each in args if not each.startswith("-")), "")
    return _rooted(commands.named(name) or commands.stubs())


def _rooted(parts: typer.Typer) -> typer.Typer:
    app = typer.Typer(
        name="assent",
        cls=_InOrder,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        help="A studio for synthetic video that people have agreed to. Eight steps lead from a "
        "purpose to a release that says what it is; start with [bold]assent demo[/bold].",
    )
    app.registered_commands = parts.registered_commands
    app.registered_groups = parts.registered_groups
    app.callback(invoke_without_command=True)(_version)
    return app


def _version(
    show: bool = typer.Option(False, "--version", help="Show the version and exit."),
) -> None:
    """Answer --version; everything else is a command's."""
    if show:
        out.print(f"assent {__version__}")
        raise typer.Exit


def _tell(what: str, advice: str, code: int) -> int:
    err.print(f"[bold red]{_plain(what)}[/bold red]", soft_wrap=True)
    err.print(_plain(advice), soft_wrap=True)
    return code


def _tell_fault(error: Exception) -> int:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _tell("The disk is full.", StorageError.advice, 1)
    if isinstance(error, BrokenPipeError):
        return 1
    return _tell(
        f"Something went wrong inside Assent: {type(error).__name__}: {error}",
        f"Nothing was lost. Run it again with {TRACEBACK}=1 and report what it prints.",
        1,
    )


def _plain(text: str) -> str:
    """Return `text` as one line without markup of rich, nor what plays with a terminal."""
    shown = "".join(each if each.isprintable() else "?" for each in " ".join(text.split()))
    return shown.replace("[", r"\[")


def _message(error: TyperException) -> str:
    return str(error.format_message()) if hasattr(error, "format_message") else str(error)


def _usage_advice(error: TyperException) -> str:
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "assent"
    return f"See `{command} --help`."
