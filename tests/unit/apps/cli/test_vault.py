import json
import os
from pathlib import Path

import pyrage
import pytest
from studios import Prepared, Scene

from assent.apps.cli.main import run
from assent.consent.withdrawal import withdraw
from assent.kit.store.studio import open_studio
from assent.kit.store.tables import ConsentRow
from assent.kit.vault.guard import Passphrase

PHRASE = "correct horse battery"


@pytest.fixture
def studio(prepared: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    scene = prepared.open_copy(tmp_path / "studio")
    monkeypatch.setenv("ASSENT_STUDIO", str(tmp_path / "studio"))
    for name in ("PASSPHRASE", "PASSPHRASE_FILE", "PASSPHRASE_FD", "KEY_COMMAND"):
        monkeypatch.delenv(f"ASSENT_{name}", raising=False)
    return scene


def said(capfd: pytest.CaptureFixture[str], *args: str | Path, code: int = 0) -> str:
    assert run([str(arg) for arg in args]) == code
    out, err = capfd.readouterr()
    return out + err


def record_of(scene: Scene) -> str:
    with scene.studio.database.session() as session:
        return session.query(ConsentRow).filter_by(person_id=scene.ada.id).one().record_id


def test_a_passphrase_later(
    studio: Scene,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    new = tmp_path / "phrase"
    new.write_text("short\n")
    assert "at least 12" in said(capfd, "vault", "rotate", "--new-passphrase-file", new, code=2)
    new.write_text(f"{PHRASE}\n")
    told = said(capfd, "vault", "rotate", "--new-passphrase-file", new)
    assert "2 key(s) of consent records wrapped anew" in told
    assert "Give the studio's passphrase" in said(capfd, "person", "list", code=2)
    for name, value in (("PASSPHRASE", PHRASE), ("PASSPHRASE_FILE", str(new))):
        monkeypatch.setenv(f"ASSENT_{name}", value)
        assert "ada" in said(capfd, "person", "list")
        monkeypatch.delenv(f"ASSENT_{name}")
    read, write = os.pipe()
    os.write(write, PHRASE.encode())
    os.close(write)
    monkeypatch.setenv("ASSENT_PASSPHRASE_FD", str(read))
    assert "ada" in said(capfd, "person", "list")
    os.close(read)
    assert "no open file descriptor" in said(capfd, "person", "list", code=2)
    monkeypatch.setenv("ASSENT_PASSPHRASE", PHRASE)
    assert "are both set" in said(capfd, "person", "list", code=2)
    assert open_studio(tmp_path / "studio", guard=Passphrase(PHRASE.encode())).secrets.protected


def test_a_program_keeps_the_root_key(
    studio: Scene,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    program = tmp_path / "keeper"
    program.write_text("#!/bin/sh\necho asked >&2\ntr 'A-Za-z' 'N-ZA-Mn-za-m'\n")
    program.chmod(0o700)
    assert "full path" in said(capfd, "vault", "rotate", "--new-key-command", "keeper", code=2)
    both = ("--new-key-command", program, "--new-passphrase")
    assert "more than one" in said(capfd, "vault", "rotate", *both, code=2)
    assert "asked" in said(capfd, "vault", "rotate", "--new-key-command", program)
    assert "ASSENT_KEY_COMMAND" in said(capfd, "person", "list", code=2)
    monkeypatch.setenv("ASSENT_KEY_COMMAND", "keeper")
    assert "full path" in said(capfd, "person", "list", code=2)
    monkeypatch.setenv("ASSENT_KEY_COMMAND", str(program))
    assert "ada" in said(capfd, "person", "list")


def test_a_studio_never_says_which_program_is_run(
    studio: Scene, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A folder from somebody else names a program; opening it runs nothing."""
    ran = tmp_path / "ran"
    program = tmp_path / "studio" / "keeper"
    program.write_text(f"#!/bin/sh\ntouch {ran}\n")
    program.chmod(0o700)
    (tmp_path / "studio" / "keys" / "root.key").write_bytes(b"assent-root-command-1\n./keeper")
    with (tmp_path / "studio" / "studio.toml").open("a") as file:
        file.write(f'key_command = "{program}"\n')
    said(capfd, "person", "list", code=2)
    assert not ran.exists()


def test_a_withdrawal_shows_what_it_did(
    studio: Scene, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    record = record_of(studio)
    told = said(capfd, "consent", "withdraw", record[:8], "--yes")
    assert f"Consent {record} is withdrawn and its key destroyed." in told
    assert "Closed for good: 1 face templates." in told
    page = tmp_path / "studio" / "certificates" / f"{record}.jws.html"
    assert str(page) in told
    assert record in page.read_text("utf-8")
    again = json.loads(said(capfd, "consent", "withdraw", record, "--yes", "--json"))
    assert again["certificate"] == str(page)
    assert again["pending"] == []
    out = tmp_path / "copy.jws"
    said(capfd, "consent", "certificate", record, "--out", out)
    assert out.read_text() == page.with_name(f"{record}.jws").read_text()
    with studio.studio.database.session() as session:
        ben = session.query(ConsentRow).filter_by(person_id=studio.ben.id).one().record_id
    assert "no certificate" in said(capfd, "consent", "certificate", ben, "--out", out, code=2)


def test_an_escrow_out_of_reach_fails_the_command(
    studio: Scene, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    identity = pyrage.x25519.Identity.generate()
    stick = tmp_path / "stick"
    said(
        capfd, "vault", "export", tmp_path / "b.age", "--to", str(identity.to_public()),
        "--escrow", stick,
    )  # fmt: skip
    stick.rename(tmp_path / "unplugged")
    told = said(capfd, "consent", "withdraw", record_of(studio), "--yes", code=1)
    assert "could not be reached" in told
    assert "has ended" in told
    assert not (tmp_path / "studio" / "certificates").exists()
    (tmp_path / "unplugged").rename(stick)
    assert "Certificate for the subject" in said(
        capfd, "consent", "withdraw", record_of(studio), "--yes"
    )


def test_export_check_and_import(
    studio: Scene, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    identity = pyrage.x25519.Identity.generate()
    keys = tmp_path / "identity.txt"
    keys.write_text(f"# made for a test\n{identity}\n")
    backup = tmp_path / "b.age"
    made = json.loads(
        said(
            capfd, "vault", "export", backup, "--to", str(identity.to_public()),
            "--escrow", tmp_path / "stick", "--json",
        ).split("saving")[0]
    )  # fmt: skip
    assert made["keys"] == 2
    said(capfd, "consent", "withdraw", record_of(studio), "--yes")
    told = said(
        capfd, "vault", "import", backup, tmp_path / "back", "--identity", keys,
        "--escrow", tmp_path / "stick", "--log", studio.studio.log_folder,
        "--log-key", studio.studio.log_verifier.vkey,
    )  # fmt: skip
    assert "1 record(s) with their keys, 1 closed since" in told
    assert "1 ended as the log says" in told
    told = said(capfd, "vault", "check", "--studio", tmp_path / "back")
    assert "1 object(s) open; 1 closed for good" in told
    for path in (tmp_path / "back" / "vault").rglob("*"):
        if path.is_file():
            path.write_bytes(b"noise")
    told = said(capfd, "vault", "check", "--studio", tmp_path / "back", code=1)
    assert "damaged header" in told
    assert "not as it should be" in told
    assert "no file" in said(
        capfd, "vault", "import", tmp_path / "none", tmp_path / "x", "--identity", keys, code=2
    )


def test_without_an_escrow_it_is_said(
    studio: Scene, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    identity = pyrage.x25519.Identity.generate()
    keys = tmp_path / "identity.txt"
    keys.write_text(str(identity))
    told = said(capfd, "vault", "export", tmp_path / "b.age", "--to", str(identity.to_public()))
    assert "holds no person's key" in told
    told = said(capfd, "vault", "import", tmp_path / "b.age", tmp_path / "back", "--identity", keys)
    assert "would fork it" in told


def test_init_tells_what_keeps_the_keys(
    studio: Scene,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    told = said(capfd, "init", tmp_path / "open")
    assert "can open the vault" in " ".join(told.split())
    monkeypatch.setenv("ASSENT_PASSPHRASE", PHRASE)
    told = said(capfd, "init", tmp_path / "sealed")
    assert "can open the vault" not in " ".join(told.split())
    assert PHRASE not in told


def test_a_receipt_is_looked_up_without_a_studio(
    studio: Scene,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    with studio.studio.database.session() as session:
        row = session.query(ConsentRow).filter_by(person_id=studio.ada.id).one()
    bare, kept = tmp_path / "receipt.jws", tmp_path / "receipt.json"
    bare.write_text(f"{row.receipt}\n")
    kept.write_text(json.dumps({"receipt": row.receipt, "salt": row.salt}))
    log = studio.studio.log_folder
    monkeypatch.delenv("ASSENT_STUDIO")
    assert (
        json.loads(said(capfd, "consent", "status", bare, "--log", log, "--json"))["version"] == 1
    )
    withdraw(studio.studio, row.record_id)
    for receipt in (bare, kept):
        assert "It has ended" in said(capfd, "consent", "status", receipt, "--log", log)


def test_scans_with_the_studios_log_and_with_a_copy(
    studio: Scene, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "found"
    folder.mkdir()
    (folder / "no.mp4").write_bytes(b"no film")
    for options in ((), ("--log", studio.studio.log_folder)):
        assert "unreadable" in said(capfd, "monitor", "scan", folder, *options)


def test_lists_say_that_there_is_more(studio: Scene, capfd: pytest.CaptureFixture[str]) -> None:
    told = said(capfd, "person", "list", "--limit", "2")
    assert "ben" in told
    assert "cleo" not in told.replace("--after", "")
    assert "--after ben" in told
    assert "cleo" in said(capfd, "person", "list", "--after", "ben")
    first = json.loads(said(capfd, "consent", "list", "--json"))[0]
    after = f"{first['record_id']}:1"
    assert f"--after {after}" in said(capfd, "consent", "list", "--limit", "1")
    (second,) = json.loads(said(capfd, "consent", "list", "--after", after, "--json"))
    assert second["handle"] == "ben"
