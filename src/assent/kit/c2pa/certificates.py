"""The certificates that a studio signs with: of its own making, or its organisation's.

The studio's own chain (root, intermediate and claim-signing leaf, ES256) is what a local install
signs with when it has no certificate from a public list. The keys of the root and of the
intermediate are dropped as soon as the chain exists, so that nobody, the studio included, can issue
a second leaf under the same root: a new leaf comes with a new root, which the studio's log names.

>>> chain = make_chain(organisation="Studio Nord", not_before=datetime(2026, 11, 1, tzinfo=UTC))
>>> chain.organisation, chain.chain_pem.count(b"BEGIN CERTIFICATE")
('Studio Nord', 2)
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from assent.kit.c2pa.keys import ClaimKey, PemKey
from assent.kit.errors import BriefError, IntegrityError

__all__ = ["CLAIM_SIGNING", "Chain", "chain_of", "load_chain", "make_chain"]

# C2PA 2.2 section 14.5.1: the key purpose of a certificate that signs claims.
CLAIM_SIGNING = x509.ObjectIdentifier("1.3.6.1.4.1.62558.2.1")
# X.520 ub-organization-name.
_LONGEST_NAME = 64
_NO_USES = dict.fromkeys(
    [
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    ],
    False,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A signing chain, PEM throughout.

    `root_pem` is the anchor to give to verifiers; `chain_pem` holds the leaf and then what leads
    from it to the root. `leaf_key_pem` is the leaf's private key (PKCS #8, unencrypted: keep it in
    the vault), empty where a `token` signs. `local` tells that the studio made the chain itself.
    The rest describes the leaf: `organisation` as named in its subject, `serial` and SHA-256
    `fingerprint` in lower-case hex, and the moments between which it is valid. Chains that it took
    the place of are known by their roots and serials; one that is `revoked` signs no more.
    """

    root_pem: bytes
    chain_pem: bytes
    leaf_key_pem: bytes = field(repr=False)
    token: ClaimKey | None = field(default=None, repr=False)
    local: bool = True
    organisation: str
    serial: str
    fingerprint: str
    not_before: datetime
    not_after: datetime
    older_roots_pem: bytes = b""
    older_serials: frozenset[str] = frozenset()
    clocks_pem: bytes = b""
    revoked: bool = False

    @property
    def anchors_pem(self) -> bytes:
        """Roots of this chain, of those before it, and of time-stamping services."""
        return self.root_pem + self.older_roots_pem + self.clocks_pem

    @property
    def serials(self) -> frozenset[str]:
        """Certificates under these roots that are the studio's."""
        return self.older_serials | {self.serial}

    @property
    def key(self) -> ClaimKey:
        """What signs; raises BriefError if that is no key."""
        return self.token or PemKey(self.leaf_key_pem)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Issued:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def make_chain(*, organisation: str, not_before: datetime, days: int = 825) -> Chain:
    """Return a fresh chain for `organisation`, valid `days` days from `not_before` (aware).

    Raises BriefError when the name is empty, longer than 64 characters or not printable, when
    `days` is not positive, or when `not_before` carries no time zone.
    """
    _check(organisation, not_before, days)
    start = not_before.astimezone(UTC).replace(microsecond=0)
    span = (start, start + timedelta(days=days))
    root = _issue(organisation, "Root", None, span, depth=1)
    middle = _issue(organisation, "Intermediate", root, span, depth=0)
    leaf = _issue(organisation, "Content Credentials", middle, span, depth=None)
    return chain_of(
        leaf.certificate,
        root_pem=_pem(root.certificate),
        chain_pem=_pem(leaf.certificate) + _pem(middle.certificate),
        leaf_key_pem=leaf.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )


def chain_of(
    leaf: x509.Certificate,
    *,
    root_pem: bytes,
    chain_pem: bytes,
    leaf_key_pem: bytes = b"",
    token: ClaimKey | None = None,
    local: bool = True,
) -> Chain:
    """Return the chain of these parts, the facts read from `leaf`."""
    names = [
        *leaf.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME),
        *leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME),
    ]
    return Chain(
        root_pem=root_pem,
        chain_pem=chain_pem,
        leaf_key_pem=leaf_key_pem,
        token=token,
        local=local,
        organisation=str(names[0].value) if names else "",
        serial=format(leaf.serial_number, "x"),
        fingerprint=leaf.fingerprint(hashes.SHA256()).hex(),
        not_before=leaf.not_valid_before_utc,
        not_after=leaf.not_valid_after_utc,
    )


def load_chain(*, root_pem: bytes, chain_pem: bytes, leaf_key_pem: bytes) -> Chain:
    """Return a stored chain that `make_chain` made, the facts read from its leaf.

    Raises IntegrityError when a part is not what `make_chain` makes.
    """
    try:
        leaf, middle = x509.load_pem_x509_certificates(chain_pem)
        x509.load_pem_x509_certificate(root_pem)
        key = PemKey(leaf_key_pem).public
    except (ValueError, BriefError) as error:
        raise IntegrityError("the studio's signing chain is damaged") from error
    if key != leaf.public_key() or middle.subject != leaf.issuer:
        raise IntegrityError("the parts of the studio's signing chain don't belong together")
    return chain_of(leaf, root_pem=root_pem, chain_pem=chain_pem, leaf_key_pem=leaf_key_pem)


def _check(organisation: str, not_before: datetime, days: int) -> None:
    advice = "Give the studio's name as it should appear on its credentials."
    if not organisation.strip() or not organisation.isprintable():
        raise BriefError("the organisation's name is empty or not printable", advice=advice)
    if len(organisation) > _LONGEST_NAME:
        raise BriefError(
            f"the organisation's name has {len(organisation)} characters, more than 64",
            advice=advice,
        )
    if days < 1:
        raise BriefError(f"a signing chain can't be valid for {days} days")
    if not_before.tzinfo is None:
        raise BriefError("the signing chain's first moment carries no time zone")


def _issue(
    organisation: str,
    role: str,
    issuer: _Issued | None,
    span: tuple[datetime, datetime],
    *,
    depth: int | None,
) -> _Issued:
    """Return one certificate; `depth` is an authority's path length, None makes a leaf."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(organisation, role)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(span[0])
        .not_valid_after(span[1])
    )
    parent = issuer.key if issuer else key
    for extension, critical in _extensions(key, parent, depth):
        builder = builder.add_extension(extension, critical=critical)
    return _Issued(certificate=builder.sign(parent, hashes.SHA256()), key=key)


def _extensions(
    key: ec.EllipticCurvePrivateKey, parent: ec.EllipticCurvePrivateKey, depth: int | None
) -> Sequence[tuple[x509.ExtensionType, bool]]:
    authority = depth is not None
    uses = {"key_cert_sign": True, "crl_sign": True} if authority else {"digital_signature": True}
    shared: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=authority, path_length=depth), True),
        (x509.KeyUsage(**(_NO_USES | uses)), True),
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(parent.public_key()), False),
    ]
    if authority:
        return shared
    purposes = [CLAIM_SIGNING, ExtendedKeyUsageOID.EMAIL_PROTECTION]
    return [*shared, (x509.ExtendedKeyUsage(purposes), False)]


def _name(organisation: str, role: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
            x509.NameAttribute(NameOID.COMMON_NAME, f"Assent {role}"),
        ]
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
