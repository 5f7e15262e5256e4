import io
import json
from pathlib import Path

import pytest
from studios import PRODUCER, Scene, terms_for

from assent.apps.cli.main import run
from assent.consent.invitations import choose, find_invitation, invite
from assent.consent.people import add_person, find_person
from assent.consent.receipt import sign_record
from assent.consent.sitting import Checked, conclude, prepare
from assent.consent.terms import Choices
from assent.kit.hashing import hash_file
from assent.kit.signing import new_key, public_of, to_pem


@pytest.fixture
def cli(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """The command line in the scene's studio."""
    monkeypatch.setenv("ASSENT_STUDIO", str(scene.studio.folder))
    monkeypatch.setenv("ASSENT_PROJECT", scene.purpose.slug)
    return scene


def test_an_offer_is_a_link(cli: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["person", "add", "dora", "--name", "Dora"]) == 0
    assert "without a key yet" in capsys.readouterr().out
    offer = ["consent", "offer", "dora", "--adult", "--act", "ingest", "--language", "de"]
    assert run([*offer, "--public-url", "https://c.example.org", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["link"].startswith("https://c.example.org/c/")
    assert told["hours"] == 48
    assert run(offer) == 0
    assert "http://localhost:8765/c/" in capsys.readouterr().out
    assert run(["consent", "links", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert sorted(each["state"] for each in listed) == ["open", "replaced"]
    assert told["link"].rsplit("/", 1)[1] not in json.dumps(listed)
    assert run(["consent", "links"]) == 0
    assert run(["consent", "place", "ada"]) == 0
    assert "For ada alone, for 1 hours" in capsys.readouterr().out


def test_senseless_offers(cli: Scene, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    offer = ["consent", "offer", "cleo", "--act", "ingest"]
    statement = tmp_path / "s.mp4"
    statement.write_bytes(b"x")
    for words, told in [
        (offer, "minors can't be asked"),
        ([*offer, "--adult", "--public-url", "http://example.org"], "can't be where the pages are"),
        ([*offer, "--adult", "--hours", "9999"], "a link lasts at most"),
        ([*offer, "--adult", "--language", "fr"], "there is no notice in 'fr'"),
        ([*offer, "--adult", "--statement", str(statement)], "say where to put the offer"),
        ([*offer, "--adult", "--statement", str(tmp_path / "none")], "say where to put"),
        ([*offer, "--adult", "--estate", str(statement)], "by a document"),
        ([*offer, "--adult", "--relation", "executor"], "by a document"),
        (
            [*offer, "--adult", "--estate", str(statement), "--relation", "executor"],
            "needs a clip of that person",
        ),
    ]:
        assert run(words) == 2
        assert told in capsys.readouterr().err


def test_an_estate_goes_by_files(
    cli: Scene, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("will.pdf", "clip.mp4"):
        (tmp_path / name).write_bytes(name.encode())
    offer = tmp_path / "offer.json"
    words = ["consent", "offer", "cleo", "--adult", "--act", "ingest"]
    words += [
        "--estate",
        str(tmp_path / "will.pdf"),
        "--relation",
        "executor",
        "--statement",
        str(tmp_path / "clip.mp4"),
    ]
    assert run([*words, "--out", str(offer), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["version"] == 1
    record = json.loads(offer.read_text())
    hashed = hash_file(io.BytesIO(b"will.pdf"))
    assert record["principal"]["authority"] == {
        "kind": "estate",
        "relation": "executor",
        "document_sha256": hashed,
    }


@pytest.fixture
def waiting(cli: Scene, tmp_path: Path) -> tuple[str, Path]:
    """Dora's record waits for Kim, whose key lies in a file."""
    studio, key = cli.studio, new_key()
    key_file = tmp_path / "kim.pem"
    key_file.write_bytes(to_pem(PRODUCER))
    add_person(studio, handle="kim", name="Kim", key=public_of(PRODUCER), staff=True)
    dora = add_person(studio, handle="dora", name="Dora", key=None)
    terms = terms_for(cli.purpose)
    secret = invite(studio, cli.purpose, dora, terms)
    choices = Choices(
        language="en", adult=True, face_matching=True, acts=terms.acts,
        modalities=terms.modalities, channels=terms.channels, ends=terms.ends, most_releases=1,
    )  # fmt: skip
    choose(studio, find_invitation(studio, secret), choices)
    record = prepare(
        studio,
        find_invitation(studio, secret),
        key=public_of(key),
        statement_sha256=hash_file(io.BytesIO(b"dark")),
    )
    found = {"check": "dark", "verdict": "look", "value": "30", "limit": "50"}
    conclude(
        studio, find_invitation(studio, secret), record, sign_record(record, key),
        key=public_of(key), statement=io.BytesIO(b"dark"),
        checked=Checked(passed=False, findings={"findings": [found], "face": "changed"}),
    )  # fmt: skip
    return record.record_id, key_file


def test_what_waits_is_listed_and_decided(
    cli: Scene, waiting: tuple[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    record_id, key = waiting
    assert run(["consent", "review"]) == 0
    said = capsys.readouterr().out
    assert record_id[:8] in said
    assert "dark 30, face: changed" in said
    assert run(["consent", "review", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["handle"] == "dora"
    by = ["consent", "review", record_id[:8], "--by", "kim", "--key", str(key)]
    for words in ([*by], [*by, "--approve", "--reject"], by[:3]):
        assert run(words) == 2
        assert "a decision is one thing" in capsys.readouterr().err
    assert run([*by, "--reject"]) == 2
    assert "a decision needs a reason" in capsys.readouterr().err
    assert run([*by, "--watch", "--json"]) == 0
    assert "/c/" in json.loads(capsys.readouterr().out)["link"]
    assert run([*by, "--reject", "--reason", "somebody else", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["state"] == "rejected"
    assert run(["consent", "review"]) == 0
    assert "nothing yet" in capsys.readouterr().out
    assert find_person(cli.studio, "dora").known_key is not None


def test_a_file_without_a_face_goes_on_waiting(
    cli: Scene, waiting: tuple[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    record_id, key = waiting
    by = ["consent", "review", record_id, "--by", "kim", "--key", str(key), "--approve"]
    assert run([*by, "--reason", "it is Dora"]) == 0
    assert "is waiting" in capsys.readouterr().out
    assert cli.purpose.slug


def test_passkeys_are_not_registered_from_files(
    cli: Scene, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "key.pub"
    file.write_text('{"kty": "EC", "passkey": {}}')
    assert run(["person", "add", "dora", "--name", "Dora", "--key", str(file)]) == 2
    assert "is a passkey" in capsys.readouterr().err
    assert cli.purpose.slug
