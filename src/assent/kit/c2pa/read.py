"""Read and check the content credential of a file that anybody may have made.

    with path.open("rb") as stream:
        credential = read(stream, mime="video/mp4", anchors_pem=chain.root_pem)
    print(credential.state, credential.asset_id, credential.problems)

Nothing is fetched: remote manifests and revocation services are never contacted.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from typing import Any, BinaryIO, Literal, cast

import c2pa
from cryptography import x509

from assent.kit.c2pa._size import LARGEST_STORE, store_size
from assent.kit.c2pa._store import KeptElsewhereError, read_store
from assent.kit.c2pa._streams import Watched
from assent.kit.c2pa.manifest import (
    CONSENT,
    FINGERPRINT_ALGORITHM,
    SOUND_MARK_ALGORITHM,
    WATERMARK_ALGORITHM,
)
from assent.kit.errors import BriefError, MediaError

__all__ = [
    "BESIDE",
    "LARGEST_STORE",
    "REVOKED",
    "UNLISTED",
    "Credential",
    "State",
    "read",
    "type_of",
]

State = Literal["trusted", "valid", "invalid", "missing"]

_STATES: dict[str, State] = {"Trusted": "trusted", "Valid": "valid"}
_STAMPED = "timeStamp.trusted"
_UNKNOWN_CLOCK = "timeStamp.untrusted"
_EXPIRED, _UNTRUSTED = "signingCredential.expired", "signingCredential.untrusted"
UNLISTED = "signingCredential.unlisted"
"""The problem of a certificate under a trusted root that is none of those asked for."""
REVOKED = "signingCredential.revoked"
"""The problem of a certificate that its owner took back."""
# A manifest may say anything at any length; what people are shown of it is cut here.
_LONGEST_TEXT = 500
_MANY_PROBLEMS = 20
BESIDE = frozenset({"video/webm", "video/x-matroska"})
"""Types of files that can't hold a credential: it lies beside them, as NAME.c2pa."""
# How a file of each type begins, after so many bytes: for MP4 the boxes that may come first.
_BOXES = (b"ftyp", b"styp", b"moov", b"free", b"skip", b"wide", b"mdat")
_BEGINNINGS: dict[str, tuple[int, tuple[bytes, ...]]] = {
    "image/jpeg": (0, (b"\xff\xd8\xff",)),
    "image/png": (0, (b"\x89PNG\r\n\x1a\n",)),
    "video/mp4": (4, _BOXES),
    "video/quicktime": (4, _BOXES),
    "audio/wav": (0, (b"RIFF",)),
    "video/webm": (0, (b"\x1a\x45\xdf\xa3",)),
    "video/x-matroska": (0, (b"\x1a\x45\xdf\xa3",)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """What a file's active manifest says, and how far that can be believed.

    `state`: "trusted", signed under one of the given anchors and unaltered; "valid", unaltered
    but signed by someone unknown; "invalid", altered, damaged or signed by someone who may not;
    "missing", no credential. Believe the other fields only as far as `state` goes. `expired` tells
    that an "invalid" one is as it was signed, but that the certificate has run out since and no
    trusted time stamp shows that it was signed before; whose certificate it was, only a record
    kept elsewhere can then tell. `asset_id` is the asset's number in hex,
    `sound_mark` the number in the sound, `fingerprint` an ISCC, `receipts` salted hashes of consent
    receipts, `consent` the whole assertion on consent. `serial` is the certificate's, in hex.
    `digital_source_type` is the last word of the IPTC term; `descriptions` are those that actions
    have. `signed_at` is the moment of a time stamp whose authority is under one of the anchors,
    None without. `problems` are C2PA status codes with explanations.
    """

    state: State
    expired: bool = False
    asset_id: str | None = None
    sound_mark: str | None = None
    fingerprint: str | None = None
    receipts: tuple[str, ...] = ()
    digital_source_type: str | None = None
    actions: tuple[str, ...] = ()
    descriptions: tuple[str, ...] = ()
    ingredients: tuple[str, ...] = ()
    claim_generator: str | None = None
    issuer: str | None = None
    serial: str | None = None
    signed_at: datetime | None = None
    problems: tuple[str, ...] = ()
    consent: dict[str, Any] = field(default_factory=dict)
    manifest: dict[str, Any] = field(default_factory=dict)


def read(
    stream: BinaryIO,
    *,
    mime: str,
    anchors_pem: bytes | None,
    serials: Collection[str] | None = None,
    beside: bytes | None = None,
) -> Credential:
    """Return the credential inside `stream` (seekable, read from its start) of type `mime`.

    `anchors_pem` holds the root certificates to trust, of signers and of time-stamping
    authorities; None trusts nobody. With `serials` (hex) only these certificates under them are
    trusted: a public root vouches for many. `beside` is a credential from a file of its own.

    Hostile or damaged bytes give state "invalid" with problems, never an exception. Raises
    MediaError when the bytes don't even begin like a `mime` file, when `mime` is of no type that
    is signed, or when the stream itself fails; BriefError when the anchors are not PEM
    certificates.
    """
    _check_anchors(anchors_pem)
    _check_beginning(stream, mime)
    if mime in BESIDE and beside is None:
        return Credential(state="missing")
    watched = Watched(stream)
    try:
        _check_size(watched, mime, beside)
        store = read_store(watched, mime, anchors_pem=anchors_pem, beside=beside)
    except KeptElsewhereError as error:
        return Credential(state="missing", problems=(_short(f"kept elsewhere: {error}"),))
    except (c2pa.C2paError, ValueError, RecursionError, OSError) as error:
        if watched.failure is not None:
            raise MediaError(f"the file can't be read: {watched.failure}") from watched.failure
        return Credential(state="invalid", problems=(_short(f"unreadable: {error}"),))
    credential = _credential(store) if store else Credential(state="missing")
    if serials is None or credential.state != "trusted" or credential.serial in serials:
        return credential
    unlisted = f"{UNLISTED}: certificate {credential.serial} is not one of the studio's"
    return replace(credential, state="valid", problems=(unlisted, *credential.problems))


def type_of(head: bytes) -> str | None:
    """Return the type of a file that begins like this (16 bytes), if it is one that is signed."""
    if head[4:8] == b"ftyp":
        return "video/quicktime" if head[8:12] == b"qt  " else "video/mp4"
    if head[:4] == b"RIFF":
        return "audio/wav" if head[8:12] == b"WAVE" else None
    for mime in ("image/jpeg", "image/png", "video/x-matroska"):
        if head.startswith(_BEGINNINGS[mime][1]):
            return mime
    return None


def _check_size(watched: Watched, mime: str, beside: bytes | None) -> None:
    # The walk reads small pieces, of which the stream's own buffer makes larger ones.
    size = store_size(cast("BinaryIO", watched), mime) if beside is None else len(beside)
    if size > LARGEST_STORE:
        raise ValueError(f"a manifest store of {size} bytes, more than {LARGEST_STORE}")


def _check_beginning(stream: BinaryIO, mime: str) -> None:
    if mime not in _BEGINNINGS:
        raise MediaError(f"{mime} files can't be checked for credentials")
    offset, wanted = _BEGINNINGS[mime]
    try:
        stream.seek(0)
        beginning = stream.read(16)
    except OSError as error:
        raise MediaError(f"the file can't be read: {error}") from error
    if not beginning[offset:].startswith(wanted):
        raise MediaError(f"the file is not {mime}")


def _check_anchors(anchors_pem: bytes | None) -> None:
    try:
        if anchors_pem is not None:
            x509.load_pem_x509_certificates(anchors_pem)
    except ValueError as error:
        raise BriefError(f"the trust anchors are not certificates: {error}") from error


def _credential(store: dict[str, Any]) -> Credential:
    manifest = _dict(_dict(store.get("manifests")).get(_text(store.get("active_manifest")) or ""))
    signature = _dict(manifest.get("signature_info"))
    results = _dict(store.get("validation_results"))
    active = _dict(results.get("activeManifest"))
    actions = list(_actions(manifest))
    state = _STATES.get(_text(store.get("validation_state")) or "", "invalid")
    return Credential(
        state=state,
        expired=state == "invalid" and _only_expired(active),
        asset_id=_soft_binding(manifest, WATERMARK_ALGORITHM) or _identifier(manifest),
        sound_mark=_soft_binding(manifest, SOUND_MARK_ALGORITHM),
        fingerprint=_soft_binding(manifest, FINGERPRINT_ALGORITHM),
        receipts=_texts(_first(manifest, CONSENT).get("receipts")),
        digital_source_type=_source_type(actions),
        actions=_texts([action.get("action") for action in actions]),
        descriptions=_texts([action.get("description") for action in actions]),
        ingredients=_texts([item.get("title") for item in _dicts(manifest.get("ingredients"))]),
        claim_generator=_generator(manifest),
        issuer=_text(signature.get("issuer")),
        serial=_hexadecimal(signature.get("cert_serial_number")),
        signed_at=_moment(signature.get("time")) if _has(active, _STAMPED) else None,
        problems=tuple(islice(_problems(results), _MANY_PROBLEMS)),
        consent=_first(manifest, CONSENT),
        manifest=manifest,
    )


# A manifest is somebody else's JSON: every step below expects the wrong type.


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _dicts(value: object) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))


def _text(value: object) -> str | None:
    return _short(value) if isinstance(value, str) else None


def _short(text: str) -> str:
    """Return a text that can be shown: no control characters, which terminals obey, no novel."""
    shown = "".join(each if each.isprintable() else " " for each in text[: _LONGEST_TEXT + 1])
    return shown if len(shown) <= _LONGEST_TEXT else shown[: _LONGEST_TEXT - 1] + "…"


def _texts(value: object) -> tuple[str, ...]:
    items = value if isinstance(value, list) else []
    return tuple(_short(item) for item in items if isinstance(item, str))


def _hexadecimal(value: object) -> str | None:
    """Return a certificate's serial number in hex; the library gives it in decimal digits."""
    digits = _text(value) or ""
    return format(int(digits), "x") if digits.isascii() and digits.isdigit() else None


def _identifier(manifest: dict[str, Any]) -> str | None:
    """Return the asset id of what carries no mark in a picture, such as sound."""
    return _text(_first(manifest, "cawg.metadata").get("dc:identifier"))


def _assertions(manifest: dict[str, Any], label: str) -> Iterator[dict[str, Any]]:
    for assertion in _dicts(manifest.get("assertions")):
        if assertion.get("label") == label:
            yield _dict(assertion.get("data"))


def _first(manifest: dict[str, Any], label: str) -> dict[str, Any]:
    return next(_assertions(manifest, label), {})


def _actions(manifest: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for label in ("c2pa.actions.v2", "c2pa.actions"):
        for assertion in _assertions(manifest, label):
            yield from _dicts(assertion.get("actions"))


def _source_type(actions: list[dict[str, Any]]) -> str | None:
    named = (_text(action.get("digitalSourceType")) for action in actions)
    return next((name.rstrip("/").rpartition("/")[2] for name in named if name), None)


def _soft_binding(manifest: dict[str, Any], algorithm: str) -> str | None:
    for binding in _assertions(manifest, "c2pa.soft-binding"):
        if binding.get("alg") == algorithm:
            values = (_text(block.get("value")) for block in _dicts(binding.get("blocks")))
            return next((value for value in values if value), None)
    return None


def _generator(manifest: dict[str, Any]) -> str | None:
    info = next(_dicts(manifest.get("claim_generator_info")), {})
    parts = _texts([info.get("name"), info.get("version")])
    return " ".join(parts) or _text(manifest.get("claim_generator"))


def _moment(value: object) -> datetime | None:
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _has(statuses: dict[str, Any], code: str) -> bool:
    return any(status.get("code") == code for status in _dicts(statuses.get("success")))


def _only_expired(active: dict[str, Any]) -> bool:
    """Tell whether nothing but the certificate's term is wrong; the library trusts none then."""
    codes = {_text(status.get("code")) for status in _dicts(active.get("failure"))}
    return _EXPIRED in codes and codes <= {_EXPIRED, _UNTRUSTED}


def _problems(results: dict[str, Any]) -> Iterator[str]:
    active = _dict(results.get("activeManifest"))
    deltas = [_dict(d.get("validationDeltas")) for d in _dicts(results.get("ingredientDeltas"))]
    failures = [f for statuses in (active, *deltas) for f in _dicts(statuses.get("failure"))]
    # To the library an unknown time-stamping authority is no failure; the moment is void, though.
    unknown = [i for i in _dicts(active.get("informational")) if i.get("code") == _UNKNOWN_CLOCK]
    for status in (*failures, *unknown):
        parts = (_text(status.get("code")), _text(status.get("explanation")))
        yield ": ".join(part for part in parts if part)
