"""A studio is a folder: database, keys, vault, log, releases.

    studio.toml   what this folder is
    studio.db     projects, people, records, jobs
    keys/         the studio's own secrets and one key a consent record; owner-only
    vault/        ciphertext, content-addressed
    log/          the public transparency log; mirror it anywhere
    releases/     sealed videos, for everyone
    previews/     sealed sheets, for those who decide

`create` finishes what an interrupted `create` began.
"""

import base64
import re
import secrets as randomness
import tomllib
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from sqlalchemy import URL

from assent.kit.c2pa.certificates import Chain, make_chain
from assent.kit.canonical import canonical
from assent.kit.clock import Clock, stamp, system
from assent.kit.disk import Disk, naming, replace_file
from assent.kit.errors import InputError, NotFoundError
from assent.kit.signing import SigningKey, from_pem, new_key, to_jwk, to_pem
from assent.kit.store.credentials import (
    CHAIN,
    Profile,
    Stored,
    TokenAccess,
    load_profile,
    load_stored,
)
from assent.kit.store.database import Database
from assent.kit.store.openings import Openings
from assent.kit.tlog.log import Log
from assent.kit.tlog.note import NoteSigner, NoteVerifier
from assent.kit.vault.guard import Guard
from assent.kit.vault.keyring import Keyring
from assent.kit.vault.secrets import SecretStore
from assent.kit.watermark.key import ReadingKey, SecretKey

__all__ = ["NEXT_MASTER", "Studio", "create_studio", "open_keyring", "open_studio"]

FORMAT = 1

NEXT_MASTER = "master-next"
"""The secret that is to become the master key, while keys are being wrapped anew."""

_FOLDERS = ("vault", "releases", "previews", "keys/records")
# What an interrupted `create_studio` may have left in the folder.
_OWN = {"log", *(folder.split("/")[0] for folder in _FOLDERS)}
_TEMPORARY = re.compile(r"\.[0-9a-f]{16}\.tmp")


@dataclass(frozen=True, slots=True, kw_only=True)
class Studio:
    """An open studio folder; passed to whatever needs it, never found by itself."""

    folder: Path
    id: str
    name: str
    contact: str
    clock: Clock
    disk: Disk
    database: Database
    secrets: SecretStore
    keyring: Keyring
    log: Log
    signing_key: SigningKey
    log_verifier: NoteVerifier
    chain: Chain
    reading_key: ReadingKey
    secret_key: SecretKey
    profile: Profile = field(default_factory=Profile)
    openings: Openings = field(default_factory=Openings)

    @property
    def vault_folder(self) -> Path:
        """Where ciphertext lies."""
        return self.folder / "vault"

    @property
    def log_folder(self) -> Path:
        """Where the public log lies."""
        return self.folder / "log"

    @property
    def releases_folder(self) -> Path:
        """Where sealed videos lie."""
        return self.folder / "releases"

    @property
    def previews_folder(self) -> Path:
        """Where sealed sheets lie."""
        return self.folder / "previews"


def create_studio(
    folder: Path,
    *,
    name: str,
    contact: str,
    guard: Guard | None = None,
    clock: Clock = system,
    disk: Disk | None = None,
) -> Studio:
    """Make a studio in `folder`, which must be empty, absent, or an unfinished studio.

    `guard` keeps its root key; without one only the rights of the files do.

    Raises `InputError` if the folder holds something else or is a studio already.
    """
    disk = disk or Disk()
    if len(name.strip()) < 2 or len(contact.strip()) < 2:
        raise InputError("a studio needs a name and a contact", advice="Give --name and --contact.")
    _check_unused(folder)
    for part in _FOLDERS:
        disk.make_folder(folder / part)
    store = SecretStore(folder / "keys", guard=guard, disk=disk)
    _make_secrets(store, name=name, clock=clock)
    studio_id = store.get("id").decode()
    signer = _note_signer(store, studio_id)
    begun = (folder / "log" / "checkpoint").exists()
    log = (Log.open if begun else Log.create)(folder / "log", signer=signer)
    if log.size == 0:
        log.append([canonical(_announcement(store, studio_id, name, clock))])
    replace_file(disk, folder / "log" / "vkey", f"{signer.vkey}\n".encode())
    disk.share(folder / "log" / "vkey")
    for item in _listing(folder):
        if _TEMPORARY.fullmatch(item.name):
            disk.remove(item)
    text = (
        f"# An Assent studio. Keep keys/ secret and back it up apart from the rest.\n"
        f"format = {FORMAT}\nid = {_quoted(studio_id)}\n"
        f"name = {_quoted(name)}\ncontact = {_quoted(contact)}\n"
    )
    replace_file(disk, folder / "studio.toml", text.encode())
    return open_studio(folder, guard=guard, clock=clock, disk=disk)


def open_studio(
    folder: Path,
    *,
    guard: Guard | None = None,
    clock: Clock = system,
    disk: Disk | None = None,
    token: TokenAccess | None = None,
) -> Studio:
    """Open the studio in `folder`; `token` reaches a signing key that is in a token.

    Raises `NotFoundError` if there is none, `InputError` for another guard or a newer format.
    """
    disk = disk or Disk()
    facts = _read_facts(folder)
    store = SecretStore(folder / "keys", guard=guard, disk=disk)
    signer = _note_signer(store, facts["id"])
    profile = load_profile(store)
    clocks = (profile.tsa_root_pem or "").encode()
    return Studio(
        folder=folder,
        id=facts["id"],
        name=facts["name"],
        contact=facts["contact"],
        clock=clock,
        disk=disk,
        # Not as text: a folder's name may hold what has a meaning in URLs.
        database=Database(URL.create("sqlite", database=str(folder / "studio.db"))),
        secrets=store,
        keyring=open_keyring(folder, store, disk),
        log=Log.open(folder / "log", signer=signer),
        signing_key=from_pem(store.get("signing"), name="the studio's signing key"),
        log_verifier=NoteVerifier.parse(signer.vkey),
        chain=load_stored(store, clocks_pem=clocks, access=token).chain,
        reading_key=ReadingKey.from_bytes(store.get("watermark")),
        secret_key=SecretKey.from_bytes(store.get("watermark-secret")),
        profile=profile,
    )


def open_keyring(folder: Path, secrets: SecretStore, disk: Disk) -> Keyring:
    """Return the keys of the consent records, also while their master key is being replaced."""
    masters = [secrets.get("master")]
    if NEXT_MASTER in secrets.names():
        masters.insert(0, secrets.get(NEXT_MASTER))
    return Keyring(folder / "keys" / "records", master=masters[0], older=masters[1:], disk=disk)


def _check_unused(folder: Path) -> None:
    with naming(folder):
        made, is_file = (folder / "studio.toml").exists(), folder.is_file()
    if made:
        raise InputError(
            f"{folder} is a studio already",
            advice="Use it with --studio, or choose another folder.",
        )
    if is_file:
        raise InputError(f"{folder} is a file", advice="Choose another folder.")
    names = {item.name for item in _listing(folder)} - _OWN
    foreign = [name for name in names if not _TEMPORARY.fullmatch(name)]
    if foreign:
        raise InputError(
            f"{folder} is not empty ({', '.join(sorted(foreign)[:3])})",
            advice="Choose a new folder.",
        )


def _listing(folder: Path) -> list[Path]:
    with naming(folder):
        return list(folder.iterdir()) if folder.exists() else []


def _read_facts(folder: Path) -> dict[str, str]:
    path = folder / "studio.toml"
    with naming(path):
        data = path.read_bytes() if path.is_file() else None
    if data is None:
        raise NotFoundError(
            f"{folder} is not an Assent studio",
            advice="Make one with `assent init DIR`, or name one with --studio DIR.",
        )
    try:
        facts = tomllib.loads(data.decode())
        known = {part: str(facts[part]) for part in ("id", "name", "contact")}
        number = int(facts["format"])
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise InputError(f"{path} is damaged", advice="Restore it from a backup.") from error
    if number > FORMAT:
        raise InputError(f"{folder} was made by a newer Assent", advice="Update Assent.")
    return known


def _make_secrets(store: SecretStore, *, name: str, clock: Clock) -> None:
    have = set(store.names())
    for known in have:
        # Another guard than the one given before must not seal the rest.
        store.get(known)
    if "id" not in have:
        store.put("id", str(uuid.uuid4()).encode())
    for name_of_key in ("master", "watermark", "watermark-secret"):
        if name_of_key not in have:
            store.put(name_of_key, randomness.token_bytes(32))
    if "signing" not in have:
        store.put("signing", to_pem(new_key()))
    if "log" not in have:
        store.put(
            "log",
            Ed25519PrivateKey.generate().private_bytes(
                Encoding.Raw, PrivateFormat.Raw, NoEncryption()
            ),
        )
    if CHAIN not in have:
        chain = make_chain(organisation=name, not_before=clock())
        store.put(CHAIN, Stored(chain=chain).to_bytes())


def _note_signer(store: SecretStore, studio_id: str) -> NoteSigner:
    key = Ed25519PrivateKey.from_private_bytes(store.get("log"))
    return NoteSigner(f"assent.local/studio/{studio_id}", key)


def _announcement(store: SecretStore, studio_id: str, name: str, clock: Clock) -> dict[str, object]:
    """The log's first entry: what a stranger needs to check everything that follows."""
    chain = load_stored(store, clocks_pem=b"", access=None).chain
    return {
        "kind": "studio",
        "id": studio_id,
        "name": name,
        "time": stamp(clock()),
        "signing_key": to_jwk(from_pem(store.get("signing"), name="the studio's signing key")),
        "c2pa_root": chain.root_pem.decode(),
        "c2pa_certificate": chain.fingerprint,
        "c2pa_serial": chain.serial,
        "watermark": {
            "scheme": "org.assent.watermark.2",
            "reading_key": base64.b64encode(store.get("watermark")).decode(),
        },
    }


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    clean = "".join(character if character.isprintable() else " " for character in escaped)
    return f'"{clean}"'
