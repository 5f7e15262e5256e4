from typing import Any

import cv2
import numpy as np
import pytest
from defusedxml.ElementTree import fromstring
from numpy.typing import NDArray

from assent.kit.errors import InputError
from assent.kit.imaging.qr import qr_png, qr_svg

LINK = "https://films.example/assent/r/ae458e06b13e8f75"


def read(picture: NDArray[Any]) -> str:
    return str(cv2.QRCodeDetector().detectAndDecode(picture)[0])


def test_a_picture_is_read_by_a_reader() -> None:
    picture = cv2.imdecode(np.frombuffer(qr_png(LINK), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    assert read(picture) == LINK


def test_a_drawing_shows_the_same_modules() -> None:
    scale = 12
    picture = cv2.imdecode(np.frombuffer(qr_png(LINK, scale=scale), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    root = fromstring(qr_svg(LINK))
    side = int(root.attrib["viewBox"].split()[2])
    drawn = np.full((side, side), 255, np.uint8)
    for run in root[1].attrib["d"].split("M")[1:]:
        place, width = run.split("h")[:2]
        x, y = (int(part) for part in place.split())
        drawn[y, x : x + int(width.partition("v")[0])] = 0
    assert np.array_equal(drawn, picture[scale // 2 :: scale, scale // 2 :: scale])


def test_a_smudged_code_is_still_read() -> None:
    picture = cv2.imdecode(np.frombuffer(qr_png(LINK), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    middle = picture.shape[0] // 2
    picture[middle - 30 : middle + 30, middle - 30 : middle + 30] = 255
    assert read(picture) == LINK


@pytest.mark.parametrize("text", ["", "x" * 501])
def test_what_makes_no_code_that_can_be_scanned_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="no code"):
        qr_svg(text)


def test_markup_in_an_address_draws_nothing() -> None:
    assert b"script" not in qr_svg("https://a.example/<script>")
