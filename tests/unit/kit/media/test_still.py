import io
import struct
import zlib

import cv2
import numpy as np
import pytest

from assent.kit.errors import MediaError
from assent.kit.media.still import LONGEST_SIDE, read_still, still_type


def encoded(kind: str, rgb: "np.typing.NDArray[np.uint8]") -> bytes:
    done, data = cv2.imencode(kind, rgb[..., ::-1])
    assert done
    return bytes(data)


RGB = np.random.default_rng(1).integers(0, 255, (20, 30, 3), np.uint8)


def test_types_by_their_first_bytes() -> None:
    assert still_type(encoded(".png", RGB)[:16]) == "image/png"
    assert still_type(encoded(".jpg", RGB)[:16]) == "image/jpeg"
    for other in (b"", b"\x89PNG", b"GIF89a", b"\0\0\0\x18ftypmp42", b"BM"):
        assert still_type(other) is None


def test_a_png_comes_back_as_it_was() -> None:
    assert np.array_equal(read_still(encoded(".png", RGB), name="a.png"), RGB)


def test_a_jpeg_comes_back_in_its_colours() -> None:
    flat = np.full((32, 32, 3), (200, 60, 20), np.uint8)
    assert np.abs(read_still(encoded(".jpg", flat), name="a.jpg").astype(int) - flat).max() < 8


def test_grey_and_transparent_pictures_become_rgb() -> None:
    for shape in ((9, 9), (9, 9, 4)):
        done, data = cv2.imencode(".png", np.full(shape, 77, np.uint8))
        assert done
        assert read_still(bytes(data), name="a.png").shape == (9, 9, 3)


@pytest.mark.parametrize("junk", [b"", b"text", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n" + b"0" * 50])
def test_what_is_no_picture(junk: bytes) -> None:
    with pytest.raises(MediaError, match=r"a\.png can't be read"):
        read_still(junk, name="a.png")


def png_that_claims(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    sink = io.BytesIO(b"\x89PNG\r\n\x1a\n")
    sink.seek(0, io.SEEK_END)
    sink.write(chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b""))
    return sink.getvalue()


def test_pictures_beyond_all_measure_are_refused() -> None:
    wide = np.zeros((1, LONGEST_SIDE + 1, 3), np.uint8)
    with pytest.raises(MediaError):
        read_still(encoded(".png", wide), name="wide.png")
    with pytest.raises(MediaError):
        read_still(png_that_claims(2_000_000_000, 2_000_000_000), name="bomb.png")
    with pytest.raises(MediaError, match="over 8192 pixels"):
        read_still(png_that_claims(30_000, 30_000), name="bomb.png")
    jpeg = bytearray(encoded(".jpg", RGB))
    frame = jpeg.index(b"\xff\xc0")
    jpeg[frame + 5 : frame + 9] = (30_000).to_bytes(2) * 2
    with pytest.raises(MediaError, match="over 8192 pixels"):
        read_still(bytes(jpeg), name="bomb.jpg")
    # Behind another segment and fill bytes it claims the same.
    hidden = jpeg[:2] + b"\xff\xfe\x00\x04ab\xff" + jpeg[2:]
    with pytest.raises(MediaError, match="over 8192 pixels"):
        read_still(bytes(hidden), name="bomb.jpg")
    with pytest.raises(MediaError, match="too large"):
        read_still(bytes((256 << 20) + 1), name="big.png")
