"""Step 8, the log: serve it, witness it, watch it."""

import typer

__all__ = ["log", "register"]

PANEL = "8 · Monitor and respond"

log = typer.Typer(no_args_is_help=True, help="The transparency log.")


def register(app: typer.Typer) -> None:
    """Add the commands of the log."""
    app.add_typer(log, name="log", rich_help_panel=PANEL)
