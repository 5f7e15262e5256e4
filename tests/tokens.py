"""A hardware token made of software (SoftHSM), with a key that can't be taken out."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pkcs11
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key
from pkcs11 import Attribute, KeyType
from pkcs11.util.ec import encode_ec_public_key, encode_named_curve_parameters
from pkcs11.util.rsa import encode_rsa_public_key

__all__ = ["MODULE", "SOFTHSM", "SoftToken", "soft_token"]

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
SOFTHSM = MODULE.exists() and shutil.which("softhsm2-util") is not None
PIN = "5678"


@dataclass(frozen=True)
class SoftToken:
    """A token, and how to get into it."""

    label: str
    pin: str

    def _open(self) -> pkcs11.Session:
        token = pkcs11.lib(str(MODULE)).get_token(token_label=self.label)
        return token.open(user_pin=self.pin, rw=True)

    def make_key(
        self, label: str, curve: str = "secp256r1", *, signs: bool = True
    ) -> ec.EllipticCurvePublicKey:
        """Make a key on a curve inside the token; return its other half."""
        name = {Attribute.EC_PARAMS: encode_named_curve_parameters(curve)}
        with self._open() as session:
            parameters = session.create_domain_parameters(KeyType.EC, name, local=True)
            public, _ = parameters.generate_keypair(
                store=True, label=label, private_template={Attribute.SIGN: signs}
            )
            key = load_der_public_key(encode_ec_public_key(public))
        assert isinstance(key, ec.EllipticCurvePublicKey)
        return key

    def make_rsa(self, label: str) -> rsa.RSAPublicKey:
        """Make an RSA key inside the token; return its other half."""
        with self._open() as session:
            public, _ = session.generate_keypair(KeyType.RSA, 2048, store=True, label=label)
            key = load_der_public_key(encode_rsa_public_key(public))
        assert isinstance(key, rsa.RSAPublicKey)
        return key


def soft_token(folder: Path, label: str = "studio") -> SoftToken:
    """Make a token whose files lie in `folder`; the library reads its place from the environment.

    The library is loaded once a process and keeps its first place: make one a process.
    """
    (folder / "tokens").mkdir(parents=True, exist_ok=True)
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder}/tokens\n")
    os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")
    subprocess.run(
        ["softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", "1234",
         "--pin", PIN],
        check=True, capture_output=True,
    )  # fmt: skip
    return SoftToken(label, PIN)
