import io
import random
import socket
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import av
import c2pa
import pytest

from assent.kit.c2pa._size import LARGEST_STORE
from assent.kit.c2pa.certificates import Chain, make_chain
from assent.kit.c2pa.manifest import Plan
from assent.kit.c2pa.read import UNLISTED, read
from assent.kit.c2pa.sign import MIMES, Ingredient, sign
from assent.kit.errors import BriefError, MediaError

MP4 = "video/mp4"
JPEG = "image/jpeg"
Signed = Callable[[str], bytes]


def test_everything_said_is_read_back(signed: Signed, chain: Chain, plan: Plan) -> None:
    credential = read(io.BytesIO(signed(MP4)), mime=MP4, anchors_pem=chain.root_pem)
    assert credential.state == "trusted"
    assert credential.asset_id == plan.asset_id
    assert credential.fingerprint == plan.fingerprint
    assert credential.receipts == plan.receipts
    assert credential.digital_source_type == "compositeWithTrainedAlgorithmicMedia"
    assert credential.actions == ("c2pa.opened", "c2pa.edited", "c2pa.watermarked.bound")
    assert credential.ingredients == ("footage",)
    assert credential.claim_generator == "Assent 0.1.0"
    assert credential.issuer == "Studio Nord"
    assert credential.signed_at is None
    assert credential.problems == ()
    assert credential.manifest["title"] == "advert.mp4"


def test_a_signer_nobody_vouches_for_is_only_valid(
    signed: Signed, chain: Chain, other_chain: Chain
) -> None:
    file = io.BytesIO(signed(MP4))
    for anchors in (None, other_chain.root_pem):
        credential = read(file, mime=MP4, anchors_pem=anchors)
        assert credential.state == "valid"
        assert credential.problems[0].startswith("signingCredential.untrusted")
    both = other_chain.root_pem + chain.root_pem
    assert read(file, mime=MP4, anchors_pem=both).state == "trusted"


@pytest.mark.parametrize("mime", sorted(MIMES))
def test_one_altered_byte_is_noticed(mime: str, signed: Signed, chain: Chain) -> None:
    altered = bytearray(signed(mime))
    # The credential, which comes first, speaks of "mdat" as well; in a WAV it comes last.
    places = {"audio/wav": 400}
    is_film = mime.startswith("video/")
    altered[altered.rindex(b"mdat") + 40 if is_film else places.get(mime, -40)] ^= 1
    credential = read(io.BytesIO(altered), mime=mime, anchors_pem=chain.root_pem)
    assert credential.state == "invalid"
    assert "Hash.mismatch" in credential.problems[0]


def test_an_altered_statement_is_noticed(signed: Signed, chain: Chain) -> None:
    altered = signed(MP4).replace(b"Face replaced", b"Left as it is")
    credential = read(io.BytesIO(altered), mime=MP4, anchors_pem=chain.root_pem)
    assert credential.state == "invalid"
    assert any("assertion" in problem for problem in credential.problems)


def test_a_file_without_credential_says_so(media: dict[str, bytes], chain: Chain) -> None:
    for mime, data in media.items():
        credential = read(io.BytesIO(data), mime=mime, anchors_pem=chain.root_pem)
        assert (credential.state, credential.problems) == ("missing", ())


def test_a_remux_strips_the_credential(signed: Signed, chain: Chain) -> None:
    sink = io.BytesIO()
    signed_file = io.BytesIO(signed(MP4))
    with av.open(signed_file, "r") as source, av.open(sink, "w", format="mp4") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    assert read(sink, mime=MP4, anchors_pem=chain.root_pem).state == "missing"


@pytest.mark.parametrize("mime", [MP4, JPEG, "image/png"])
def test_hostile_bytes_never_raise_nor_pass(mime: str, signed: Signed, chain: Chain) -> None:
    whole = signed(mime)
    rng = random.Random(11)  # noqa: S311 # damage, not secrets
    for round_ in range(120):
        damaged = damage(whole, round_ % 4, rng)
        credential = read(io.BytesIO(damaged), mime=mime, anchors_pem=chain.root_pem)
        assert credential.state in {"invalid", "missing"} or damaged == whole


def damage(whole: bytes, kind: int, rng: random.Random) -> bytes:
    place = rng.randrange(32, len(whole))
    if kind == 0:
        return whole[:place]
    if kind == 1:
        return whole[:place] + whole[place + rng.randrange(1, 400) :]
    if kind == 2:
        return whole[:place] + rng.randbytes(50) + whole[place:]
    damaged = bytearray(whole)
    for _ in range(20):
        damaged[rng.randrange(32, len(whole))] ^= rng.randrange(1, 256)
    return bytes(damaged)


@pytest.mark.parametrize("data", [b"", b"RIFF", b"just some text, no picture at all"])
def test_what_is_no_media_is_refused(data: bytes) -> None:
    for mime in (MP4, JPEG, "image/png"):
        with pytest.raises(MediaError, match="not"):
            read(io.BytesIO(data), mime=mime, anchors_pem=None)


def test_types_that_cannot_be_checked_are_refused(media: dict[str, bytes]) -> None:
    with pytest.raises(MediaError, match="text/plain"):
        read(io.BytesIO(media[MP4]), mime="text/plain", anchors_pem=None)


def test_a_failing_disk_is_no_verdict(signed: Signed) -> None:
    class Failing(io.BytesIO):
        fails_from = 0

        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() >= self.fails_from:
                raise OSError(5, "Input/output error")
            return super().read(size)

    stream = Failing(signed(MP4))
    for stream.fails_from in (0, 17):
        with pytest.raises(MediaError, match="Input/output error"):
            read(stream, mime=MP4, anchors_pem=None)


def test_anchors_must_be_certificates(signed: Signed) -> None:
    with pytest.raises(BriefError, match="anchors"):
        read(io.BytesIO(signed(MP4)), mime=MP4, anchors_pem=b"pear")


@pytest.mark.enable_socket
def test_remote_manifests_are_not_fetched(media: dict[str, bytes], chain: Chain) -> None:
    calls: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=answer, args=(server, calls), daemon=True).start()
        pointing = point_away(media[JPEG], chain, f"http://127.0.0.1:{server.getsockname()[1]}/m")
        credential = read(io.BytesIO(pointing), mime=JPEG, anchors_pem=chain.root_pem)
        assert (credential.state, calls) == ("missing", [])
        assert "elsewhere" in credential.problems[0]
        with c2pa.Context() as context, pytest.raises(c2pa.C2paError):
            c2pa.Reader(JPEG, io.BytesIO(pointing), context=context)
        assert len(calls) == 1, "by default the library would have asked"


def answer(server: socket.socket, calls: list[bytes]) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        with connection:
            calls.append(connection.recv(64))
            connection.sendall(b"HTTP/1.0 404 Not Found\r\nContent-Length: 0\r\n\r\n")


def point_away(picture: bytes, chain: Chain, url: str) -> bytes:
    """Return `picture` with the address of a manifest kept elsewhere."""
    info = c2pa.C2paSignerInfo(b"es256", chain.chain_pem, chain.leaf_key_pem, None)
    source_type = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"
    actions = [{"action": "c2pa.created", "digitalSourceType": source_type}]
    definition = {"assertions": [{"label": "c2pa.actions.v2", "data": {"actions": actions}}]}
    sink = io.BytesIO()
    with c2pa.Context() as context, c2pa.Signer.from_info(info) as signer:
        builder = c2pa.Builder(definition, context)
        builder.set_no_embed()
        builder.set_remote_url(url)
        builder.sign(signer, JPEG, io.BytesIO(picture), sink)
    return sink.getvalue()


def test_a_root_that_vouches_for_many_vouches_for_the_named_ones_only(
    signed: Signed, chain: Chain, other_chain: Chain
) -> None:
    file = io.BytesIO(signed(MP4))
    own = read(file, mime=MP4, anchors_pem=chain.root_pem, serials={chain.serial})
    assert (own.state, own.serial) == ("trusted", chain.serial)
    other = read(file, mime=MP4, anchors_pem=chain.root_pem, serials={other_chain.serial})
    assert other.state == "valid"
    assert other.problems[0].startswith(UNLISTED)
    nobody = read(file, mime=MP4, anchors_pem=chain.root_pem, serials=())
    assert nobody.state == "valid"


def padded(mime: str, data: bytes, size: int) -> bytes:
    """The file with a manifest store of that many bytes, all of them nonsense."""
    if mime == JPEG:
        piece = b"\xff\xeb" + (65535).to_bytes(2, "big") + bytes(65533)
        return data[:2] + piece * (size // 65535 + 1) + data[2:]
    if mime == "image/png":
        return data[:33] + size.to_bytes(4, "big") + b"caBX" + bytes(size + 4) + data[33:]
    if mime == "audio/wav":
        return data + b"C2PA" + size.to_bytes(4, "little") + bytes(size)
    uuid = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
    box = b"\0\0\0\1uuid" + (size + 32).to_bytes(8, "big")
    return data + box + (uuid + bytes(size) if mime == MP4 else bytes(size + 16))


@pytest.mark.parametrize("mime", sorted(MIMES - {"video/quicktime"}))
def test_a_huge_store_is_not_opened(mime: str, media: dict[str, bytes]) -> None:
    huge = read(
        io.BytesIO(padded(mime, media[mime], LARGEST_STORE + 1)), mime=mime, anchors_pem=None
    )
    assert huge.state == "invalid"
    assert "more than" in huge.problems[0]


def test_a_huge_store_beside_is_not_opened(media: dict[str, bytes]) -> None:
    found = read(
        io.BytesIO(media["video/webm"]), mime="video/webm", anchors_pem=None,
        beside=bytes(LARGEST_STORE + 1),
    )  # fmt: skip
    assert found.state == "invalid"
    assert "more than" in found.problems[0]


def test_endless_parts_are_not_walked() -> None:
    film = (8).to_bytes(4, "big") + b"free"
    found = read(io.BytesIO(film * 110_000), mime=MP4, anchors_pem=None)
    assert found.state == "invalid"
    assert "more than" in found.problems[0]


def test_what_a_manifest_says_cannot_drive_a_terminal(
    media: dict[str, bytes], plan: Plan, chain: Chain
) -> None:
    sink = io.BytesIO()
    hostile = "../../etc/passwd\x1b[2J\n" + "x" * 5000
    sign(
        io.BytesIO(media[MP4]), sink, mime=MP4, plan=plan, chain=chain, tsa_url=None,
        ingredient=Ingredient(title=hostile, mime=MP4, stream=io.BytesIO(media[MP4])),
    )  # fmt: skip
    credential = read(sink, mime=MP4, anchors_pem=chain.root_pem)
    assert credential.state == "trusted"
    assert len(credential.ingredients[0]) == 500
    assert credential.ingredients[0].isprintable()


def test_an_expired_signature_is_told_from_an_altered_file(
    media: dict[str, bytes], plan: Plan
) -> None:
    leaf = make_chain(
        organisation="Brief",
        not_before=datetime.now(UTC) - timedelta(days=1) + timedelta(seconds=3),
        days=1,
    )
    sink = io.BytesIO()
    sign(
        io.BytesIO(media[JPEG]), sink, mime=JPEG, plan=plan, chain=leaf, tsa_url=None,
        ingredient=Ingredient(title="footage", mime=JPEG, sha256="00" * 32),
    )  # fmt: skip
    assert read(sink, mime=JPEG, anchors_pem=leaf.root_pem).state == "trusted"
    time.sleep(max(0.0, (leaf.not_after - datetime.now(UTC)).total_seconds()) + 1)
    late = read(sink, mime=JPEG, anchors_pem=leaf.root_pem)
    assert (late.state, late.expired) == ("invalid", True)
    altered = bytearray(sink.getvalue())
    altered[-40] ^= 1
    torn = read(io.BytesIO(altered), mime=JPEG, anchors_pem=leaf.root_pem)
    assert (torn.state, torn.expired) == ("invalid", False)
