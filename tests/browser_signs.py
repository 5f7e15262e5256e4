"""What a page does with a key file: signs the text that the studio shows it."""

import base64

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from assent.kit.signing import SigningKey, to_pem

__all__ = ["signature"]


def signature(text: str, key: SigningKey) -> dict[str, str]:
    """Return what the browser sends back."""
    private = load_pem_private_key(to_pem(key), None)
    assert isinstance(private, Ed25519PrivateKey)
    made = base64.urlsafe_b64encode(private.sign(text.encode())).rstrip(b"=").decode()
    return {"signature": made}
