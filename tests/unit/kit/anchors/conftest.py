"""A log of three entries, and what anchors it."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assent.kit.tlog.log import Log
from assent.kit.tlog.note import NoteSigner

SIGNER = NoteSigner("assent.local/studio/1", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))


@pytest.fixture
def signer() -> NoteSigner:
    return SIGNER


@pytest.fixture
def log(tmp_path: Path) -> Log:
    made = Log.create(tmp_path / "log", signer=SIGNER)
    made.append([b"first", b"second", b"third"])
    return made


@pytest.fixture
def note(log: Log) -> bytes:
    return log.checkpoint().encode()
