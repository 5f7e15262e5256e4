import numpy as np
import pytest
from numpy.typing import NDArray

from assent.kit.imaging.label import draw_label
from assent.kit.imaging.sheet import contact_sheet


def flat(level: int, width: int = 40, height: int = 30) -> NDArray[np.uint8]:
    return np.full((height, width, 3), level, np.uint8)


def test_pictures_stand_in_columns_under_their_captions() -> None:
    sheet = contact_sheet([("before", [flat(200), flat(210)]), ("after", [flat(220)])], cell=120)
    assert sheet.dtype == np.uint8
    assert sheet.shape[1] == 2 * (120 + 8) + 8
    # Each picture is there whole: 120x90 samples of its level.
    for level in (200, 210, 220):
        rows, columns = np.nonzero((sheet == level).all(axis=2))
        assert len(rows) >= 120 * 90
        assert np.ptp(columns[rows == np.median(rows).astype(int)]) == 119


@pytest.mark.parametrize("columns", [1, 2, 4])
@pytest.mark.parametrize("rows", [1, 6])
@pytest.mark.parametrize("shape", [(40, 30), (30, 40), (40, 40)])
def test_the_label_covers_no_picture(columns: int, rows: int, shape: tuple[int, int]) -> None:
    level = 200
    sheet = contact_sheet([("x", [flat(level, *shape)] * rows)] * columns, cell=160)
    height, width = sheet.shape[:2]
    assert height % 2 == width % 2 == 0
    label = draw_label(width, height)
    below = label.y + label.alpha.shape[0]
    # Captions are lighter than this and darker than the pictures nowhere so wide.
    full = (sheet[:below] == level).all(axis=2).sum(axis=1)
    assert full.max(initial=0) < 30


def test_larger_and_smaller_pictures_fill_their_cells() -> None:
    for size in ((4, 3), (400, 300), (1, 1)):
        sheet = contact_sheet([("x", [flat(200, *size)])], cell=200)
        assert (sheet == 200).all(axis=2).any()
