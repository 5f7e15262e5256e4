import numpy as np
import pytest

from assent.kit.imaging._lettering import draw_text, measure_text


def draw(text: str, height: float = 40.0, left: float = 10.0) -> np.ndarray:
    return draw_text(text, shape=(60, 400), left=left, top=10.0, height=height)


@pytest.mark.parametrize("letter", "ADEFGIMNORT")
def test_letters_fill_their_height_and_width(letter: str) -> None:
    rows, columns = np.nonzero(draw(letter) > 0.5)
    assert (rows.min(), rows.max()) == (10, 49)
    assert columns.min() == 10
    assert abs(columns.max() + 1 - 10 - 40 * measure_text(letter)) <= 1


def test_letters_differ() -> None:
    drawn = [draw(letter).tobytes() for letter in "ADEFGIMNORT+"]
    assert len(set(drawn)) == 12


def test_edges_are_smooth_and_follow_fractions_of_a_pixel() -> None:
    whole, shifted = draw("I"), draw("I", left=10.5)
    assert set(np.unique(whole[20:40])) == {0.0, 1.0}
    assert 0.5 in np.unique(shifted[20:40])
    assert shifted.sum() == pytest.approx(whole.sum(), rel=0.01)


def test_a_word_is_its_letters_side_by_side() -> None:
    assert measure_text("AI") > measure_text("A") + measure_text("I")
    assert measure_text("A I") > measure_text("AI")
    both = draw("AI")
    assert (both[:, :44] >= draw("A")[:, :44]).all()


def test_letters_that_are_not_drawn_are_refused() -> None:
    with pytest.raises(KeyError):
        measure_text("AI + é")
