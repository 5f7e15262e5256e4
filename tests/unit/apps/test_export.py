"""`assent export`, as a user types it."""

import json
from pathlib import Path

import pytest
from casts import Cast

from assent.apps.cli.main import run


def test_a_still_and_a_film_beside_the_release(
    released: Cast, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = released.open_copy(tmp_path / "studio")
    where = ["--studio", str(stage.studio.folder), "--project", stage.purpose.slug]
    draft = stage.draft.id[:8]
    # The commands ask today's date, and the cast agreed for a term around its own.
    assert run(["export", draft, *where, "--as", "png", "--at", "0.2", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert Path(made["file"]).name.endswith("-still-200ms.png")
    assert Path(made["proof"]).is_file()
    assert made["beside"] is None
    assert run(["export", draft, *where, "--as", "mkv"]) == 0
    assert "to be passed on with it" in capsys.readouterr().out


def test_without_a_release_there_is_nothing_to_export(
    rendered: Cast, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = rendered.open_copy(tmp_path / "studio")
    where = ["--studio", str(stage.studio.folder), "--project", stage.purpose.slug]
    assert run(["export", stage.draft.id[:8], *where, "--as", "wav"]) == 2
    assert "has no release" in capsys.readouterr().err
