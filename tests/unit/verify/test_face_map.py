import pytest
from defusedxml import ElementTree

from assent.verify.page.face_map import drawing_of


def test_strong_cells_are_drawn_over_the_outline_of_a_face() -> None:
    where = {"facts": {"where": [[0, 90], [10, 0]]}}
    figure = ElementTree.fromstring(drawing_of(where, "Where & how much"))
    assert figure.findtext("figcaption") == "Where & how much"
    drawn = figure.find("svg")
    assert drawn is not None
    cells = drawn.findall("rect")
    assert [(c.get("x"), c.get("y"), c.get("fill-opacity")) for c in cells] == [
        ("80", "0", "0.9"), ("0", "80", "0.1"),
    ]  # fmt: skip
    assert len(drawn.findall("polyline")) == 5
    assert len(drawn.findall("polygon")) == 3


@pytest.mark.parametrize("facts", [{}, {"where": None}, {"where": []}])
def test_without_a_place_nothing_is_drawn(facts: dict[str, object]) -> None:
    assert drawing_of({"facts": facts}) == ""


def test_words_in_a_map_never_reach_the_page() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        drawing_of({"facts": {"where": [["<script>"]]}})
