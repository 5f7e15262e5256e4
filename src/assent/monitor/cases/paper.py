"""A letter as PDF, of plain text: what is written in it is never markup.

The same letter gives the same bytes.
"""

import io

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer

from assent.monitor.dossier.html import printable
from assent.monitor.dossier.pdf import markup, register_fonts, style

__all__ = ["letter"]

_TITLE = {"fontSize": 13, "leading": 18, "spaceAfter": 8}
_BODY = {"fontSize": 9.5, "leading": 13.5, "spaceAfter": 7, "splitLongWords": 1}


def letter(title: str, body: str, *, dated: str) -> bytes:
    """Return the PDF of a letter; empty lines part its paragraphs."""
    register_fonts()
    sink = io.BytesIO()
    document = SimpleDocTemplate(
        sink, pagesize=A4, leftMargin=24 * mm, rightMargin=24 * mm, topMargin=24 * mm,
        bottomMargin=22 * mm, title=printable(title), author="Assent", invariant=1,
    )  # fmt: skip
    small = style("dated", textColor=HexColor("#57606a"), spaceAfter=6)
    shown: list[Flowable] = [
        Paragraph(markup(dated), small),
        Paragraph(markup(title), style("letter-title", **_TITLE)),
        Spacer(1, 3 * mm),
    ]
    text = style("letter", **_BODY)
    shown += [Paragraph(markup(part), text) for part in body.split("\n\n") if part.strip()]
    document.build(shown)
    return sink.getvalue()
