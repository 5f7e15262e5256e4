"""Hostile names, paths and inputs of the command line and the studio."""

import io
from pathlib import Path

import pytest
from attempts import ask, refused
from clips import Clips
from studios import Scene, brief_with, terms_for

from assent.apps.cli.files import read_bytes
from assent.consent.ceremony import accept, offer
from assent.consent.locker import Locker
from assent.consent.people import add_person, find_person
from assent.consent.record import parse_record
from assent.consent.withdrawal import withdraw
from assent.data.ingest import ingest
from assent.kit.canonical import parse_object
from assent.kit.signing import new_key, public_of
from assent.purpose.projects import create_project

HOSTILE = (
    "../../etc/passwd",
    "..",
    "a/b",
    "ada\x00",
    "-rf",
    "<script>alert(1)</script>",
    "ada\u202e",
    "'; DROP TABLE person; --",
    "a" * 300,
    "",
    " ",
)


@pytest.mark.parametrize("handle", HOSTILE)
def test_handle(scene: Scene, handle: str) -> None:
    """A person is registered under a name that is a path, a script, a command or endless."""
    with refused("a handle"):
        add_person(scene.studio, handle=handle, name="Dora", key=public_of(new_key()))


def test_handle_that_looks_like_anothers(scene: Scene) -> None:
    """A person is registered under a name that only looks like another's (a Cyrillic a)."""
    with refused("a handle"):
        add_person(scene.studio, handle="\u0430da", name="Ada", key=public_of(new_key()))


def test_handle_taken(scene: Scene) -> None:
    """Somebody else is registered under the name of a subject."""
    with refused("there is already a person 'ada' with another key"):
        add_person(scene.studio, handle="ada", name="Ada", key=public_of(new_key()))


def test_person_by_a_pattern(scene: Scene) -> None:
    """A person is asked for by a pattern of the database."""
    for pattern in ("%", "_da", "ada' OR '1'='1"):
        with refused("no person"):
            find_person(scene.studio, pattern)


def test_withdrawal_of_everything(scene: Scene) -> None:
    """A withdrawal is asked for by a pattern, or by nothing, so that it ends all consents."""
    for pattern in ("", "%", "_", "*"):
        with refused("no consent record"):
            withdraw(scene.studio, pattern)


@pytest.mark.parametrize(
    "title", ["../../../tmp/x", "<img src=x onerror=alert(1)>", "\u202e..\u202d"]
)
def test_project_name_stays_in_the_studio(scene: Scene, title: str) -> None:
    """A project's title is a path or a script: what files are named after holds neither."""
    purpose = create_project(scene.studio, brief_with(title=title))
    assert purpose.slug.replace("-", "").isalnum()
    assert (scene.studio.releases_folder / f"{purpose.slug}.mp4").resolve().parent == (
        scene.studio.releases_folder.resolve()
    )
    with refused("ada has given no consent"):
        ask(scene, scene.ada, purpose=purpose)


def test_vault_by_a_path(scene: Scene) -> None:
    """A blob of the vault is asked for by a path."""
    for blob in ("../studio.db", "/etc/passwd", "..", "", "a/../../keys/records"):
        with refused("is no file of the vault"):
            Locker(scene.studio).read(blob, [ask(scene, scene.ada)])


def test_key_by_a_path(scene: Scene) -> None:
    """A record's key is made under a name that is a path."""
    for name in ("../../x", "a/b", "", "x" * 100, "a\x00"):
        with refused("can't name a key"):
            scene.studio.keyring.create(name)


def test_terms_without_end(scene: Scene) -> None:
    """An offer is made with a use of a hundred megabytes."""
    terms = terms_for(scene.purpose, use="x" * 100_000)
    with refused("the terms can't be offered"):
        offer(scene.studio, scene.purpose, scene.cleo.person, terms, statement_sha256="0" * 64)


def test_json_without_bottom() -> None:
    """A record is handed in whose JSON is nested a hundred thousand deep, or isn't JSON."""
    for text in ("[" * 100_000, '{"a":' * 100_000, "\ud800", "NaN", "{}x"):
        with refused("offer.json"):
            parse_object(text, name="offer.json")


def test_record_of_other_fields(scene: Scene) -> None:
    """A record carries fields that nobody defined, or lacks some."""
    terms = terms_for(scene.purpose)
    record = offer(
        scene.studio, scene.purpose, scene.cleo.person, terms, statement_sha256="0" * 64
    ).to_json()
    for document in ({**record, "everything": True}, {}, None, [record], "record"):
        with refused("the consent record can't be used"):
            parse_record(document)


def test_signed_nonsense(scene: Scene) -> None:
    """What is handed in as a signed record is nonsense."""
    for token in ("", ".", "..", "a.b.c", "e30.e30.", "x" * 1_000_000, "\x00.\x00.\x00"):
        with refused("this is not a signed"):
            accept(scene.studio, token, statement=io.BytesIO(b""), name="x")


def test_file_larger_than_any_document(tmp_path: Path) -> None:
    """A file of gigabytes is handed in where a document of a page is read."""
    path = tmp_path / "offer.json"
    with path.open("wb") as file:
        file.truncate(1 << 31)
    with refused("offer.json is"):
        read_bytes(path)


def test_footage_that_names_other_files(scene: Scene, clips: Clips) -> None:
    """Footage is handed in that makes the reader open other files of the machine."""
    for path in (clips.playlist(), clips.script()):
        with refused("is a playlist that names other files"):
            ingest(scene.studio, scene.purpose, path, [scene.ada.person], rights="own")
