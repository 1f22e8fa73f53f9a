"""Beside a form: the other forms of the same visit, and the rows of this one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from casebook.models import Entry, Query
from casebook.pages.addresses import form_url
from casebook.rules.applicability import forms_left_out
from casebook.rules.cells import cell_text
from casebook.rules.picture import codelist_of
from casebook.rules.projection import Row, latest_values
from casebook.rules.status import Status, form_status, planned_forms
from casebook.selectors import siblings
from foundation import clock
from trials.schema import Form, Protocol


@dataclass(frozen=True)
class RailLink:
    """One form, or one row of a repeating form."""

    name: str
    url: str
    status: Status
    queries: int
    current: bool


@dataclass(frozen=True)
class Rail:
    """Forms of the visit, and rows of the shown form when it repeats.

    Attributes
    ----------
    asked
        Whether the protocol version that the subject is on asks for the shown form.
    """

    forms: tuple[RailLink, ...]
    rows: tuple[RailLink, ...]
    repeating: bool
    asked: bool

    @property
    def nothing_entered(self) -> bool:
        """Whether no row holds anything yet."""
        return all(row.status in {"planned", "not-started"} for row in self.rows)


def form_rail(entry: Entry, rows: Iterable[Row], waiting: Iterable[Query]) -> Rail:
    """Make the rail of a form: one statement. Forms that were asked for once and entered come last.

    Parameters
    ----------
    rows
        All entries of the subject, to tell which forms apply.
    waiting
        Queries of the visit that are not closed.
    """
    protocol = entry.subject.version.protocol
    known: dict[str, list[Entry]] = {}
    for each in siblings(entry):
        known.setdefault(each.form, []).append(each)
    queries = Counter(query.entry_id for query in waiting)
    today = clock.today(entry.subject.site.time_zone)
    left_out = forms_left_out(protocol, latest_values(protocol, rows, today), today) - known.keys()
    planned = planned_forms(protocol, entry.visit.code if entry.visit else None)
    here = [code for code in planned if code not in left_out or code == entry.form]
    forms = dict.fromkeys([*here, *known, entry.form])
    current = protocol.form(entry.form)
    return Rail(
        forms=tuple(_form_link(entry, protocol.form(code), known.get(code, []), queries) for code in forms),
        rows=tuple(_row_link(entry, protocol, current, each, queries) for each in known.get(entry.form, [])),
        repeating=current.repeating,
        asked=entry.form in planned,
    )


def _form_link(entry: Entry, form: Form, rows: list[Entry], queries: Counter[int]) -> RailLink:
    first = rows[0] if rows else None
    return RailLink(
        name=form.name,
        url=form_url(entry.subject, entry.visit, form.code),
        status=entered_status(entry, first),
        queries=sum(queries[row.pk] for row in rows),
        current=form.code == entry.form,
    )


def _row_link(entry: Entry, protocol: Protocol, form: Form, row: Entry, queries: Counter[int]) -> RailLink:
    return RailLink(
        name=row_name(protocol, form, row),
        url=form_url(entry.subject, entry.visit, form.code, row.repeat),
        status=entered_status(entry, row),
        queries=queries[row.pk],
        current=row.repeat == entry.repeat,
    )


def row_name(protocol: Protocol, form: Form, row: Entry) -> str:
    """How a row of a repeating form is called, from the items that the pack names."""
    words = {
        item.id: cell_text(item, codelist_of(protocol, item), row.values.get(item.id)) for item in form.items
    }
    name = form.row_label
    for item_id, text in words.items():
        name = name.replace("{" + item_id + "}", text)
    return name.strip(" ,·-") or f"Row {row.repeat}"


def entered_status(entry: Entry, row: Entry | None) -> Status:
    """How far the data of one row at the place of an entry are; None where nobody opened it."""
    visit = entry.visit
    return form_status(
        state=row.state if row else None,
        not_done=bool(row and row.not_done),
        locked=bool(row and row.locked),
        visit_state=visit.state if visit else "DONE",
        happened_on=visit.happened_on if visit else None,
        latest=visit.latest if visit else None,
        today=clock.today(entry.subject.site.time_zone),
    )
