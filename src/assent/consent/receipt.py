"""Receipts: the record signed by its subject, and countersigned by the studio.

The inner JWS is the subject's signature over the record; the outer is the studio's over that
signature, shaped as a W3C Verifiable Credential 2.0. Only both together are a receipt.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from assent.consent.record import ConsentRecord, parse_record
from assent.kit.errors import InputError, IntegrityError
from assent.kit.signing import (
    SigningKey,
    VerifyKey,
    peek,
    public_of,
    sign,
    signing_input,
    thumbprint,
    verify,
)

__all__ = [
    "Receipt",
    "countersign",
    "hash_receipt",
    "read_receipt",
    "read_signed",
    "record_to_sign",
    "sign_record",
    "signer_hint",
]

_SIGNED = "assent-consent+jws"
_RECEIPT = "vc+jwt"
# RFC 9278.
_THUMBPRINT = "urn:ietf:params:oauth:jwk-thumbprint:sha-256"
_CONTEXT = "https://www.w3.org/ns/credentials/v2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A verified receipt."""

    record: ConsentRecord
    countersigned: str


def sign_record(record: ConsentRecord, key: SigningKey) -> str:
    """Return the subject's signature over `record`; raises `IntegrityError` for another's key."""
    if thumbprint(public_of(key)) != record.principal.key_thumbprint:
        raise IntegrityError(
            f"this key is not {record.principal.handle}'s",
            advice="Only the subject can sign, with the key registered as theirs.",
        )
    return sign({"record": record.to_json()}, key, kind=_SIGNED)


def record_to_sign(record: ConsentRecord, key: VerifyKey) -> str:
    """Return what the holder of `key` signs in a browser; the token is made by `attach`."""
    return signing_input({"record": record.to_json()}, key, kind=_SIGNED)


def read_signed(token: str, key: VerifyKey) -> ConsentRecord:
    """Return the record that the holder of `key` signed; raises `IntegrityError`."""
    record = parse_record(verify(token, key, kind=_SIGNED).get("record"))
    if record.principal.key_thumbprint != thumbprint(key):
        raise IntegrityError("the record was signed with a key that it doesn't name")
    return record


def countersign(
    signed: str,
    record: ConsentRecord,
    key: SigningKey,
    *,
    moment: str,
    status: Mapping[str, str] | None = None,
) -> str:
    """Return the receipt: the studio's signature over the subject's.

    `status` says where anyone can look up whether it has ended (`credential_status`).
    """
    return sign(
        {
            "@context": [_CONTEXT],
            "type": ["VerifiableCredential", "AssentConsentReceipt"],
            "id": f"urn:uuid:{record.record_id}",
            "issuer": f"urn:uuid:{record.controller.id}",
            "validFrom": f"{record.scope.starts.isoformat()}T00:00:00Z",
            "validUntil": f"{record.scope.ends.isoformat()}T23:59:59Z",
            "credentialSubject": {
                "id": f"{_THUMBPRINT}:{record.principal.key_thumbprint}",
                "consent": signed,
            },
            "countersigned": moment,
            **({"credentialStatus": dict(status)} if status else {}),
        },
        key,
        kind=_RECEIPT,
    )


def read_receipt(receipt: str, *, subject: VerifyKey, studio: VerifyKey) -> Receipt:
    """Verify both signatures and return what they say; raises `IntegrityError`."""
    credential = verify(receipt, studio, kind=_RECEIPT)
    try:
        signed = str(credential["credentialSubject"]["consent"])
        countersigned = str(credential["countersigned"])
    except (KeyError, TypeError) as error:
        raise IntegrityError("the receipt lacks its parts") from error
    return Receipt(record=read_signed(signed, subject), countersigned=countersigned)


def hash_receipt(receipt: str, salt: str) -> str:
    """Return the salted SHA-256 (hex) by which the log and manifests name a receipt."""
    return hashlib.sha256(f"{salt}.{receipt}".encode()).hexdigest()


def signer_hint(token: str) -> str:
    """Return the record id that `token` claims to be about, unverified; raises `InputError`."""
    record = peek(token).get("record")
    claimed = record.get("record_id") if isinstance(record, dict) else None
    if not isinstance(claimed, str):
        raise InputError("this is not a signed consent record")
    return claimed
