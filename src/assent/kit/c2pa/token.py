"""A claim-signing key in a hardware token (PKCS #11): it signs there and never comes out.

    place = TokenPlace(token="studio", key="claims")
    key = TokenKey(place, module=Path("/usr/lib/softhsm/libsofthsm2.so"), pin="...", public=public)

The library of the token's maker runs inside this process, so whoever opens the studio names it; a
studio's folder never does. The PIN is held in memory only.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from assent.kit.c2pa.keys import CURVES, Algorithm, algorithm_of
from assent.kit.errors import BriefError, InputError, SealError

__all__ = ["TokenKey", "TokenPlace"]

_SALT = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPlace:
    """Where a key is: the labels of the token and of the key in it."""

    token: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenKey:
    """A private key at a `place` in a token that `module` (a PKCS #11 library) reaches.

    `public` is the other half, from the certificate. Raises BriefError for keys that can't sign
    claims; `sign` raises InputError when the library, the token, the PIN or the key isn't there,
    SealError when the token won't sign.
    """

    place: TokenPlace
    module: Path
    pin: str = field(repr=False)
    public: PublicKeyTypes = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse what the token could not do."""
        if algorithm_of(self.public) == "ed25519":
            raise BriefError(
                "tokens sign with keys on P-256, P-384 or P-521, or with RSA",
                advice="Have the certificate issued for another key.",
            )

    @property
    def algorithm(self) -> Algorithm:
        """How it signs."""
        return algorithm_of(self.public)

    @property
    def _on_rsa(self) -> bool:
        return isinstance(self.public, rsa.RSAPublicKey)

    def sign(self, data: bytes) -> bytes:
        """Return the token's signature over `data` as COSE wants it."""
        pkcs11 = _pkcs11()
        with self._key() as key:
            try:
                return self._sign(key, data)
            # A key that the token lets nobody sign with has no method for it.
            except (pkcs11.PKCS11Error, AttributeError) as error:
                raise SealError(f"the token did not sign: {_why(error)}") from error

    def _sign(self, key: Any, data: bytes) -> bytes:  # noqa: ANN401 # its classes are made at run time
        mechanisms = _pkcs11().mechanisms
        if not self._on_rsa:
            curve = cast("ec.EllipticCurvePublicKey", self.public).curve
            digest = hashes.Hash(CURVES[curve.name][1])
            digest.update(data)
            return bytes(key.sign(digest.finalize(), mechanism=mechanisms.Mechanism.ECDSA))
        return bytes(
            key.sign(
                hashlib.sha256(data).digest(),
                mechanism=mechanisms.Mechanism.RSA_PKCS_PSS,
                mechanism_param=(mechanisms.Mechanism.SHA256, mechanisms.MGF.SHA256, _SALT),
            )
        )

    @contextmanager
    def _key(self) -> Iterator[Any]:
        pkcs11 = _pkcs11()
        try:
            library = pkcs11.lib(str(self.module))
            token = library.get_token(token_label=self.place.token)
            session = token.open(user_pin=self.pin)
        except (pkcs11.PKCS11Error, RuntimeError) as error:
            raise InputError(
                f"the token '{self.place.token}' can't be opened: {_why(error)}",
                advice="Check ASSENT_PKCS11_MODULE, the token and its PIN.",
            ) from error
        with session:
            try:
                # A key of another kind than the certificate's makes some tokens' libraries fall.
                key = session.get_key(
                    object_class=pkcs11.ObjectClass.PRIVATE_KEY,
                    key_type=pkcs11.KeyType.RSA if self._on_rsa else pkcs11.KeyType.EC,
                    label=self.place.key,
                )
            except pkcs11.PKCS11Error as error:
                raise InputError(
                    f"there is no one key '{self.place.key}' in the token: {_why(error)}",
                    advice="Check the key's label with the token's own tools.",
                ) from error
            yield key


def _pkcs11() -> Any:  # noqa: ANN401 # it ships no types
    try:
        import pkcs11
        import pkcs11.mechanisms
    except ImportError as error:
        raise InputError(
            "keys in tokens need a library that isn't installed",
            advice="Install it: `pip install 'assent[pkcs11]'`.",
        ) from error
    return pkcs11


def _why(error: Exception) -> str:
    return " ".join([type(error).__name__, *map(str, error.args)])
