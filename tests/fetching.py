"""Requests to servers on this machine: short limits, names that lead anywhere, a certificate."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from assent.kit.fetch.fetch import fetch_bytes
from assent.kit.fetch.wire import Fetch, Limits

__all__ = ["QUICK", "certificate", "names", "own"]

QUICK = Limits(seconds=5.0, silence=0.5)


def names(**addresses: str) -> Fetch:
    """Return a way to fetch whose names lead where the test says."""
    return Fetch(
        limits=QUICK, resolve=lambda host, port: addresses.get(host.split(".")[0], host).split()
    )


def own(url: str, **limits: float) -> bytes:
    """Return what the owner's own address answers, asked within short limits."""
    how = Limits(**{"seconds": 5.0, "silence": 0.5, **limits})  # type: ignore[arg-type]
    return fetch_bytes(url, own=True, limits=how)[1]


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """Make a certificate of 127.0.0.1 that signs itself; return its file and who trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = folder / "server.pem"
    path.write_bytes(private + pem)
    return path, ssl.create_default_context(cadata=pem.decode())
