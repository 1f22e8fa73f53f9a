"""Reading the casebook: entries with what a page needs, in a constant number of statements."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.access import Access
from audit.selectors import history
from casebook.models import Entry, Query, QueryMessage, QueryState
from casebook.reading import entry_at
from casebook.rules.cells import Cell
from casebook.rules.grading import (
    Suggestion,
    baseline_of,
    event_finding,
    event_suggestion,
    gradings_of,
    suggested_grade,
)
from casebook.rules.picture import Picture, rules_of
from casebook.rules.projection import Row, first_values_after, latest_values
from casebook.rules.status import planned_forms
from foundation import clock
from foundation.errors import NotFound
from patients.models import Subject
from patients.selectors import get_subject, within
from trials.models import protocol_by_key
from trials.schema import Form, Item, Protocol
from visits.models import Visit, visit_label
from visits.selectors import LIVE, get_visit

HEAVY = "subject__version__definition"
LOG = "log"
OPEN_STATES = (QueryState.OPEN, QueryState.ANSWERED)


def entries() -> QuerySet[Entry]:
    """Entries with subject, trial, site, version and visit; the version's definition stays in the cache."""
    return Entry.objects.select_related("visit", "subject__trial", "subject__site", "subject__version").defer(
        HEAVY
    )


def get_entry(access: Access, entry_id: int, permission: str = "entry.view") -> Entry:
    """The entry, when the person may see it.

    Raises
    ------
    NotFound, Forbidden
    """
    condition = within(access, "entry.view", trial="subject__trial__code", site="subject__site__code")
    entry = entries().filter(condition, pk=entry_id).first()
    if entry is None:
        raise NotFound(what="form", name=str(entry_id))
    if permission != "entry.view":
        access.require(permission, entry.subject.trial.code, entry.subject.site.code)
    return entry


def row_of(entry: Entry) -> Row:
    """An entry as the pure rules see it."""
    return Row(
        entry_id=entry.pk,
        form=entry.form,
        visit=str(entry.visit) if entry.visit else "",
        visit_date=entry.visit.happened_on if entry.visit else None,
        repeat=entry.repeat,
        values=entry.values,
        subject_id=entry.subject_id,
        entered=protocol_by_key(entry.entered_under_id).form(entry.form) if entry.entered_under_id else None,
    )


def rows_of_subject(subject: Subject) -> list[Row]:
    """All entries of a subject that still count."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM casebook_rows_of(%s)", [subject.pk])
        found = cursor.fetchall()
    return [
        Row(
            entry_id=pk,
            form=form,
            visit=visit_label(code, sequence) if code else "",
            visit_date=day,
            repeat=repeat,
            values=json.loads(values),
            subject_id=subject.pk,
            entered=protocol_by_key(under).form(form) if under else None,
        )
        for pk, form, repeat, values, under, code, sequence, day in found
    ]


def dated(entry: Entry) -> date:
    """The date for which an entry is judged: its own date item, else the visit's, else today at the site."""
    form = entry.protocol.form(entry.form)
    own = str((entry.values.get(form.date_item) or {}).get("value") or "") if form.date_item else ""
    if len(own) == 10:
        return date.fromisoformat(own)
    if entry.visit and entry.visit.happened_on:
        return entry.visit.happened_on
    return clock.today(entry.subject.site.time_zone)


@dataclass(frozen=True)
class WorkedForm:
    """An entry with its form and everything worked out from the values."""

    entry: Entry
    protocol: Protocol
    form: Form
    picture: Picture
    given_rows: tuple[Row, ...] | None = None

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """Entries of the subject; read when nobody gave them."""
        return self.given_rows if self.given_rows is not None else tuple(rows_of_subject(self.entry.subject))

    def suggestion(self, item: Item) -> Suggestion | None:
        """The grade that the value of an item suggests, or the values at the time of an event; never filled in."""
        if self.form.graded is not None and item.id == self.form.graded.grade:
            found = event_suggestion(self.protocol, self.form, self.entry.values, self.rows)
            return replace(found[0], because=f"{found[1]}: {found[0].because}") if found else None
        gradings = gradings_of(self.protocol, self.form.code, item)
        cell = self.cells.get(item.id)
        if not gradings or not cell or not cell.get("value"):
            return None
        on = dated(self.entry).isoformat()
        baseline = baseline_of(self.protocol, self.rows, self.form.code, item.id, on, self.entry.pk)
        return suggested_grade(gradings, item, cell, baseline)

    @property
    def cells(self) -> dict[str, Cell]:
        """Cells of the entry and those that the form derives."""
        return {**self.entry.values, **self.picture.derived}


def worked_form(entry: Entry, rows: Iterable[Row] | None = None) -> WorkedForm:
    """Work an entry's form out.

    Parameters
    ----------
    rows
        The subject's entries, when the caller has them; read when the form's rules look at other forms, or at this form
        at other visits.
    """
    protocol = entry.protocol
    rules = rules_of(protocol, entry.form)
    on = dated(entry)
    others: dict[str, Any] = {}
    later: dict[str, Any] = {}
    if rows is None and (rules.looks_at or rules.form.graded):
        rows = rows_of_subject(entry.subject)
    known = tuple(as_it_stands(entry, row, on) for row in rows) if rows is not None else None
    if rules.looks_at:
        looked_at = [row for row in known or () if row.form in rules.looks_at]
        others = latest_values(protocol, looked_at, on)
        later = first_values_after(protocol, looked_at, on, others)
    picture = rules.picture(entry.values, others, on, later)
    if rules.form.graded:
        picture = picture.with_findings(event_finding(protocol, rules.form, entry.values, known or ()))
    return WorkedForm(entry, protocol, rules.form, picture, known)


def as_it_stands(entry: Entry, row: Row, on: date) -> Row:
    """A row as it was read, and this entry with the values it has now, saved or about to be.

    While nobody recorded the day of the entry's visit, what else is entered there counts as of the entry's own day:
    a weight of this morning is not older than that of last month.
    """
    if entry.visit and row.visit_date is None and row.visit == str(entry.visit):
        row = replace(row, visit_date=on)
    return replace(row, values=entry.values) if row.entry_id == entry.pk else row


def visits_shown(subject: Subject) -> QuerySet[Visit]:
    """Visits of a subject in the order of the protocol; one that is no longer planned only where data were entered."""
    entered = Entry.objects.filter(visit=OuterRef("pk"), struck_out=False)
    return Visit.objects.filter(Q(state__in=LIVE) | Exists(entered), subject=subject).order_by(
        "ordinal", "sequence"
    )


def open_queries(entry: Entry) -> list[Query]:
    """Queries of an entry that are not closed."""
    return list(Query.objects.filter(entry=entry, state__in=OPEN_STATES))


def open_queries_beside(entry: Entry) -> list[Query]:
    """Queries that are not closed of an entry and of the other forms of its visit (or of the logs)."""
    return list(Query.objects.filter(subject=entry.subject, entry__visit=entry.visit, state__in=OPEN_STATES))


def thread_of(query: Query) -> QuerySet[QueryMessage]:
    """Messages of a query, oldest first."""
    return QueryMessage.objects.filter(query=query)


def queries_visible_to(access: Access) -> QuerySet[Query]:
    """Queries of the sites where the person may see entries."""
    condition = within(access, "entry.view", trial="subject__trial__code", site="subject__site__code")
    return (
        Query.objects.filter(condition)
        .select_related("entry__visit", "subject__trial", "subject__site", "subject__version")
        .defer(HEAVY)
    )


def get_query(access: Access, query_id: int) -> Query:
    """The query, when the person may see it.

    Raises
    ------
    NotFound
    """
    query = queries_visible_to(access).filter(pk=query_id).first()
    if query is None:
        raise NotFound(what="query", name=str(query_id))
    return query


MOST_ROWS = 32_767
"""Rows that a form can have: what the column of their number holds."""


def find_entry(access: Access, number: str, visit_name: str, form: str, repeat: int = 1) -> Entry:
    """The entry at an address; an unsaved one when nobody opened that form yet.

    Raises
    ------
    NotFound
        No such subject, visit or form for this person.
    """
    if not 1 <= repeat <= MOST_ROWS:
        raise NotFound(what="row", name=str(repeat))
    known = _visible_at(access, number, visit_name, form, repeat)
    if known is not None:
        return known
    subject = get_subject(access, number)
    access.require("entry.view", subject.trial.code, subject.site.code)
    visit = None if split_visit(visit_name)[0] == LOG else get_visit(subject, visit_name)
    if form not in planned_forms(subject.version.protocol, visit.code if visit else None):
        raise NotFound(what="form", name=form)
    if not may_be_opened(subject, visit, form, repeat):
        raise NotFound(what="row", name=f"{form} {repeat}")
    return Entry(subject=subject, visit=visit, form=form, repeat=repeat)


def may_be_opened(subject: Subject, visit: Visit | None, form: str, repeat: int) -> bool:
    """Whether a row that nobody opened yet may be: the first one, or the next one of a repeating form."""
    if repeat == 1:
        return True
    if not subject.version.protocol.form(form).repeating or repeat > MOST_ROWS:
        return False
    return Entry.objects.filter(subject=subject, visit=visit, form=form, repeat=repeat - 1).exists()


def _visible_at(access: Access, number: str, visit_name: str, form: str, repeat: int) -> Entry | None:
    code, sequence = split_visit(visit_name)
    entry = entry_at(number, None if code == LOG else code, sequence, form, repeat)
    if entry is None or not access.may("entry.view", entry.subject.trial.code, entry.subject.site.code):
        return None
    return entry


def split_visit(name: str) -> tuple[str, int]:
    """Code and sequence of a visit's name: `D14.2` is ("D14", 2)."""
    code, _, sequence = name.partition(".")
    return code, int(sequence) if sequence.isdigit() else 1


def siblings(entry: Entry) -> list[Entry]:
    """Entries at the same visit (or in the same logs), in the order of their rows."""
    found = Entry.objects.filter(subject=entry.subject, visit=entry.visit, struck_out=False)
    return list(found.order_by("form", "repeat"))


def earlier_entries(entry: Entry) -> list[Entry]:
    """The same form at other visits of the subject, oldest first."""
    found = Entry.objects.filter(
        subject=entry.subject, form=entry.form, struck_out=False, repeat=entry.repeat
    )
    return list(found.exclude(pk=entry.pk).select_related("visit").order_by("visit__happened_on", "pk"))


def earlier_entry(entry: Entry) -> Entry | None:
    """The same form (and row) at the visit before, if anything was entered there."""
    if entry.visit is None:
        return None
    found = Entry.objects.filter(
        subject=entry.subject, form=entry.form, repeat=entry.repeat, struck_out=False, not_done=""
    ).exclude(values={})
    before = found.filter(visit__ordinal__lte=entry.visit.ordinal).exclude(visit=entry.visit)
    if entry.visit.happened_on:
        before = before.filter(visit__happened_on__lte=entry.visit.happened_on)
    return before.select_related("visit").order_by("visit__happened_on", "visit__ordinal", "pk").last()


def version_of(access: Access, number: str, visit_name: str, form: str, repeat: int = 1) -> int:
    """How often the form at an address was written to, in one statement; 0 where nobody opened it.

    Raises
    ------
    NotFound
    """
    known = _visible_at(access, number, visit_name, form, repeat)
    if known is not None:
        return known.version
    subject = get_subject(access, number)
    access.require("entry.view", subject.trial.code, subject.site.code)
    return 0


def were_saved(entry: Entry, item_id: str, requests: Collection[str]) -> Collection[str]:
    """Which of these requests did write this item: for a browser that never heard the answer."""
    if not entry.opened or not requests:
        return ()
    written = history("casebook_entry", entry.pk).filter(request_id__in=list(requests))
    touched = Q(before__values__has_key=item_id) | Q(after__values__has_key=item_id)
    return set(written.filter(touched).values_list("request_id", flat=True))


def last_request(entry: Entry, item_id: str) -> str:
    """The request that wrote this item last."""
    touched = Q(before__values__has_key=item_id) | Q(after__values__has_key=item_id)
    found = history("casebook_entry", entry.pk).filter(touched).values_list("request_id", flat=True).last()
    return found or ""
