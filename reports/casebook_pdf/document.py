"""Laying the paper out: A4, a table for each form, page x of y, and where it comes from on every page."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, LongTable, Paragraph, SimpleDocTemplate, Spacer, TableStyle

from reports.casebook_pdf.content import CasebookCopy, FormCopy

FONTS = {"Inter": "Inter-Regular.ttf", "Inter-Bold": "Inter-Bold.ttf"}
INK, QUIET, LINE = colors.HexColor("#1b242b"), colors.HexColor("#5a6872"), colors.HexColor("#c9d1d6")
MARGIN, WIDTH = 16 * mm, A4[0] - 32 * mm
LETTERS = "Signs that this paper's font does not have are written as their code points, such as [U+4E2D]."


@dataclass(frozen=True)
class Imprint:
    """Where a paper comes from.

    Attributes
    ----------
    system, made_at, made_by
        Name and version, moment with its zone, and who asked for it.
    digest
        SHA-256 of what the paper says.
    training
        Whether TRAINING stands across every page.
    """

    system: str
    made_at: str
    made_by: str
    digest: str
    training: bool


def document(copy: CasebookCopy, imprint: Imprint) -> bytes:
    """The paper as a PDF."""
    _fonts()
    out = io.BytesIO()
    template = SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=20 * mm,
        bottomMargin=20 * mm,
        title=f"Casebook {copy.number}",
        author=imprint.made_by,
        creator=imprint.system,
        lang="en",
    )
    template.build(list(_story(copy, imprint)), canvasmaker=_paging(copy, imprint))
    return out.getvalue()


def _story(copy: CasebookCopy, imprint: Imprint) -> Iterator[Flowable]:
    yield Paragraph(_text(f"Casebook {copy.number}"), TITLE)
    made = (("Made", imprint.made_at), ("Made for", imprint.made_by), ("System", imprint.system))
    yield _table([(name, value) for name, value in (*copy.facts, *made)], (40 * mm, WIDTH - 40 * mm))
    yield Spacer(0, 3 * mm)
    yield Paragraph(_text(f"SHA-256 of the content: {imprint.digest}"), NOTE)
    yield Paragraph(_text(LETTERS), NOTE)
    yield from _chapter(
        "Visits", ("Visit", "State", "Date"), copy.visits, (80 * mm, 50 * mm, WIDTH - 130 * mm)
    )
    for form in copy.forms:
        yield from _form(form)
    yield from _queries(copy)
    yield from _signatures(copy)
    rows = [(each.at, each.who, each.what, "\n".join(each.changes), each.reason) for each in copy.trail]
    widths = (27 * mm, 30 * mm, 36 * mm, WIDTH - 121 * mm, 28 * mm)
    yield from _chapter("Audit trail", ("When", "Who", "What", "Change", "Reason"), rows, widths, SMALL)


def _form(form: FormCopy) -> Iterator[Flowable]:
    yield Paragraph(_text(form.title), HEADING)
    yield Paragraph(_text(form.state), NOTE)
    rows: list[tuple[str, str, str]] = []
    for number, line in enumerate(form.lines):
        if line.group and (number == 0 or form.lines[number - 1].group != line.group):
            rows.append((f"§{line.group}", "", ""))
        rows.append((line.label, line.value, line.note))
    if rows:
        yield _table(rows, (70 * mm, WIDTH - 105 * mm, 35 * mm), head=("Item", "Value", "Note"))
    else:
        yield Paragraph("Nothing is entered.", BODY)


def _queries(copy: CasebookCopy) -> Iterator[Flowable]:
    rows = [
        (each.about, each.state, "\n".join(f"{at}, {who}: {text}" for at, who, text in each.said))
        for each in copy.queries
    ]
    yield from _chapter("Queries", ("About", "State", "Said"), rows, (55 * mm, 22 * mm, WIDTH - 77 * mm))


def _signatures(copy: CasebookCopy) -> Iterator[Flowable]:
    rows = [
        (
            "\n".join(filter(None, (each.record, each.state))),
            each.name,
            each.at,
            f"{each.meaning}: {each.statement}\nSHA-256 {each.digest}",
        )
        for each in copy.signatures
    ]
    head = ("Signed", "By", "When", "Meaning and statement")
    yield from _chapter("Signatures", head, rows, (38 * mm, 32 * mm, 32 * mm, WIDTH - 102 * mm))


def _chapter(
    title: str,
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    widths: Sequence[float],
    style: ParagraphStyle | None = None,
) -> Iterator[Flowable]:
    yield Paragraph(_text(title), HEADING)
    if rows:
        yield _table(rows, widths, head=head, style=style)
    else:
        yield Paragraph("None.", BODY)


def _table(
    rows: Sequence[Sequence[str]],
    widths: Sequence[float],
    *,
    head: Sequence[str] = (),
    style: ParagraphStyle | None = None,
) -> LongTable:
    body, looks = style or BODY, list(GRID)
    cells: list[list[Any]] = [[Paragraph(_text(each), HEAD) for each in head]] if head else []
    for row in rows:
        if row[0].startswith("§"):
            looks.append(("SPAN", (0, len(cells)), (-1, len(cells))))
            cells.append([Paragraph(_text(row[0][1:]), GROUP), *[""] * (len(row) - 1)])
        else:
            cells.append([Paragraph(_text(each), body) for each in row])
    return LongTable(
        cells, colWidths=list(widths), repeatRows=1 if head else 0, style=TableStyle(looks), splitInRow=1
    )


def _text(words: str) -> str:
    """Words for a paragraph: nothing of them is taken for mark-up, and every sign is printed as something."""
    known = _signs()
    safe = "".join(sign if ord(sign) in known or sign == "\n" else f"[U+{ord(sign):04X}]" for sign in words)
    return escape(safe).replace("\n", "<br/>")


def _paging(copy: CasebookCopy, imprint: Imprint) -> type[Canvas]:
    class Paged(Canvas):
        """Keeps all pages until their number is known."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._pages: list[dict[str, Any]] = []

        def showPage(self) -> None:  # noqa: N802 - reportlab's name
            """Keep a page."""
            self._pages.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            """Write all pages, each with its number."""
            for number, page in enumerate(self._pages, start=1):
                self.__dict__.update(page)
                _furniture(self, copy, imprint, f"{number} / {len(self._pages)}")
                super().showPage()
            super().save()

    return Paged


def _furniture(canvas: Canvas, copy: CasebookCopy, imprint: Imprint, page: str) -> None:
    canvas.saveState()
    if imprint.training:
        canvas.setFillColor(colors.Color(0.7, 0.2, 0.1, alpha=0.12))
        canvas.setFont("Inter-Bold", 84)
        canvas.translate(A4[0] / 2, A4[1] / 2)
        canvas.rotate(52)
        canvas.drawCentredString(0, 0, "TRAINING")
        canvas.rotate(-52)
        canvas.translate(-A4[0] / 2, -A4[1] / 2)
    canvas.setFillColor(QUIET)
    canvas.setFont("Inter", 7)
    canvas.drawString(MARGIN, A4[1] - 12 * mm, f"Casebook {copy.number}")
    canvas.drawRightString(A4[0] - MARGIN, A4[1] - 12 * mm, f"Page {page}")
    canvas.drawString(MARGIN, 12 * mm, _plain(f"{imprint.system} · {imprint.made_at} · {imprint.made_by}"))
    canvas.drawString(MARGIN, 8.5 * mm, f"SHA-256 of the content {imprint.digest}")
    canvas.restoreState()


def _plain(words: str) -> str:
    known = _signs()
    return "".join(sign if ord(sign) in known else f"[U+{ord(sign):04X}]" for sign in words)


@cache
def _fonts() -> None:
    for name, file in FONTS.items():
        pdfmetrics.registerFont(TTFont(name, Path(__file__).parent / "fonts" / file))
    pdfmetrics.registerFontFamily(
        "Inter", normal="Inter", bold="Inter-Bold", italic="Inter", boldItalic="Inter-Bold"
    )


@cache
def _signs() -> frozenset[int]:
    """Code points that the font can print."""
    _fonts()
    return frozenset(pdfmetrics.getFont("Inter").face.charToGlyph)


def _style(
    name: str, size: float, *, bold: bool = False, colour: Any = INK, before: float = 0
) -> ParagraphStyle:
    font = "Inter-Bold" if bold else "Inter"
    return ParagraphStyle(
        name, fontName=font, fontSize=size, leading=size * 1.35, textColor=colour, spaceBefore=before, spaceAfter=2,
        splitLongWords=1,
    )  # fmt: skip


TITLE = _style("title", 18, bold=True)
HEADING = _style("heading", 11, bold=True, before=12)
HEADING.keepWithNext = 1
GROUP = _style("group", 7.5, bold=True, colour=QUIET)
HEAD = _style("head", 7, bold=True, colour=QUIET)
BODY = _style("body", 8)
SMALL = _style("small", 6.5)
NOTE = _style("note", 7, colour=QUIET)
NOTE.keepWithNext = 1
GRID = (
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("LINEBELOW", (0, 0), (-1, -1), 0.3, LINE),
    ("LEFTPADDING", (0, 0), (-1, -1), 2),
    ("RIGHTPADDING", (0, 0), (-1, -1), 4),
    ("TOPPADDING", (0, 0), (-1, -1), 1.5),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 1.5),
)
