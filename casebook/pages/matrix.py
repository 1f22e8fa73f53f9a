"""The casebook page of a subject: forms × visits, running logs, and what waits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.urls import reverse

from casebook.facts import facts_of
from casebook.models import Entry, Query, QueryState, Signing, Verification
from casebook.pages.addresses import form_url
from casebook.pages.deviations import deviations_to_record
from casebook.registry import Need, needs_of
from casebook.rules.applicability import forms_left_out
from casebook.rules.projection import Projection, latest_values
from casebook.rules.projection import Row as EnteredRow
from casebook.rules.status import UNSCHEDULED, WORDS, Status, form_status, planned_forms
from casebook.selectors import LOG, OPEN_STATES, row_of, visits_shown
from casebook.services.verification import content_digest
from foundation import clock
from foundation.panels import Visitor
from patients.models import Subject
from trials.schema import Form, Protocol
from visits.models import Visit, VisitState
from visits.rules.schedule import day_in_words

WAITING = frozenset({"planned", "not-started", "in-progress", "overdue"})
"""States of a form that still has to be entered."""


TONES = {
    "not-started": "none",
    "in-progress": "info",
    "complete": "ok",
    "verified": "ok",
    "not-done": "none",
    "signed": "signed",
    "locked": "signed",
    "overdue": "stop",
}
"""Tone of each state that is due, for the bar."""
DATA = ("overdue", "in-progress", "not-started", "complete", "not-done", "locked", "planned")
LEGEND = (
    ("Data", DATA),
    ("Queries", ("query-open", "query-answered")),
    ("Verification", ("verified", "changed")),
    ("Signature", ("signed", "sign-again")),
)
"""The four marks and their states."""


@dataclass(frozen=True)
class Cell:
    """One form at one visit.

    Attributes
    ----------
    status, words
        How far the form is, all in all.
    data
        How far its data are, whatever was verified or signed.
    signed
        Status shape of the signature; empty where not every row is signed.
    """

    status: Status
    words: str
    url: str
    data: Status
    open_queries: int = 0
    answered_queries: int = 0
    verified: bool = False
    changed_since_verified: bool = False
    signed: str = ""
    rows: int = 0

    @property
    def checked(self) -> str:
        """Status shape of the verification; empty where nothing was verified."""
        if self.changed_since_verified:
            return "changed"
        return "verified" if self.verified else ""

    @property
    def filters(self) -> str:
        """What the legend may ask for."""
        asked = ["query-open"] * bool(self.open_queries) + ["query-answered"] * bool(self.answered_queries)
        return " ".join([self.data, *asked, *filter(None, [self.checked, self.signed])])

    @property
    def label(self) -> str:
        """Each mark in words."""
        rows = [f"{self.rows} rows"] if self.rows > 1 else []
        open_ones = [_counted(self.open_queries, "open")] if self.open_queries else []
        answered = [_counted(self.answered_queries, "answered")] if self.answered_queries else []
        checked = {"changed": ["changed since verified"], "verified": ["verified"]}.get(self.checked, [])
        signed = {"sign-again": ["to be signed again"], "signed": ["signed"]}.get(self.signed, [])
        return ", ".join([WORDS[self.data].lower(), *rows, *open_ones, *answered, *checked, *signed])


def _counted(number: int, kind: str) -> str:
    return f"{number} {kind} {'query' if number == 1 else 'queries'}"


@dataclass(frozen=True)
class Column:
    """One visit, with its window in words."""

    visit: Visit
    name: str
    label: str
    on: date | None
    window: str
    state: str
    current: bool


@dataclass(frozen=True)
class Row:
    """One form: a cell per visit, None where the form is not planned."""

    form: Form
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True)
class Log:
    """A running log: its rows so far and its open queries.

    Attributes
    ----------
    none
        Whether somebody recorded that there is none.
    """

    form: Form
    url: str
    rows: int
    none: bool
    open_queries: int


@dataclass(frozen=True)
class VisitForms:
    """The forms of one visit, for narrow screens."""

    cells: tuple[tuple[Form, Cell], ...]

    @property
    def total(self) -> int:
        """Number of forms."""
        return len(self.cells)

    @property
    def done(self) -> int:
        """Number of forms that need no more entry."""
        return sum(cell.status not in WAITING for _, cell in self.cells)


@dataclass(frozen=True)
class CasebookPage:
    """Everything on the page; `counts` by status for the bar, `done` of `due` forms, and the subject's facts today."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    logs: tuple[Log, ...]
    needs: tuple[Need, ...]
    counts: tuple[tuple[str, int], ...]
    open_queries: int
    due: int
    done: int
    facts: Projection

    @property
    def bar(self) -> list[tuple[str, int]]:
        """Tone and number of forms, for the bar."""
        return [(TONES[status], number) for status, number in self.counts if status in TONES]

    @property
    def groups(self) -> list[tuple[str, list[tuple[Form, list[tuple[Column, Cell | None]]]]]]:
        """Forms with their cells under the headings of the protocol, in the order in which the headings first come."""
        found: dict[str, list[tuple[Form, list[tuple[Column, Cell | None]]]]] = {}
        for row in self.rows:
            cells = list(zip(self.columns, row.cells, strict=True))
            found.setdefault(row.form.category, []).append((row.form, cells))
        rest = found.pop("", [])
        return [*found.items(), *([("Other forms" if found else "", rest)] if rest else [])]

    @property
    def legend(self) -> list[tuple[str, list[tuple[str, int]]]]:
        """The four marks, each with the states that occur and their numbers."""
        marks = Counter(
            mark for row in self.rows for cell in row.cells if cell for mark in cell.filters.split()
        )
        shown = (
            (title, [(state, marks[state]) for state in states if marks[state]]) for title, states in LEGEND
        )
        return [(title, states) for title, states in shown if states]

    @property
    def by_visit(self) -> tuple[tuple[Column, VisitForms], ...]:
        """The same, visit by visit."""
        return tuple(
            (column, VisitForms(tuple((row.form, cell) for row in self.rows if (cell := row.cells[place]))))
            for place, column in enumerate(self.columns)
        )


@dataclass(frozen=True)
class _Records:
    """What was read of one subject."""

    subject: Subject
    today: date
    entries: Mapping[tuple[int | None, str], Sequence[Entry]]
    asked: Counter[tuple[int, str]]
    verified: Mapping[int, str]
    left_out: frozenset[str]
    rows: Sequence[EnteredRow]


def casebook_page(subject: Subject, visitor: Visitor | None = None) -> CasebookPage:
    """Make a subject's casebook page: four statements, and those of upper rooms, whatever its size.

    Parameters
    ----------
    visitor
        Whoever looks, for what upper rooms say waits for them.
    """
    protocol = subject.version.protocol
    visits = list(visits_shown(subject))
    queries = list(
        Query.objects.filter(subject=subject, state__in=OPEN_STATES)
        .select_related("entry__visit")
        .order_by("pk")
    )
    records = _records(subject, queries, {visit.pk: visit for visit in visits})
    columns = _columns(protocol, visits, records.today)
    rows = tuple(
        row
        for form in _forms_of(protocol, visits, records)
        for row in [Row(form, tuple(_cell(records, protocol, visit, form) for visit in visits))]
        if any(row.cells)
    )
    cells = [cell for row in rows for cell in row.cells if cell]
    due = [cell for cell in cells if cell.status != "planned"]
    counts = Counter(cell.status for cell in cells)
    return CasebookPage(
        columns=columns,
        rows=rows,
        logs=tuple(_log(records, protocol.form(code)) for code in _logs_of(protocol, records)),
        needs=(
            *_overdue(columns, rows),
            *(_deviations(subject, protocol, visits, records.rows) if _may_write(subject, visitor) else ()),
            *(needs_of(subject, visitor, records.rows, records.today) if visitor else ()),
            *_asked(subject, protocol, queries),
        ),
        counts=tuple((status, counts[status]) for status in WORDS if counts[status]),
        open_queries=len(queries),
        due=len(due),
        done=sum(cell.status not in WAITING for cell in due),
        facts=facts_of(subject, records.today, rows=records.rows),
    )


def _records(subject: Subject, queries: Iterable[Query], visits: Mapping[int, Visit]) -> _Records:
    protocol, today = subject.version.protocol, clock.today(subject.site.time_zone)
    entries: dict[tuple[int | None, str], list[Entry]] = {}
    for entry in Entry.objects.filter(subject=subject, struck_out=False).order_by("repeat"):
        entry.visit = visits.get(entry.visit_id) if entry.visit_id else None
        entries.setdefault((entry.visit_id, entry.form), []).append(entry)
    known = sorted((entry for each in entries.values() for entry in each), key=lambda entry: entry.pk)
    rows = [row_of(entry) for entry in known]
    verified = Verification.objects.filter(subject=subject, item="").order_by("at", "pk")
    return _Records(
        subject=subject,
        today=today,
        entries=entries,
        asked=Counter((query.entry_id, query.state) for query in queries),
        verified={each.entry_id: each.digest for each in verified},
        left_out=forms_left_out(protocol, latest_values(protocol, rows, today), today),
        rows=rows,
    )


def _forms_of(protocol: Protocol, visits: Sequence[Visit], records: _Records) -> list[Form]:
    """Forms that are planned at any visit, in the order in which the visits ask for them, then those that were once."""
    codes = [
        code for visit in visits if visit.code != UNSCHEDULED for code in planned_forms(protocol, visit.code)
    ]
    entered = [code for visit, code in records.entries if visit is not None]
    return [protocol.form(code) for code in dict.fromkeys([*codes, *entered])]


def _logs_of(protocol: Protocol, records: _Records) -> list[str]:
    """The running logs, then those that were kept once."""
    entered = [code for visit, code in records.entries if visit is None]
    return list(dict.fromkeys([*protocol.logs, *entered]))


def _cell(records: _Records, protocol: Protocol, visit: Visit, form: Form) -> Cell | None:
    entries = records.entries.get((visit.pk, form.code), ())
    planned = visit.code != UNSCHEDULED and form.code in planned_forms(protocol, visit.code)
    if not entries and (not planned or form.code in records.left_out):
        return None
    digests = [(records.verified.get(entry.pk), content_digest(entry)) for entry in entries]
    verified = bool(entries) and all(digest == now for digest, now in digests)
    data = _worst(_status_of(records, visit, entry) for entry in (entries or (None,)))
    status: Status = "verified" if verified and data == "complete" else data
    return Cell(
        status=status,
        words=WORDS[status],
        url=form_url(records.subject, visit, form.code),
        data=data,
        open_queries=sum(records.asked[entry.pk, QueryState.OPEN] for entry in entries),
        answered_queries=sum(records.asked[entry.pk, QueryState.ANSWERED] for entry in entries),
        verified=verified,
        changed_since_verified=any(digest is not None and digest != now for digest, now in digests),
        signed=signed_mark(entries),
        rows=len(entries),
    )


def signed_mark(entries: Sequence[Entry]) -> str:
    """One mark for all rows: to be signed again where one is, signed where all are."""
    states = {entry.signing for entry in entries}
    if Signing.AGAIN in states:
        return "sign-again"
    return "signed" if states == {Signing.SIGNED} else ""


def _status_of(records: _Records, visit: Visit, entry: Entry | None) -> Status:
    """How far the data of one row are."""
    return form_status(
        state=entry.state if entry else None,
        not_done=bool(entry and entry.not_done),
        locked=bool(entry and entry.locked),
        visit_state=visit.state,
        happened_on=visit.happened_on,
        latest=visit.latest,
        today=records.today,
    )


URGENCY: tuple[Status, ...] = (
    "overdue", "in-progress", "not-started", "planned", "not-done", "complete", "verified", "signed", "locked",
)  # fmt: skip


def _worst(statuses: Iterable[Status]) -> Status:
    """Of several rows, the one that needs work most speaks for the cell."""
    return min(statuses, key=URGENCY.index)


def _columns(protocol: Protocol, visits: Sequence[Visit], today: date) -> tuple[Column, ...]:
    states = [visit_state(visit, today) for visit in visits]
    waiting = [place for place, state in enumerate(states) if state in {"visit-due", "visit-overdue"}]
    return tuple(
        Column(
            visit=visit,
            name=visit_name(protocol, visit),
            label=str(visit),
            on=visit.happened_on or visit.target,
            window=window_words(visit, today),
            state=state,
            current=place in waiting[:1],
        )
        for place, (visit, state) in enumerate(zip(visits, states, strict=True))
    )


def visit_name(protocol: Protocol, visit: Visit) -> str:
    """Name of a visit as the protocol has it, with its number where there are several."""
    if visit.code == UNSCHEDULED:
        return f"Unscheduled visit {visit.sequence}"
    name = protocol.visit(visit.code).name
    return name if visit.sequence == 1 else f"{name} ({visit.sequence})"


def visit_state(visit: Visit, today: date) -> str:
    """State of a visit as a status shape: planned, due, done in or out of its window, overdue, missed."""
    if visit.state == VisitState.MISSED:
        return "visit-missed"
    if visit.state == VisitState.SUPERSEDED:
        return "visit-superseded"
    if visit.code == UNSCHEDULED:
        return "visit-unscheduled"
    if visit.happened_on:
        return "visit-late" if _outside(visit, visit.happened_on) else "visit-done"
    if visit.earliest and visit.latest and today >= visit.earliest:
        return "visit-due" if today <= visit.latest else "visit-overdue"
    return "visit-planned"


def _outside(visit: Visit, on: date) -> int:
    """Days by which a date misses the window: negative when early, positive when late."""
    if visit.earliest is None or visit.latest is None:
        return 0
    return min(0, (on - visit.earliest).days) or max(0, (on - visit.latest).days)


def window_words(visit: Visit, today: date) -> str:
    """The window, or how far a visit is from it, in words."""
    if visit.state == VisitState.MISSED:
        return "missed"
    if visit.earliest is None or visit.latest is None or visit.target is None:
        return ""
    off = _outside(visit, visit.happened_on or today)
    if visit.happened_on:
        return "in window" if not off else f"{abs(off)} d {'late' if off > 0 else 'early'}"
    if off > 0:
        return f"{off} d overdue"
    if off < 0:
        return f"in {-off} d"
    return f"until {day_in_words(visit.latest)}"


def _log(records: _Records, form: Form) -> Log:
    entries = records.entries.get((None, form.code), ())
    entered = [entry for entry in entries if not entry.not_done]
    return Log(
        form=form,
        url=_log_url(records.subject, form, entries),
        rows=len(entered),
        none=bool(entries) and not entered,
        open_queries=sum(
            records.asked[entry.pk, state]
            for entry in entries
            for state in (QueryState.OPEN, QueryState.ANSWERED)
        ),
    )


def _log_url(subject: Subject, form: Form, entries: Sequence[Entry]) -> str:
    """The table of its rows, or its one page where it has none to number."""
    if form.repeating:
        return reverse("form-rows", args=[subject.number, LOG, form.code])
    return form_url(subject, None, form.code, entries[0].repeat if entries else 1)


def _overdue(columns: Sequence[Column], rows: Sequence[Row]) -> list[Need]:
    return [
        Need("overdue", f"{row.form.name}, {column.label}", "Not complete yet.", cell.url)
        for row in rows
        for column, cell in zip(columns, row.cells, strict=True)
        if cell and cell.status == "overdue"
    ]


def _may_write(subject: Subject, visitor: Visitor | None) -> bool:
    return visitor is not None and visitor.may("entry.write", subject.trial.code, subject.site.code)


def _deviations(
    subject: Subject, protocol: Protocol, visits: Iterable[Visit], rows: Iterable[EnteredRow]
) -> list[Need]:
    return [
        Need(
            "visit-late",
            f"{off.name} was {off.words}",
            "A protocol deviation is proposed; confirm its values, or correct the day of the visit.",
            reverse("visit-deviation", args=[subject.number, str(off.visit)]),
        )
        for off in deviations_to_record(protocol, visits, rows)
    ]


def _asked(subject: Subject, protocol: Protocol, queries: Sequence[Query]) -> list[Need]:
    return [
        Need(
            "query-open" if query.state == QueryState.OPEN else "query-answered",
            f"{_item_label(protocol, query)}, {query.entry.visit or 'running log'}",
            "Query, waiting for an answer." if query.state == QueryState.OPEN else "Answered; to be closed.",
            form_url(subject, query.entry.visit, query.entry.form, query.entry.repeat)
            + (f"#row-{query.item}" if query.item else ""),
        )
        for query in queries
    ]


def _item_label(protocol: Protocol, query: Query) -> str:
    form = protocol.form(query.entry.form)
    item = form.items_by_id.get(query.item)
    return item.label if item else form.name
