"""A quality report as an SVG drawing: confidence over time, and poses. It holds no face.

>>> from assent.create.report import report_on
>>> draw(report_on([]), donor=[]).startswith("<svg")
True
"""

from collections.abc import Iterator, Sequence
from typing import Final

from assent.create.findings import Span
from assent.create.report import QualityReport

__all__ = ["draw"]

_WIDTH, _HEIGHT = 720, 640
_LEFT, _RIGHT = 64, 16
_TIME: Final = (40, 260)  # upper and lower edge of the confidence
_POSE: Final = (345, 595)  # of the poses
_INK, _FAINT, _PALE, _LINE, _WARM = "#37474f", "#e3e8eb", "#b8c9d6", "#1f6f8b", "#f3d9c9"
_WIDE, _HIGH = 60.0, 40.0  # degrees that are drawn, at least


def draw(report: QualityReport, *, donor: Sequence[tuple[float, float]]) -> str:
    """Draw a report.

    Args:
        report: of a draft.
        donor: (yaw, pitch) of the donor's pictures, degrees; empty if they aren't known.

    Returns:
        an SVG document of 720 x 640 user units, with nothing to load from elsewhere.
    """
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
            f'role="img" font-family="system-ui, sans-serif" font-size="12" fill="{_INK}">',
            "<title>Quality of a draft</title>",
            f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>',
            *_time(report),
            *_poses(report, donor),
            "</svg>",
        ]
    )


def _time(report: QualityReport) -> Iterator[str]:
    top, bottom = _TIME
    yield f'<text x="{_LEFT}" y="22" font-size="14">Confidence over time</text>'
    last = max((seconds for seconds, _ in report.confidence), default=0.0) or 1.0
    for span in (*report.far, *report.hidden, *report.relit):
        yield _shaded(span, last)
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y, x = bottom - share * (bottom - top), _across(share)
        yield (
            f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}" stroke="{_FAINT}"/>'
            f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{share:.2f}</text>'
            f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{share * last:.1f}</text>'
        )
    yield (
        f'<text x="{_across(0.5):.1f}" y="{bottom + 36}" text-anchor="middle">'
        "seconds (shaded: turned far, hidden or lit otherwise)</text>"
    )
    for run in _runs(report.confidence):
        points = " ".join(
            f"{_across(seconds / last):.1f},{bottom - value * (bottom - top):.1f}"
            for seconds, value in run
        )
        yield (
            f'<polyline points="{points}" fill="none" stroke="{_LINE}" stroke-width="2" '
            'stroke-linejoin="round" stroke-linecap="round"/>'
        )


def _shaded(span: Span, last: float) -> str:
    top, bottom = _TIME
    start, end = _across(span.start / last), _across(span.end / last)
    return (
        f'<rect x="{start:.1f}" y="{top}" width="{max(1.0, end - start):.1f}" '
        f'height="{bottom - top}" fill="{_WARM}"/>'
    )


def _runs(
    values: Sequence[tuple[float, float | None]],
) -> Iterator[list[tuple[float, float]]]:
    """The unbroken runs of what is known."""
    run: list[tuple[float, float]] = []
    for seconds, value in values:
        if value is not None:
            run.append((seconds, value))
        elif run:
            yield run
            run = []
    if run:
        yield run


def _poses(report: QualityReport, donor: Sequence[tuple[float, float]]) -> Iterator[str]:
    top, bottom = _POSE
    every = [*report.poses, *donor]
    wide = max([_WIDE, *(abs(yaw) for yaw, _ in every)])
    high = max([_HIGH, *(abs(pitch) for _, pitch in every)])
    yield (
        f'<text x="{_LEFT}" y="{top - 14}" font-size="14">Turns of the head: the donor\'s pictures '
        f'<tspan fill="{_PALE}">&#9679;</tspan>, the performance <tspan fill="{_LINE}">&#9679;'
        "</tspan></text>"
    )
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        x, y = _across(share), top + share * (bottom - top)
        yield (
            f'<path d="M{x:.1f} {top}V{bottom}M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}" '
            f'stroke="{_FAINT}"/>'
            f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">'
            f"{(2 * share - 1) * wide:.0f}</text>"
            f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">'
            f"{(2 * share - 1) * high:.0f}</text>"
        )
    yield (
        f'<text x="{_across(0.5):.1f}" y="{bottom + 36}" text-anchor="middle">'
        "degrees to the left (-) and right (+) of the picture; raised (-) and lowered (+)</text>"
    )
    for places, colour, size in ((donor, _PALE, 4), (report.poses, _LINE, 2)):
        for yaw, pitch in places:
            x = _across(0.5 + yaw / wide / 2)
            y = top + (0.5 + pitch / high / 2) * (bottom - top)
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size}" fill="{colour}"/>'


def _across(share: float) -> float:
    return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)
