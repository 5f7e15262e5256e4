import base64

import numpy as np
import pytest

from assent.kit.errors import IntegrityError
from assent.kit.fingerprint.code import parse_iscc
from assent.kit.fingerprint.video import VideoFingerprint


def test_what_a_fingerprint_writes_is_read_back() -> None:
    video = VideoFingerprint()
    random = np.random.default_rng(1)
    for number in range(5):
        video.add(random.integers(0, 255, (48, 64), np.uint8), number / 25)
    made = video.finish()
    again = parse_iscc(made.iscc)
    assert (again.bits, again.iscc) == (made.bits, made.iscc)


def code(data: bytes) -> str:
    return base64.b32encode(data).decode().rstrip("=")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ISCC:",
        "ISCC:X",
        "ISCC:" + code(bytes(10)),
        "ISCC:" + code(bytes(35)),
        code(bytes(34)),
        "ISCC:" + code(bytes(34)).lower(),
        "ISCC:" + code(bytes(34)) + "é",
        "ISBN:" + code(bytes(34)),
    ],
)
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(IntegrityError, match="is not a"):
        parse_iscc(text)
