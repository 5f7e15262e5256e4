"""A dossier as PDF: first page, open points, contents with page numbers, sections.

Its fonts are embedded where they hold the letters; Chinese, Japanese and Korean are left to the
reader's own fonts, and letters that none of these has are shown as a box.
"""

import io
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    LongTable,
    PageBreak,
    PageTemplate,
    Paragraph,
    Spacer,
    TableStyle,
)
from reportlab.platypus.tableofcontents import TableOfContents

from assent.monitor.dossier.document import Block, Cell, Dossier, Facts, Section, Table, Text
from assent.monitor.dossier.html import printable

__all__ = ["markup", "register_fonts", "style", "to_pdf"]

_INK, _SOFT, _LINE, _ACCENT = "#1b1f24", "#57606a", "#c8d0d8", "#0b5c56"
_COLOURS = {"good": "#116329", "warn": "#7a4b00", "bad": "#a40e26", "": _INK}
_MARGIN = 18 * mm
_WIDTH = A4[0] - 2 * _MARGIN
_PLAIN, _BOLD, _MONO = "Dossier", "Dossier-Bold", "Courier"
_EAST = "STSong-Light"
_KOREAN = "HYSMyeongJo-Medium"


def to_pdf(dossier: Dossier) -> bytes:
    """Return the PDF; the same dossier gives the same bytes."""
    register_fonts()
    sink = io.BytesIO()
    document = _Template(sink, dossier)
    document.multiBuild(list(_story(dossier)), canvasmaker=_canvas_maker(dossier))
    return sink.getvalue()


@cache
def register_fonts() -> TTFont:
    """Make the fonts of the documents known, and return the plain one."""
    fonts = resources.files("reportlab") / "fonts"
    plain = None
    for name, file in ((_PLAIN, "Vera.ttf"), (_BOLD, "VeraBd.ttf")):
        with resources.as_file(fonts / file) as path:
            font = TTFont(name, str(path))
        pdfmetrics.registerFont(font)
        plain = plain or font
    pdfmetrics.registerFontFamily(_PLAIN, normal=_PLAIN, bold=_BOLD, italic=_PLAIN)
    for name in (_EAST, _KOREAN):
        pdfmetrics.registerFont(UnicodeCIDFont(name))
    return plain


def style(name: str, **changes: Any) -> ParagraphStyle:  # noqa: ANN401 - what ReportLab takes
    """Return a style of paragraphs."""
    usual = {"fontName": _PLAIN, "fontSize": 8.6, "leading": 11.6, "textColor": HexColor(_INK)}
    return ParagraphStyle(name, **{**usual, **changes})


_BODY = style("body", spaceAfter=6)
_TITLE = style("title", fontName=_BOLD, fontSize=22, leading=27, spaceAfter=6)
_KICKER = style("kicker", fontSize=9.5, leading=13, textColor=HexColor(_SOFT), spaceAfter=4)
_HEADING = style(
    "heading", fontName=_BOLD, fontSize=13.5, leading=17, spaceBefore=12, spaceAfter=8,
    textColor=HexColor(_ACCENT), keepWithNext=1,
)  # fmt: skip
_OPEN = style("open", fontName=_BOLD, fontSize=11, leading=15, textColor=HexColor(_COLOURS["bad"]))
_POINT = style(
    "point",
    leftIndent=16,
    bulletIndent=1,
    bulletFontName=_PLAIN,
    bulletFontSize=8.6,
    textColor=HexColor(_COLOURS["bad"]),
    spaceAfter=3,
)
_CAPTION = style("caption", fontName=_BOLD, spaceBefore=4, spaceAfter=3, keepWithNext=1)
_CELL = style("cell", fontSize=7.4, leading=9.6, splitLongWords=1)
_HEAD = style("head", fontName=_BOLD, fontSize=7.4, leading=9.6, textColor=HexColor(_SOFT))
_CONTENTS = style("contents", fontSize=9.5, leading=15)


class _Template(BaseDocTemplate):  # type: ignore[misc] # ReportLab has no types
    """Pages with a foot, and headings that the contents and the outline know of."""

    def __init__(self, sink: io.BytesIO, dossier: Dossier) -> None:
        super().__init__(
            sink, pagesize=A4, leftMargin=_MARGIN, rightMargin=_MARGIN, topMargin=16 * mm,
            bottomMargin=18 * mm, title=f"{printable(dossier.title)}: dossier",
            author="Assent", subject=printable(dossier.subtitle), lang="en", invariant=1,
        )  # fmt: skip
        frame = Frame(self.leftMargin, self.bottomMargin, self.width, self.height, 0, 0, 0, 0)
        self.addPageTemplates([PageTemplate("page", [frame])])

    def afterFlowable(self, flowable: Flowable) -> None:  # noqa: N802 - ReportLab's name
        """Enter a heading into contents and outline."""
        anchor = getattr(flowable, "anchor", None)
        if anchor is not None:
            self.canv.bookmarkPage(anchor)
            self.canv.addOutlineEntry(flowable.getPlainText(), anchor)
            self.notify("TOCEntry", (0, flowable.getPlainText(), self.page, anchor))


def _canvas_maker(dossier: Dossier) -> Any:  # noqa: ANN401 - a class of ReportLab's
    from reportlab.pdfgen.canvas import Canvas

    class Numbered(Canvas):  # type: ignore[misc] # ReportLab has no types
        """Knows how many pages there are before it writes the first."""

        def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - ReportLab's
            super().__init__(*args, **options)
            self._pages: list[dict[str, Any]] = []

        def showPage(self) -> None:  # noqa: N802 - ReportLab's name
            self._pages.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            total = len(self._pages)
            for page in self._pages:
                self.__dict__.update(page)
                _foot(self, dossier, self._pageNumber, total)
                super().showPage()
            super().save()

    return Numbered


def _foot(canvas: Any, dossier: Dossier, page: int, total: int) -> None:  # noqa: ANN401 - a canvas
    canvas.saveState()
    canvas.setStrokeColor(HexColor(_LINE))
    canvas.line(_MARGIN, 13 * mm, A4[0] - _MARGIN, 13 * mm)
    canvas.setFont("Helvetica", 7.5)
    canvas.setFillColor(HexColor(_SOFT))
    canvas.drawString(_MARGIN, 9 * mm, f"Assent dossier, {dossier.made}. Not legal advice.")
    canvas.drawRightString(A4[0] - _MARGIN, 9 * mm, f"Page {page} of {total}")
    canvas.restoreState()


def _story(dossier: Dossier) -> Iterator[Flowable]:
    yield Spacer(1, 18 * mm)
    yield _paragraph(dossier.subtitle, _KICKER)
    yield _paragraph(dossier.title, _TITLE)
    yield _paragraph(f"Made on {dossier.made}", _KICKER)
    yield Spacer(1, 4 * mm)
    yield from _facts(Facts(rows=dossier.facts))
    yield _paragraph(
        "This is not legal advice. It gathers what the studio's records show, for those who judge "
        "it. What it can't claim stands in the last section.",
        _BODY,
    )
    yield from _open_points(dossier)
    yield PageBreak()
    yield Paragraph("Contents", _HEADING)
    contents = TableOfContents()
    contents.levelStyles = [_CONTENTS]
    contents.dotsMinLevel = 0
    yield contents
    yield PageBreak()
    for number, section in enumerate(dossier.sections, start=1):
        yield from _section(section, number)


def _open_points(dossier: Dossier) -> Iterator[Flowable]:
    points = dossier.open_points
    yield Spacer(1, 3 * mm)
    if not points:
        yield _paragraph("No open points were found.", _OPEN.clone("none", textColor="#116329"))
        return
    yield _paragraph(f"Open points: {len(points)}", _OPEN)
    for number, (section, point) in enumerate(points, start=1):
        yield Paragraph(markup(f"{point} ({section.title})"), _POINT, bulletText=f"{number}.")


def _section(section: Section, number: int) -> Iterator[Flowable]:
    heading = _paragraph(f"{number}  {section.title}", _HEADING)
    heading.anchor = section.id
    yield heading
    if section.open:
        yield _paragraph("Open", _OPEN)
    for point in section.open:
        yield Paragraph(markup(point), _POINT, bulletText="\u2022")
    for block in section.blocks:
        yield from _block(block)


def _block(block: Block) -> Iterator[Flowable]:
    if isinstance(block, Text):
        colour = HexColor(_COLOURS[block.state])
        yield _paragraph(block.text, _BODY.clone("text", textColor=colour))
    elif isinstance(block, Facts):
        yield from _facts(block)
    else:
        yield from _table(block)


def _facts(block: Facts) -> Iterator[Flowable]:
    rows = [[_paragraph(name, _HEAD), _cell(cell)] for name, cell in block.rows]
    if not rows:
        return
    made = LongTable(rows, colWidths=[_WIDTH * 0.24, _WIDTH * 0.76], splitInRow=1)
    made.setStyle(
        TableStyle(
            [
                *_GRID,
                ("BACKGROUND", (0, 0), (0, -1), HexColor("#f4f6f8")),
                ("BOX", (0, 0), (-1, -1), 0.6, HexColor(_LINE)),
                ("LEFTPADDING", (0, 0), (-1, -1), 5),
            ]
        )
    )
    yield made
    yield Spacer(1, 4 * mm)


def _table(block: Table) -> Iterator[Flowable]:
    yield _paragraph(block.caption, _CAPTION)
    rows = [[_paragraph(column or "#", _HEAD) for column in block.columns]]
    rows += [[_cell(cell) for cell in row] for row in block.rows]
    total = sum(block.widths)
    made = LongTable(
        rows, colWidths=[_WIDTH * width / total for width in block.widths], repeatRows=1,
        splitInRow=1,
    )  # fmt: skip
    head = ("LINEBELOW", (0, 0), (-1, 0), 1, HexColor(_LINE))
    made.setStyle(TableStyle([*_GRID, head, ("LEFTPADDING", (0, 0), (-1, -1), 0)]))
    yield made
    yield Spacer(1, 4 * mm)


_GRID = (
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("LINEBELOW", (0, 0), (-1, -1), 0.4, HexColor(_LINE)),
    ("TOPPADDING", (0, 0), (-1, -1), 2.5),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
    ("RIGHTPADDING", (0, 0), (-1, -1), 5),
)


def _cell(cell: Cell) -> Paragraph:
    changes: dict[str, Any] = {"textColor": HexColor(_COLOURS[cell.state])}
    if cell.state == "bad":
        changes["fontName"] = _BOLD
    if cell.mono and cell.text.isascii():
        changes |= {"fontName": _MONO, "fontSize": 6.9}
    return _paragraph(cell.text, _CELL.clone("value", **changes))


def _paragraph(text: str, style: ParagraphStyle) -> Paragraph:
    return Paragraph(markup(text), style)


def markup(text: str) -> str:
    """Return `text` as ReportLab's markup: escaped, each run of letters in a font that has them."""
    parts: list[tuple[str | None, str]] = []
    for letter in printable(text):
        font, shown = _font_for(letter)
        if parts and parts[-1][0] == font:
            parts[-1] = (font, parts[-1][1] + shown)
        else:
            parts.append((font, shown))
    marked = (
        escape(run) if font is None else f'<font name="{font}">{escape(run)}</font>'
        for font, run in parts
    )
    return "".join(marked).replace("\n", "<br/>")


def _font_for(letter: str) -> tuple[str | None, str]:
    if letter == "\n" or ord(letter) in register_fonts().face.charToGlyph:
        return None, letter
    if "\uac00" <= letter <= "\ud7af":
        return _KOREAN, letter
    if "\u3000" <= letter <= "\u9fff" or "\uff00" <= letter <= "\uffef":
        return _EAST, letter
    return None, "\u25a1" if 0x25A1 in register_fonts().face.charToGlyph else "?"
