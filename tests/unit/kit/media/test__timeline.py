import pytest

from assent.kit.media._timeline import Timeline


@pytest.mark.parametrize(
    ("stamps", "placed"),
    [
        ([0, 10, 25, 30], [0, 10, 25, 30]),
        ([None, None, None], [0, 10, 20]),
        ([5, 5, 5, 20], [5, 6, 7, 20]),
        ([100, 90, 110], [100, 101, 110]),
        ([-20, -10, 0], [-20, -10, 0]),
        ([7, None, 12], [7, 17, 18]),
        ([500, 0, 10, 20], [500, 510, 520, 530]),
        ([500, 0, 600, 0], [500, 510, 1110, 1120]),
    ],
)
def test_stamps_rise_strictly(stamps: list[int | None], placed: list[int]) -> None:
    timeline = Timeline(step=10)
    assert [timeline.place(stamp) for stamp in stamps] == placed
