"""Write `docs/reference/cli.md` from the command line itself: `python docs/make_cli_reference.py`.

A test compares the page with `reference()`, so that no option goes undocumented.
"""

from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

import typer

from assent.apps.cli.main import whole

__all__ = ["PAGE", "commands", "reference"]

PAGE = Path(__file__).parent / "reference" / "cli.md"

_HEAD = """\
# Commands

This page is written by `docs/make_cli_reference.py` from the program itself.

Results go to standard output; progress, warnings and errors go to standard error. A command that
was interrupted can be run again: it goes on where it stopped. Errors are told in two lines, what
happened and what to do next; see [errors](errors.md) for the exit codes. `-h` or `--help` after
any command shows its options.

## Environment

| variable | what it does |
|---|---|
| `ASSENT_STUDIO` | the studio's folder, in place of `--studio` |
| `ASSENT_PROJECT` | the project's name, in place of `--project` |
| `ASSENT_PASSPHRASE_FILE` | a file that holds the passphrase of the studio's keys; set it before \
`assent init` and ever after. On a terminal the passphrase is asked for if nothing gives it |
| `ASSENT_PASSPHRASE_FD` | the number of an open file descriptor to read the passphrase from |
| `ASSENT_PASSPHRASE` | the passphrase itself; other programs of the same user can see it |
| `ASSENT_KEY_COMMAND` | the full path of a [program that keeps the root \
key](../specs/vault.md#a-key-program), in place of a passphrase |
| `ASSENT_PUBLIC_URL` | where subjects reach the consent pages, in place of `--public-url` |
| `ASSENT_TRACEBACK` | set to `1`, an unexpected failure shows its traceback, for a report |
"""


def commands() -> Iterator[tuple[str, Any]]:
    """Yield each runnable command with its full name, in the order of the eight steps."""
    # Typed as Any: Typer carries its own copy of click, which has no public types.
    root: Any = typer.main.get_command(whole())
    yield from _walk("assent", root, None)


def reference() -> str:
    """Return the page."""
    parts = [_HEAD]
    panel = None
    for name, command in commands():
        found = _panel_of(name)
        if found != panel:
            parts.append(f"## {found}\n")
            panel = found
        parts.append(_section(name, command))
    return "\n".join(parts)


def _walk(name: str, command: Any, parent: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - click
    context = command.context_class(command, info_name=name, parent=parent)
    if not hasattr(command, "commands"):
        yield name, command
        return
    for child in command.list_commands(context):
        yield from _walk(f"{name} {child}", command.commands[child], context)


def _panel_of(name: str) -> str:
    root: Any = typer.main.get_command(whole())
    return str(root.commands[name.split()[1]].rich_help_panel)


def _section(name: str, command: Any) -> str:  # noqa: ANN401 - click
    arguments = [param for param in command.params if param.param_type_name == "argument"]
    options = [param for param in command.params if param.param_type_name == "option"]
    options = [param for param in options if param.name != "help"]
    usage = " ".join([name, *(_placeholder(param) for param in arguments)])
    usage += " [OPTIONS]" if options else ""
    lines = [f"### {name}", "", f"`{usage}`", "", _prose(command.help), ""]
    rows = [_argument_row(param) for param in arguments]
    rows += [_option_row(param) for param in options]
    if rows:
        lines += ["| name | given | meaning |", "|---|---|---|", *rows, ""]
    return "\n".join(lines)


def _argument_row(param: Any) -> str:  # noqa: ANN401 - click
    return f"| `{_label(param)}` | {_need(param)} | {_cell(param.help)} |"


def _option_row(param: Any) -> str:  # noqa: ANN401 - click
    names = ", ".join(f"`{name}`" for name in param.opts)
    value = "" if param.is_flag else f" `{_value(param)}`"
    return f"| {names}{value} | {_need(param)} | {_cell(param.help)} |"


def _need(param: Any) -> str:  # noqa: ANN401 - click
    words = ["required"] if param.required else []
    if getattr(param, "multiple", False):
        words.append("repeatable")
    default = _default(param)
    if default:
        words.append(f"default {default}")
    if param.envvar:
        words.append(f"or `{param.envvar}`")
    return ", ".join(words)


def _default(param: Any) -> str:  # noqa: ANN401 - click
    value = param.default
    if param.required or value is None or value is False or callable(value):
        return ""
    values = value if isinstance(value, list | tuple) else [value]
    shown = [str(each.value if isinstance(each, Enum) else each) for each in values]
    return ", ".join(f"`{each}`" for each in shown)


def _label(param: Any) -> str:  # noqa: ANN401 - click
    return str(param.metavar or param.name.upper())


def _placeholder(param: Any) -> str:  # noqa: ANN401 - click
    return _label(param) if param.required else f"[{_label(param)}]"


def _value(param: Any) -> str:  # noqa: ANN401 - click
    choices = param.type_descriptor.choices
    if choices:
        return "/".join(str(getattr(each, "value", each)) for each in choices)
    words = {"str": "TEXT", "int": "N", "float": "N"}
    plain = str(param.bare_type()).removeprefix("list[").removesuffix("]")
    return str(param.metavar or words.get(plain, plain.upper()))


def _cell(text: str | None) -> str:
    return _prose(text).replace("|", "\\|").replace("\n", " ")


def _prose(text: str | None) -> str:
    return "\n".join(line.strip() for line in (text or "").strip().splitlines())


if __name__ == "__main__":
    PAGE.write_text(reference(), "utf-8")
