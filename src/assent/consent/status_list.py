"""Which receipts have ended, for anyone to look up without asking (W3C Bitstring Status List 1.0).

Every receipt has a place in a list of 131,072 bits, drawn at random, so that neighbours tell
nothing; so has every release. A bit is set when the consent is withdrawn or its term is over, or
when the release is revoked, and never cleared. The list is a credential that the studio signs; it
lies beside the log, which notes the hash of each version, so that an older list put back is told
from the newest.

>>> bits = set_bits(bytes(ENTRIES // 8), [0, 9])
>>> bits[:3].hex(), is_set(bits, 9), is_set(bits, 8)
('804000', True, False)
"""

import base64
import binascii
import gzip
import hashlib
import secrets
import uuid
import zlib
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from assent.consent._rows import ENDED
from assent.kit.clock import stamp
from assent.kit.disk import Disk, replace_file
from assent.kit.errors import IntegrityError
from assent.kit.signing import VerifyKey, sign, verify
from assent.kit.store.case_tables import StandingRow
from assent.kit.store.studio import Studio
from assent.kit.store.tables import ConsentRow, StatusListRow

__all__ = [
    "ENTRIES",
    "Place",
    "Published",
    "StatusList",
    "allot",
    "credential_status",
    "is_set",
    "list_path",
    "note_published",
    "parse_list",
    "publish",
    "publish_missing",
    "read_list",
    "set_bits",
]

ENTRIES = 131_072
"""How many receipts one list holds: the least that the standard allows, for the herd's privacy."""

_KIND = "vc+jwt"
_TYPE = "BitstringStatusListCredential"
_CONTEXTS = [
    "https://www.w3.org/ns/credentials/v2",
    # For `version`, which the standard doesn't know.
    "https://www.w3.org/ns/credentials/undefined-terms/v2",
]
# How many places are tried before a list counts as full: at nine tenths one try in five fails.
_TRIES = 16
_LARGEST_FILE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a receipt's bit is: the list's number, from 1, and the bit's index, from 0."""

    number: int
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusList:
    """A list whose signature was verified. `sha256` is of the signed file's text."""

    number: int
    version: int
    bits: bytes
    sha256: str

    def has_ended(self, index: int) -> bool:
        """Tell whether the receipt at `index` was revoked."""
        return is_set(self.bits, index)


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A version that was just written, with the entry that the log must get for it."""

    number: int
    version: int
    entry: dict[str, Any]


def is_set(bits: bytes, index: int) -> bool:
    """Tell whether bit `index` is set; the first bit is the highest of the first byte."""
    return bool(bits[index >> 3] >> (7 - (index & 7)) & 1)


def set_bits(bits: bytes, indices: Iterable[int]) -> bytes:
    """Return `bits` with those at `indices` set."""
    changed = bytearray(bits)
    for index in indices:
        changed[index >> 3] |= 128 >> (index & 7)
    return bytes(changed)


def allot(session: Session, *, draw: Callable[[int], int] = secrets.randbelow) -> Place:
    """Draw a place that no receipt has; the caller stores it with the record in this session."""
    consents = session.scalar(
        select(ConsentRow.status_list)
        .where(ConsentRow.status_list.is_not(None))
        .order_by(ConsentRow.status_list.desc())
        .limit(1)
    )
    releases = session.scalar(
        select(StandingRow.status_list).order_by(StandingRow.status_list.desc()).limit(1)
    )
    number = max(consents or 1, releases or 1)
    for _ in range(_TRIES):
        place = Place(number=number, index=draw(ENTRIES))
        if not _is_taken(session, place):
            return place
    return Place(number=number + 1, index=draw(ENTRIES))


def _is_taken(session: Session, place: Place) -> bool:
    of_receipt = select(ConsentRow.id).where(
        ConsentRow.status_list == place.number, ConsentRow.status_index == place.index
    )
    of_release = select(StandingRow.asset_id).where(
        StandingRow.status_list == place.number, StandingRow.status_index == place.index
    )
    return session.scalar(of_receipt) is not None or session.scalar(of_release) is not None


def credential_status(studio_id: str, place: Place) -> dict[str, str]:
    """Return what a receipt says of its place: the `credentialStatus` of the credential."""
    credential = _credential_id(studio_id, place.number)
    return {
        "id": f"{credential}#{place.index}",
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": str(place.index),
        "statusListCredential": credential,
    }


def list_path(log_folder: Path, number: int) -> Path:
    """Return where a list lies: `status/<number>.jwt` in the log's folder or a copy of it."""
    return log_folder / "status" / f"{number}.jwt"


def publish_missing(studio: Studio, number: int) -> tuple[Published, ...]:
    """Write list `number` if it never was, so that no receipt points at nothing."""
    with studio.database.session() as session:
        known = session.get(StatusListRow, number) is not None
    return () if known else (publish(studio, number),)


def publish(studio: Studio, number: int) -> Published:
    """Write a new version of a list: every bit that was set, and those of what has ended since.

    The caller appends the returned entry to the log and then calls `note_published`. Until it has,
    the list is newer than the log says; who is interrupted publishes again.
    """
    with studio.database.session() as session:
        row = session.get(StatusListRow, number)
        ended = session.scalars(
            select(ConsentRow.status_index).where(
                ConsentRow.status_list == number, ConsentRow.state.in_(ENDED)
            )
        ).all()
        revoked = session.scalars(
            select(StandingRow.status_index).where(
                StandingRow.status_list == number, StandingRow.state == "revoked"
            )
        ).all()
    bits, version = _newest(studio, number, row.version if row else 0)
    bits = set_bits(bits, (index for index in (*ended, *revoked) if index is not None))
    token = sign(
        _credential(studio.id, number, version + 1, bits, now=stamp(studio.clock())),
        studio.signing_key,
        kind=_KIND,
    ).encode()
    path = list_path(studio.log_folder, number)
    studio.disk.make_folder(path.parent)
    studio.disk.share_folder(path.parent)
    replace_file(studio.disk, path, token)
    studio.disk.share(path)
    entry = {
        "kind": "status.list",
        "list": number,
        "version": version + 1,
        "sha256": hashlib.sha256(token).hexdigest(),
        "time": stamp(studio.clock()),
    }
    return Published(number=number, version=version + 1, entry=entry)


def note_published(session: Session, published: Collection[Published]) -> None:
    """Remember which versions the log knows."""
    for each in published:
        session.merge(StatusListRow(number=each.number, version=each.version))


def read_list(
    log_folder: Path, number: int, *, studio_id: str, key: VerifyKey, disk: Disk | None = None
) -> StatusList | None:
    """Return list `number` beside a log, or None if there is none; `IntegrityError` if changed."""
    token = (disk or Disk()).read(list_path(log_folder, number))
    return None if token is None else parse_list(token, number, studio_id=studio_id, key=key)


def parse_list(token: bytes, number: int, *, studio_id: str, key: VerifyKey) -> StatusList:
    """Return list `number` out of its signed text; `IntegrityError` if it is none, or changed."""
    try:
        fields = verify(token[:_LARGEST_FILE].decode("ascii"), key, kind=_KIND)
        bits, version = _read_credential(fields, _credential_id(studio_id, number))
    except IntegrityError as error:
        raise IntegrityError(f"status list {number} was changed: {error}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise IntegrityError(f"status list {number} lacks its parts") from error
    digest = hashlib.sha256(token).hexdigest()
    return StatusList(number=number, version=version, bits=bits, sha256=digest)


def _read_credential(fields: dict[str, Any], credential: str) -> tuple[bytes, int]:
    """Return bits and version; any of several errors if it isn't the list named so."""
    subject = fields["credentialSubject"]
    if _TYPE not in fields["type"] or fields["id"] != credential:
        raise IntegrityError("it is another list")
    if (subject["type"], subject["statusPurpose"]) != ("BitstringStatusList", "revocation"):
        raise IntegrityError("it is a list for another purpose")
    if type(fields["version"]) is not int:
        raise ValueError("its version is no whole number")
    return _unpack(subject["encodedList"]), fields["version"]


def _newest(studio: Studio, number: int, noted: int) -> tuple[bytes, int]:
    """Return the bits set so far and the newest version that file or database (`noted`) knows."""
    try:
        known = read_list(
            studio.log_folder,
            number,
            studio_id=studio.id,
            key=studio.signing_key,
            disk=studio.disk,
        )
    except IntegrityError:
        # A spoilt file must not stand in the way of a withdrawal: the database knows what ended.
        known = None
    if known is None:
        return bytes(ENTRIES // 8), noted
    return known.bits, max(known.version, noted)


def _credential(
    studio_id: str, number: int, version: int, bits: bytes, *, now: str
) -> dict[str, Any]:
    credential = _credential_id(studio_id, number)
    return {
        "@context": _CONTEXTS,
        "id": credential,
        "type": ["VerifiableCredential", _TYPE],
        "issuer": f"urn:uuid:{studio_id}",
        "validFrom": now,
        "version": version,
        "credentialSubject": {
            "id": f"{credential}#list",
            "type": "BitstringStatusList",
            "statusPurpose": "revocation",
            "encodedList": _pack(bits),
        },
    }


def _credential_id(studio_id: str, number: int) -> str:
    """Return the list's name: a studio needs no address on the web to have one."""
    return f"urn:uuid:{uuid.uuid5(uuid.UUID(studio_id), f'status list {number}')}"


def _pack(bits: bytes) -> str:
    """Return the list as the standard writes it: gzip, then multibase base64url."""
    packed = gzip.compress(bits, mtime=0)
    return "u" + base64.urlsafe_b64encode(packed).decode().rstrip("=")


def _unpack(text: str) -> bytes:
    """Return the bits in an `encodedList`; `ValueError` if it isn't one of `ENTRIES` bits."""
    if text[:1] != "u":
        raise ValueError("not multibase base64url")
    try:
        packed = base64.b64decode(
            text[1:] + "=" * (-len(text[1:]) % 4), altchars=b"-_", validate=True
        )
        inflate = zlib.decompressobj(wbits=31)
        # Never more than asked for: a small file can hold a very large list.
        bits = inflate.decompress(packed, ENTRIES // 8 + 1)
    except (binascii.Error, zlib.error) as error:
        raise ValueError("not packed as it should be") from error
    if len(bits) != ENTRIES // 8 or not inflate.eof:
        raise ValueError("not of the right length")
    return bits
