"""An authenticator in software: makes passkeys and signs with them, rightly or as it is told to."""

import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256

from assent.kit.passkey import Passkey, challenge_of
from assent.kit.signing import attach, signing_input

__all__ = ["Authenticator", "b64"]

PRESENT, VERIFIED, HAS_KEY = 0x01, 0x04, 0x40


def b64(data: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass(kw_only=True)
class Authenticator:
    """One passkey and whoever holds it."""

    rp_id: str = "localhost"
    origin: str = "http://localhost:8765"
    credential_id: bytes = b"credential-of-a-test"
    key: EllipticCurvePrivateKey = field(default_factory=lambda: generate_private_key(SECP256R1()))

    @property
    def cose(self) -> bytes:
        """The public key, as authenticators tell it."""
        numbers = self.key.public_key().public_numbers()
        return cbor2.dumps(
            {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)}
        )

    @property
    def passkey(self) -> Passkey:
        """The public half, as the studio keeps it."""
        return Passkey(
            credential_id=b64(self.credential_id),
            public_key=self.cose,
            rp_id=self.rp_id,
            origin=self.origin,
        )

    def sign(self, payload: object, *, kind: str, **told: Any) -> str:  # noqa: ANN401 - of the client
        """Return a token over `payload`, as the page and the studio together make it."""
        asked = signing_input(payload, self.passkey, kind=kind)
        return attach(asked, self.answer(challenge_of(asked), **told), self.passkey)

    def answer(
        self,
        asked: bytes,
        *,
        flags: int = PRESENT | VERIFIED,
        counter: int = 0,
        ceremony: str = "webauthn.get",
        **told: Any,  # noqa: ANN401 - members of the client's data
    ) -> dict[str, str]:
        """Return what the browser gives back for a challenge."""
        client = {
            "type": ceremony,
            "challenge": b64(asked),
            "origin": self.origin,
            "crossOrigin": False,
            **told,
        }
        client_data = json.dumps(client).encode()
        data = hashlib.sha256(self.rp_id.encode()).digest() + bytes([flags]) + counter.to_bytes(4)
        signed = self.key.sign(data + hashlib.sha256(client_data).digest(), ECDSA(SHA256()))
        return {
            "authenticatorData": b64(data),
            "clientDataJSON": b64(client_data),
            "signature": b64(signed),
        }

    def register(self, challenge: bytes, *, flags: int = PRESENT | VERIFIED) -> dict[str, Any]:
        """Return what the browser gives back when a passkey is made."""
        client = {"type": "webauthn.create", "challenge": b64(challenge), "origin": self.origin}
        data = (
            hashlib.sha256(self.rp_id.encode()).digest()
            + bytes([flags | HAS_KEY])
            + bytes(4)
            + bytes(16)
            + len(self.credential_id).to_bytes(2)
            + self.credential_id
            + self.cose
        )
        statement = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return {
            "id": b64(self.credential_id),
            "rawId": b64(self.credential_id),
            "type": "public-key",
            "response": {
                "clientDataJSON": b64(json.dumps(client).encode()),
                "attestationObject": b64(statement),
            },
        }
