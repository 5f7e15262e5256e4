"""The commands about rules and claims, as a person types them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from studios import Scene, add_member, brief_with
from typer.testing import CliRunner

from assent.apps.cli.main import run, whole
from assent.kit.signing import new_key, public_of, to_jwk, to_pem
from assent.purpose.projects import create_project, find_project

PACK = """
name = "ch"
title = "Switzerland"
version = "2026.12"
date = 2026-12-01
source = "Made up"
jurisdictions = ["CH"]
[[rule]]
id = "ch-one"
effect = "warn"
text = "Take [bold]care[/bold]."
source = "Made up"
"""


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A folder with a publisher's pair of keys."""
    key = new_key()
    (tmp_path / "rules.pem").write_bytes(to_pem(key))
    (tmp_path / "rules.pem.pub").write_text(json.dumps(to_jwk(public_of(key))))
    (tmp_path / "ch.toml").write_text(PACK)
    return tmp_path


@pytest.fixture
def say(scene: Scene, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:  # noqa: ANN401 - a function
    """Run a command in the studio and return its exit code and what it said."""
    monkeypatch.setenv("ASSENT_STUDIO", str(scene.studio.folder))

    def run_one(*args: str | Path) -> tuple[int, str]:
        capsys.readouterr()
        code = run([str(arg) for arg in args])
        told = capsys.readouterr()
        return code, told.out + told.err

    return run_one


def sign_and_trust(say: Any, keys: Path) -> None:  # noqa: ANN401 - a function
    signed = ("rules", "sign", keys / "ch.toml", "--key", keys / "rules.pem", "--out", keys / "ch")
    assert say(*signed)[0] == 0
    assert say("rules", "trust", keys / "rules.pem.pub", "--name", "Rules & Co")[0] == 0


def test_packs_are_listed(say: Any) -> None:  # noqa: ANN401 - a function
    code, told = say("rules", "list")
    assert code == 0
    assert "European Union (EU)" in told
    assert "not yet in force" in told
    assert "no-intimate-content, no-minors, no-unmarked-copy, no-consent" in told
    listed = json.loads(say("rules", "list", "--json")[1])
    assert [pack["name"] for pack in listed["packs"]][:3] == ["base", "cn", "dk"]
    assert all(len(pack["sha256"]) == 64 for pack in listed["packs"])
    assert listed["publishers"] == []


def test_one_rule_is_shown(say: Any) -> None:  # noqa: ANN401 - a function
    code, told = say("rules", "show", "eu-safeguards")
    assert code == 0
    assert "2026-12-02" in told
    assert "AI Act Art. 5(1)(ba)" in told
    assert json.loads(say("rules", "show", "eu-safeguards", "--json")[1])["met"] == "partly"
    code, told = say("rules", "show", "no-minors")
    assert "This is code" in told
    assert len(json.loads(say("rules", "show", "no-minors", "--json")[1])) == 2
    assert say("rules", "show", "kr-notice-and-label")[1].count("secondary source") == 2
    assert "draft" in say("rules", "show", "dk-likeness")[1]
    code, told = say("rules", "show", "nothing")
    assert (code, "no rule 'nothing'" in told) == (2, True)


def test_a_project_is_checked(say: Any, scene: Scene) -> None:  # noqa: ANN401 - a function
    code, told = say("rules", "check", "-p", scene.purpose.slug, "--on", "2026-11-20")
    assert code == 0
    assert "realistic = yes" in told
    assert "eu-safeguards" in told
    assert "not legal advice" in told
    later = say("rules", "check", "-p", scene.purpose.slug, "--on", "2027-02-02", "--json")[1]
    checked = json.loads(later)
    assert checked["allowed"]
    assert checked["upcoming"] == []
    assert {"eu-safeguards", "eu-interoperability"} <= {rule["id"] for rule in checked["rules"]}
    code, told = say("rules", "check", "-p", scene.purpose.slug, "--on", "soon")
    assert (code, "'soon' is no day" in told) == (2, True)


def test_a_project_that_a_rule_has_come_to_refuse(
    say: Any,  # noqa: ANN401 - a function
    scene: Scene,
    keys: Path,
) -> None:
    create_project(scene.studio, brief_with(title="Swiss", jurisdictions=["CH", "NZ"]))
    assert "No pack speaks for CH, NZ" in say("rules", "check", "-p", "swiss")[1]
    (keys / "ch.toml").write_text(PACK.replace('"warn"', '"refuse"'))
    sign_and_trust(say, keys)
    code, told = say("rules", "update", keys / "ch")
    assert (code, "New: ch-one" in told) == (0, True)
    code, told = say("rules", "check", "-p", "swiss")
    assert code == 3
    assert "refused by rule 'ch-one': Take [bold]care[/bold]." in told
    assert "No pack speaks for NZ" in told
    code, told = say("rules", "check", "-p", "swiss", "--json")
    assert (code, '"allowed": false' in told) == (3, True)
    assert say("project", "show", "swiss")[0] == 3


def test_updates(say: Any, keys: Path) -> None:  # noqa: ANN401 - a function
    sign_and_trust(say, keys)
    done = json.loads(say("rules", "update", keys / "ch", "--json")[1])
    assert (done["pack"], done["before"], done["already"]) == ("ch", None, False)
    assert "in force already" in say("rules", "update", keys / "ch")[1]
    told = say("rules", "list")[1]
    assert "Rules & Co (log entry" in told
    assert "Trusted: Rules & Co" in told
    assert "Take [bold]care[/bold]." in say("rules", "show", "ch-one")[1]
    softer = PACK.replace("2026.12", "2027.1").replace('"warn"', '"note"')
    (keys / "ch.toml").write_text(softer)
    sign_and_trust(say, keys)
    code, told = say("rules", "update", keys / "ch")
    assert (code, "asks for less" in told) == (3, True)
    code, told = say("rules", "update", keys / "ch", "--accept-looser")
    assert code == 0
    assert "Asks for less in: ch-one" in told
    assert "in place of 2026.12" in told
    publisher = json.loads(say("rules", "list", "--json")[1])["publishers"][0]["key"]
    assert "Packs dropped: ch." in say("rules", "distrust", publisher[:10])[1]
    code, told = say("rules", "update", keys / "ch", "--accept-looser")
    assert (code, "no publisher of rule packs is trusted" in told) == (1, True)


def test_what_can_not_be_signed(say: Any, keys: Path) -> None:  # noqa: ANN401 - a function
    (keys / "ch.toml").write_text(PACK.replace('"ch"', '"base"').replace("ch-one", "base-one"))
    sign = ("rules", "sign", keys / "ch.toml", "--key", keys / "rules.pem", "--out", keys / "x")
    assert say(*sign)[0] == 2
    (keys / "ch.toml").write_text(PACK.replace('"warn"', '"allow"'))
    code, told = say(*sign)
    assert (code, "ch.toml is no rule pack" in told) == (2, True)
    assert not (keys / "x").exists()


def test_claims_are_ticked_off(say: Any, scene: Scene, tmp_path: Path) -> None:  # noqa: ANN401 - a function
    claim = {"text": "It [b]rained[/b].", "source": "https://example.org"}
    create_project(scene.studio, brief_with(title="News", claims=[claim], reviewer="dan"))
    dan = add_member(scene.studio, "dan")
    (tmp_path / "dan.pem").write_bytes(to_pem(dan.key))
    told = say("project", "claims", "list", "-p", "news")[1]
    assert "nobody" in told
    assert "It [b]rained[/b]." in told
    key = ("--reviewer", "dan", "--key", tmp_path / "dan.pem")
    code, told = say("project", "claims", "tick", "1", "-p", "news", *key)
    assert (code, "Claim 1 is ticked off by dan." in told) == (0, True)
    listed = json.loads(say("project", "claims", "list", "-p", "news", "--json")[1])
    assert listed[0]["ticked_by"] == ["dan"]
    assert say("project", "claims", "tick", "2", "-p", "news", *key)[0] == 2


# --- the interview ------------------------------------------------------------------------------

FIRST = [
    "A lesson", "To show how it is done.", "education", "Pupils", "classroom, web", "EU", "", "",
]  # fmt: skip
TAME = ["n", "n", "y", *["n"] * 14]


def interview(scene: Scene, answers: Sequence[str]) -> Any:  # noqa: ANN401 - a result of Typer's
    return CliRunner().invoke(
        whole(),
        ["project", "new", "--studio", str(scene.studio.folder)],
        input="\n".join(answers) + "\n",
    )


def test_a_project_by_questions(scene: Scene) -> None:
    done = interview(scene, [*FIRST, *TAME, "cleo", ""])
    assert done.exit_code == 0, done.output
    made = find_project(scene.studio, "a-lesson")
    assert made.brief.reviewer == "cleo"
    assert made.brief.channels == ("classroom", "web")
    assert made.brief.risk.realistic
    # The rule comes right after the answer that sets it off, before the next question.
    first, _, rest = done.output.partition("Could a viewer take it for a recording?")
    assert "risk-realistic" not in first
    assert "risk-realistic" in rest.partition("Should viewers take it for real?")[0]
    assert "There are rules for" in done.output


def test_a_refusal_ends_the_questions(scene: Scene) -> None:
    done = interview(scene, [*FIRST, "n", "y"])
    assert done.exit_code != 0
    assert "no-minors" in str(done.exception)
    assert "publicly known" not in done.output


def test_answers_that_make_no_sense_are_asked_again(scene: Scene) -> None:
    odd = [
        "x", "A lesson", "To show how it is done.", "prank", "education", "Pupils", ",", "web",
        "Atlantis", "NZ", "soon", "2026-12-01", "2027-01-01",
    ]  # fmt: skip
    done = interview(scene, [*odd, *TAME, "", ""])
    assert done.exit_code == 0, done.output
    assert "write three letters or more" in done.output
    assert "'Atlantis' is no place" in done.output
    assert find_project(scene.studio, "a-lesson").brief.jurisdictions == ("NZ",)


def test_claims_are_asked_for_with_their_sources(scene: Scene) -> None:
    claims = list(TAME)
    claims[11] = "y"
    told = ["It rained.", "-", "https://example.org", ""]
    done = interview(scene, [*FIRST, *claims, *told, "cleo", ""])
    assert done.exit_code == 0, done.output
    assert find_project(scene.studio, "a-lesson").brief.claims[0].text == "It rained."


def test_severe_risk_says_who_is_missing(scene: Scene) -> None:
    severe = list(TAME)
    severe[8] = "y"
    done = interview(scene, [*FIRST, *severe, "cleo", ""])
    assert done.exit_code == 0, done.output
    assert "severe" in done.output
    assert "--second-reviewer" in done.output
