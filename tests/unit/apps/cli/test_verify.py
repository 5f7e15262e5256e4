"""The commands of verification, run as a user runs them."""

import csv
import json
import shutil
from pathlib import Path

import pytest
from casts import Cast, Stage
from commands import Cli
from served import answer, serve

from assent.apps.cli.main import run
from assent.verify.bundle import make_bundle

SAMPLES = Path(__file__).parents[4] / "samples"


@pytest.fixture(scope="module")
def shown(released: Cast, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return released.open_copy(tmp_path_factory.mktemp("shown") / "studio")


@pytest.fixture
def stranger(shown: Stage, tmp_path: Path) -> Cli:
    """Somebody without a studio, with a bundle, a release, and another film."""
    cli = Cli(tmp_path)
    (tmp_path / "tmp").mkdir()
    studio = shown.studio
    text = make_bundle(
        studio.log_folder, studio.log_verifier, studio.signing_key, now=shown.clock.now
    )
    (tmp_path / "studio.trust").write_text(text)
    shutil.copy(shown.released().path, tmp_path / "release.mp4")
    shutil.copy(SAMPLES / "no_face.mp4", tmp_path / "other.mp4")
    return cli


def left_behind(cli: Cli) -> list[str]:
    """Return what lies in the folder for temporary files, but for ONNX Runtime's own `.ses`."""
    return [path.name for path in (cli.folder / "tmp").iterdir() if path.name != ".ses"]


def trusting(cli: Cli, *words: str | Path) -> tuple[str | Path, ...]:
    return ("verify", *words, "--trust", cli.folder / "studio.trust")


def test_a_stranger_verifies_from_a_bundle_and_keeps_the_signed_answer(
    stranger: Cli, shown: Stage
) -> None:
    at = stranger.folder
    stranger.run("consent", "keygen", at / "desk.pem")
    said = stranger.run(
        *trusting(stranger, at / "release.mp4"),
        "--log-key", shown.studio.log_verifier.vkey,
        "--html", at / "a.html", "--result", at / "a.jws", "--key", at / "desk.pem",
        "--exit-code",
    )  # fmt: skip
    assert said.stdout.startswith("A release of Test Studio, unaltered")
    page = (at / "a.html").read_text()
    assert "the key you gave" in page
    assert "Download the signed result" in page
    checked = stranger.run(
        "verify-result", at / "a.jws", "--key", at / "desk.pem.pub", "--of", at / "release.mp4"
    )
    assert "Unchanged since it was signed, by that key." in checked.stdout
    told = stranger.refused("verify-result", at / "a.jws", "--of", at / "other.mp4", code=1)
    assert "other bytes" in told
    assert left_behind(stranger) == []


def test_the_exit_code_tells_the_verdict_when_asked(stranger: Cli) -> None:
    path = stranger.folder / "other.mp4"
    said = stranger.run(*trusting(stranger, path))
    assert "proves nothing" in " ".join(said.stdout.split())
    stranger.run(*trusting(stranger, path, "--exit-code"), code=13)


def test_many_files_are_gone_on_with(stranger: Cli) -> None:
    at = stranger.folder
    (at / "broken.mp4").write_bytes(b"nothing")
    words = (at / "release.mp4", at / "other.mp4", at / "broken.mp4", "--out", at / "found.jsonl")
    first = stranger.run(*trusting(stranger, *words))
    assert "3 files: 1 nothing-found, 1 sealed, 1 unreadable." in first.stderr
    lines = [json.loads(line) for line in (at / "found.jsonl").read_text().splitlines()]
    assert len(lines) == 3
    # Killed in the middle of a line, and one file has changed since.
    whole = (at / "found.jsonl").read_text()
    (at / "found.jsonl").write_text(whole + '{"target":"torn')
    shutil.copy(SAMPLES / "two_people.mp4", at / "broken.mp4")
    second = stranger.run(*trusting(stranger, *words))
    assert "2 done before; 1 left." in second.stderr
    text = (at / "found.jsonl").read_text()
    assert text.startswith(whole)
    assert len(text.splitlines()) == 4
    (at / "list.txt").write_text(f"{at / 'release.mp4'}\n\n")
    stranger.run(*trusting(stranger, "--from", at / "list.txt", "--out", at / "found.csv"))
    (row,) = csv.DictReader((at / "found.csv").read_text().splitlines())
    assert row["verdict"] == "sealed"


@pytest.mark.enable_socket
def test_an_address_is_fetched_from_ones_own_network_only_when_told(
    stranger: Cli, shown: Stage
) -> None:
    with serve(answer(shown.released().path.read_bytes())) as served:
        url = f"{served.url}clips/a.mp4"
        told = stranger.refused(*trusting(stranger, url))
        assert "where a stranger's may not" in told
        assert served.requests == []
        found = stranger.json(*trusting(stranger, url, "--own-network"))
    assert (found["verdict"], found["file"]) == ("sealed", "a.mp4")
    assert left_behind(stranger) == []


@pytest.mark.enable_socket
def test_a_bundle_at_an_address(stranger: Cli) -> None:
    data = (stranger.folder / "studio.trust").read_bytes()
    with serve(answer(data)) as served:
        found = stranger.json(
            "verify", stranger.folder / "release.mp4", "--trust", served.url, "--own-network"
        )
    assert found["verdict"] == "sealed"


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("verify", "a.mp4"), 2, "nothing to look the file up in"),
        (("verify", "a.mp4", "--trust", "none.trust"), 2, "no file a.mp4"),
        (("verify", "a.mp4", "--trust", "x", "--log", "y"), 2, "both given"),
        (("verify", "--trust", "x"), 2, "nothing to verify"),
        (("verify", "a", "b", "--trust", "x", "--html", "y.html"), 2, "--html is for one file"),
        (("trust", "show", "none.trust"), 2, "no trust bundle"),
        (("verify-page", "d", "--trust", "none.trust"), 2, "no trust bundle"),
        (("verify-result", "none.jws"), 2, "no file"),
    ],
)
def test_what_cant_be_is_told(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    code: int,
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ASSENT_STUDIO", raising=False)
    assert run(list(words)) == code
    assert says in " ".join(capsys.readouterr().err.split())


def test_a_file_name_or_a_studio_draws_nothing_on_the_terminal(stranger: Cli) -> None:
    path = stranger.folder / "[red]a\x1b[31m.mp4"
    shutil.copy(SAMPLES / "no_face.mp4", path)
    said = stranger.run(*trusting(stranger, path))
    assert "\x1b" not in said.stdout
    found = stranger.json(*trusting(stranger, path))
    assert found["file"] == "[red]a [31m.mp4"


def test_a_bundle_is_shown_with_whose_it_is(stranger: Cli, shown: Stage) -> None:
    path = stranger.folder / "studio.trust"
    found = stranger.json("trust", "show", path)
    assert (found["studio"], found["releases"], found["left_out"]) == ("Test Studio", 1, 0)
    key = shown.studio.log_verifier.vkey
    assert "the key you gave" in stranger.run("trust", "show", path, "--log-key", key).stdout
    text = path.read_text()
    path.write_text(text[:-20] + ("A" if text[-20] != "A" else "B") + text[-19:])
    assert "refused" in stranger.run("trust", "show", path, code=1).stderr
