import pytest

from assent.kit.errors import InputError
from assent.kit.imaging.framing import frame_label
from assent.kit.imaging.label import Corner, draw_label, simulate_crops


@pytest.mark.parametrize("size", [(1920, 1080), (1080, 1920), (1280, 720), (720, 720)])
def test_the_crops_are_those_that_the_label_is_made_for(size: tuple[int, int]) -> None:
    box, framings = frame_label(*size)
    label = draw_label(*size)
    assert box[:2] == (label.x, label.y)
    crops = simulate_crops(*size)
    for each in framings:
        if each.ratio in crops:
            assert max(abs(a - b) for a, b in zip(each.crop, crops[each.ratio], strict=True)) <= 1
            assert each.whole


def test_what_a_crop_cuts_or_a_player_covers_is_told() -> None:
    # An older television's picture, cropped to a wide one, loses its upper edge.
    _, framings = frame_label(640, 480)
    told = {each.ratio: (each.whole, each.clear) for each in framings}
    assert told["16:9"] == (False, False)
    assert told["1:1"] == (True, True)
    assert told["9:16"] == (True, False)
    assert framings[0].to_json()["ratio"] == "16:9"


def test_each_corner_is_held_to_the_same_crops() -> None:
    size = (1080, 1920)
    told = {}
    for corner in Corner:
        box, framings = frame_label(*size, corner=corner)
        label = draw_label(*size, corner=corner)
        assert box[:2] == (label.x, label.y)
        told[corner] = {each.ratio: (each.whole, each.clear) for each in framings}
    # An upright film shown as it is: its players' buttons stand at the lower right.
    assert told[Corner.TOP_LEFT]["9:16"] == told[Corner.BOTTOM_LEFT]["9:16"] == (True, True)
    assert told[Corner.BOTTOM_RIGHT]["9:16"] == (True, False)
    assert all(each["1:1"] == each["4:5"] == (True, True) for each in told.values())


@pytest.mark.parametrize("size", [(0, 0), (159, 1000), (20000, 1000)])
def test_sizes_that_no_film_has(size: tuple[int, int]) -> None:
    with pytest.raises(InputError, match="no film"):
        frame_label(*size)
