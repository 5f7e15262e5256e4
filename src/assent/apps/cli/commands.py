"""The commands that there are, in the order of the eight steps, and the modules that they are in.

Only the modules of the command that was asked for are imported: most of what Assent can do needs
libraries that take a while to load, and `assent --help` none of them. A test holds what is said
here of each command to what its module says.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

import typer

__all__ = ["COMMANDS", "Command", "named", "stubs", "whole"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command, or a group of them, at the top.

    Attributes:
        name: as it is typed.
        panel: under which heading it is listed.
        modules: of this package, in which it is, in the order of its subcommands.
        help: its first sentence.
    """

    name: str
    panel: str
    modules: tuple[str, ...]
    help: str


def _of(panel: str, *rows: tuple[str, str, str]) -> tuple[Command, ...]:
    return tuple(
        Command(name=name, panel=panel, modules=tuple(modules.split()), help=told)
        for name, modules, told in rows
    )


COMMANDS = (
    *_of(
        "Start here",
        ("demo", "demo", "Walk all eight steps: ben's face on ada's performance, sealed and "
         "verified."),
    ),
    *_of(
        "The studio in a browser",
        ("studio", "studio", "Open the studio in a browser, for you alone or for a team."),
        ("account", "studio", "Who signs in, and what they may do."),
    ),
    *_of(
        "1 · Define the purpose",
        ("init", "purpose", "Make a studio folder: keys, vault, log, database."),
        ("project", "purpose interview", "What the work is for."),
        ("rules", "rules", "The rules that work is held against."),
    ),
    *_of(
        "2 · Obtain consent",
        ("person", "consent", "People who are asked, or who review."),
        ("consent", "consent ending", "Offer, sign, accept, withdraw."),
    ),
    *_of(
        "3 · Gather data",
        ("footage", "data", "Clips in which everyone has agreed to be."),
    ),
    *_of(
        "4 · Train the model",
        ("train", "train", "Train DONOR's face for PERFORMER's performances; run again to go on "
         "or to add time."),
        ("model", "train", "Trained face models."),
    ),
    *_of(
        "5 · Create the video",
        ("render", "create", "Put the model's face onto the performance; the draft stays "
         "encrypted in the vault."),
        ("draft", "create", "Renders that have not been released."),
        ("repair", "repair", "What is corrected by hand in a clip for a model: landmarks, masks, "
         "whose face is whose."),
    ),
    *_of(
        "6 · Implement safeguards",
        ("review", "safeguard", "Look through a draft: content gate, resolution cap, whether a "
         "person must sign."),
        ("sign-off", "safeguard", "For reviewers: sign a draft that you have looked at (see "
         "`assent draft sheet`)."),
    ),
    *_of(
        "7 · Disclose",
        ("release", "disclose", "Label, watermark, sign, log, check again, and put the video into "
         "the releases folder."),
        ("export", "disclose", "Make a still, WAV, MOV, MKV or matte of a release, and put it "
         "beside it."),
    ),
    *_of(
        "8 · Monitor and respond",
        ("verify", "verify", "Say what a file is, layer by layer, from its bytes and a log or "
         "trust bundle alone."),
        ("verify-result", "verify", "Check a signed result: unchanged, signed by whom, about "
         "which bytes."),
        ("verify-page", "trust", "Write a page that checks files in the visitor's own browser, "
         "for any static web server."),
        ("report", "report", "Write the project's dossier as HTML and PDF: what was done, on what "
         "ground, what is open."),
        ("trust", "trust", "What others need to check your releases."),
        ("public", "public", "What everybody may see: releases, log, verifying."),
        ("monitor", "monitor", "Know what was released and recognise it again."),
        ("case", "cases case_desk", "Answer those who are hurt or misled."),
        ("log", "log anchoring", "Publish, witness, prove and watch the log."),
    ),
    *_of(
        "The studio's keys and vault",
        ("credentials", "credentials", "With what the studio signs, and what its credentials "
         "hold."),
        ("vault", "vault", "Check, re-key, back up and restore the studio."),
    ),
    *_of(
        "Work in the background",
        ("worker", "jobs", "Do the jobs of the queue until interrupted; `assent studio` does so "
         "by itself."),
        ("jobs", "jobs", "Long work: what waits, what runs, how it ended."),
    ),
    *_of(
        "Other programs",
        ("token", "programs", "Tokens by which programs use the API."),
        ("webhook", "programs", "Addresses that are told what happens."),
    ),
)  # fmt: skip
"""In the order in which they are listed."""


def named(name: str) -> typer.Typer | None:
    """Return what a command is registered with, its modules imported; None if there is none."""
    found = next((each for each in COMMANDS if each.name == name), None)
    return None if found is None else _joined(found.modules)


def whole() -> typer.Typer:
    """Return all commands, every module imported."""
    return _joined(dict.fromkeys(module for each in COMMANDS for module in each.modules))


def stubs() -> typer.Typer:
    """Return the commands' names and first sentences, no module imported: enough to list them."""
    app = typer.Typer()
    for each in COMMANDS:
        app.command(each.name, help=each.help, rich_help_panel=each.panel)(_listed)
    return app


def _joined(modules: Iterable[str]) -> typer.Typer:
    app = typer.Typer()
    for part in map(_part, modules):
        app.registered_commands += part.registered_commands
        app.registered_groups += part.registered_groups
    return app


@cache
def _part(module: str) -> typer.Typer:
    """Return the commands of a module; those of its subcommands are registered but once."""
    part = typer.Typer()
    found: Any = import_module(f"{__package__}.{module}")
    found.register(part)
    return part


def _listed() -> None:
    """Stand for a command in a list."""
