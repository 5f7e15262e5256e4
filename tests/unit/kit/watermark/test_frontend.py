import numpy as np
import pytest

from assent.kit.watermark.frontend import DetailAverage, detail, working_size


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((512, 512), (512, 512)),
        ((1920, 1080), (910, 512)),
        ((1080, 1920), (512, 910)),
        ((256, 256), (512, 512)),
        ((4000, 1000), (1024, 256)),
    ],
)
def test_working_size(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert working_size(*size) == expected


def test_detail_is_bounded_and_at_the_working_size() -> None:
    seen = detail(np.random.default_rng(0).integers(0, 256, (128, 256)).astype(np.uint8))
    assert seen.shape == (512, 1024)
    assert seen.dtype == np.float32
    assert 0.2 < np.abs(seen).max() < 2.7


def test_detail_hardly_depends_on_contrast_or_brightness() -> None:
    rng = np.random.default_rng(1)
    plane = rng.integers(0, 200, (512, 512)).astype(np.uint8)
    one, two = detail(plane), detail((plane // 2 + 40).astype(np.uint8))
    assert np.corrcoef(one.ravel(), two.ravel())[0, 1] > 0.99


def test_a_flat_picture_has_no_detail() -> None:
    assert np.abs(detail(np.full((300, 400), 77, np.uint8))).max() < 1e-3


def test_the_average_is_the_mean_of_the_details() -> None:
    rng = np.random.default_rng(2)
    planes = [rng.integers(0, 256, (512, 512)).astype(np.uint8) for _ in range(3)]
    average = DetailAverage()
    for plane in planes:
        average.add(plane)
    assert average.frames == 3
    expected = np.mean([detail(plane) for plane in planes], axis=0)
    assert np.allclose(average.mean(), expected, atol=1e-5)


def test_planes_of_another_shape_are_stretched() -> None:
    average = DetailAverage()
    average.add(np.zeros((512, 512), np.uint8))
    average.add(np.zeros((512, 700), np.uint8))
    assert average.mean().shape == (512, 512)
    assert average.sum((300, 400)).shape == (300, 400)


def test_there_is_no_mean_of_nothing() -> None:
    with pytest.raises(ValueError, match="no frame"):
        DetailAverage().mean()
    with pytest.raises(ValueError, match="no frame"):
        DetailAverage().sum()
