"""The drawing is well-formed, and its line falls when the loss does."""

import itertools
import math
import xml.etree.ElementTree as ET

import pytest

from assent.train.curve import loss_curve

SVG = "{http://www.w3.org/2000/svg}"


def lines(svg: str) -> list[list[tuple[float, float]]]:
    root = ET.fromstring(svg)  # noqa: S314 # drawn here
    return [
        [(float(x), float(y)) for x, y in (p.split(",") for p in line.attrib["points"].split())]
        for line in root.iter(f"{SVG}polyline")
    ]


def words(svg: str) -> list[str]:
    return [text.text or "" for text in ET.fromstring(svg).iter(f"{SVG}text")]  # noqa: S314 # drawn here


def test_a_falling_loss_falls_on_the_page() -> None:
    raw, mean = lines(loss_curve([1 / (1 + n / 50) for n in range(1000)]))
    assert raw[0][1] < raw[-1][1]
    assert len(raw) <= 400
    assert all(a[0] < b[0] for a, b in itertools.pairwise(raw))
    assert all(0 <= x <= 720 and 0 <= y <= 320 for x, y in raw + mean)


def test_axes_are_named_and_numbered() -> None:
    text = words(loss_curve([0.4, 0.2], title="ada & ben"))
    assert {"step", "loss (lower is better)", "ada & ben", "0", "2"} <= set(text)
    assert any(word.startswith("0.4") for word in text)


@pytest.mark.parametrize("losses", [[], [math.nan], [math.inf, -math.inf]])
def test_nothing_to_draw_is_said(losses: list[float]) -> None:
    svg = loss_curve(losses)
    assert "No steps yet" in words(svg)
    assert lines(svg) == []


def test_one_step_and_zero_loss_are_drawn() -> None:
    assert len(lines(loss_curve([0.5]))) == 2
    assert len(lines(loss_curve([0.0, 0.0]))) == 2


def test_gaps_are_left_out() -> None:
    raw, _ = lines(loss_curve([0.5, math.nan, 0.5]))
    assert len(raw) == 2
