"""Fields of machine-made content, read back by programs that know nothing of us."""

import io
import json
import wave
import zlib

import av
import cv2
import numpy as np
import pytest

from assent.kit.errors import MediaError
from assent.kit.media.still import read_still
from assent.kit.media.tags import Tags, make_aigc, make_xmp, write_tags

AIGC = make_aigc(producer="Kleine & große Filme", asset_id="00ff" * 4)
XMP = make_xmp(asset_id="00ff" * 4, tool="Assent 1", source_type="http://iptc/x", aigc=AIGC)
NOISE = np.random.default_rng(1).integers(0, 256, (48, 64, 3), np.uint8)
PICTURE = np.asarray(cv2.blur(NOISE, (9, 9)), np.uint8)


def film(form: str, **options: str) -> bytes:
    sink = io.BytesIO()
    with av.open(sink, "w", format=form, options=options) as container:
        container.metadata["title"] = "kept"
        stream = container.add_stream("libx264", rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.height, stream.width, stream.pix_fmt = 48, 64, "yuv420p"
        for _ in range(5):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(PICTURE, format="bgr24")))
        container.mux(stream.encode(None))
    return sink.getvalue()


def tagged(data: bytes, mime: str, tags: Tags) -> bytes:
    stream = io.BytesIO(data)
    write_tags(stream, mime=mime, tags=tags)
    return stream.getvalue()


def frames_of(data: bytes) -> list[bytes]:
    with av.open(io.BytesIO(data), "r") as container:
        return [frame.to_ndarray().tobytes() for frame in container.decode(video=0)]


@pytest.mark.parametrize(("form", "mime"), [("mp4", "video/mp4"), ("mov", "video/quicktime")])
def test_films_keep_their_pictures_and_say_what_they_are(form: str, mime: str) -> None:
    before = film(form)
    after = tagged(before, mime, Tags(xmp=XMP, aigc=AIGC))
    with av.open(io.BytesIO(after)) as container:
        assert container.metadata["AIGC"] == AIGC
    assert frames_of(after) == frames_of(before)
    assert after.index(bytes.fromhex("be7acfcb97a942e89c71999491e3afac") + XMP)
    again = tagged(before, mime, Tags(aigc=AIGC))
    assert b"TC260" not in again
    bare = tagged(before, mime, Tags(xmp=XMP))
    with av.open(io.BytesIO(bare)) as container:
        assert "AIGC" not in container.metadata


def test_the_field_has_the_parts_of_the_standard() -> None:
    assert json.loads(AIGC) == {
        "Label": "1", "ContentProducer": "Kleine & große Filme", "ProduceID": "00ff" * 4,
        "ReservedCode1": "", "ContentPropagator": "", "PropagateID": "", "ReservedCode2": "",
    }  # fmt: skip
    assert b"Kleine &amp; gro" in XMP
    assert b"DigitalSourceType>http://iptc/x<" in XMP
    assert b"AIGC>" not in make_xmp(asset_id="00", tool="Assent 1")


def test_stills_keep_their_pictures() -> None:
    for kind, mime in ((".jpg", "image/jpeg"), (".png", "image/png")):
        data = bytes(cv2.imencode(kind, PICTURE)[1])
        after = tagged(data, mime, Tags(xmp=XMP, aigc=AIGC))
        assert XMP in after
        pictures = [read_still(each, name="still") for each in (data, after)]
        assert np.array_equal(pictures[0], pictures[1])


def test_a_jpeg_without_jfif_too() -> None:
    data = bytes(cv2.imencode(".jpg", PICTURE)[1])
    bare = data[:2] + data[4 + int.from_bytes(data[4:6], "big") :]
    assert tagged(bare, "image/jpeg", Tags(xmp=XMP))[2:4] == b"\xff\xe1"


def test_a_png_chunk_has_its_checksum() -> None:
    after = tagged(bytes(cv2.imencode(".png", PICTURE)[1]), "image/png", Tags(xmp=XMP))
    at = after.index(b"iTXt")
    size = int.from_bytes(after[at - 4 : at], "big")
    crc = after[at + 4 + size : at + 8 + size]
    assert zlib.crc32(after[at : at + 4 + size]).to_bytes(4, "big") == crc


@pytest.mark.parametrize("aigc", [AIGC, AIGC + " ", None])
def test_sound_keeps_its_samples(aigc: str | None) -> None:
    sink = io.BytesIO()
    with wave.open(sink, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(range(200)))
    after = tagged(sink.getvalue(), "audio/wav", Tags(xmp=XMP, aigc=aigc))
    assert int.from_bytes(after[4:8], "little") == len(after) - 8
    assert len(after) % 2 == 0
    with wave.open(io.BytesIO(after)) as file:
        assert file.readframes(1000) == bytes(range(200))
    assert b"_PMX" + len(XMP).to_bytes(4, "little") + XMP in after
    assert (b"AIGC" in after.split(XMP)[1]) is (aigc is not None)


@pytest.mark.parametrize(
    ("mime", "data"),
    [
        ("video/webm", b""),
        ("image/jpeg", b"GIF89a"),
        ("image/png", b"\x89PNG\r\n\x1a\n0000IDAT"),
        ("audio/wav", b"RIFF0000AVI "),
        ("video/mp4", b""),
        ("video/mp4", b"\0\0\0\x08ftyp\0\0\0\x40moov"),
        ("video/mp4", b"\0\0\0\x07ftyp"),
        ("video/mp4", b"\0\0\0\x08moov\0\0\0\x08mdat"),
    ],
)
def test_what_is_no_such_file_is_refused(mime: str, data: bytes) -> None:
    with pytest.raises(MediaError):
        tagged(data, mime, Tags(xmp=XMP, aigc=AIGC))


def test_fields_that_no_jpeg_can_hold_are_refused() -> None:
    data = bytes(cv2.imencode(".jpg", PICTURE)[1])
    for tags in (Tags(), Tags(xmp=bytes(66_000))):
        with pytest.raises(MediaError, match="missing, or too long"):
            tagged(data, "image/jpeg", tags)


def test_a_large_box_is_stepped_over() -> None:
    large = b"\0\0\0\x01mdat" + (24).to_bytes(8, "big") + bytes(8)
    assert tagged(large + b"\0\0\0\x08moov", "video/mp4", Tags(xmp=XMP)).endswith(XMP)
