"""The list of commands: as their modules say it, and at hand without importing them."""

import json
import subprocess
import sys
from typing import Any

import pytest
import typer

from assent.apps.cli.commands import COMMANDS, Command, named, whole
from assent.apps.cli.main import run

HEAVY = ("numpy", "cv2", "av", "sqlalchemy", "cryptography", "onnxruntime", "torch", "faiss",
         "reportlab", "starlette", "webauthn", "feedparser")  # fmt: skip


def group_of(app: typer.Typer | None) -> Any:  # noqa: ANN401 - Typer's own copy of click
    assert app is not None
    app.callback()(lambda: None)
    return typer.main.get_command(app)


def names_in(command: Any) -> Any:  # noqa: ANN401 - Typer's own copy of click
    """Return a command's subcommands, and theirs."""
    return {name: names_in(each) for name, each in getattr(command, "commands", {}).items()}


def test_every_command_is_listed_once() -> None:
    names = [each.name for each in COMMANDS]
    assert len(names) == len(set(names))
    assert sorted(names) == sorted(group_of(whole()).commands)


@pytest.mark.parametrize("listed", COMMANDS, ids=lambda each: each.name)
def test_it_says_of_a_command_what_its_module_says(listed: Command) -> None:
    alone = group_of(named(listed.name)).commands[listed.name]
    assert (alone.help or "").split("\n\n")[0].replace("\n", " ") == listed.help
    assert alone.rich_help_panel == listed.panel
    # A module too few, and some of its subcommands would be nowhere.
    assert names_in(alone) == names_in(group_of(whole()).commands[listed.name])


def test_what_is_no_command_has_none() -> None:
    assert named("pictures") is None
    assert named("") is None


def test_help_is_told_without_what_takes_long_to_load() -> None:
    code = (
        "import json, sys\n"
        "from assent.apps.cli.main import run\n"
        "run(['--help'])\n"
        "print(json.dumps(sorted(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert loaded & set(HEAVY) == set()
    for each in COMMANDS:
        assert each.name in done.stdout


def test_a_wrong_name_is_told_with_the_one_that_was_meant(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["verfy"]) == 2
    assert "Did you mean 'verify'" in capsys.readouterr().err
