import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from assent.kit.forensics.crops import SIDE, FaceCrop, Finder, faces_in
from assent.kit.forensics.judge import CELLS, FEWEST, FaceLook, Judge, Scale, own_scale

Rgb = NDArray[np.uint8]
SCALE = Scale(slope=2.0, offset=-1.0, doubt=1.0, error="measured on nothing")


@pytest.fixture(scope="module")
def judge(finder: Finder) -> Judge:
    return Judge(finder=finder)


def looks(*logits: float, where: NDArray[np.float32] | None = None) -> list[FaceLook]:
    even = np.full((CELLS, CELLS), 0.5, np.float32)
    return [FaceLook(logit=logit, where=even if where is None else where) for logit in logits]


def replaced(rgb: Rgb, finder: Finder) -> Rgb:
    """The face made softer and of another colour within its hull: the plainest of fakes."""
    (crop,) = faces_in(rgb, finder)
    size = rgb.shape[1::-1]
    mask = cv2.warpAffine(crop.inner, crop.matrix, size, flags=cv2.WARP_INVERSE_MAP)[..., None]
    other = cv2.GaussianBlur(rgb, (0, 0), 1.6).astype(np.float32) * (1.12, 1.0, 0.9)
    return np.clip(rgb + mask * (other - rgb), 0, 255).astype(np.uint8)


def test_a_film_is_as_odd_as_the_odder_half_of_its_looks() -> None:
    assert SCALE.odds(np.array([-9.0, 1.0, 3.0, -9.0])) == pytest.approx(2 * 2.0 - 1)
    assert SCALE.odds(np.array([1.0])) == pytest.approx(1.0)


def test_what_is_said_follows_the_odds() -> None:
    judge = Judge(scale=SCALE)
    likely = judge.conclude(looks(3.0, 3.0))
    assert likely.probability == pytest.approx(1 / (1 + np.exp(-5.0)))
    assert likely.where is not None
    assert likely.looks == 2


@pytest.mark.parametrize("logit", [-9.0, 0.5, 0.9])
def test_what_shows_no_clear_sign_is_never_called_genuine(logit: float) -> None:
    told = Judge(scale=SCALE).conclude(looks(logit, logit))
    assert told.probability is None
    assert told.says.endswith("no clear sign that a face was replaced, which proves nothing")
    assert told.where is None


@pytest.mark.parametrize(
    ("rows", "columns", "says"),
    [
        (slice(2, 5), slice(2, 8), "Mostly around the brows and eyes."),
        (slice(6, 9), slice(3, 7), "Mostly around the mouth and chin."),
        (slice(2, 9), slice(2, 8), "Mostly in the whole face."),
    ],
)
def test_it_says_where(rows: slice, columns: slice, says: str) -> None:
    where = np.zeros((CELLS, CELLS), np.float32)
    where[rows, columns] = 1
    assert Judge(scale=SCALE).conclude(looks(4.0, where=where)).says == says


def test_without_a_face_it_abstains_and_says_why(judge: Judge) -> None:
    told = judge.judge([np.full((120, 160, 3), 90, np.uint8)] * 9)
    assert told.probability is None
    assert "no face from the front" in told.says


def test_small_faces_are_left_alone(judge: Judge, filmed: list[Rgb]) -> None:
    small = [cv2.resize(each, (128, 128), interpolation=cv2.INTER_AREA) for each in filmed]
    told = judge.judge([np.asarray(each, np.uint8) for each in small])
    assert told.probability is None
    assert "too small" in told.says


def test_a_still_is_too_little(judge: Judge, filmed: list[Rgb]) -> None:
    told = judge.judge(filmed[:1])
    assert told.probability is None
    assert told.looks < FEWEST
    assert told.says == "only 1 of 1 pictures show a face that can be judged"


def test_a_film_as_it_was_shot_is_not_suspected(judge: Judge, filmed: list[Rgb]) -> None:
    told = judge.judge(filmed)
    assert told.looks >= FEWEST
    assert told.probability is None


def test_a_changed_face_is_seen_and_where(judge: Judge, finder: Finder, filmed: list[Rgb]) -> None:
    genuine = [judge.look(crop) for rgb in filmed for crop in judge.faces(rgb)]
    changed = [judge.look(crop) for rgb in filmed for crop in judge.faces(replaced(rgb, finder))]
    odds = [judge.scale.odds(np.array([e.logit for e in each])) for each in (genuine, changed)]
    assert odds[1] > judge.scale.doubt >= odds[0]
    rise = np.mean([e.where for e in changed], 0) - np.mean([e.where for e in genuine], 0)
    assert rise[3:8, 3:7].mean() > rise[[0, -1]].mean() + 0.1


def test_the_scale_that_is_carried_has_a_doubt_and_owns_up_to_its_error() -> None:
    scale = own_scale()
    assert scale.slope > 0
    assert scale.doubt > 0
    assert any(each.isdigit() for each in scale.error)


def test_a_look_is_a_number_and_a_map(judge: Judge) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (SIDE, SIDE, 3), np.uint8)
    inner = np.ones((SIDE, SIDE), np.float32)
    look = judge.look(FaceCrop(rgb=noise, inner=inner, matrix=np.eye(2, 3)))
    assert np.isfinite(look.logit)
    assert look.where.shape == (CELLS, CELLS)
    assert look.where.min() >= 0
    assert look.where.max() <= 1
