import struct
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from assent.kit.errors import InputError, IntegrityError
from assent.kit.tlog.cosignature import Cosigner, WitnessKey, cosigned_at
from assent.kit.tlog.note import NoteVerifier, VerifierKey, decode_base64, key_id, signatures_of

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
BODY = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
TIME = 1679315147

# The cosignature of the checkpoint above that c2sp.org/tlog-cosignature shows; its key isn't told.
PUBLISHED = (
    "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIU"
    "BkBIfZ+qnA=="
)
# A witness's key as its operator published it.
REMORA = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"


def note_of(line: str, body: str = BODY) -> str:
    return f"{body}\n{line}"


def test_the_published_cosignature_has_the_published_time() -> None:
    data = decode_base64(PUBLISHED)
    assert len(data) == 4 + 8 + 64
    assert cosigned_at(data[4:]) == datetime.fromtimestamp(TIME, UTC)


def test_a_published_key_keeps_its_id() -> None:
    key = WitnessKey.parse(REMORA)
    assert (key.name, key.key_id.hex(), key.vkey) == ("remora.n621.de", "da77ade7", REMORA)


def test_what_is_signed_is_as_specified() -> None:
    """Checked with the key alone: header, time, and the checkpoint's whole text."""
    line = Cosigner("witness.example.com/w1", KEY).cosign(BODY, time=TIME)
    dash, name, encoded = line.rstrip("\n").split(" ")
    data = decode_base64(encoded)
    public = KEY.public_key()
    assert (dash, name) == ("\u2014", "witness.example.com/w1")
    assert data[:4] == key_id(name, 4, public.public_bytes_raw())
    assert data[4:12] == struct.pack(">Q", TIME)
    public.verify(data[12:], f"cosignature/v1\ntime {TIME}\n{BODY}".encode())


def test_it_covers_time_text_and_extensions() -> None:
    cosigner = Cosigner("w", KEY)
    line = cosigner.cosign(f"{BODY}an extension\n", time=TIME)
    ((key, signature),) = signatures_of(note_of(line, f"{BODY}an extension\n"), [cosigner.verifier])
    assert key is cosigner.verifier
    for wrong in (
        struct.pack(">Q", TIME + 1) + signature.data[8:],
        signature.data[:-1],
        signature.data[:8] + bytes(64),
    ):
        with pytest.raises(IntegrityError, match="of w doesn't fit"):
            key.verify(f"{BODY}an extension\n", wrong)
    for body in (BODY, f"{BODY}another\n", BODY.replace("20852163", "20852164")):
        with pytest.raises(IntegrityError, match="of w doesn't fit"):
            signatures_of(note_of(line, body), [key])


@pytest.mark.parametrize("data", [b"", b"12345678", b"\xff" * 72, struct.pack(">Q", 1 << 62)])
def test_no_time(data: bytes) -> None:
    with pytest.raises(IntegrityError, match="holds no time"):
        cosigned_at(data)
    with pytest.raises(IntegrityError):
        WitnessKey.parse(REMORA).verify(BODY, data)


def ml_dsa(name: str = "witness.example/w1") -> tuple[MLDSA44PrivateKey, WitnessKey]:
    key = MLDSA44PrivateKey.generate()
    written = VerifierKey(name, 6, key.public_key().public_bytes_raw())
    return key, WitnessKey.parse(written.text)


def structure(name: bytes, time: int, origin: bytes, size: int, root: bytes) -> bytes:
    """The structure of c2sp.org/tlog-cosignature, byte by byte."""
    return b"".join(
        [
            *(b"subtree/v1\n\0", bytes([len(name)]), name, struct.pack(">Q", time)),
            *(bytes([len(origin)]), origin, struct.pack(">QQ", 0, size), root),
        ]
    )


def test_ml_dsa_cosignatures_are_understood() -> None:
    key, witness = ml_dsa()
    root = decode_base64(BODY.split("\n")[2])
    told = structure(b"witness.example/w1", TIME, b"example.com/behind-the-sofa", 20852163, root)
    signature = struct.pack(">Q", TIME) + key.sign(told)
    assert len(signature) == 8 + 2420
    witness.verify(BODY, signature)
    for body, wrong in (
        (BODY.replace("sofa", "sofb"), signature),
        (BODY, struct.pack(">Q", TIME + 1) + signature[8:]),
        # It says nothing about extension lines, so none may seem to be signed.
        (f"{BODY}an extension\n", signature),
        ("o" * 256 + BODY[BODY.index("\n") :], signature),
        ("no checkpoint\n", signature),
    ):
        with pytest.raises(IntegrityError):
            witness.verify(body, wrong)
    other = VerifierKey("witness.example/w2", 6, key.public_key().public_bytes_raw())
    with pytest.raises(IntegrityError):
        WitnessKey.parse(other.text).verify(BODY, signature)


def test_other_keys_are_no_witnesses() -> None:
    log = NoteVerifier("example.com/log", KEY.public_key())
    with pytest.raises(InputError, match="its kind is another") as caught:
        WitnessKey.parse(log.vkey)
    assert "log's key can't cosign" in caught.value.advice
    for kind in (4, 6):
        with pytest.raises(InputError, match="is no witness's key"):
            WitnessKey.parse(VerifierKey("w", kind, b"too short").text)
    # And the other way round, so that nobody's cosignature counts as the log's own signature.
    with pytest.raises(InputError, match="is no log's key"):
        NoteVerifier.parse(Cosigner("w", KEY).verifier.vkey)


def test_a_name_is_needed() -> None:
    with pytest.raises(InputError):
        Cosigner("two words", KEY)
