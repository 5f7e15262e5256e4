"""The c2pa library's settings, for signing and reading: offline, no thumbnails of its own."""

from typing import Any

import c2pa

from assent.kit.c2pa.certificates import CLAIM_SIGNING

__all__ = ["make_context"]

_EMAIL_PROTECTION = "1.3.6.1.5.5.7.3.4"
_TIME_STAMPING = "1.3.6.1.5.5.7.3.8"
# A film is hashed in one piece, though that takes as much memory as the film is long, up to two
# thirds of a gigabyte: of films hashed in pieces (a Merkle tree) another implementation says that
# they don't match.
# What the library sets aside of a film beyond this lies in temporary files without a name, which no
# other program can open and which vanish with the process; else memory grows with the film.
_IN_MEMORY_MB = 16
_PURPOSES = "\n".join([CLAIM_SIGNING.dotted_string, _EMAIL_PROTECTION])


def make_context(*, anchors_pem: bytes | None = None) -> Any:  # noqa: ANN401 # c2pa ships no types
    """Return a c2pa Context that trusts `anchors_pem` and fetches nothing.

    Raises c2pa.C2paError when `anchors_pem` holds no certificate.
    """
    settings: dict[str, Any] = {
        "version": 1,
        "core": {
            "allowed_network_hosts": [],
            "backing_store_memory_threshold_in_mb": _IN_MEMORY_MB,
        },
        "verify": {
            "ocsp_fetch": False,
            "remote_manifest_fetch": False,
            "verify_after_sign": True,
        },
        # A thumbnail of its making would show a picture that no label covers.
        "builder": {"thumbnail": {"enabled": False}},
    }
    settings["trust"] = {"trust_config": _PURPOSES}
    if anchors_pem is not None:
        settings["trust"]["user_anchors"] = anchors_pem.decode("ascii", "replace")
    return c2pa.Context(c2pa.Settings.from_dict(settings))
