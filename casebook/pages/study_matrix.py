"""The casebooks of a trial: subjects × visits, four marks per cell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from casebook.overview import LogQueries, MarkedVisit, overview_of
from casebook.pages.addresses import form_below
from casebook.rules.marks import URGENCY, Checked, Data, Marks, Signed, most_urgent
from casebook.rules.status import UNSCHEDULED
from foundation.sprite import asset_url
from foundation.templatetags.pieces import SPRITE, shown
from patients.models import Subject
from trials.models import ProtocolVersion

SHAPES: Mapping[Data, str] = {
    "overdue": "overdue",
    "visit-overdue": "visit-overdue",
    "in-progress": "in-progress",
    "not-started": "not-started",
    "visit-due": "visit-due",
    "complete": "complete",
    "not-done": "not-done",
    "locked": "locked",
}
"""State of the data and the status shape that shows it; what is only planned is a dot."""
CHECKED_SHAPES: Mapping[Checked, str] = {"all": "verified", "part": "part-verified", "changed": "changed"}
SIGNED_SHAPES: Mapping[Signed, str] = {"all": "signed", "again": "sign-again"}
WORK = frozenset({"overdue", "in-progress", "not-started", "complete", "not-done", "locked"})
"""States in which a form is what somebody wants to open; a visit that did not happen opens the casebook."""


@dataclass(frozen=True)
class VisitColumn:
    """One visit of the plan; visits that take place several times share it."""

    code: str
    name: str


@dataclass(frozen=True)
class VisitCell:
    """A subject's visit.

    Attributes
    ----------
    url
        The first form that waits, else the casebook.
    times
        How often the visit is planned or took place.
    """

    column: VisitColumn
    marks: Marks
    url: str
    label: str
    times: int


@dataclass(frozen=True)
class SubjectRow:
    """One subject: a cell per column, None where the visit is not planned for them."""

    subject: Subject
    url: str
    cells: tuple[VisitCell | None, ...]
    logs: LogQueries

    @property
    def html(self) -> SafeString:
        """The cells of the row."""
        cells = [_cell_html(cell) if cell else EMPTY for cell in self.cells]
        return mark_safe("".join([*cells, _logs_html(self)]))  # noqa: S308 - see _cell_html


def columns_of(versions: Iterable[ProtocolVersion]) -> tuple[VisitColumn, ...]:
    """Visits of these protocol versions, in the order of the newest; the unscheduled ones last."""
    plans = [version.protocol.visits for version in versions]
    found = {visit.code: VisitColumn(visit.code, visit.name) for plan in plans for visit in plan}
    found.pop(UNSCHEDULED, None)
    return (*found.values(), VisitColumn(UNSCHEDULED, "Unscheduled visits"))


def subject_rows(subjects: Sequence[Subject], columns: Sequence[VisitColumn]) -> list[SubjectRow]:
    """Rows of the matrix; the statements of `overview_of`, whatever the number of subjects."""
    overview = overview_of(subjects)
    return [
        _row(
            subject, columns, overview.visits.get(subject.pk, ()), overview.logs.get(subject.pk, LogQueries())
        )
        for subject in subjects
    ]


def by_site(rows: Iterable[SubjectRow]) -> list[tuple[str, list[SubjectRow]]]:
    """Rows under the names of their sites, in the order in which they come."""
    return [(site, list(group)) for site, group in groupby(rows, key=lambda row: row.subject.site.name)]


def _row(
    subject: Subject, columns: Sequence[VisitColumn], visits: Sequence[MarkedVisit], logs: LogQueries
) -> SubjectRow:
    url = reverse("subject", args=[subject.number])
    occasions: dict[str, list[MarkedVisit]] = {}
    for visit in visits:
        occasions.setdefault(visit.code, []).append(visit)
    cells = tuple(
        _cell(subject.number, url, column, occasions[column.code]) if column.code in occasions else None
        for column in columns
    )
    return SubjectRow(subject, url, cells, logs)


def _cell(number: str, subject_url: str, column: VisitColumn, visits: list[MarkedVisit]) -> VisitCell:
    marks = most_urgent([visit.marks for visit in visits])
    visit = next(each for each in visits if each.marks is marks)
    opens = visit.waiting and (marks.data in WORK or marks.tally.queries)
    times = f", {len(visits)} times" if len(visits) > 1 else ""
    return VisitCell(
        column=column,
        marks=marks,
        url=form_below(subject_url, visit.name, visit.waiting) if opens else subject_url,
        label=f"{number}, {column.name}{times}: {marks.words}",
        times=len(visits),
    )


# Drawing: thousands of cells a page, so each distinct picture is drawn once and named -------------------------------


def _picture(marks: Marks) -> str:
    """Name of the drawing of a cell's data, verification and signature; empty for what is only planned."""
    if marks.data == "planned" and marks.checked == "none" and marks.signed not in SIGNED_SHAPES:
        return ""
    return f"{URGENCY.index(marks.data)}{marks.checked[0]}-{SIGNED_SHAPES.get(marks.signed, '')}"


def _cell_html(cell: VisitCell) -> str:
    """One cell; codes, addresses and counts hold nothing to escape, but the names of the protocol may."""
    marks, tally = cell.marks, cell.marks.tally
    picture = _picture(marks)
    inner = f'<svg class="marks" aria-hidden="true"><use href="#{PREFIX}{picture}"/></svg>' if picture else ""
    if marks.days is not None:
        inner += f"<small>{'+' if marks.days < 0 else ''}{abs(marks.days)} d</small>"
    inner += _badge(tally.open_queries, tally.answered_queries)
    late = ' class="off"' if marks.off else ""
    return (
        f'<td role="cell"{late} data-label="{cell.column.code}"><a href="{cell.url}" data-state="{_words(marks)}"'
        f' aria-label="{escape(cell.label)}">{inner}</a></td>'
    )


def _logs_html(row: SubjectRow) -> str:
    logs = row.logs
    if not (logs.open or logs.answered):
        return EMPTY
    words = " ".join((["query-open"] if logs.open else []) + (["query-answered"] if logs.answered else []))
    label = f"{row.subject.number}, running logs: {logs.open} open, {logs.answered} answered queries"
    badge = _badge(logs.open, logs.answered)
    return (
        f'<td role="cell" data-label="Logs"><a href="{row.url}#logs" data-state="{words}"'
        f' aria-label="{escape(label)}">{badge}</a></td>'
    )


def _badge(open_queries: int, answered: int) -> str:
    if open_queries:
        return f'<b class="badge">{open_queries}</b>'
    return f'<b class="badge answered">{answered}</b>' if answered else ""


EMPTY = '<td role="cell"></td>'
PREFIX = "m-"


def _words(marks: Marks) -> str:
    """What the legend may ask for."""
    words: list[str] = [marks.data]
    if marks.tally.open_queries:
        words.append("query-open")
    if marks.tally.answered_queries:
        words.append("query-answered")
    if marks.checked != "none":
        words.append(f"checked-{marks.checked}")
    if marks.signed in SIGNED_SHAPES:
        words.append(SIGNED_SHAPES[marks.signed])
    return " ".join(words)


@dataclass(frozen=True)
class Picture:
    """A drawing that several cells share: up to three glyphs at their places."""

    name: str
    glyphs: tuple[tuple[int, str, str], ...]


def pictures_of(rows: Iterable[SubjectRow]) -> list[Picture]:
    """The drawings that these rows need, each once: place, address of the shape, and tone."""
    seen = {_picture(cell.marks): cell.marks for row in rows for cell in row.cells if cell}
    return [Picture(name, tuple(_glyphs(marks))) for name, marks in sorted(seen.items()) if name]


PLACES = (0, 17, 34)
"""Left edges of the three marks, in pixels."""


def _glyphs(marks: Marks) -> Iterable[tuple[int, str, str]]:
    names = (SHAPES.get(marks.data), CHECKED_SHAPES.get(marks.checked), SIGNED_SHAPES.get(marks.signed))
    for place, name in zip(PLACES, names, strict=True):
        if name:
            looks = shown(name)
            yield place, f"{asset_url(SPRITE)}#s-{looks.shape}", looks.tone
