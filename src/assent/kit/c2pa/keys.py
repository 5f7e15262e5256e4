"""Keys that sign claims: in a PEM file, or elsewhere behind the same two things.

>>> key = PemKey(chain.leaf_key_pem)  # doctest: +SKIP
>>> key.algorithm, len(key.sign(b"claim"))  # doctest: +SKIP
('es256', 64)
"""

from typing import Literal, Protocol

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from assent.kit.errors import BriefError

__all__ = ["Algorithm", "ClaimKey", "PemKey", "algorithm_of", "raw_signature"]

Algorithm = Literal["es256", "es384", "es512", "ps256", "ed25519"]
"""How claims may be signed (C2PA 2.2 section 13.2), by its name in COSE."""

CURVES: dict[str, tuple[Algorithm, hashes.HashAlgorithm, int]] = {
    "secp256r1": ("es256", hashes.SHA256(), 32),
    "secp384r1": ("es384", hashes.SHA384(), 48),
    "secp521r1": ("es512", hashes.SHA512(), 66),
}
"""Of each curve its algorithm, hash and the length of r and of s in bytes."""
_SHORTEST_RSA = 2048


class ClaimKey(Protocol):
    """A private key that never has to leave the place where it is."""

    @property
    def algorithm(self) -> Algorithm:
        """How it signs."""

    def sign(self, data: bytes) -> bytes:
        """Return the signature over `data` as COSE wants it."""


class PemKey:
    """An unencrypted private key in PEM; raises BriefError when it is none that signs claims."""

    def __init__(self, pem: bytes) -> None:
        try:
            self._key = serialization.load_pem_private_key(pem, password=None)
        except (ValueError, TypeError) as error:
            raise BriefError(
                "the signing key is no unencrypted private key in PEM form",
                advice="Decrypt it first, for example with `openssl pkey`; the studio seals it.",
            ) from error
        self._algorithm = algorithm_of(self._key.public_key())

    @property
    def algorithm(self) -> Algorithm:
        """How it signs."""
        return self._algorithm

    @property
    def public(self) -> PublicKeyTypes:
        """The other half."""
        return self._key.public_key()

    def sign(self, data: bytes) -> bytes:
        """Return the signature over `data` as COSE wants it."""
        return _sign(self._key, data)


def algorithm_of(key: PublicKeyTypes) -> Algorithm:
    """Return how the owner of this public key signs claims; raises BriefError if they can't."""
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in CURVES:
        return CURVES[key.curve.name][0]
    if isinstance(key, ed25519.Ed25519PublicKey):
        return "ed25519"
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= _SHORTEST_RSA:
        return "ps256"
    raise BriefError(
        "keys of this kind can't sign content credentials",
        advice="Use a key on P-256, P-384 or P-521, Ed25519, or RSA of 2,048 bits and more.",
    )


def raw_signature(der: bytes, *, length: int) -> bytes:
    """Return an ECDSA signature as r and s side by side, `length` bytes each (RFC 9053)."""
    r, s = decode_dss_signature(der)
    return r.to_bytes(length, "big") + s.to_bytes(length, "big")


def _sign(key: PrivateKeyTypes, data: bytes) -> bytes:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        _, digest, length = CURVES[key.curve.name]
        return raw_signature(key.sign(data, ec.ECDSA(digest)), length=length)
    if isinstance(key, rsa.RSAPrivateKey):
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
        return key.sign(data, pss, hashes.SHA256())
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(data)
    raise BriefError("keys of this kind can't sign content credentials")
