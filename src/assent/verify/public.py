"""What a studio's public log tells: who it is, what it released, which consents have ended.

A copy of the log folder is all that is needed; every entry is checked against the signed
checkpoint before it is believed.
"""

import base64
import binascii
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from assent.consent.status_list import StatusList, list_path, parse_list
from assent.disclose.entry import SealEntry
from assent.kit.c2pa.read import REVOKED, Credential
from assent.kit.canonical import parse_object
from assent.kit.disk import Disk
from assent.kit.errors import InputError, IntegrityError, NotFoundError
from assent.kit.signing import VerifyKey, from_jwk
from assent.kit.tlog.checkpoint import open_checkpoint
from assent.kit.tlog.files import NOTE_LIMIT, Folder
from assent.kit.tlog.log import COSIGNED
from assent.kit.tlog.note import NoteVerifier
from assent.kit.tlog.reader import LogReader, read_note
from assent.kit.watermark.key import ReadingKey
from assent.verify.ended import Ended, ended_in

__all__ = [
    "GIVEN",
    "OWN",
    "Certificate",
    "Proven",
    "PublicLog",
    "Record",
    "assemble",
    "cosigned_note",
    "open_log",
]

GIVEN = "the key you gave"
OWN = "the studio's own key"
_BESIDE = "the key that lies beside the log, not confirmed elsewhere"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A seal in the log."""

    index: int
    entry: SealEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A certificate that the studio signs with, or signed with until it was revoked.

    `revoked` is the time, `revoked_at` the index of the entry that says so.
    """

    fingerprint: str
    local: bool
    revoked: str | None = None
    revoked_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """How the entries of a log were proven: the log's key, where that came from, the checkpoint.

    `issued` is when a trust bundle was made (RFC 3339), None for the log's own files. `cosigned` is
    the checkpoint that witnesses cosigned, proven to be an earlier state of this one, or nothing.
    """

    verifier: NoteVerifier
    key_from: str
    checkpoint: str
    size: int
    issued: str | None = None
    cosigned: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicLog:
    """A studio's log, read and checked.

    Attributes:
        studio: the name that the log's first entry gives.
        origin: the log's own name.
        vkey: the key its checkpoint was checked with.
        key_from: where that key came from, in words; a key found beside the log proves little.
        studio_id: the UUID in its name.
        signing_key: signs its receipts and status lists.
        root_pem: the studio's C2PA roots, one after the other, and those of its time stamps.
        certificates: what signs under them, by serial.
        reading_key: reads its watermarks.
        records: every seal, oldest first.
        granted: log index by receipt hash.
        withdrawn: time by receipt hash.
        status_lists: which receipts have ended, by the list's number; those that lie beside the
            log, each the version that the log names last or a newer one.
        ended: which releases the studio has taken back, by asset id.
        viewings: when something was opened to be looked at, not released, by the viewing's id.
        size: entries under the checkpoint.
        unseen: how many of them a trust bundle left out.
        issued: when the trust bundle was made, None for a log's own files.
        cosigned: the newest checkpoint that witnesses cosigned, as a note; empty if there is none.
    """

    studio: str
    origin: str
    vkey: str
    key_from: str
    studio_id: str
    signing_key: VerifyKey
    root_pem: bytes
    certificates: Mapping[str, Certificate]
    reading_key: ReadingKey
    records: tuple[Record, ...]
    granted: Mapping[str, int]
    withdrawn: Mapping[str, str]
    status_lists: Mapping[int, StatusList]
    size: int
    ended: Mapping[str, Ended] = field(default_factory=dict)
    viewings: Mapping[str, str] = field(default_factory=dict)
    unseen: int = 0
    issued: str | None = None
    cosigned: str = ""

    def by_asset(self, asset_id: str, sha256: str | None = None) -> Record | None:
        """Return the record of an asset: the one of these very bytes if there is one."""
        own = [record for record in self.records if record.entry.asset_id == asset_id]
        return _the_one(own, sha256)

    def by_sound(self, number: int, sha256: str | None = None) -> Record | None:
        """Return the record of the asset whose id ends in this 32-bit number.

        Of several, the one of these very bytes if there is one, else the newest.
        """
        ends = f"{number:08x}"
        own = [record for record in self.records if record.entry.asset_id.endswith(ends)]
        return _the_one(own, sha256)

    def judge(self, credential: Credential, sha256: str) -> Credential:
        """Return a credential as this log lets it be believed, in a file with that hash.

        A certificate that was revoked vouches only for bytes that the log held before.
        """
        signer = self.certificates.get(credential.serial or "")
        if credential.state != "trusted" or signer is None or signer.revoked_at is None:
            return credential
        record = self.by_hash(sha256)
        if record is not None and record.index < signer.revoked_at:
            return credential
        problem = f"{REVOKED}: the studio revoked this certificate on {signer.revoked}"
        return replace(credential, state="invalid", problems=(problem, *credential.problems))

    def by_hash(self, sha256: str) -> Record | None:
        """Return the record of exactly these bytes."""
        return next((r for r in self.records if r.entry.sha256 == sha256), None)


def _the_one(own: Sequence[Record], sha256: str | None) -> Record | None:
    """Return the record of exactly these bytes, else the newest film's, else the newest."""
    exact = [record for record in own if record.entry.sha256 == sha256]
    # A still or the sound of a release is its part; what is unlike both is held to the whole.
    films = [record for record in own if record.entry.media == "video"]
    return next(reversed(exact or films or own), None)


def open_log(folder: Path, *, vkey: str | None = None, key_from: str = GIVEN) -> PublicLog:
    """Read the log in `folder`, checking each entry.

    `vkey` is the studio's log key as published elsewhere, and `key_from` says where; without it
    the key beside the log is used, which proves only that the log agrees with itself. Raises
    `NotFoundError` if there is no log, `IntegrityError` if it was changed.
    """
    if not (folder / "checkpoint").is_file():
        raise NotFoundError(
            f"there is no log in {folder}",
            advice="Give the studio's log folder with --log, or the studio with --studio.",
        )
    text = vkey if vkey is not None else _vkey_beside(folder)
    verifier = NoteVerifier.parse(text.strip())
    reader = LogReader(folder, verifier=verifier)
    return assemble(
        reader.entries(),
        Proven(
            verifier=verifier,
            key_from=key_from if vkey is not None else _BESIDE,
            checkpoint=reader.checkpoint,
            size=reader.size,
            cosigned=cosigned_note(folder, reader),
        ),
        lambda number: Disk().read(list_path(folder, number)),
    )


def cosigned_note(folder: Path, reader: LogReader) -> str:
    """Return the checkpoint beside a log that witnesses cosigned, once it is proven to be a part.

    Nothing if there is none. Raises `IntegrityError` if it is of another history.
    """
    files = Folder(folder)
    if files.read(COSIGNED, NOTE_LIMIT) is None:
        return ""
    note = read_note(files, COSIGNED)
    # Cosigned while this was being read: the next reader will see it.
    if open_checkpoint(note, reader.verifier).size > reader.size:
        return ""
    reader.check_extends(note)
    return note


def assemble(
    entries: Iterable[tuple[int, bytes]],
    proven: Proven,
    status_list: Callable[[int], bytes | None],
) -> PublicLog:
    """Return what the entries of a log tell, which the caller has held against its checkpoint.

    `status_list` gives the signed text of a list by its number, or None. Raises `IntegrityError`
    for entries that are not what they should be.
    """
    read = [(index, data, _parse(data)) for index, data in entries]
    if not read or read[0][0] != 0 or read[0][2].get("kind") != "studio":
        raise IntegrityError("the log does not begin with its studio")
    first = read[0][2]
    studio_id, key = _signer(first)

    plain = [(index, fields) for index, _, fields in read]

    def of(kind: str) -> list[tuple[int, Mapping[str, Any]]]:
        return [(index, fields) for index, fields in plain if fields.get("kind") == kind]

    return PublicLog(
        studio_id=studio_id,
        signing_key=key,
        records=tuple(
            Record(index=index, entry=SealEntry.parse(data))
            for index, data, fields in read
            if fields.get("kind") == "seal"
        ),
        granted={_part(fields, "receipt"): index for index, fields in of("consent.granted")},
        withdrawn={
            _part(fields, "receipt"): _part(fields, "time") for _, fields in of("consent.withdrawn")
        },
        status_lists=_status_lists(
            [fields for _, fields in of("status.list")], studio_id, key, status_list
        ),
        ended=ended_in(plain),
        viewings={
            _part(fields, "viewing"): _part(fields, "time") for _, fields in of("viewing.opened")
        },
        vkey=proven.verifier.vkey,
        key_from=proven.key_from,
        size=proven.size,
        unseen=proven.size - len(read),
        issued=proven.issued,
        cosigned=proven.cosigned,
        root_pem=_roots(plain),
        certificates=_certificates(plain),
        **_studio_facts(first, proven.verifier),
    )


def _roots(entries: Sequence[tuple[int, Mapping[str, Any]]]) -> bytes:
    """Return every root that the log names, of signers and of time-stamping services."""
    later = [
        _part(fields, "root")
        for _, fields in entries
        if fields.get("kind") in ("credentials.changed", "credentials.clock")
    ]
    return "".join([_part(entries[0][1], "c2pa_root"), *later]).encode()


def _certificates(entries: Sequence[tuple[int, Mapping[str, Any]]]) -> dict[str, Certificate]:
    """Return the studio's certificates by serial; a later entry never takes a revocation back."""
    first = entries[0][1]
    found = {
        _part(first, "c2pa_serial"): Certificate(
            fingerprint=_part(first, "c2pa_certificate"), local=True
        )
    }
    for index, fields in entries:
        kind = fields.get("kind")
        serial = str(fields.get("serial"))
        if kind == "credentials.changed":
            made = Certificate(
                fingerprint=_part(fields, "certificate"), local=fields.get("local") is True
            )
            found.setdefault(_part(fields, "serial"), made)
        elif kind == "credentials.revoked" and serial in found and not found[serial].revoked:
            time = _part(fields, "time")
            found[serial] = replace(found[serial], revoked=time, revoked_at=index)
    return found


def _parse(data: bytes) -> dict[str, Any]:
    try:
        return parse_object(data, name="a log entry")
    except InputError as error:
        raise IntegrityError(str(error)) from error


def _status_lists(
    noted: Iterable[Mapping[str, Any]],
    studio_id: str,
    key: VerifyKey,
    status_list: Callable[[int], bytes | None],
) -> dict[int, StatusList]:
    """Return the lists that there are; `IntegrityError` if one is older than the log says."""
    newest = {_number(fields, "list"): fields for fields in noted}
    lists = {}
    for number, fields in newest.items():
        token = status_list(number)
        if token is not None:
            lists[number] = parse_list(token, number, studio_id=studio_id, key=key)
            _check_newest(lists[number], fields)
    return lists


def _signer(fields: Mapping[str, Any]) -> tuple[str, VerifyKey]:
    """Return the studio's id and the key that signs its credentials."""
    try:
        key = from_jwk(dict(fields["signing_key"]), name="the studio's signing key")
        return str(uuid.UUID(fields["id"])), key
    except (KeyError, TypeError, ValueError, AttributeError, InputError) as error:
        raise IntegrityError("the log's first entry lacks the studio's signing key") from error


def _check_newest(found: StatusList, noted: Mapping[str, Any]) -> None:
    version = _number(noted, "version")
    # A newer one than the log knows is one that is being published.
    if found.version < version:
        raise IntegrityError(
            f"status list {found.number} is version {found.version}, the log names {version}",
            advice="An older list was put back, or the copy is torn: copy the log folder again.",
        )
    if found.version == version and found.sha256 != _part(noted, "sha256"):
        raise IntegrityError(f"status list {found.number} is not the one that the log names")


def _number(fields: Mapping[str, Any], name: str) -> int:
    value = fields.get(name)
    if not isinstance(value, int):
        raise IntegrityError(f"an entry of the log lacks its {name}")
    return value


def _part(fields: Mapping[str, Any], name: str) -> str:
    if name not in fields:
        raise IntegrityError(f"an entry of the log lacks its {name}")
    return str(fields[name])


def _vkey_beside(folder: Path) -> str:
    try:
        return (folder / "vkey").read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{folder} holds no key to check the log with",
            advice="Give the studio's published log key with --log-key.",
        ) from error


def _studio_facts(fields: Mapping[str, Any], verifier: NoteVerifier) -> dict[str, Any]:
    try:
        key = base64.b64decode(fields["watermark"]["reading_key"], validate=True)
        return {
            "studio": str(fields["name"]),
            "origin": verifier.name,
            "reading_key": ReadingKey.from_bytes(key),
        }
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise IntegrityError("the log's first entry lacks its parts") from error
