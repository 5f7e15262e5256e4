"""The commands around the studio's certificates, as a user types them."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from authorities import Authority, Wanted
from tokens import MODULE, SOFTHSM, SoftToken

from assent.apps.cli.main import run


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "studio"
    monkeypatch.setenv("ASSENT_STUDIO", str(folder))
    monkeypatch.setenv("COLUMNS", "200")
    assert run(["init", str(folder), "--name", "Small Films"]) == 0
    return folder


def said(capsys: pytest.CaptureFixture[str], *args: str, code: int = 0) -> str:
    capsys.readouterr()
    assert run(["credentials", *args]) == code, capsys.readouterr()
    captured = capsys.readouterr()
    return captured.out + captured.err


def facts(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    found: dict[str, object] = json.loads(said(capsys, "show", "--json"))
    return found


def test_locally_signed_is_said_to_be(studio: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = " ".join(said(capsys, "show").split())
    assert "Locally signed: the studio vouches for itself" in text
    assert "Small Films" in text
    before = facts(capsys)
    assert before["algorithm"] == "es256"
    assert "until" in said(capsys, "renew")
    after = facts(capsys)
    assert after["certificate"] != before["certificate"]
    gone = str(before["certificate"])
    assert gone in said(capsys, "revoke", gone[:16], "--reason", "superseded")
    text = said(capsys, "revoke", str(after["certificate"]), "--reason", "key-compromise")
    assert "nothing can be sealed until" in text
    assert "revoked" in said(capsys, "show")


def test_the_organisations_own_certificate(
    studio: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    authority = Authority.make(datetime.now(UTC))
    leaf, key = authority.issue(Wanted(starts=timedelta(days=-1)))
    files = {"chain": leaf + authority.middle_pem, "root": authority.root_pem, "key": key}
    for name, data in files.items():
        (tmp_path / f"{name}.pem").write_bytes(data)
    chain, root = str(tmp_path / "chain.pem"), str(tmp_path / "root.pem")
    assert "not named" in said(capsys, "use", chain, "--root", root, code=2)
    assert "not named" in said(capsys, "use", chain, "--root", root, "--token", "x", code=2)
    reach = ["--token", "x", "--key-label", "y"]
    assert "how to reach" in said(capsys, "use", chain, "--root", root, *reach, code=2)
    pem = str(tmp_path / "key.pem")
    assert "Nord Broadcasting" in said(capsys, "use", chain, "--root", root, "--key", pem)
    assert "Whether a program trusts it" in " ".join(said(capsys, "show").split())
    assert facts(capsys)["local"] is False


@pytest.mark.skipif(not SOFTHSM, reason="no SoftHSM here: `apt-get install softhsm2`")
def test_a_key_in_a_token(
    studio: Path, tmp_path: Path, token: SoftToken, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    authority = Authority.make(datetime.now(UTC))
    public = token.make_key("press claims")
    leaf, _ = authority.issue(Wanted(public=public, starts=timedelta(days=-1)))
    (tmp_path / "chain.pem").write_bytes(leaf + authority.middle_pem)
    (tmp_path / "root.pem").write_bytes(authority.root_pem)
    (tmp_path / "pin").write_text(f"{token.pin}\n")
    monkeypatch.setenv("ASSENT_PKCS11_MODULE", str(MODULE))
    monkeypatch.setenv("ASSENT_PKCS11_PIN_FILE", str(tmp_path / "pin"))
    asked = ["--token", token.label, "--key-label", "press claims"]
    chain, root = str(tmp_path / "chain.pem"), str(tmp_path / "root.pem")
    said(capsys, "use", chain, "--root", root, *asked)
    assert facts(capsys)["in_token"] is True
    assert token.pin not in said(capsys, "show")
    monkeypatch.setenv("ASSENT_PKCS11_MODULE", "libsofthsm2.so")
    assert "full path" in said(capsys, "show", code=2)


def test_the_profile(studio: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "tsa.pem"
    root.write_bytes(Authority.make(datetime.now(UTC)).root_pem)
    text = said(
        capsys, "profile", "--tsa", "https://tsa.example.org", "--tsa-root", str(root),
        "--unstamped", "say-so", "--log-url", "https://films.example/log", "--aigc", "0011",
    )  # fmt: skip
    assert "say-so without" in text
    assert "under a known root" in text
    profile = facts(capsys)["profile"]
    assert isinstance(profile, dict)
    assert profile["aigc_producer"] == "0011"
    assert said(capsys, "profile", "--tsa", "none", "--aigc", "none")
    after = facts(capsys)["profile"]
    assert isinstance(after, dict)
    assert (after["tsa_url"], after["tsa_root_pem"], after["aigc_producer"]) == (None, None, None)
    assert after["log_url"] == "https://films.example/log"
    assert "no address" in said(capsys, "profile", "--tsa", "tsa.example.org", code=2)
