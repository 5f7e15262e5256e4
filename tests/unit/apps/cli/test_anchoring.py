"""The commands that anchor and audit, as a user runs them, against running counterparts."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from anchoring import Calendar, anvil, calendar, lying
from servers import TimeStampingAuthority, time_stamping
from studios import Prepared

from assent.apps.cli.main import run

pytestmark = pytest.mark.enable_socket

Said = Callable[..., str]


@pytest.fixture
def said(
    prepared: Prepared,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Said:
    prepared.open_copy(tmp_path / "studio").studio.database.close()
    monkeypatch.setenv("ASSENT_STUDIO", str(tmp_path / "studio"))
    monkeypatch.setenv("COLUMNS", "200")

    def say(*args: object, code: int = 0) -> str:
        status = run([str(arg) for arg in args])
        out, err = capfd.readouterr()
        assert status == code, out + err
        return str(out) if code == 0 else str(out + err)

    return say


def loaded(said: Said, *args: object) -> Any:  # noqa: ANN401 - JSON values
    return json.loads(said(*args, "--json"))


@pytest.fixture
def tsa(tmp_path: Path) -> Iterator[TimeStampingAuthority]:
    with time_stamping(tmp_path / "tsa") as authority:
        yield authority


@pytest.fixture
def alice() -> Iterator[Calendar]:
    with calendar() as running:
        yield running


def test_all_three_from_setting_up_to_a_stranger_s_audit(
    said: Said, tsa: TimeStampingAuthority, alice: Calendar, tmp_path: Path
) -> None:
    root, key = tmp_path / "root.pem", tmp_path / "chain.key"
    root.write_bytes(tsa.root_pem)
    said("log", "place", "rfc3161", "tsa", "--url", tsa.url, "--root", root)
    said("log", "place", "opentimestamps", "alice", "--url", alice.url)
    with anvil() as node:
        key.write_text(node.key)
        chain = ["--url", node.url, "--chain", 31337, "--key-file", key, "--confirmations", 1]
        told = said("log", "place", "evm", "main", *chain)
        assert "chain 31337, anchored by 0xf39F" in told
        assert "the contract is at 0x" in said("log", "place", "deploy", "main")
        listed = said("log", "place", "list")
        assert "0xf39F" in listed
        assert node.url not in listed
        states = {each["place"]: each["state"] for each in loaded(said, "log", "anchor")}
        assert states == {"alice": "pending", "main": "anchored", "tsa": "anchored"}
        assert node.key[2:] not in said("log", "anchor")
        own = loaded(said, "log", "audit")
        assert (own["holds"], own["covered"]) == (True, own["size"])
        copy = tmp_path / "copy"
        shutil.copytree(tmp_path / "studio" / "log", copy)
        vkey = (copy / "vkey").read_text().strip()
        stranger = ["log", "audit", "--log", copy, "--log-key", vkey]
        assert loaded(said, *stranger)["covered"] == 0
        given = ["--tsa-root", root, "--rpc", f"31337={node.url}", "--confirmations", 1]
        full = loaded(said, *stranger, *given)
    standings = {each["what"].split(",")[0]: each["standing"] for each in full["items"]}
    size = full["size"]
    assert standings == {
        "entries": "good",
        f"anchors/{size}/tsa.tsr": "good",
        f"anchors/{size}/alice.ots": "pending",
        "chain 31337": "good",
    }
    # The chain is gone now: that is told, and nothing else is unsaid.
    told = said(*stranger, *given, code=1)
    assert "unreachable" in told
    assert "not everybody could be asked" in told


def test_a_rewritten_log_ends_the_audit_with_1(
    said: Said, tsa: TimeStampingAuthority, tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    shutil.copy(tmp_path / "studio" / "log" / "checkpoint", kept)
    assert "good" in said("log", "audit", "--checkpoint", kept)
    shutil.rmtree(tmp_path / "studio" / "log" / "tile")
    told = said("log", "audit", "--checkpoint", kept, code=1)
    assert "is missing" in told
    assert "the audit found what must not be" in told
    assert "Keep this folder" in told
    del tsa


def test_a_place_that_fails_is_told_with_what_to_do(
    said: Said, tsa: TimeStampingAuthority, alice: Calendar, tmp_path: Path
) -> None:
    assert "there is no place to anchor in" in said("log", "anchor", code=2)
    root = tmp_path / "root.pem"
    root.write_bytes(tsa.root_pem)
    said("log", "place", "rfc3161", "tsa", "--url", tsa.url, "--root", root)
    said("log", "place", "opentimestamps", "alice", "--url", alice.url)
    tsa.mood, alice.mood = "failing", "failing"
    assert "the calendar answers with HTTP 500" in said("log", "anchor", "--to", "alice", code=1)
    assert "2 of 2 places failed" in said("log", "anchor", code=1)
    assert "there is no place 'bob'" in said("log", "anchor", "--to", "bob", code=2)
    said("log", "place", "remove", "alice")
    assert "alice" not in said("log", "place", "list")


def test_a_key_that_the_studio_makes_itself(said: Said, tmp_path: Path) -> None:
    with anvil() as node, lying(node) as between:
        url = f"{between.url}/v3/our-secret"
        told = said("log", "place", "evm", "main", "--url", url, "--chain", 31337)
        sender = told.split("anchored by ")[1].split(".")[0]
        empty = said("log", "place", "deploy", "main", code=2)
        assert f"{sender} has 0 of the chain's coin" in empty
        node.ask("anvil_setBalance", sender, hex(10**18))
        between.lies["eth_sendRawTransaction"] = RuntimeError("[red]no[/red]")
        refused = said("log", "place", "deploy", "main", code=1)
        assert "[red]no[/red]" in refused
        between.lies.clear()
        deployed = said("log", "place", "deploy", "main")
        contract = deployed.split("is at ")[1].strip().rstrip(".")
        listed = loaded(said, "log", "place", "list")
        assert [each["contract"] for each in listed] == [contract]
        (outcome,) = loaded(said, "log", "anchor", "--wait", 0)
        assert outcome["state"] == "pending"
        node.mine(12)
        (outcome,) = loaded(said, "log", "anchor", "--wait", 5)
        assert outcome["state"] == "anchored"
        # Somebody else's contract serves as well as one's own, and the log says so.
        key_file = tmp_path / "key"
        key_file.write_text(node.key)
        other = ["--contract", contract, "--key-file", key_file]
        said("log", "place", "evm", "two", "--url", url, "--chain", 31337, *other)
    entries = b"".join(
        path.read_bytes()
        for path in (tmp_path / "studio" / "log" / "tile" / "entries").rglob("*")
        if path.is_file()
    )
    assert entries.count(b'"anchor.place"') >= 2
    everything = b"".join(
        path.read_bytes() for path in (tmp_path / "studio").rglob("*") if path.is_file()
    )
    assert b"our-secret" not in everything


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("log", "audit", "--log", "."), "checked with the log's key"),
        (("log", "audit", "--rpc", "1"), "takes a chain's id"),
        (("log", "audit", "--rpc", "x=https://a"), "takes a chain's id"),
        (("log", "place", "deploy", "none"), "there is no place 'none'"),
        (
            ("log", "place", "evm", "a", "--url", "https://a", "--chain", "1", "--most-cost", "x"),
            "'x' is no amount",
        ),
        (
            ("log", "place", "evm", "a", "--url", "https://a", "--chain", "1", "--most-cost", "0"),
            "no amount to spend",
        ),
    ],
)
def test_what_cannot_be_used(said: Said, args: tuple[str, ...], says: str) -> None:
    assert says in said(*args, code=2)


def test_a_place_that_is_no_chain_needs_no_contract(said: Said, alice: Calendar) -> None:
    said("log", "place", "opentimestamps", "alice", "--url", alice.url)
    assert "alice is no chain" in said("log", "place", "deploy", "alice", code=2)


def test_headers_of_bitcoin_come_from_a_file(said: Said, alice: Calendar, tmp_path: Path) -> None:
    said("log", "place", "opentimestamps", "alice", "--url", alice.url)
    said("log", "anchor")
    alice.confirm(height=0)
    assert "in Bitcoin's block 0" in said("log", "anchor")
    headers = tmp_path / "headers"
    headers.write_text(
        "0 01000000" + "00" * 32
        + "3ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a"
        + "29ab5f49ffff001d1dac2b7c\n"
    )  # fmt: skip
    told = said("log", "audit", "--bitcoin-headers", headers, code=1)
    assert "Bitcoin's block 0 has another root than the proof leads to" in told
    headers.write_text("0 12\n")
    assert "not a height and a header" in said("log", "audit", "--bitcoin-headers", headers, code=2)
