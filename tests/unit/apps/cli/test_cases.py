"""Cases as a person types them."""

import json
from pathlib import Path
from typing import Any

import pyrage
import pytest
from mailboxes import PASSWORD, USER, mailbox
from studios import Scene
from typer.testing import CliRunner

from assent.apps.cli.main import run, whole
from assent.consent.people import add_person
from assent.kit.signing import new_key, public_of, to_pem


class Typed:
    """Types commands at one studio."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *words: str) -> str:
        told = CliRunner().invoke(whole(), ["case", *words, "--studio", str(self.folder)])
        assert told.exit_code == 0, told.output or told.exception
        return told.output

    def json(self, *words: str) -> Any:  # noqa: ANN401 - JSON values
        return json.loads(self(*words, "--json"))

    def fails(self, *words: str) -> int:
        return run(["case", *words, "--studio", str(self.folder)])


@pytest.fixture
def typed(scene: Scene) -> Typed:
    return Typed(scene.studio.folder)


@pytest.fixture
def number(typed: Typed) -> str:
    told = typed.json(
        "open", "--kind", "mislabelled", "--reasons", "The label is cut off.", "--place",
        "https://a.example/1",
    )  # fmt: skip
    return str(told["number"])


def test_a_case_from_the_phone_to_its_decision(typed: Typed, number: str) -> None:
    assert number in typed("list")
    assert typed.json("list", "--state", "open")[0]["number"] == number
    typed("step", number, "verify", "--by", "cleo")
    shown = typed("show", number)
    assert "[x] verify" in shown
    assert "The label is cut off." in shown
    assert "severity 1" in typed("set", number, "--severity", "1", "--by", "cleo")
    typed("answer", number, "Where did you see it?", "--by", "cleo")
    preserved = typed.json("act", number, "preserve", "--by", "cleo")
    assert preserved["state"] == "done"
    assert "undone" in typed("undo", preserved["id"][:8], "--by", "cleo")
    reasons = ("--facts", "The copy shows no label.", "--ground", "AI Act Art. 50(4)")
    assert "found right" in typed("decide", number, "--by", "cleo", "--outcome", "upheld", *reasons)
    told = typed.json("learn", number, "--by", "cleo", "--happened", "It was cropped.", "--rule",
                      "Check the crop before a release.")  # fmt: skip
    assert told["pack"][0] == "house"
    assert typed.json("show", number)["case"]["outcome"] == "upheld"
    assert "Decision" in typed("show", number)


def test_mistakes_are_told_in_two_lines_and_their_codes(
    typed: Typed, number: str, tmp_path: Path
) -> None:
    key = tmp_path / "eve.pem"
    key.write_bytes(to_pem(new_key()))
    assert typed.fails("show", "nothing") == 2
    assert typed.fails("open") == 2
    assert typed.fails("open", "--kind", "fun", "--reasons", "It is not funny.") == 2
    assert typed.fails("act", number, "revoke", "--by", "cleo") == 2
    assert typed.fails("act", number, "dance", "--by", "cleo") == 2
    assert typed.fails("act", number, "revoke", "--by", "cleo", "--key", str(key)) == 1
    assert typed.fails("print", number, "--out", str(tmp_path / "x")) == 2
    assert typed.fails("freeze", number, str(tmp_path / "none"), "--by", "cleo") == 2
    assert typed.fails("mail", "--host", "mail.example.org") == 2
    bad = ("--outcome", "guilty", "--facts", "It is so.", "--ground", "the law")
    assert typed.fails("decide", number, "--by", "cleo", *bad) == 2


def test_what_is_final_takes_two_people(
    typed: Typed, scene: Scene, number: str, tmp_path: Path
) -> None:
    paths = []
    for handle in ("dana", "emil"):
        key = new_key()
        add_person(scene.studio, handle=handle, name=handle.title(), key=public_of(key), staff=True)
        paths.append(tmp_path / f"{handle}.pem")
        paths[-1].write_bytes(to_pem(key))
    first = typed("act", number, "revoke", "--by", "dana", "--key", str(paths[0]))
    assert "a second person must sign" in first
    assert typed.fails("act", number, "revoke", "--by", "dana", "--key", str(paths[0])) == 3
    # Both have signed, and there is no release to revoke: told, and nothing is done.
    assert typed.fails("act", number, "revoke", "--by", "emil", "--key", str(paths[1])) == 2


@pytest.mark.enable_socket
def test_desk_mail_evidence_and_hand_out(typed: Typed, number: str, tmp_path: Path) -> None:
    assert "nobody" in typed("desk")
    assert "letters wait" in typed("mail")
    typed("desk", "--responder", "a@b.example", "--public-url", "https://v.example")
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    letter = ("--to", "abuse@b.example", "--reasons", "The label is cropped away.")
    typed("act", number, "notify", *letter, "--by", "cleo")
    with mailbox() as box:
        (tmp_path / "trust.pem").write_text(box.trust_pem)
        told = typed(
            "mail", "--host", "localhost", "--port", str(box.port), "--sender", "desk@s.example",
            "--user", USER, "--password-file", str(tmp_path / "password"), "--trust",
            str(tmp_path / "trust.pem"), "--test", "me@s.example",
        )  # fmt: skip
        assert PASSWORD not in told
        assert typed.json("remind")["sent"] == 1
        assert "0 reminder(s), 0 letter(s)" in typed("remind")
    assert len(box.letters) == 2
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(b"a film")
    assert "6 bytes" in typed("freeze", number, str(copy), "--by", "cleo")
    recipient = str(pyrage.x25519.Identity.generate().to_public())
    out = tmp_path / "case.age"
    typed("export", number, "--by", "cleo", "--to", recipient, "--reader", "police",
          "--out", str(out))  # fmt: skip
    assert out.read_bytes().startswith(b"age-encryption.org")
    assert "handed-out" in typed("show", number)
