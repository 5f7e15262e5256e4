"""The receipt on paper: what was agreed, by whom, and how to check it, as PDF."""

import io
from collections.abc import Sequence
from xml.sax.saxutils import escape

from reportlab.lib.enums import TA_LEFT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

__all__ = ["draw_receipt"]

_MARGIN = 20 * mm
_LABEL = 45 * mm


def draw_receipt(
    *,
    title: str,
    lead: str,
    notice: str,
    facts: Sequence[tuple[str, Sequence[str]]],
    proof_label: str,
    token: str,
    language: str,
) -> bytes:
    """Return a PDF of a receipt.

    Args:
        title: of the page and the document.
        lead: one paragraph below it.
        notice: the words that were signed, one line an item.
        facts: names and what they stand for, one line each.
        proof_label: what the signed receipt is called.
        token: the receipt itself, to be printed whole: paper proves as well as a file.
        language: the document's, for screen readers.
    """
    body, small, bold, head = _styles()
    rows = [
        [Paragraph(escape(name), bold), [Paragraph(escape(line), body) for line in lines]]
        for name, lines in facts
    ]
    table = Table(rows, colWidths=[_LABEL, A4[0] - 2 * _MARGIN - _LABEL])
    table.setStyle(
        TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 0)])
    )
    story = [
        Paragraph(escape(title), head),
        Paragraph(escape(lead), body),
        Spacer(1, 4 * mm),
        *(Paragraph(escape(line), body) for line in notice.splitlines()),
        Spacer(1, 4 * mm),
        table,
        Spacer(1, 6 * mm),
        Paragraph(escape(proof_label), bold),
        Paragraph(escape(token), small),
    ]
    sink = io.BytesIO()
    SimpleDocTemplate(
        sink,
        pagesize=A4,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=_MARGIN,
        title=title,
        lang=language,
        creator="Assent",
    ).build(story)
    return sink.getvalue()


def _styles() -> tuple[ParagraphStyle, ...]:
    font, bold_font = _fonts()
    body = ParagraphStyle(
        "body", fontName=font, fontSize=10, leading=14, alignment=TA_LEFT, spaceAfter=2
    )
    small = ParagraphStyle(
        "small", parent=body, fontName="Courier", fontSize=6, leading=7.5, splitLongWords=1
    )
    bold = ParagraphStyle("bold", parent=body, fontName=bold_font)
    head = ParagraphStyle(
        "head", parent=body, fontName=bold_font, fontSize=18, leading=22, spaceAfter=8
    )
    return body, small, bold, head


def _fonts() -> tuple[str, str]:
    """Return the names of a font that has the letters of the notices, registered once."""
    for name, file in (("Assent", "Vera.ttf"), ("Assent-Bold", "VeraBd.ttf")):
        if name not in pdfmetrics.getRegisteredFontNames():
            pdfmetrics.registerFont(TTFont(name, file))
    return "Assent", "Assent-Bold"
