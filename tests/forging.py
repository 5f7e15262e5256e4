"""Files with credentials, good ones and each kind of bad one, for several verifiers to look at.

A forger is stopped by no rule of a library: what ours would refuse to sign is signed here by hand,
by putting another signature (COSE) into the place of the true one.
"""

import io
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import av
import cbor2
import cv2
import numpy as np
from authorities import Authority, Wanted
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from servers import TimeStampingAuthority

from assent.kit.c2pa.certificates import Chain, make_chain
from assent.kit.c2pa.keys import PemKey
from assent.kit.c2pa.manifest import Action, Plan, Scope
from assent.kit.c2pa.own import own_chain
from assent.kit.c2pa.sign import Ingredient, sign, sign_beside

__all__ = ["Fixture", "Workshop", "fixtures"]

MP4, MOV, JPEG, PNG, WAV, WEBM = (
    "video/mp4", "video/quicktime", "image/jpeg", "image/png", "audio/wav", "video/webm",
)  # fmt: skip
C2PA_UUID = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")


@dataclass(frozen=True, kw_only=True)
class Fixture:
    """A file, what was done to it, and what a verifier that trusts the studio's root must say."""

    name: str
    mime: str
    data: bytes
    expected: str
    beside: bytes | None = None


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """What fixtures are made with."""

    media: dict[str, bytes]
    studio: Chain
    short: Chain
    stranger: Chain
    authority: Authority
    clock: TimeStampingAuthority
    strange_clock: TimeStampingAuthority

    @classmethod
    def open(cls, clock: TimeStampingAuthority, strange_clock: TimeStampingAuthority) -> "Workshop":
        """Make media and chains."""
        now = datetime.now(UTC)
        authority = Authority.make(now)
        leaf, key = authority.issue(Wanted(starts=timedelta(days=-1)))
        studio = own_chain(
            chain_pem=leaf + authority.middle_pem, root_pem=authority.root_pem, leaf_key_pem=key,
            now=now,
        )  # fmt: skip
        # This one runs out while the other files are made.
        pem, key = authority.issue(
            Wanted(starts=timedelta(days=-1), lasts=timedelta(days=1, seconds=6))
        )
        short = replace(studio, chain_pem=pem + authority.middle_pem, leaf_key_pem=key)
        return cls(
            media=_media(), studio=studio, short=short, authority=authority, clock=clock,
            stranger=make_chain(organisation="Somebody", not_before=now - timedelta(days=1)),
            strange_clock=strange_clock,
        )  # fmt: skip

    @property
    def serials(self) -> frozenset[str]:
        """The certificates that the studio's log names."""
        return frozenset(
            format(x509.load_pem_x509_certificate(chain.chain_pem).serial_number, "x")
            for chain in (self.studio, self.short)
        )

    @property
    def anchors_pem(self) -> bytes:
        """What the verifiers trust: the studio's root and one time-stamping authority."""
        return self.studio.root_pem + self.clock.root_pem

    def signed(
        self,
        mime: str,
        *,
        chain: Chain | None = None,
        footage: bytes | None = None,
        own: bool = False,
        tsa: str | None = None,
        media: bytes | None = None,
    ) -> bytes:
        """Return a file with a full credential."""
        sink = io.BytesIO()
        stream = io.BytesIO(footage) if footage else None
        sign(
            io.BytesIO(media or self.media[mime]), sink, mime=mime, plan=plan(),
            chain=chain or self.studio, tsa_url=tsa, thumbnail=self.media[JPEG],
            ingredient=Ingredient(
                title="source footage", mime=MP4, sha256="ab" * 32, stream=stream, own=own
            ),
        )  # fmt: skip
        return sink.getvalue()

    def leaf(self, wanted: Wanted) -> Chain:
        """Return a chain whose leaf is as wanted, unchecked."""
        pem, key = self.authority.issue(wanted)
        return replace(self.studio, chain_pem=pem + self.authority.middle_pem, leaf_key_pem=key)


def plan() -> Plan:
    """Return a credential as a release has it."""
    return Plan(
        title="assent-00ff00ff00ff00ff",
        generator_name="Assent",
        generator_version="0.1.0",
        digital_source_type="compositeWithTrainedAlgorithmicMedia",
        actions=(
            Action(name="c2pa.opened"),
            Action(name="c2pa.edited", description="Face replaced with a trained model"),
            Action(name="c2pa.watermarked.bound"),
            Action(name="c2pa.published"),
        ),
        asset_id="00ff" * 4,
        receipts=("ab" * 32, "cd" * 32),
        scope=Scope(acts=("portray", "release"), modalities=("face",), places=("EU",)),
        fingerprint="ISCC:KMD73CA6R4XJLI5CKYOYF7CYSL5PSBGQO33FNHPQNNCY4KHZALJ54JA",
        log="assent.local/studio/1",
        when=datetime(2026, 11, 2, 10, 30, tzinfo=UTC),
    )


def fixtures(shop: Workshop) -> Iterator[Fixture]:
    """Yield every fixture; it takes some seconds, in which certificates run out."""
    short = shop.short
    lapsed = shop.signed(MP4, chain=short)
    lapsed_stamped = shop.signed(MP4, chain=short, tsa=shop.clock.url)
    good = shop.signed(MP4)
    yield from _good(shop, good)
    yield from _altered(shop, good)
    yield from _moved(shop, good)
    yield from _forged(shop, good)
    yield from _stamped(shop)
    certificate = x509.load_pem_x509_certificate(short.chain_pem)
    left = (certificate.not_valid_after_utc - datetime.now(UTC)).total_seconds()
    time.sleep(max(0.0, left) + 1.5)
    yield Fixture(name="expired certificate", mime=MP4, data=lapsed, expected="invalid")
    yield Fixture(
        name="expired certificate, time-stamped before", mime=MP4, data=lapsed_stamped,
        expected="trusted",
    )  # fmt: skip


def _good(shop: Workshop, good: bytes) -> Iterator[Fixture]:
    yield Fixture(name="good", mime=MP4, data=good, expected="trusted")
    for mime in (MOV, JPEG, PNG, WAV):
        yield Fixture(name="good", mime=mime, data=shop.signed(mime), expected="trusted")
    beside = sign_beside(
        io.BytesIO(shop.media[WEBM]), mime=WEBM, plan=plan(), chain=shop.studio, tsa_url=None,
        ingredient=Ingredient(title="source footage", mime=MP4, sha256="ab" * 32),
    )  # fmt: skip
    webm = shop.media[WEBM]
    yield Fixture(name="good, beside", mime=WEBM, data=webm, beside=beside, expected="trusted")
    yield Fixture(
        name="picture altered, beside", mime=WEBM, data=flipped(webm, len(webm) - 90),
        beside=beside, expected="invalid",
    )  # fmt: skip
    camera = shop.signed(MP4, chain=shop.stranger)
    kept = shop.signed(MP4, footage=camera)
    yield Fixture(name="footage's own chain kept", mime=MP4, data=kept, expected="trusted")
    still = shop.signed(JPEG, footage=good, own=True)
    yield Fixture(name="still of a release", mime=JPEG, data=still, expected="trusted")
    yield Fixture(name="signer under no known root", mime=MP4, data=camera, expected="valid")


def _altered(shop: Workshop, good: bytes) -> Iterator[Fixture]:
    places: dict[str, Callable[[bytes], bytes]] = {
        "picture altered": lambda data: flipped(data, data.rindex(b"mdat") + 60),
        "film's index altered": lambda data: flipped(data, data.rindex(b"mvhd") + 30),
        "statement altered": lambda data: data.replace(b"Face replaced", b"Left as it is"),
        "consent altered": lambda data: data.replace(b"ab" * 32, b"ba" * 32),
        "thumbnail altered": lambda data: flipped(data, data.index(b"\xff\xd8\xff") + 300),
        "claim altered": lambda data: data.replace(b"assent-00ff00ff", b"assent-11ff00ff"),
        "signature altered": lambda data: flipped(data, signature_end(data) - 5),
        "bytes added": lambda data: data + b"\0\0\0\x18mdat" + bytes(16),
        "manifest torn": lambda data: (
            data[: data.index(C2PA_UUID) + 900] + bytes(400) + data[data.index(C2PA_UUID) + 1300 :]
        ),
    }
    for name, change in places.items():
        yield Fixture(name=name, mime=MP4, data=change(good), expected="invalid")
    for mime, place in ((JPEG, -40), (PNG, -40), (WAV, 400)):
        data = shop.signed(mime)
        changed = flipped(data, place % len(data))
        name = "sound altered" if mime == WAV else "picture altered"
        yield Fixture(name=name, mime=mime, data=changed, expected="invalid")


def _moved(shop: Workshop, good: bytes) -> Iterator[Fixture]:
    start = good.index(C2PA_UUID) - 8
    size = int.from_bytes(good[start : start + 4], "big")
    manifest, bare = good[start : start + size], good[:start] + good[start + size :]
    yield Fixture(name="stripped", mime=MP4, data=shop.media[MP4], expected="missing")
    yield Fixture(name="manifest cut out", mime=MP4, data=bare, expected="missing")
    other = _film("mp4", "libx264", seed=9)
    at = int.from_bytes(other[:4], "big")
    moved = other[:at] + manifest + other[at:]
    yield Fixture(name="manifest put on another film", mime=MP4, data=moved, expected="invalid")
    edited = shop.signed(MP4, chain=shop.stranger, footage=good, own=True, media=other)
    yield Fixture(
        name="re-edited and signed by somebody else", mime=MP4, data=edited, expected="valid"
    )
    again = shop.signed(MP4, footage=good, own=True, media=other)
    yield Fixture(name="re-edited and signed by the studio", mime=MP4, data=again,
                  expected="trusted")  # fmt: skip


def _forged(shop: Workshop, good: bytes) -> Iterator[Fixture]:
    wrong = {
        "wrong EKU: a web server's certificate": Wanted(purposes=("1.3.6.1.5.5.7.3.1",)),
        "wrong EKU: a time stamp's certificate": Wanted(purposes=("1.3.6.1.5.5.7.3.8",)),
        "wrong EKU: anything at all": Wanted(purposes=("2.5.29.37.0",)),
        "no EKU": Wanted(purposes=()),
        "key usage without signing": Wanted(signs=False),
        "certificate not valid yet": Wanted(starts=timedelta(days=2)),
    }
    for name, wanted in wrong.items():
        forged = resigned(good, shop.leaf(replace(wanted, starts=wanted.starts or -DAY)))
        yield Fixture(name=name, mime=MP4, data=forged, expected="invalid")
    _, other_key = shop.authority.issue(Wanted())
    stolen = resigned(good, replace(shop.studio, leaf_key_pem=other_key))
    yield Fixture(name="studio's certificate, another's key", mime=MP4, data=stolen,
                  expected="invalid")  # fmt: skip


DAY = timedelta(days=1)


def _stamped(shop: Workshop) -> Iterator[Fixture]:
    stamped = shop.signed(MP4, tsa=shop.clock.url)
    yield Fixture(name="good, time-stamped", mime=MP4, data=stamped, expected="trusted")
    unknown = shop.signed(MP4, tsa=shop.strange_clock.url)
    yield Fixture(name="time stamp by an unknown clock", mime=MP4, data=unknown,
                  expected="trusted")  # fmt: skip
    other = shop.signed(MP4, tsa=shop.clock.url)
    swapped = with_stamp_of(stamped, other)
    yield Fixture(name="wrong time stamp: of another file", mime=MP4, data=swapped,
                  expected="trusted")  # fmt: skip


def flipped(data: bytes, place: int) -> bytes:
    """Return `data` with one bit of a byte changed."""
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def _signature_box(data: bytes) -> tuple[int, int]:
    """Return where the active manifest's COSE signature begins and ends."""
    # The active manifest is the last in its store.
    at = data.index(b"cbor", data.rindex(b"c2pa.signature\0"))
    return at + 4, at - 4 + int.from_bytes(data[at - 4 : at], "big")


def signature_end(data: bytes) -> int:
    """Return where the signature's own bytes end, after which there is padding at most."""
    begin, end = _signature_box(data)
    signature = cbor2.loads(data[begin:end]).value[3]
    return data.index(signature, begin) + len(signature)


def _claim(data: bytes) -> bytes:
    at = data.index(b"cbor", data.rindex(b"c2pa.claim.v2\0"))
    return data[at + 4 : at - 4 + int.from_bytes(data[at - 4 : at], "big")]


def resigned(data: bytes, chain: Chain) -> bytes:
    """Return the file with its claim signed by another chain, which no rule was asked about."""
    certificates = x509.load_pem_x509_certificates(chain.chain_pem)
    ders = [each.public_bytes(Encoding.DER) for each in certificates]
    protected = cbor2.dumps({1: -7, 33: ders})
    told = cbor2.dumps(["Signature1", protected, b"", _claim(data)])
    return _put(data, protected, {}, PemKey(chain.leaf_key_pem).sign(told))


def with_stamp_of(data: bytes, other: bytes) -> bytes:
    """Return the file with the time stamp of another one's signature."""
    parts, stamps = (
        cbor2.loads(each[slice(*_signature_box(each))]).value for each in (data, other)
    )
    found = {k: v for k, v in stamps[1].items() if str(k).startswith("sigTst")}
    return _put(data, parts[0], found, parts[3])


def _put(data: bytes, protected: bytes, unprotected: dict[str, object], signature: bytes) -> bytes:
    """Return the file with another COSE signature of the same length, padded."""
    begin, end = _signature_box(data)

    def cose(pad: int) -> bytes:
        header = {**unprotected, "pad": bytes(pad)}
        return cbor2.dumps(cbor2.CBORTag(18, [protected, header, None, signature]))

    pad = end - begin - len(cose(0))
    # The longer the padding, the longer its own length takes to write.
    pad -= len(cose(pad)) - (end - begin)
    made = cose(pad)
    assert len(made) == end - begin
    return data[:begin] + made + data[end:]


def _media() -> dict[str, bytes]:
    picture = _picture(7)
    sound = io.BytesIO()
    with av.open(sound, "w", format="wav") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        hum = (8000 * np.sin(np.arange(8000) / 8)).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(hum, format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    return {
        MP4: _film("mp4", "libx264"),
        MOV: _film("mov", "libx264"),
        WEBM: _film("webm", "libvpx"),
        JPEG: bytes(cv2.imencode(".jpg", picture)[1]),
        PNG: bytes(cv2.imencode(".png", picture)[1]),
        WAV: sound.getvalue(),
    }


def _picture(seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(0, 256, (96, 128, 3), np.uint8)
    return np.asarray(cv2.blur(noise, (9, 9)), np.uint8)


def _film(form: str, codec: str, seed: int = 7) -> bytes:
    picture, sink = _picture(seed), io.BytesIO()
    with av.open(sink, "w", format=form) as container:
        stream = container.add_stream(codec, rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.height, stream.width, stream.pix_fmt = 96, 128, "yuv420p"
        for shift in range(10):
            rolled = np.ascontiguousarray(np.roll(picture, shift, axis=1))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(rolled, format="bgr24")))
        container.mux(stream.encode(None))
    return sink.getvalue()
