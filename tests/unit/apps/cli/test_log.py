"""`assent log`: publishing, witnesses, proofs and the monitor, as a user meets them."""

import json
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from commands import Cli
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assent.apps.cli.main import run
from assent.kit.store.studio import Studio, create_studio
from assent.kit.tlog.checkpoint import Checkpoint
from assent.kit.tlog.note import NoteSigner, NoteVerifier
from assent.kit.tlog.receipt import verify_receipt


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Studio:
    monkeypatch.setenv("ASSENT_STUDIO", str(tmp_path / "studio"))
    monkeypatch.setenv("COLUMNS", "200")
    return create_studio(tmp_path / "studio", name="Small Films", contact="a@example.org")


def said(capfd: pytest.CaptureFixture[str], *args: str | Path, code: int = 0) -> str:
    assert run([str(arg) for arg in args]) == code
    out, err = capfd.readouterr()
    return out + err


def witness_at(folder: Path, capfd: pytest.CaptureFixture[str]) -> str:
    told = said(capfd, "log", "witness", "init", folder, "--name", "w.example/1")
    return told.strip().split("\n")[-1]


def test_a_witness_of_ones_own(
    tmp_path: Path, studio: Studio, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "witness"
    vkey = witness_at(folder, capfd)
    assert vkey.startswith("w.example/1+")
    assert "is a witness already" in said(
        capfd, "log", "witness", "init", folder, "--name", "w", code=2
    )
    key = studio.log_verifier.vkey
    assert "Accepted" in said(capfd, "log", "witness", "accept", folder, key)
    assert "accepted already" in said(capfd, "log", "witness", "accept", folder, key, code=2)
    other = NoteSigner(studio.log_verifier.name, Ed25519PrivateKey.generate()).vkey
    assert "with another key" in said(capfd, "log", "witness", "accept", folder, other, code=2)
    told = said(capfd, "log", "witness", "show", folder)
    assert vkey in told
    assert "never" in told
    listed = json.loads(said(capfd, "log", "witness", "show", folder, "--json"))
    assert listed == {
        "key": vkey,
        "logs": [
            {
                "origin": studio.log_verifier.name,
                "size": 0,
                "root": listed["logs"][0]["root"],
                "time": None,
            }
        ],
    }
    (place,) = (folder / "logs").iterdir()
    (place / "state").unlink()
    for command in ("show", "serve"):
        assert "has lost what it cosigned last" in said(
            capfd, "log", "witness", command, folder, code=1
        )


def test_the_log_and_its_policy(
    tmp_path: Path, studio: Studio, capfd: pytest.CaptureFixture[str]
) -> None:
    told = said(capfd, "log", "show")
    assert "1 entries" in told
    assert studio.log_verifier.vkey in told
    assert "No witness is asked" in told
    assert said(capfd, "log", "policy") == "quorum none\nNo witness is needed for a release.\n"
    vkey = witness_at(tmp_path / "witness", capfd)
    policy = tmp_path / "policy"
    policy.write_text(f"# ours\nwitness w {vkey}\nquorum w\n")
    assert said(capfd, "log", "policy", policy) == f"witness w {vkey}\nquorum w\n"
    assert "No witness has cosigned it yet" in said(capfd, "log", "show")
    assert json.loads(said(capfd, "log", "show", "--json"))["quorum"] == "w"
    assert "names no address" in said(capfd, "log", "cosign", code=1)
    policy.write_text("quorum w\n")
    assert "line 1 of the policy" in said(capfd, "log", "policy", policy, code=2)


def test_a_proof(tmp_path: Path, studio: Studio, capfd: pytest.CaptureFixture[str]) -> None:
    text = said(capfd, "log", "prove", "0")
    assert verify_receipt(text, studio.log.reader().entry(0), studio.log_verifier).index == 0
    path = tmp_path / "entry.tlog-proof"
    said(capfd, "log", "prove", "0", "--out", path)
    assert path.read_text() == text
    assert "has no entry 1" in said(capfd, "log", "prove", "1", code=2)
    assert "there is no log" in said(capfd, "log", "serve", "--studio", tmp_path, code=2)


def test_a_monitor(tmp_path: Path, studio: Studio, capfd: pytest.CaptureFixture[str]) -> None:
    def look(code: int = 0, *more: str | Path) -> str:
        key, state = studio.log_verifier.vkey, tmp_path / "state"
        args = ("log", "monitor", studio.log_folder, "--log-key", key, "--state", state, *more)
        return said(capfd, *args, code=code)

    assert "consistent: 1 entries, first look" in look()
    backup = shutil.copytree(studio.log_folder, tmp_path / "backup")
    studio.log.append([b"{}", b"{}"])
    assert "consistent: 3 entries, 2 more than before" in look()
    told = json.loads(look(0, "--json"))
    assert (told["size"], told["grown"], told["problems"]) == (3, 0, [])
    told = look(1, "--fresh-hours", "1")
    assert "no witness has seen it since ever" in told
    assert "not all is well" in told
    shutil.rmtree(studio.log_folder)
    shutil.copytree(backup, studio.log_folder)
    told = look(4)
    assert "was rolled back to 1 entries" in told
    assert "Keep the evidence" in told
    (found,) = (tmp_path / "state/evidence").iterdir()
    assert str(found) in told.replace("\n", "")
    # It doesn't calm down.
    look(4)
    shutil.rmtree(studio.log_folder)
    told = look(1)
    assert "no source of" in told
    assert "ask the log's owner" in told
    other = NoteVerifier("other.example", studio.log_verifier._key).vkey  # noqa: SLF001 - its key
    assert "no public key" in said(
        capfd, "log", "monitor", backup, "--log-key", other[:-9], "--state", tmp_path, code=2
    )


def test_what_others_wrote_can_t_play_with_the_terminal(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A hostile log signs markup and control sequences as its origin."""
    signer = NoteSigner("log.example/[/red][bold]", Ed25519PrivateKey.generate())
    for origin in ("x[/yellow]\x9b2J\u202e[red]", "log.example/[/red][bold]"):
        folder = tmp_path / origin[:3]
        folder.mkdir()
        state = Checkpoint(origin=origin, size=1, root=bytes(32))
        (folder / "checkpoint").write_text(signer.sign(state.body()))
        args = ("log", "monitor", folder, "--log-key", signer.vkey, "--state", tmp_path / "s")
        told = said(capfd, *args, code=1)
        assert "inside Assent" not in told
        assert "\x9b" not in told
        assert "\u202e" not in told
    said(capfd, "log", "witness", "init", tmp_path / "w", "--name", "w/[/bold]")
    said(capfd, "log", "witness", "accept", tmp_path / "w", signer.vkey)
    assert "[/red][bold]" in said(capfd, "log", "witness", "show", tmp_path / "w")


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextmanager
def serving(cli: Cli, *args: str | Path) -> Iterator[str]:
    """Run a server in a process of its own; gives its address."""
    port = free_port()
    process = cli.start("log", *args, "--port", str(port))
    try:
        for _ in range(600):
            assert process.poll() is None, process.communicate()
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.communicate()


@pytest.mark.enable_socket
def test_over_real_connections(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A log, two witnesses and a monitor, each a process; then the log's history is rewritten."""
    cli = Cli(tmp_path)
    studio = create_studio(cli.studio, name="Small Films", contact="a@example.org")
    key, names = studio.log_verifier.vkey, ("one", "two")
    vkeys = {}
    for name in names:
        vkeys[name] = witness_at(tmp_path / name, capfd)
        said(capfd, "log", "witness", "accept", tmp_path / name, key)
    with (
        serving(cli, "witness", "serve", tmp_path / "one") as one,
        serving(cli, "witness", "serve", tmp_path / "two") as two,
        serving(cli, "serve") as log,
    ):
        places = {"one": one, "two": two}
        lines = [f"witness {name} {vkeys[name]} {places[name]}" for name in names]
        policy = tmp_path / "policy"
        policy.write_text("\n".join([*lines, "group g all one two", "quorum g", ""]))
        cli.run("log", "policy", policy)
        result = cli.json("log", "cosign")
        assert result["enough"]
        assert [each["cosigned"] for each in result["witnesses"]] == [True, True]
        watch: list[str | Path] = ["log", "monitor", log, "--log-key", key]
        watch += ["--state", tmp_path / "monitor", "--policy", policy, "--fresh-hours", "1"]
        watch += ["--witness-at", one, "--witness-at", two]
        seen = cli.json(*watch)
        assert seen["problems"] == []
        assert [each["name"] for each in seen["cosigned"]["witnesses"]] == ["one", "two"]
        assert "Cosigned at 1 entries by one" in cli.run("log", "show").stdout
        backup = shutil.copytree(studio.log_folder, tmp_path / "backup")
        studio.log.append([b'{"kind":"withdrawal"}'])
        assert cli.json("log", "cosign")["enough"]
        assert cli.json(*watch)["size"] == 2
        # The owner puts an older copy back and writes another history over it.
        shutil.rmtree(studio.log_folder)
        shutil.copytree(backup, studio.log_folder)
        studio.log.append([b'{"kind":"nothing happened"}'])
        told = cli.run("log", "cosign", code=4)
        assert "what one, two saw of this log before contradicts it" in told.stderr
        told = cli.run(*watch, code=4)
        assert "shows two histories" in told.stderr
        assert len(list((tmp_path / "monitor/evidence").iterdir())) == 1
        assert len(list((tmp_path / "one/evidence").iterdir())) == 1
