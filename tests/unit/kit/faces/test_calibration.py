import pytest

from assent.kit.faces.calibration import SAME_PERSON, SURE, Zone, explain, zone_of


@pytest.mark.parametrize(
    ("distance", "zone"),
    [
        (0.0, Zone.SAME),
        (SURE - 1e-6, Zone.SAME),
        (SURE, Zone.UNSURE),
        (SAME_PERSON - 1e-6, Zone.UNSURE),
        (SAME_PERSON, Zone.OTHER),
        (1.4, Zone.OTHER),
        (float("inf"), Zone.OTHER),
        (float("nan"), Zone.OTHER),
    ],
)
def test_a_distance_lies_in_one_zone(distance: float, zone: Zone) -> None:
    assert zone_of(distance) is zone


def test_a_distance_is_told_with_both_bounds() -> None:
    assert explain(0.5432) == (
        "distance 0.54; under 0.45 is the same person, 0.60 and more somebody else"
    )
