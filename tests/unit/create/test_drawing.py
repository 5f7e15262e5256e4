"""The drawing of a report: it shows what is known, and loads nothing."""

from xml.etree import ElementTree

from assent.create.drawing import draw
from assent.create.quality import FrameNote, FrameQuality, Measures
from assent.create.report import report_on

NAMES = {"svg": "http://www.w3.org/2000/svg"}


def note(number: int, known: bool) -> FrameNote:
    quality = FrameQuality(
        number=number, yaw=number, pitch=0, near_yaw=0, near_pitch=0, away=3, scale=1, relit=0,
        hidden=0.5, strangeness=0.1, confidence=0.5,
    )  # fmt: skip
    return FrameNote(
        seconds=number / 25, painted=known, quality=quality if known else None, measures=Measures()
    )


def drawn(notes: list[FrameNote], donor: list[tuple[float, float]]) -> ElementTree.Element:
    return ElementTree.fromstring(draw(report_on(notes), donor=donor))  # noqa: S314 - our own


def test_what_is_not_known_parts_the_line() -> None:
    whole = drawn([note(n, True) for n in range(30)], [])
    parted = drawn([note(n, n not in (10, 11)) for n in range(30)], [])
    assert len(whole.findall("svg:polyline", NAMES)) == 1
    assert len(parted.findall("svg:polyline", NAMES)) == 2


def test_every_pose_is_within_the_drawing() -> None:
    found = drawn([note(n * 3, True) for n in range(30)], [(-95.0, 10.0), (0.0, -70.0)])
    circles = found.findall("svg:circle", NAMES)
    assert len(circles) == 32
    assert all(64 <= float(each.get("cx", "")) <= 704 for each in circles)
    assert all(330 <= float(each.get("cy", "")) <= 590 for each in circles)
    # Right of the picture is on the right.
    performed = [float(each.get("cx", "")) for each in circles[2:]]
    assert performed == sorted(performed)


def test_hidden_stretches_are_shaded() -> None:
    shaded = drawn([note(n, True) for n in range(30)], []).findall("svg:rect", NAMES)
    assert len(shaded) == 2
    assert len(drawn([], []).findall("svg:rect", NAMES)) == 1
