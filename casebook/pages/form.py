"""One form on screen: a row per item, with everything that the row shows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from casebook.models import Entry, EntryState, Query, QueryState
from casebook.pages.addresses import form_url
from casebook.pages.derived import calculated_from
from casebook.pages.proposals import DRAFT, Proposal
from casebook.rules.cells import MISSING_REASONS
from casebook.rules.dates import date_in_words
from casebook.rules.limits import as_shown
from casebook.rules.picture import Finding, codelist_of, rules_of, shown_number
from casebook.selectors import WorkedForm
from casebook.services.entries import is_over
from patients.models import Subject
from trials.rules.entered import added_in
from trials.rules.heritage import retired_in
from trials.schema import CodeLabel, Codelist, Item, ItemGroup
from visits.models import Visit

ONE_LINE = 92
"""Characters of labels, with four for each option's mark, that fit beside a question."""
COLUMN = 5
DIGITS = 9
"""Options that a digit can choose."""


@dataclass(frozen=True)
class ItemRow:
    """One item of a form, ready to be shown.

    Attributes
    ----------
    typed
        The value as text for the control; options carry their own mark.
    level
        `stop`, `check`, or empty: how loudly the row asks to be looked at.
    stands_out
        Whether the item is provisional in a form that is not.
    note
        A message of this moment (what was typed was refused, somebody else changed it).
    clash
        What somebody else saved meanwhile, in words, where the person has to choose.
    retired_in, added_in
        The protocol version that no longer asks for the item, or that added it to a form entered before.
    readings
        What a date that was typed can mean, where the person has to choose: ISO and in words.
    proposal
        A value that the person may take by one key; nothing is filled in before.
    decides
        Whether its answer shows or hides other items, so that who goes on waits for the server's word.
    calculated_from
        Values of other forms that a derived item was calculated with, in words.
    """

    item: Item
    group: ItemGroup
    cell: Mapping[str, object]
    typed: str
    options: tuple[CodeLabel, ...]
    expected: Mapping[str, object]
    shown: bool
    findings: tuple[Finding, ...]
    queries: tuple[Query, ...]
    save_url: str
    panel_url: str
    writable: bool
    complete: bool
    stands_out: bool
    note: str = ""
    clash: str = ""
    retired_in: str = ""
    added_in: str = ""
    readings: tuple[tuple[str, str], ...] = ()
    proposal: Proposal | None = None
    decides: bool = False
    calculated_from: tuple[str, ...] = ()

    @property
    def level(self) -> str:
        """How loudly the row asks to be looked at."""
        levels = {finding.level for finding in self.findings if not finding.settled}
        if self.note or "stop" in levels:
            return "stop"
        return "check" if "check" in levels else ""

    @property
    def missing(self) -> str:
        """Words of the missing reason, if one was given."""
        return MISSING_REASONS.get(str(self.cell.get("missing") or ""), "")

    @property
    def unit(self) -> str:
        """The chosen unit, else the one that is offered first."""
        return str(self.cell.get("unit") or (self.item.units[0] if self.item.units else self.item.unit))

    @property
    def chosen(self) -> frozenset[str]:
        """Codes chosen in a multiple choice."""
        value = self.cell.get("value")
        return (
            frozenset(map(str, value))
            if isinstance(value, list)
            else frozenset({str(value)} if value else ())
        )

    @property
    def open_query(self) -> bool:
        """Whether a query waits for an answer."""
        return any(query.state == QueryState.OPEN for query in self.queries)

    @property
    def choices(self) -> str:
        """How options are laid out: a row while they fit on about one line, a column, or a list to open."""
        long = sum(len(option.label) + 4 for option in self.options)
        if long <= ONE_LINE and len(self.options) <= DIGITS:
            return "row"
        return "column" if len(self.options) <= COLUMN or self.item.type == "instrument" else "list"

    @property
    def control(self) -> str:
        """Name of the template that renders the control."""
        kinds = {"integer": "number", "partial_date": "date", "instrument": "choice", "yesno": "choice"}
        return kinds.get(self.item.type, self.item.type)


@dataclass(frozen=True)
class GroupRows:
    """Items under one heading."""

    group: ItemGroup
    rows: tuple[ItemRow, ...]

    @property
    def shown(self) -> bool:
        """Whether any of its items applies."""
        return any(row.shown for row in self.rows)


@dataclass(frozen=True)
class FormPage:
    """A form on screen."""

    worked: WorkedForm
    groups: tuple[GroupRows, ...]
    queries: tuple[Query, ...]
    url: str
    writable: bool

    @property
    def rows(self) -> tuple[ItemRow, ...]:
        """All rows in reading order."""
        return tuple(row for group in self.groups for row in group.rows)

    @property
    def problems(self) -> tuple[ItemRow, ...]:
        """Rows that ask to be looked at."""
        return tuple(row for row in self.rows if row.shown and row.level)

    @property
    def form_queries(self) -> tuple[Query, ...]:
        """Queries about the form as a whole."""
        return tuple(query for query in self.queries if not query.item)

    @property
    def complete(self) -> bool:
        """Whether the form was marked complete."""
        return self.worked.entry.state == EntryState.COMPLETE

    @property
    def version(self) -> int:
        """How often the form was written to."""
        return self.worked.entry.version

    @property
    def drafted(self) -> int:
        """How many values the person typed earlier and did not save."""
        return sum(row.proposal is not None and row.proposal.origin == DRAFT for row in self.rows)

    @property
    def carries(self) -> bool:
        """Whether values of the visit before may be looked at here."""
        at_a_visit = self.worked.entry.visit is not None
        return (
            at_a_visit
            and self.writable
            and not self.complete
            and any(i.carry for i in self.worked.form.items)
        )

    @property
    def open_groups(self) -> tuple[tuple[int, str], ...]:
        """Groups in which something is still to be answered: place and heading."""
        unanswered = set(self.worked.picture.unanswered)
        return tuple(
            (place, group.group.title)
            for place, group in enumerate(self.groups)
            if unanswered & {row.item.id for row in group.rows}
        )


def form_page(
    worked: WorkedForm,
    queries: Sequence[Query],
    *,
    writable: bool,
    notes: Mapping[str, str] | None = None,
    typed: Mapping[str, Mapping[str, str]] | None = None,
    clashes: Mapping[str, str] | None = None,
    readings: Mapping[str, Sequence[str]] | None = None,
    proposals: Mapping[str, Proposal] | None = None,
    only: Collection[str] | None = None,
) -> FormPage:
    """Make the page of a form.

    Parameters
    ----------
    notes
        Messages of this moment by item.
    typed
        What was typed and refused, by item, shown in place of the saved value.
    clashes
        What somebody else saved meanwhile, by item, in words.
    readings
        What a date that was typed can mean, by item (ISO).
    proposals
        Values to confirm, by item.
    only
        The items whose rows are wanted, beside those that ask to be looked at; None for all.
    """
    entry = worked.entry
    url = form_url(entry.subject, entry.visit, entry.form, entry.repeat)
    closed = entry.struck_out or _is_closed(entry)
    maker = _RowMaker(
        worked,
        queries,
        url,
        writable and not closed,
        notes or {},
        typed or {},
        clashes or {},
        readings or {},
        (proposals or {}) if writable and not closed else {},
    )
    asked = (
        worked.form.items_by_id if only is None else {*only, *(f.item for f in worked.picture.open_findings)}
    )
    groups = tuple(
        GroupRows(group, tuple(maker.row(group, item) for item in group.items if item.id in asked))
        for group in worked.form.groups
    )
    gone = maker.retired()
    return FormPage(worked, (*groups, *gone), tuple(queries), url, writable and not closed)


@dataclass(frozen=True)
class _RowMaker:
    worked: WorkedForm
    queries: Sequence[Query]
    url: str
    writable: bool
    notes: Mapping[str, str]
    typed: Mapping[str, Mapping[str, str]]
    clashes: Mapping[str, str]
    readings: Mapping[str, Sequence[str]]
    proposals: Mapping[str, Proposal]

    def row(self, group: ItemGroup, item: Item) -> ItemRow:
        """Make the row of one item."""
        saved = self.worked.cells.get(item.id)
        refused = self.typed.get(item.id)
        cell: Mapping[str, object] = refused if refused is not None else (saved or {})
        codelist = codelist_of(self.worked.protocol, item)
        return ItemRow(
            item=item,
            group=group,
            cell=cell,
            typed=_typed(item, cell, codelist),
            options=_options(codelist, cell),
            expected=_content(self.worked.entry.values.get(item.id)),
            shown=item.id in self.worked.picture.shown or bool(retired_in(item)),
            findings=tuple(f for f in self.worked.picture.findings if f.item == item.id),
            queries=tuple(query for query in self.queries if query.item == item.id),
            save_url=f"{self.url}save/",
            panel_url=f"{self.url}item/{item.id}/",
            writable=self.writable and not retired_in(item),
            complete=self.worked.entry.state == EntryState.COMPLETE,
            stands_out=bool(item.provisional) and not self.worked.form.provisional,
            note=self.notes.get(item.id, ""),
            clash=self.clashes.get(item.id, ""),
            readings=tuple((iso, date_in_words(iso)) for iso in self.readings.get(item.id, ())),
            proposal=self.proposals.get(item.id),
            retired_in=retired_in(item),
            added_in=added_in(item),
            decides=item.id in rules_of(self.worked.protocol, self.worked.form.code).decides,
            calculated_from=calculated_from(self.worked, item) if item.type == "derived" else (),
        )

    def retired(self) -> tuple[GroupRows, ...]:
        """Items that are not asked any more and hold something, under a heading of their own."""
        form = self.worked.form
        asked = {item.id for item in form.items}
        held = [
            form.items_by_id[key]
            for key in self.worked.entry.values
            if key not in asked and key in form.items_by_id
        ]
        if not held:
            return ()
        group = ItemGroup(title="Not asked any more", items=tuple(held))
        return (GroupRows(group, tuple(self.row(group, item) for item in held)),)


def _options(codelist: Codelist | None, cell: Mapping[str, object]) -> tuple[CodeLabel, ...]:
    """The choices, and those that were made before they were retired."""
    if codelist is None:
        return ()
    value = cell.get("value")
    chosen = {str(each) for each in value} if isinstance(value, list) else {str(value)}
    gone = [each for each in getattr(codelist, "retired", ()) if each.code in chosen]
    return (
        *codelist.codes,
        *(CodeLabel(code=each.code, label=f"{each.label} (retired in {retired_in(each)})") for each in gone),
    )


def _content(cell: Mapping[str, object] | None) -> dict[str, object]:
    """What the browser sends back as the cell that it showed."""
    shown = as_shown(cell or {})
    return {key: value for key, value in shown.items() if key != "confirmed" and value is not None}


def _typed(item: Item, cell: Mapping[str, object], codelist: Codelist | None) -> str:
    value = cell.get("value")
    if value is None or isinstance(value, list):
        return ""
    if item.type == "derived" and codelist is not None:
        return codelist.labels.get(str(value), str(value))
    if item.type == "derived" and item.result in {"number", "integer"}:
        return shown_number(str(value), item.digits)
    return str(value)


def changed_rows(before: WorkedForm, after: WorkedForm, saved: str) -> frozenset[str]:
    """Items other than the saved one whose row looks different after a save, reference limits aside."""
    one, other = before.picture, after.picture
    derived = {
        item
        for item in one.derived.keys() | other.derived.keys()
        if one.derived.get(item) != other.derived.get(item)
    }
    found = {finding.item for finding in set(one.findings) ^ set(other.findings)}
    graded = after.form.graded
    decides = {graded.term, graded.coded, graded.start, graded.end} if graded else set()
    suggested = {graded.grade} if graded and saved in decides else set()
    return frozenset((one.shown ^ other.shown) | derived | found | suggested) - {saved}


def unsaved_entry(subject: Subject, visit: Visit | None, form: str, repeat: int) -> Entry:
    """An entry that nobody opened yet, to show the empty form; it is not written."""
    return Entry(subject=subject, visit=visit, form=form, repeat=repeat)


def may_count_again(entry: Entry) -> bool:
    """Whether a row was struck out and may still be changed."""
    return entry.struck_out and not _is_closed(entry)


def _is_closed(entry: Entry) -> bool:
    return entry.locked or entry.frozen or is_over(entry.unlocked_until)
