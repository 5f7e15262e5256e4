"""QR codes (ISO/IEC 18004) of addresses, as SVG and as PNG.

>>> qr_svg("https://example.org/r/00")[:5]
b'<svg '
"""

from collections.abc import Iterator
from io import BytesIO
from itertools import groupby

import segno

from assent.kit.errors import InputError

__all__ = ["qr_png", "qr_svg"]

_QUIET = 4
"""Modules of white around the code, as the standard asks for."""
_LONGEST = 500


def qr_svg(text: str) -> bytes:
    """Return a drawing of one unit a module, black on white whatever lies behind it.

    Raises `InputError` for a text that is too long to be scanned with ease.
    """
    rows = [bytes(row) for row in _code(text).matrix]
    side = len(rows) + 2 * _QUIET
    runs = "".join(
        f"M{start + _QUIET} {y + _QUIET}h{end - start}v1h{start - end}z"
        for y, row in enumerate(rows)
        for start, end in _runs(row)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" '
        f'shape-rendering="crispEdges"><path fill="#fff" d="M0 0h{side}v{side}H0z"/>'
        f'<path d="{runs}"/></svg>\n'
    ).encode()


def qr_png(text: str, *, scale: int = 12) -> bytes:
    """Return a picture of `scale` pixels a module; raises as `qr_svg`."""
    made = BytesIO()
    _code(text).save(made, kind="png", scale=scale, border=_QUIET)
    return made.getvalue()


def _runs(row: bytes) -> Iterator[tuple[int, int]]:
    """Yield where dark modules begin and end."""
    at = 0
    for dark, group in groupby(row):
        length = len(list(group))
        if dark:
            yield at, at + length
        at += length


def _code(text: str) -> segno.QRCode:
    if not 0 < len(text) <= _LONGEST:
        raise InputError(
            f"an address of {len(text)} characters makes no code that can be scanned",
            advice="Use a shorter address for the public pages.",
        )
    # Quartile correction: a quarter of the code may be smudged or lie under a fold.
    return segno.make_qr(text, error="q")
