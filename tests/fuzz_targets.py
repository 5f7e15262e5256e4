"""What strangers' bytes are parsed by, and well-formed examples to begin from.

A target gets any bytes. It may return or raise an `AssentError`; whatever else it raises, a hang,
and memory without bound are faults of the product.
"""

import atexit
import io
import json
import shutil
import tempfile
import wave
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

import av
import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from opentimestamps.core.notary import BitcoinBlockHeaderAttestation, PendingAttestation
from opentimestamps.core.op import OpAppend, OpSHA256
from opentimestamps.core.serialize import BytesSerializationContext
from opentimestamps.core.timestamp import DetachedTimestampFile, Timestamp

from assent.consent import status_list
from assent.consent.status_list import ENTRIES, read_list, set_bits
from assent.kit.anchors.authority import verify_stamp
from assent.kit.anchors.bitcoin import read_headers
from assent.kit.anchors.calendars import read_proof
from assent.kit.c2pa.certificates import Chain, make_chain
from assent.kit.c2pa.manifest import Action, Plan
from assent.kit.c2pa.read import read, type_of
from assent.kit.c2pa.sign import Ingredient, sign
from assent.kit.canonical import canonical
from assent.kit.disk import Disk
from assent.kit.media.probe import probe
from assent.kit.media.read import read_pictures
from assent.kit.signing import SigningKey, from_pem, public_of, thumbprint, to_jwk
from assent.kit.tlog.checkpoint import open_checkpoint
from assent.kit.tlog.cosignature import Cosigner
from assent.kit.tlog.log import Log
from assent.kit.tlog.note import NoteSigner, NoteVerifier, add_signatures
from assent.kit.tlog.policy import Policy
from assent.kit.tlog.reader import LogReader
from assent.kit.tlog.receipt import make_receipt, verify_receipt
from assent.kit.tlog.witness import Witness
from assent.kit.tlog.witnessed import open_witnessed
from assent.monitor.audit.audit import audit
from assent.monitor.audit.report import Trust
from assent.verify.bundle import make_bundle, open_bundle
from assent.verify.public import open_log
from assent.verify.result import open_result, result_of, sign_result

__all__ = ["TARGETS", "Target"]

EXAMPLES = Path(__file__).parent / "fuzz" / "examples"
STUDIO = "4f1d2f5e-6f5a-4b5e-9a51-2b8f0a6a7c11"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
NOW = datetime(2026, 11, 1, tzinfo=UTC)
COSIGNER = Cosigner("w.example", Ed25519PrivateKey.from_private_bytes(bytes(32)))
SIGNER = NoteSigner(f"assent.local/studio/{STUDIO}", KEY)
ENTRIES_OF_LOG = [b'{"kind":"studio"}', b'{"kind":"seal"}', b'{"kind":"status.list","list":1}']


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What parses bytes, its examples, and how many bytes are tried at most."""

    parse: Callable[[bytes], object]
    examples: Callable[[], list[bytes]]
    longest: int = 4096


@cache
def shelf() -> Path:
    """Return a folder in memory, as far as the machine has one; it goes with the process."""
    memory = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
    folder = tempfile.mkdtemp(prefix="assent-fuzz-", dir=memory if memory.is_dir() else None)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


# Notes, checkpoints, keys, proofs.


def parse_note(data: bytes) -> None:
    open_checkpoint(_text(data), SIGNER.verifier)


def parse_key(data: bytes) -> None:
    NoteVerifier.parse(_text(data))


def parse_proof(data: bytes) -> None:
    verify_receipt(_text(data), ENTRIES_OF_LOG[1], SIGNER.verifier)


def _text(data: bytes) -> str:
    # Text from a file is decoded before; what then is left to try is any text.
    return data.decode("utf-8", "surrogateescape")


def parse_policy(data: bytes) -> None:
    Policy.parse(_text(data))


def parse_cosigned(data: bytes) -> None:
    key = COSIGNER.verifier.vkey
    policy = Policy.parse(f"witness w {key}\nquorum w\n")
    open_witnessed(_text(data), log=SIGNER.verifier, policy=policy, now=NOW)


def ask_witness(data: bytes) -> None:
    """Its answers are for strangers as well: it must always have one."""
    answer = _witness().add_checkpoint(data)
    assert 200 <= answer.status < 600


@cache
def _witness() -> Witness:
    made = Witness.create(shelf() / "witness", name="w.example", clock=lambda: NOW)
    made.accept(SIGNER.vkey)
    return made


def parse_time_stamp(data: bytes) -> None:
    verify_stamp(data, b"note", _roots())


def parse_opentimestamps(data: bytes) -> None:
    read_proof(data, b"note")


def parse_headers(data: bytes) -> None:
    read_headers(_text(data))


# A log's folder in which one file, or one entry, is anything.


@cache
def small_log() -> Path:
    folder = shelf() / "log"
    Log.create(folder, signer=SIGNER).append(ENTRIES_OF_LOG)
    return folder


def parse_file_of_log(data: bytes) -> None:
    """The first byte says which file of a log the rest is."""
    folder, files = small_log(), ("checkpoint", "tile/0/000.p/3", "tile/entries/000.p/3")
    path = folder / files[data[0] % 3 if data else 0]
    before = path.read_bytes()
    try:
        path.write_bytes(data[1:])
        for _, _entry in LogReader(folder, verifier=SIGNER.verifier).entries():
            pass
    finally:
        path.write_bytes(before)


def parse_entry(data: bytes) -> None:
    """Its owner signed it: whoever runs a studio can put anything into their log."""
    folder = shelf() / "entries"
    for path in (folder / "tile/0/000.p/2", folder / "tile/entries/000.p/2"):
        path.parent.mkdir(parents=True, exist_ok=True)
    written(folder, [STUDIO_ENTRY, data[:60_000]])
    trust = Trust(nodes={1: []})
    audit(folder, SIGNER.verifier, trust)
    open_log(folder, vkey=SIGNER.vkey)


def written(folder: Path, entries: list[bytes]) -> None:
    """Write a log of two entries as it would be after one append."""
    leaves = [sha256(b"\0" + each).digest() for each in entries]
    root = sha256(b"\1" + b"".join(leaves)).digest()
    (folder / "tile/0/000.p/2").write_bytes(b"".join(leaves))
    bundle = b"".join(len(each).to_bytes(2, "big") + each for each in entries)
    (folder / "tile/entries/000.p/2").write_bytes(bundle)
    body = f"{SIGNER.name}\n2\n{_base64(root)}\n"
    (folder / "checkpoint").write_text(SIGNER.sign(body))


def _base64(data: bytes) -> str:
    return b64encode(data).decode()


# The list of receipts that have ended: as it lies there, and as its own studio signed it.


class OneFile(Disk):
    """A disk on which every file holds the same."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, path: Path) -> bytes | None:
        """Return what every file holds."""
        del path
        return self._data


def parse_status_list(data: bytes) -> None:
    read_list(Path("log"), 1, studio_id=STUDIO, key=public_of(_key()), disk=OneFile(data))


def parse_signed_status_list(data: bytes) -> None:
    parse_status_list(_signed_token(data, "vc+jwt"))


def _signed_token(payload: bytes, kind: str) -> bytes:
    """Return any payload as the holder of the key signs it."""
    header = canonical({"alg": "Ed25519", "kid": thumbprint(_key()), "typ": kind})
    text = b".".join(urlsafe_b64encode(each).rstrip(b"=") for each in (header, payload))
    return text + b"." + urlsafe_b64encode(KEY.sign(text)).rstrip(b"=")


@cache
def _key() -> SigningKey:
    pem = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return from_pem(pem, name="key")


# What a verifier is handed: a studio's bundle, and another verifier's result.


def parse_bundle(data: bytes) -> None:
    open_bundle(data, now=NOW)


def parse_signed_bundle(data: bytes) -> None:
    """The studio that signed it may be hostile."""
    parse_bundle(_signed_token(data, "assent-trust+jwt"))


def parse_result(data: bytes) -> None:
    """Whoever made it signed it; which key that was, it says itself."""
    open_result(_signed_token(data, "assent-verification+jwt").decode())


# Containers and the manifests in them.


def parse_container(data: bytes) -> None:
    probe(io.BytesIO(data), name="clip")
    for number, _ in enumerate(read_pictures(io.BytesIO(data), name="clip")):
        if number == 2:
            break


def parse_manifest(data: bytes) -> None:
    mime = type_of(data[:16]) or "video/mp4"
    read(io.BytesIO(data), mime=mime, anchors_pem=_chain().root_pem)


def parse_manifest_beside(data: bytes) -> None:
    film = io.BytesIO(bytes.fromhex("1a45dfa3") + bytes(60))
    read(film, mime="video/x-matroska", anchors_pem=_chain().root_pem, beside=data)


@cache
def _chain() -> Chain:
    return make_chain(organisation="Studio", not_before=datetime(2026, 1, 1, tzinfo=UTC), days=3650)


@cache
def _roots() -> tuple[x509.Certificate, ...]:
    return tuple(x509.load_pem_x509_certificates((EXAMPLES / "root.pem").read_bytes()))


# Examples.


def notes() -> list[bytes]:
    return [(small_log() / "checkpoint").read_bytes()]


def cosigned_notes() -> list[bytes]:
    (note,) = notes()
    body = note.decode().split("\n\n")[0] + "\n"
    return [add_signatures(note.decode(), [COSIGNER.cosign(body, time=1_793_000_000)]).encode()]


def policies() -> list[bytes]:
    lines = [
        f"log {SIGNER.vkey} https://log.example", f"witness a {COSIGNER.verifier.vkey} https://a.example",
        "group g any a", "quorum g", "",
    ]  # fmt: skip
    return ["\n".join(lines).encode()]


def requests() -> list[bytes]:
    (note,) = notes()
    return [b"old 0\n\n" + note, b"old 3\n" + b"A" * 43 + b"=\n\n" + note]


def proofs() -> list[bytes]:
    reader = LogReader(small_log(), verifier=SIGNER.verifier)
    return [make_receipt(reader, 1).encode()]


def files_of_log() -> list[bytes]:
    files = ("checkpoint", "tile/0/000.p/3", "tile/entries/000.p/3")
    return [
        bytes([number]) + (small_log() / file).read_bytes() for number, file in enumerate(files)
    ]


STUDIO_ENTRY = canonical(
    {
        "kind": "studio",
        "id": STUDIO,
        "name": "Studio",
        "time": "2026-11-01T00:00:00Z",
        "c2pa_root": "",
        "c2pa_certificate": "44" * 32,
        "c2pa_serial": "55",
        "signing_key": {"kty": "OKP", "crv": "Ed25519", "x": "A" * 43},
        "watermark": {"scheme": "org.assent.watermark.2", "reading_key": _base64(bytes(32))},
    }
)


def entries() -> list[bytes]:
    seal = {
        "kind": "seal", "media": "video", "asset": "00" * 8, "sha256": "11" * 32,
        "fingerprint": "ISCC:A", "frames": 3, "receipts": ["22" * 32],
        "time": "2026-11-01T00:00:00Z",
    }  # fmt: skip
    others: list[Mapping[str, object]] = [
        {"kind": "anchor.place", "chain": 1, "contract": "0x" + "ab" * 20, "sender": "0x"},
        {"kind": "consent.granted", "receipt": "22" * 32, "time": "2026-11-01T00:00:00Z"},
        {"kind": "consent.withdrawn", "receipt": "22" * 32, "time": "2026-11-01T00:00:00Z"},
        {"kind": "status.list", "list": 1, "version": 1, "sha256": "33" * 32, "time": "t"},
        {
            "kind": "credentials.changed",
            "serial": "66",
            "certificate": "77",
            "local": True,
            "root": "",
            "time": "t",
        },
        {"kind": "credentials.revoked", "serial": "55", "time": "t"},
        {"kind": "credentials.clock", "root": "", "time": "t"},
    ]
    return [canonical(each) for each in [seal, *others]]


def signed_lists() -> list[bytes]:
    bits = set_bits(bytes(ENTRIES // 8), [5])
    fields = status_list._credential(STUDIO, 1, 1, bits, now="2026-11-01T00:00:00Z")  # noqa: SLF001 - what a studio signs
    return [canonical(fields)]


def status_lists() -> list[bytes]:
    (payload,) = signed_lists()
    return [_signed_token(payload, "vc+jwt")]


def bundles() -> list[bytes]:
    """A whole one, and one in which old entries stand as hashes."""
    first = {**json.loads(STUDIO_ENTRY), "signing_key": to_jwk(public_of(_key()))}
    folder = shelf() / "bundle"
    seals = [
        canonical({**json.loads(entries()[0]), "time": f"2026-1{month}-01T00:00:00Z"})
        for month in (0, 1, 2)
    ]
    Log.create(folder, signer=SIGNER).append([canonical(first), *seals, entries()[2]])
    return [
        make_bundle(folder, SIGNER.verifier, _key(), now=NOW, since=since).encode()
        for since in (None, NOW)
    ]


def _payload(token: bytes) -> bytes:
    text = token.split(b".")[1]
    return urlsafe_b64decode(text + b"=" * (-len(text) % 4))


@cache
def made_bundles() -> list[bytes]:
    return bundles()


def results() -> list[bytes]:
    signed = sign_result(result_of({"verdict": "copy"}, now=NOW), _key())
    return [_payload(signed.encode())]


def opentimestamps() -> list[bytes]:
    proof = DetachedTimestampFile(OpSHA256(), Timestamp(sha256(b"note").digest()))
    salted = proof.timestamp.ops.add(OpAppend(b"salt")).ops.add(OpSHA256())
    salted.attestations.add(PendingAttestation("https://alice.example"))
    salted.attestations.add(BitcoinBlockHeaderAttestation(900_000))
    context = BytesSerializationContext()
    proof.serialize(context)
    return [bytes(context.getbytes())]


def time_stamps() -> list[bytes]:
    return [(EXAMPLES / "stamp.tsr").read_bytes()]


def containers() -> list[bytes]:
    return [_clip("mp4", "libx264"), _clip("matroska", "libx264"), _clip("avi", "mjpeg")]


def _clip(form: str, codec: str) -> bytes:
    sink = io.BytesIO()
    with av.open(sink, "w", format=form) as container:
        stream = container.add_stream(codec, rate=25)
        assert isinstance(stream, VideoStream)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for number in range(3):
            picture = np.full((64, 64, 3), 40 * number, np.uint8)
            container.mux(stream.encode(VideoFrame.from_ndarray(picture)))
        container.mux(stream.encode(None))
    return sink.getvalue()


def manifests() -> list[bytes]:
    jpeg = bytes(cv2.imencode(".jpg", np.zeros((32, 32, 3), np.uint8))[1])
    png = bytes(cv2.imencode(".png", np.zeros((32, 32, 3), np.uint8))[1])
    return [_signed(jpeg, "image/jpeg"), _signed(png, "image/png"), _signed(sound(), "audio/wav")]


def sound() -> bytes:
    """Return a short silence, WAV."""
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", "not compressed"))
        file.writeframes(bytes(800))
    return made.getvalue()


def stores() -> list[bytes]:
    """A manifest without a file around it, cut out of a picture: a box that names itself."""
    signed = manifests()[1]
    at = signed.index(b"caBX")
    size = int.from_bytes(signed[at - 4 : at], "big")
    return [signed[at + 4 : at + 4 + size]]


def _signed(data: bytes, mime: str) -> bytes:
    plan = Plan(
        title="t", generator_name="Assent", generator_version="0",
        digital_source_type="trainedAlgorithmicMedia", actions=(Action(name="c2pa.created"),),
        asset_id="00" * 8, receipts=(), fingerprint=None,
    )  # fmt: skip
    sink: BinaryIO = io.BytesIO()
    ingredient: Ingredient | None = None
    sign(
        io.BytesIO(data), sink, mime=mime, plan=plan, chain=_chain(), ingredient=ingredient,
        tsa_url=None,
    )  # fmt: skip
    sink.seek(0)
    return sink.read()


TARGETS: dict[str, Target] = {
    "note": Target(parse=parse_note, examples=notes),
    "key": Target(parse=parse_key, examples=lambda: [SIGNER.vkey.encode()], longest=512),
    "tile": Target(parse=parse_file_of_log, examples=files_of_log),
    "entry": Target(parse=parse_entry, examples=entries),
    "proof": Target(parse=parse_proof, examples=proofs),
    "time-stamp": Target(parse=parse_time_stamp, examples=time_stamps),
    "opentimestamps": Target(parse=parse_opentimestamps, examples=opentimestamps),
    "bitcoin-headers": Target(parse=parse_headers, examples=lambda: [b"1 " + b"0" * 160]),
    "status-list": Target(parse=parse_status_list, examples=status_lists, longest=8192),
    "signed-status-list": Target(parse=parse_signed_status_list, examples=signed_lists),
    "container": Target(parse=parse_container, examples=containers, longest=16384),
    "bundle": Target(parse=parse_bundle, examples=made_bundles, longest=8192),
    "signed-bundle": Target(
        parse=parse_signed_bundle,
        examples=lambda: [_payload(each) for each in made_bundles()],
        longest=8192,
    ),
    "result": Target(parse=parse_result, examples=results),
    "cosigned": Target(parse=parse_cosigned, examples=cosigned_notes),
    "policy": Target(parse=parse_policy, examples=policies),
    "witness": Target(parse=ask_witness, examples=requests),
    "manifest-beside": Target(parse=parse_manifest_beside, examples=stores, longest=32768),
    "manifest": Target(parse=parse_manifest, examples=manifests, longest=32768),
}
"""By what they parse."""
