"""Reading the casebook: entries with what a page needs, in a constant number of statements."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.access import Access
from casebook.models import Entry, Query, QueryMessage, QueryState
from casebook.rules.cells import Cell
from casebook.rules.picture import Picture, rules_of
from casebook.rules.projection import Row, latest_values
from casebook.rules.status import planned_forms
from foundation import clock
from foundation.errors import NotFound
from patients.models import Subject
from patients.selectors import get_subject, within
from trials.models import protocol_by_key
from trials.schema import Form, Item, Protocol
from visits.models import Visit
from visits.selectors import LIVE, get_visit

HEAVY = "subject__version__definition"
LOG = "log"
OPEN_STATES = (QueryState.OPEN, QueryState.ANSWERED)


def entries() -> QuerySet[Entry]:
    """Entries with subject, trial, site, version and visit; the version's definition stays in the cache."""
    return Entry.objects.select_related(
        "visit", "subject__patient", "subject__trial", "subject__site", "subject__version"
    ).defer(HEAVY)


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
    )


def rows_of_subject(subject: Subject) -> list[Row]:
    """All entries of a subject that still count."""
    found = Entry.objects.filter(subject=subject, struck_out=False).select_related("visit")
    return [row_of(entry) for entry in found.order_by("pk")]


def dated(entry: Entry) -> date:
        entered=protocol_by_key(entry.entered_under_id).form(entry.form) if entry.entered_under_id else None,
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

    @property
    def cells(self) -> dict[str, Cell]:
        """Cells of the entry and those that the form derives."""
        return {**self.entry.values, **self.picture.derived}


def worked_form(entry: Entry, rows: Iterable[Row] | None = None) -> WorkedForm:
    """Work an entry's form out.

    Parameters
    ----------
    rows
        The subject's entries, when the caller has them; read when the form's rules look at other forms.
    """
    protocol = entry.protocol
    rules = rules_of(protocol, entry.form)
    on = dated(entry)
    others = {}
    if rules.needs_other_forms:
        others = latest_values(protocol, known or (), on)
    picture = rules.picture(entry.values, others, on)
    if rules.form.graded:
        picture = picture.with_findings(event_finding(protocol, rules.form, entry.values, known or ()))
    return WorkedForm(entry, protocol, rules.form, picture, known)


def visits_shown(subject: Subject) -> QuerySet[Visit]:
    """Visits of a subject in the order of the protocol; one that is no longer planned only where data were entered."""
    entered = Entry.objects.filter(visit=OuterRef("pk"), struck_out=False)
    return Visit.objects.filter(Q(state__in=LIVE) | Exists(entered), subject=subject).order_by(
        "ordinal", "sequence"
    )


def open_queries(entry: Entry) -> list[Query]:
    """Queries of an entry that are not closed."""
    return list(Query.objects.filter(entry=entry, state__in=OPEN_STATES))


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


def find_entry(access: Access, number: str, visit_name: str, form: str, repeat: int = 1) -> Entry:
    """The entry at an address; an unsaved one when nobody opened that form yet.

    Raises
    ------
    NotFound
        No such subject, visit or form for this person.
    """
    code, sequence = split_visit(visit_name)
    place = Q(visit__isnull=True) if code == LOG else Q(visit__code=code, visit__sequence=sequence)
    condition = within(access, "entry.view", trial="subject__trial__code", site="subject__site__code")
    known = entries().filter(condition, place, subject__number=number, form=form, repeat=repeat).first()
    if known is not None:
        return known
    subject = get_subject(access, number)
    access.require("entry.view", subject.trial.code, subject.site.code)
    visit = None if code == LOG else get_visit(subject, visit_name)
    if form not in planned_forms(subject.version.protocol, visit.code if visit else None):
        raise NotFound(what="form", name=form)
    return Entry(subject=subject, visit=visit, form=form, repeat=repeat)


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
