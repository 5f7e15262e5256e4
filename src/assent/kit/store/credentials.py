"""With what a studio signs its content credentials, and how: kept sealed, beside its other secrets.

One secret holds the chain in use with its key (or where in a token the key is), and what is public
of those before it, so that older releases stay the studio's own. Another holds the profile. Neither
is in `studio.toml`: who can write into the folder but doesn't hold the root key can't put another
signer into the studio's place, or switch its time stamps off.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from cryptography import x509

from assent.kit.c2pa.certificates import Chain, chain_of, load_chain
from assent.kit.c2pa.keys import Algorithm, algorithm_of
from assent.kit.c2pa.own import read_chain
from assent.kit.c2pa.token import TokenKey, TokenPlace
from assent.kit.canonical import canonical
from assent.kit.errors import AssentError, BriefError, InputError, IntegrityError
from assent.kit.vault.secrets import SecretStore

__all__ = ["CHAIN", "PROFILE", "Profile", "Stored", "TokenAccess", "load_profile", "load_stored"]

CHAIN, PROFILE = "c2pa", "c2pa-profile"
"""The names of the two secrets."""

_PRINTED_PRODUCER = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenAccess:
    """How tokens are reached on this machine: the PKCS #11 library, and the PIN."""

    module: Path
    pin: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What the studio chose for its credentials.

    Attributes:
        tsa_url: an RFC 3161 time-stamping service; None stamps nothing.
        tsa_root_pem: the root under which its stamps are believed, checked at each seal.
        unstamped: what happens when the service gives no stamp: "refuse" to seal, or "say-so",
            which seals and says in the credential that there is none.
        log_url: where copies of the log can be fetched.
        aigc_producer: the producer's name or code for China's AIGC field; None leaves it out.
    """

    tsa_url: str | None = None
    tsa_root_pem: str | None = None
    unstamped: Literal["refuse", "say-so"] = "refuse"
    log_url: str | None = None
    aigc_producer: str | None = None

    def __post_init__(self) -> None:
        """Raise BriefError for what could not be used."""
        for url in (self.tsa_url, self.log_url):
            if url is not None and not url.startswith(("http://", "https://")):
                raise BriefError(f"{url} is no address that begins with http:// or https://")
        if self.tsa_root_pem is not None:
            read_chain(self.tsa_root_pem.encode())
        if self.unstamped not in ("refuse", "say-so"):
            raise BriefError("without a time stamp a seal can 'refuse' or 'say-so'")
        producer = self.aigc_producer
        if producer is not None and not (
            producer.isprintable() and 0 < len(producer.strip()) <= _PRINTED_PRODUCER
        ):
            raise BriefError(
                "the producer's name for the AIGC field is empty, too long or unprintable"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """The chain in use, where its key is if in a token, and what came before."""

    chain: Chain
    place: TokenPlace | None = None
    older: tuple[Mapping[str, str], ...] = ()
    revoked: frozenset[str] = frozenset()

    def to_bytes(self) -> bytes:
        """Return it as the secret holds it."""
        return canonical(
            {
                "local": self.chain.local,
                "root": self.chain.root_pem.decode(),
                "chain": self.chain.chain_pem.decode(),
                "key": self.chain.leaf_key_pem.decode(),
                "token": asdict(self.place) if self.place else None,
                "older": [dict(each) for each in self.older],
                "revoked": sorted(self.revoked),
            }
        )

    def followed_by(self, chain: Chain, place: TokenPlace | None = None) -> "Stored":
        """Return what is stored once `chain` has taken this one's place."""
        fact = {
            "root": self.chain.root_pem.decode(),
            "serial": self.chain.serial,
            "fingerprint": self.chain.fingerprint,
        }
        return replace(self, chain=chain, place=place, older=(*self.older, fact))


def load_stored(store: SecretStore, *, clocks_pem: bytes, access: TokenAccess | None) -> Stored:
    """Return the signing chain of a studio, its older roots and `clocks_pem` among its anchors.

    A key in a token is asked for when something is signed, not now. Raises IntegrityError if the
    secret is damaged.
    """
    data = store.get(CHAIN)
    try:
        told: dict[str, Any] = json.loads(data)
        place = TokenPlace(**told["token"]) if told["token"] else None
        stored = Stored(
            chain=_chain(told, place, access),
            place=place,
            older=tuple(told["older"]),
            revoked=frozenset(told["revoked"]),
        )
        roots = "".join(each["root"] for each in stored.older).encode()
        serials = frozenset(each["serial"] for each in stored.older)
    except (ValueError, KeyError, TypeError, AttributeError, BriefError) as error:
        raise IntegrityError("the studio's signing chain is damaged") from error
    chain = replace(
        stored.chain, older_roots_pem=roots, older_serials=serials, clocks_pem=clocks_pem,
        revoked=stored.chain.fingerprint in stored.revoked,
    )  # fmt: skip
    return replace(stored, chain=chain)


def load_profile(store: SecretStore) -> Profile:
    """Return the studio's profile; the default one if none was chosen."""
    if PROFILE not in store.names():
        return Profile()
    data = store.get(PROFILE)
    try:
        return Profile(**json.loads(data))
    except (ValueError, TypeError, AssentError) as error:
        raise IntegrityError("the studio's credential profile is damaged") from error


def _chain(told: Mapping[str, Any], place: TokenPlace | None, access: TokenAccess | None) -> Chain:
    root_pem, chain_pem = told["root"].encode(), told["chain"].encode()
    key_pem = told["key"].encode()
    if told["local"]:
        return load_chain(root_pem=root_pem, chain_pem=chain_pem, leaf_key_pem=key_pem)
    leaf = read_chain(chain_pem)[0]
    token = _token(leaf, place, access) if place else None
    return chain_of(
        leaf, root_pem=root_pem, chain_pem=chain_pem, leaf_key_pem=key_pem, token=token, local=False
    )


def _token(
    leaf: x509.Certificate, place: TokenPlace, access: TokenAccess | None
) -> "TokenKey | _OutOfReach":
    public = leaf.public_key()
    if access is None:
        return _OutOfReach(place, algorithm_of(public))
    return TokenKey(place=place, module=access.module, pin=access.pin, public=public)


@dataclass(frozen=True, slots=True)
class _OutOfReach:
    """A key in a token, on a machine where nothing says how tokens are reached."""

    place: TokenPlace
    algorithm: Algorithm

    def sign(self, data: bytes) -> bytes:
        raise InputError(
            f"nothing says how to reach the token '{self.place.token}' with the signing key",
            advice="Set ASSENT_PKCS11_MODULE to the token's library, and ASSENT_PKCS11_PIN or "
            "ASSENT_PKCS11_PIN_FILE.",
        )
