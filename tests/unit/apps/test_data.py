"""The commands about footage, as a person types them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from _changes import blurred
from casts import Cast, Stage, cut_clip
from scenes import pictures, write_clip

from assent.apps.cli.main import run
from assent.consent.people import add_person
from assent.kit.signing import new_key, public_of, to_pem

Say = Callable[..., tuple[int, str]]


@pytest.fixture
def stage(agreed: Cast, tmp_path: Path) -> Stage:
    return agreed.open_copy(tmp_path / "studio")


@pytest.fixture
def say(stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """Run a command in the studio and return its exit code and what it said."""
    monkeypatch.setenv("ASSENT_STUDIO", str(stage.studio.folder))
    monkeypatch.setenv("ASSENT_PROJECT", stage.purpose.slug)

    def run_one(*args: str | Path) -> tuple[int, str]:
        capsys.readouterr()
        code = run([str(arg) for arg in args])
        told = capsys.readouterr()
        return code, told.out + told.err

    return run_one


def add(say: Say, path: Path, *more: str) -> tuple[int, str]:
    return say("footage", "add", path, "--person", "ada", "--rights", "made up", *more)


def test_a_face_is_looked_at_decided_and_the_clip_comes_in(
    stage: Stage, say: Say, tmp_path: Path
) -> None:
    path = write_clip(
        tmp_path / "soft.mp4", [blurred(rgb, 6.0) for rgb in pictures("scene1_ada", 0, 6)]
    )
    code, told = add(say, path)
    assert code == 3
    assert "isn't sure whose it is" in told
    assert "assent footage review" in told
    (question,) = json.loads(say("footage", "review", "--json")[1])
    assert (question["footage"], question["person"]) == ("soft.mp4", "ada")
    assert 0.5 <= question["distance"] < 0.6
    code, told = say("footage", "review")
    assert (code, question["question"][:8] in told, "waiting" in told) == (0, True, True)
    code, told = say("footage", "review", question["question"][:8])
    assert code == 0
    assert len(list(stage.studio.previews_folder.glob("*-faces-*.jpg"))) == 1
    key = new_key()
    add_person(stage.studio, handle="dora", name="Dora", key=public_of(key), staff=True)
    (tmp_path / "dora.pem").write_bytes(to_pem(key))
    how = ["--reviewer", "dora", "--key", tmp_path / "dora.pem", "--reason", "It is her coat."]
    decision = ("footage", "decide", question["question"], "--approve", *how)
    code, told = say(*decision)
    assert (code, "approved by dora" in told) == (0, True)
    assert say(*decision)[0] == 2
    assert add(say, path)[0] == 0


def test_bystanders_are_hidden_and_counted(say: Say, tmp_path: Path) -> None:
    path = cut_clip(tmp_path / "pair.mp4", "two_people.mp4", frames=6, width=480, height=320)
    code, told = add(say, path)
    assert (code, "--bystanders blur" in told) == (3, True)
    code, told = add(say, path, "--bystanders", "blur")
    assert (code, "Faces of bystanders hidden: 1." in told) == (0, True)
    (clip,) = json.loads(say("footage", "list", "--json")[1])
    assert (clip["hidden"], clip["people"]) == (1, ["ada"])
    assert "bystanders hidden" in say("footage", "list")[1]
    assert add(say, path, "--bystanders", "ignore")[0] == 2
