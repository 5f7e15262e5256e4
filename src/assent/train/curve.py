"""The loss curve of a run as an SVG drawing.

>>> loss_curve([0.6, 0.4, 0.3]).startswith("<svg")
True
"""

import itertools
import math
from collections.abc import Sequence

__all__ = ["loss_curve"]

_WIDTH, _HEIGHT = 720, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 16, 36, 48
_MOST_POINTS = 400
_INK, _FAINT, _PALE, _LINE = "#37474f", "#e3e8eb", "#b8c9d6", "#1f6f8b"


def loss_curve(losses: Sequence[float], *, title: str = "Training loss") -> str:
    """Draw each step's loss, and its moving mean over a thirtieth of the run.

    Args:
        losses: of each step, in order; what isn't finite is left out.
        title: above the drawing.

    Returns:
        an SVG document of 720 x 320 user units, with nothing to load from elsewhere.
    """
    shown = _thin([loss for loss in losses if math.isfinite(loss)])
    step = _round_step(max(shown, default=1.0) / 4)
    rows = max(1, math.ceil(max(shown, default=1.0) / step))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'role="img" font-family="system-ui, sans-serif" font-size="12" fill="{_INK}">',
        f"<title>{_escape(title)}</title>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>',
        f'<text x="{_LEFT}" y="22" font-size="14">{_escape(title)}</text>',
        *_axes(rows, step, len(losses)),
    ]
    if shown:
        parts.append(_path(shown, rows * step, _PALE, 1.0))
        parts.append(_path(_mean(shown), rows * step, _LINE, 2.0))
    else:
        middle = _LEFT + (_WIDTH - _LEFT - _RIGHT) / 2
        parts.append(
            f'<text x="{middle}" y="{_HEIGHT / 2}" text-anchor="middle">No steps yet</text>'
        )
    return "\n".join([*parts, "</svg>"])


def _axes(rows: int, step: float, steps: int) -> list[str]:
    digits = max(0, -math.floor(math.log10(step)))
    parts = []
    for row in range(rows + 1):
        y = _y(row / rows)
        parts.append(
            f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}" stroke="{_FAINT}"/>'
            f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">'
            f"{row * step:.{digits}f}</text>"
        )
    parts += [
        f'<text x="{_x(share):.1f}" y="{_HEIGHT - _BOTTOM + 18}" text-anchor="middle">'
        f"{round(share * steps)}</text>"
        for share in (0.0, 0.25, 0.5, 0.75, 1.0)
    ]
    middle = _y(0.5)
    parts.append(
        f'<text x="{_x(0.5):.1f}" y="{_HEIGHT - 10}" text-anchor="middle">step</text>'
        f'<text x="16" y="{middle:.1f}" text-anchor="middle" '
        f'transform="rotate(-90 16 {middle:.1f})">loss (lower is better)</text>'
    )
    return parts


def _path(values: Sequence[float], top: float, colour: str, width: float) -> str:
    last = max(1, len(values) - 1)
    points = " ".join(f"{_x(n / last):.1f},{_y(v / top):.1f}" for n, v in enumerate(values))
    return (
        f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="{width}" '
        'stroke-linejoin="round"/>'
    )


def _x(share: float) -> float:
    return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)


def _y(share: float) -> float:
    return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)


def _thin(losses: Sequence[float]) -> list[float]:
    """At most `_MOST_POINTS` means of neighbours."""
    bins = min(len(losses), _MOST_POINTS)
    edges = [round(n * len(losses) / bins) for n in range(bins + 1)] if bins else [0]
    return [sum(losses[a:b]) / (b - a) for a, b in itertools.pairwise(edges)]


def _mean(values: Sequence[float]) -> list[float]:
    reach = len(values) // 60
    windows = (values[max(0, n - reach) : n + reach + 1] for n in range(len(values)))
    return [sum(window) / len(window) for window in windows]


def _round_step(rough: float) -> float:
    """1, 2 or 5 times a power of ten, not below `rough`."""
    if rough <= 0:
        return 0.25
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * m for m in (1, 2, 5, 10) if power * m >= rough * 0.999)


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
