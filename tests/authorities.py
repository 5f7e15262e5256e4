"""A certificate authority for tests, which issues good certificates and wrong ones."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import (
    CertificateIssuerPrivateKeyTypes,
    CertificatePublicKeyTypes,
)
from cryptography.x509.oid import NameOID

__all__ = ["Authority", "Wanted"]

CLAIMS = "1.3.6.1.4.1.62558.2.1"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a leaf shall be like."""

    kind: str = "p256"
    purposes: tuple[str, ...] = (CLAIMS,)
    usage: bool = True
    signs: bool = True
    authority: bool = False
    starts: timedelta = timedelta(0)
    lasts: timedelta = timedelta(days=365)
    public: CertificatePublicKeyTypes | None = None


def _key(kind: str) -> CertificateIssuerPrivateKeyTypes:
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    if kind.startswith("rsa"):
        size = 1024 if kind == "rsa-short" else 2048
        return rsa.generate_private_key(65537, size)
    curves = {
        "p256": ec.SECP256R1(), "p384": ec.SECP384R1(), "p521": ec.SECP521R1(),
        "k256": ec.SECP256K1(),
    }  # fmt: skip
    return ec.generate_private_key(curves[kind])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


@dataclass(frozen=True)
class Authority:
    """Root and intermediate, both with their keys."""

    root: x509.Certificate
    middle: x509.Certificate
    middle_key: ec.EllipticCurvePrivateKey
    now: datetime

    @property
    def root_pem(self) -> bytes:
        return _pem(self.root)

    @property
    def middle_pem(self) -> bytes:
        return _pem(self.middle)

    @classmethod
    def make(cls, now: datetime) -> "Authority":
        """Make one whose certificates are valid for three years around `now`."""
        keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
        made: list[x509.Certificate] = []
        for name, key in zip(("Root", "Middle"), keys, strict=True):
            issuer = made[0].subject if made else _name("CA", name)
            usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
            made.append(
                _begin(_name("CA", name), issuer, key.public_key())
                .not_valid_before(now - timedelta(days=500))
                .not_valid_after(now + timedelta(days=600))
                .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
                .add_extension(usage, critical=True)
                .add_extension(
                    x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
                )
                .add_extension(
                    x509.AuthorityKeyIdentifier.from_issuer_public_key(keys[0].public_key()),
                    critical=False,
                )
                .sign(keys[0], hashes.SHA256())
            )
        return cls(made[0], made[1], keys[1], now)

    def issue(self, wanted: Wanted) -> tuple[bytes, bytes]:
        """Return certificate and key, both PEM; the key is empty for one that is elsewhere."""
        key = None if wanted.public else _key(wanted.kind)
        public = wanted.public or (key.public_key() if key else None)
        assert public is not None
        begins = self.now + wanted.starts
        builder = (
            _begin(_name("Nord Broadcasting", "Signing"), self.middle.subject, public)
            .not_valid_before(begins)
            .not_valid_after(begins + wanted.lasts)
            .add_extension(x509.BasicConstraints(wanted.authority, None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.middle_key.public_key()),
                critical=False,
            )
        )
        if wanted.usage:
            uses = x509.KeyUsage(
                wanted.signs, not wanted.signs, False, False, False, wanted.authority, False,
                False, False,
            )  # fmt: skip
            builder = builder.add_extension(uses, critical=True)
        if wanted.purposes:
            purposes = [x509.ObjectIdentifier(each) for each in wanted.purposes]
            builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        leaf = builder.sign(self.middle_key, hashes.SHA256())
        form = serialization.PrivateFormat.PKCS8
        plain = serialization.NoEncryption()
        pem = key.private_bytes(serialization.Encoding.PEM, form, plain) if key else b""
        return _pem(leaf), pem


def _begin(
    subject: x509.Name, issuer: x509.Name, public: CertificatePublicKeyTypes
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
    )


def _name(organisation: str, common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )
