"""An organisation's own certificate: is it one that may sign content credentials?

    chain = own_chain(chain_pem=..., root_pem=..., key=PemKey(...), now=now())

What C2PA asks of a signer (C2PA 2.2 section 14.5) is checked here first, so that a wrong
certificate is refused in words, and not years later by somebody else's program.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from assent.kit.c2pa.certificates import CLAIM_SIGNING, Chain, chain_of
from assent.kit.c2pa.keys import ClaimKey, algorithm_of
from assent.kit.errors import BriefError

__all__ = ["own_chain", "read_chain"]

_E = TypeVar("_E", bound=x509.ExtensionType)
_SIGNS = frozenset({CLAIM_SIGNING, ExtendedKeyUsageOID.EMAIL_PROTECTION})
# Who does one of these must do nothing else; a certificate for anything at all signs nothing.
_APART = frozenset(
    {
        ExtendedKeyUsageOID.TIME_STAMPING,
        ExtendedKeyUsageOID.OCSP_SIGNING,
        ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
    }
)
_LONGEST_CHAIN = 6
_ADVICE = (
    "Ask the authority for a certificate that signs C2PA claims (extended key usage "
    "1.3.6.1.4.1.62558.2.1), and give the chain with it first."
)


def own_chain(
    *,
    chain_pem: bytes,
    root_pem: bytes,
    now: datetime,
    leaf_key_pem: bytes = b"",
    token: ClaimKey | None = None,
    public: PublicKeyTypes | None = None,
) -> Chain:
    """Return the organisation's chain, ready to sign, if C2PA's verifiers will take it.

    `chain_pem` begins with the leaf, each certificate issued by the next; `root_pem` is the anchor.
    `public` is the signing key's other half where it is known: the leaf must be of that key.

    Raises BriefError in words on what is wrong: EKU, key usage, term, order, key.
    """
    certificates = read_chain(chain_pem)
    root = read_chain(root_pem)[0]
    leaf = certificates[0]
    _check_leaf(leaf, now)
    _check_order([*certificates, root])
    if public is not None and public != leaf.public_key():
        raise _wrong("the certificate is not of this key", "Give the key that it was issued for.")
    kept = [each for each in certificates if each != root]
    return chain_of(
        leaf,
        root_pem=_pem([root]),
        chain_pem=_pem(kept),
        leaf_key_pem=leaf_key_pem,
        token=token,
        local=False,
    )


def read_chain(pem: bytes) -> Sequence[x509.Certificate]:
    """Return certificates in PEM form; raises BriefError when there are none, or too many."""
    try:
        found = x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise _wrong("these are no certificates in PEM form") from error
    if len(found) > _LONGEST_CHAIN:
        raise _wrong(f"a chain of {len(found)} certificates is too long")
    return found


def _check_leaf(leaf: x509.Certificate, now: datetime) -> None:
    algorithm_of(_key_of(leaf))
    purposes = set(_extension(leaf, x509.ExtendedKeyUsage) or ())
    if purposes & _APART:
        raise _wrong("the certificate is also for time stamps, OCSP or anything at all")
    if not purposes & _SIGNS:
        named = ", ".join(sorted(each.dotted_string for each in purposes)) or "none"
        raise _wrong(f"the certificate's extended key usage doesn't sign claims ({named})")
    usage = _extension(leaf, x509.KeyUsage)
    if usage is None or not usage.digital_signature or usage.key_cert_sign:
        raise _wrong("the certificate's key usage is not to sign data, and nothing else")
    limits = _extension(leaf, x509.BasicConstraints)
    if limits is not None and limits.ca:
        raise _wrong("the certificate is an authority's, not a signer's")
    if not leaf.not_valid_before_utc <= now < leaf.not_valid_after_utc:
        raise _wrong(
            f"the certificate is valid from {leaf.not_valid_before_utc:%Y-%m-%d} "
            f"to {leaf.not_valid_after_utc:%Y-%m-%d} only"
        )


def _check_order(certificates: Sequence[x509.Certificate]) -> None:
    for subject, issuer in pairwise(certificates):
        if subject == issuer:
            continue
        limits = _extension(issuer, x509.BasicConstraints)
        if limits is None or not limits.ca:
            raise _wrong("a certificate of the chain is issued by one that is no authority's")
        try:
            subject.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature) as error:
            raise _wrong("a certificate of the chain is not issued by the one after it") from error


def _key_of(certificate: x509.Certificate) -> PublicKeyTypes:
    try:
        return certificate.public_key()
    except ValueError as error:
        raise _wrong("the certificate's key is of no known kind") from error


def _extension(certificate: x509.Certificate, kind: type[_E]) -> _E | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except (x509.ExtensionNotFound, ValueError):
        return None


def _pem(certificates: Sequence[x509.Certificate]) -> bytes:
    return b"".join(each.public_bytes(Encoding.PEM) for each in certificates)


def _wrong(what: str, advice: str = _ADVICE) -> BriefError:
    return BriefError(what, advice=advice)
