"""After a withdrawal no key that opens the person's data is left anywhere, in any form."""

import base64
import shutil
import sqlite3
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyrage
import pytest
from commands import Cli
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap
from studios import Member, Scene

from assent.consent.clearance import Act, Clearance
from assent.consent.desk import clear
from assent.consent.locker import Locker
from assent.consent.withdrawal import withdraw
from assent.kit.store.backup import export
from assent.kit.store.escrow import open_escrow
from assent.kit.store.studio import open_studio
from assent.kit.vault.header import Header, _combine, read_header
from assent.kit.vault.stream import PREFIX

IDENTITY = pyrage.x25519.Identity.generate()


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What could open Ada's film before she withdrew."""

    record: str
    blob: str
    person_key: bytes
    wrapped: bytes
    escrow_key: bytes
    escrow_wrapped: bytes
    data_key: bytes
    combined: bytes


@pytest.fixture
def film() -> bytes:
    return b"a film of Ada that must never be seen again " * 50


@pytest.fixture
def before(scene: Scene, tmp_path: Path, film: bytes) -> Before:
    """Ada's film is put away, looked at, and saved in a backup with an escrow."""
    ada = _clear(scene, scene.ada)
    locker = Locker(scene.studio)
    blob = locker.put([film], [ada])
    assert locker.read(blob, [ada]) == film
    export(
        scene.studio,
        tmp_path / "backup.age",
        recipients=[str(IDENTITY.to_public())],
        escrow=tmp_path / "stick",
    )
    studio, record = scene.studio, ada.record_id
    key = studio.keyring.unlock(record)
    escrow = tmp_path / "stick" / studio.id / f"{record}.key"
    with (studio.vault_folder / blob[:2] / blob).open("rb") as file:
        header, _ = read_header(file, blob)
    combined = _combine(header.key_ids, [key])
    ring = open_escrow(tmp_path / "stick", studio.id, studio.secrets, studio.disk)
    assert ring is not None
    return Before(
        record=record,
        blob=blob,
        person_key=key,
        wrapped=(studio.folder / "keys" / "records" / f"{record}.key").read_bytes()[16:],
        escrow_key=ring.unlock(record),
        escrow_wrapped=escrow.read_bytes()[16:],
        data_key=aes_key_unwrap(combined, header.wrapped),
        combined=combined,
    )


def _clear(scene: Scene, who: Member) -> Clearance:
    return clear(scene.studio, scene.purpose, person_id=who.id, acts=[Act.INGEST])


def forms(secret: bytes) -> Iterator[bytes]:
    """Yield how a secret might be written down."""
    yield secret
    yield secret[::-1]
    for text in (secret.hex(), secret.hex().upper(), base64.b32encode(secret).decode()):
        yield text.encode()
    # Base64 of it inside of something longer: three ways to begin, without the ragged ends.
    for skip in range(3):
        padded = bytes(skip) + secret
        for code in (base64.b64encode(padded), base64.urlsafe_b64encode(padded)):
            yield code.rstrip(b"=")[-(-skip * 8 // 6) + 1 : -2]


def everything(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield all bytes of all files below, and what compressed or encrypted files hold."""
    for path in folder.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            yield str(path), data
            if path.suffix == ".age":
                yield f"{path} decrypted", pyrage.decrypt(data, [IDENTITY])
            for start in _gzips(data):
                yield f"{path} inflated at {start}", _inflate(data[start:])


def _gzips(data: bytes) -> Iterator[int]:
    start = data.find(b"\x1f\x8b\x08")
    while start >= 0:
        yield start
        start = data.find(b"\x1f\x8b\x08", start + 1)


def _inflate(data: bytes) -> bytes:
    try:
        return zlib.decompressobj(31).decompress(data, 1 << 20)
    except zlib.error:
        return b""


def found(secrets: dict[str, bytes], *folders: Path) -> list[str]:
    return [
        f"{name} in {where}"
        for folder in folders
        for where, data in everything(folder)
        for name, secret in secrets.items()
        if any(form in data for form in forms(secret))
    ]


def secrets_of(before: Before) -> dict[str, bytes]:
    return {
        name: getattr(before, name)
        for name in (
            "person_key", "wrapped", "escrow_key", "escrow_wrapped", "data_key", "combined"
        )
    }  # fmt: skip


def test_the_search_finds_what_is_there(scene: Scene, tmp_path: Path, before: Before) -> None:
    """Before the withdrawal the wrapped keys lie about; and a key in any form is seen."""
    seen = found(secrets_of(before), tmp_path)
    assert {line.split(" in ")[0] for line in seen} == {"wrapped", "escrow_wrapped"}
    planted = tmp_path / "planted"
    planted.mkdir()
    key = before.person_key
    ways = [key, key.hex().encode(), key.hex().upper().encode(), base64.b64encode(key)]
    ways += [base64.b64encode(b"x" * n + key + b"tail") for n in range(3)]
    ways += [base64.urlsafe_b64encode(b'{"key":"' + key + b'"}'), base64.b32encode(key)]
    ways += [_gzip(b"dump " + key + b" end")]
    for number, way in enumerate(ways):
        (planted / "dump").write_bytes(b"\0" * (number * 7) + way + b"rest")
        assert found({"person_key": key}, planted), number


def _gzip(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=31)
    return packer.compress(data) + packer.flush()


def test_no_key_is_left_in_any_form(scene: Scene, tmp_path: Path, before: Before) -> None:
    """Not in the studio, its database with log and free pages, backup, escrow or old files."""
    withdraw(scene.studio, before.record)
    assert found(secrets_of(before), tmp_path) == []
    scene.studio.database.close()
    assert found(secrets_of(before), tmp_path) == []


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_nothing_is_left_in_temporary_folders(
    tmp_path: Path,
) -> None:
    """The product's own processes, in a temporary folder of their own: none leaves a key there."""
    cli = Cli(tmp_path)
    used = tmp_path / "tmp"
    used.mkdir()
    cli.run("init", cli.studio, "--name", "Test studio", "--contact", "us@example.org")
    brief = tmp_path / "brief.toml"
    brief.write_text(cli.run("project", "example").stdout)
    cli.run("project", "create", "--brief", brief, "--name", "film")
    cli.add_person("ada")
    cli.consent("ada")
    cli.add_footage("ada_statement.mp4", "ada")
    (record,) = cli.json("consent", "list")
    name = f"{record['record_id']}.key"
    wrapped = (cli.studio / "keys" / "records" / name).read_bytes()[16:]
    key = open_studio(cli.studio).keyring.unlock(record["record_id"])
    cli.run(
        "vault", "export", tmp_path / "backup.age", "--to", str(IDENTITY.to_public()),
        "--escrow", tmp_path / "stick",
    )  # fmt: skip
    secrets = {"key": key, "wrapped": wrapped}
    assert found(secrets, tmp_path) != []
    cli.run("consent", "withdraw", record["record_id"], "--yes")
    assert found(secrets, tmp_path) == []
    assert list(used.rglob("*")) == []


def test_nothing_that_is_left_opens_the_film(
    scene: Scene, tmp_path: Path, before: Before, film: bytes
) -> None:
    """Each 32 bytes in a row of whatever is left, as key of the film, the data or the wrapping."""
    withdraw(scene.studio, before.record)
    sealed = (scene.studio.vault_folder / before.blob[:2] / before.blob).read_bytes()
    with (scene.studio.vault_folder / before.blob[:2] / before.blob).open("rb") as file:
        header, head = read_header(file, before.blob)
    body = sealed[len(head) :]
    assert opens(before.data_key, header, head, body) == film
    assert opens(before.person_key, header, head, body) == film
    tried = 0
    for key in candidates(tmp_path, but=scene.studio.vault_folder):
        tried += 1
        assert opens(key, header, head, body) is None
    assert tried > 20_000


def candidates(folder: Path, *, but: Path) -> Iterator[bytes]:
    """Yield 32 bytes from everywhere: each window where keys are, each eighth elsewhere."""
    seen = set[bytes]()
    for where, data in everything(folder):
        if where.startswith(str(but)):
            continue
        keys = "/keys/" in where or "/stick/" in where
        if ".age decrypted" in where:
            # The backup's first members: secrets, tombstones and wrapped keys.
            data, keys = data[: data.find(b"studio.db\0")], True
        step = 1 if keys else 8
        seen.update(data[start : start + 32] for start in range(0, len(data) - 31, step))
    yield from seen


def opens(key: bytes, header: Header, head: bytes, body: bytes) -> bytes | None:
    """Return the film if `key` is its data key, the record's key or what wraps the data key."""
    nonce = body[:PREFIX] + bytes(4) + b"\1"
    for data_key in (key, _unwrap(key, header), _unwrap(_combine(header.key_ids, [key]), header)):
        if data_key is not None:
            try:
                return AESGCM(data_key).decrypt(nonce, body[PREFIX:], head)
            except InvalidTag:
                continue
    return None


def _unwrap(key: bytes, header: Header) -> bytes | None:
    try:
        return aes_key_unwrap(key, header.wrapped)
    except InvalidUnwrap:
        return None


def test_nothing_of_the_key_was_ever_in_the_database(scene: Scene, before: Before) -> None:
    """Nor in pages that were freed: the raw file is searched, with and without its own log."""
    path = scene.studio.folder / "studio.db"
    scene.studio.database.close()
    with sqlite3.connect(path) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    raw.close()
    assert found(secrets_of(before), path.parent / "keys" / "records") != []
    only = path.parent.parent / "only"
    only.mkdir()
    shutil.copy(path, only / "studio.db")
    assert found(secrets_of(before), only) == []
