"""The vector on the page is what the code makes."""

import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assent.kit.tlog.log import Log
from assent.kit.tlog.note import NoteSigner, NoteVerifier
from assent.kit.tlog.receipt import make_receipt, verify_receipt

PAGE = (Path(__file__).parents[4] / "docs" / "specs" / "log.md").read_text()


def block(name: str) -> str:
    """The one fenced block of that name."""
    (text,) = re.findall(rf"^```{name}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    return str(text)


@pytest.fixture
def signer() -> NoteSigner:
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    return NoteSigner("assent.local/studio/vector", key)


def test_the_vector(tmp_path: Path, signer: NoteSigner) -> None:
    log = Log.create(tmp_path, signer=signer)
    log.append([b"first", b"second", b"third"])
    assert signer.vkey == block("vkey").strip()
    assert log.checkpoint() == block("checkpoint")
    assert (tmp_path / "tile/0/000.p/3").read_bytes() == bytes.fromhex(block("tile"))
    assert (tmp_path / "tile/entries/000.p/3").read_bytes() == bytes.fromhex(block("bundle"))
    assert make_receipt(log.reader(), 1) == block("receipt")


def test_the_page_alone_verifies() -> None:
    verifier = NoteVerifier.parse(block("vkey"))
    assert verify_receipt(block("receipt"), b"second", verifier).index == 1
