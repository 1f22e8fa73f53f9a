"""All rows of a repeating form in one table: a running log, or the lesions of a visit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from casebook.models import Entry, QueryState, Verification
from casebook.pages.addresses import form_url
from casebook.pages.matrix import Cell, signed_mark
from casebook.pages.rail import entered_status
from casebook.rules.cells import NUMERIC, WITH_UNIT, cell_text, holds_value
from casebook.rules.picture import codelist_of
from casebook.rules.status import WORDS
from casebook.selectors import entries, open_queries_beside
from casebook.services.verification import content_digest
from trials.schema import Form, Item

USUAL_COLUMNS = 6
"""How many items stand in the table where the pack does not say which."""
NO_COLUMN = frozenset({"longtext", "derived"})
BACKWARDS = "-"


@dataclass(frozen=True)
class RowColumn:
    """An item as a column.

    Attributes
    ----------
    sort
        What the heading asks for: the item, or, where the table is sorted by it, the other way round.
    sorted
        `ascending`, `descending`, or nothing.
    """

    item: Item
    sort: str
    sorted: str

    @property
    def numeric(self) -> bool:
        """Whether its values stand right-aligned."""
        return self.item.type in NUMERIC


@dataclass(frozen=True)
class TableRow:
    """One row: what it says in each column, and its four marks."""

    entry: Entry
    name: str
    texts: tuple[str, ...]
    marks: Cell

    @property
    def struck(self) -> bool:
        """Whether it was struck out: shown, and counted nowhere."""
        return self.entry.struck_out


@dataclass(frozen=True)
class RowsPage:
    """The table.

    Attributes
    ----------
    said
        What somebody recorded in place of rows: that there are none.
    """

    form: Form
    columns: tuple[RowColumn, ...]
    rows: tuple[TableRow, ...]
    said: str

    @property
    def table(self) -> list[tuple[TableRow, list[tuple[RowColumn, str]]]]:
        """Rows with their columns."""
        return [(row, list(zip(self.columns, row.texts, strict=True))) for row in self.rows]

    @property
    def nothing(self) -> bool:
        """Whether nothing is recorded: no row that counts holds anything, and nobody said that there is none."""
        return not self.said and all(row.struck or row.marks.data == "not-started" for row in self.rows)

    @property
    def counted(self) -> int:
        """Rows that count."""
        return sum(not row.struck for row in self.rows)


def columns_of(form: Form) -> list[Item]:
    """The items that stand for a row: those that the pack names, else the first ones that are short."""
    if form.columns:
        return [form.item(name) for name in form.columns]
    return [item for item in form.items if item.type not in NO_COLUMN][:USUAL_COLUMNS]


def rows_page(place: Entry, form: Form, sort: str = "") -> RowsPage:
    """Make the table of all rows at the place of an entry: three statements, whatever their number.

    Parameters
    ----------
    sort
        Item to sort by, with `-` before it for the other way round; rows without a value come last.
    """
    found = list(
        entries().filter(subject=place.subject, visit=place.visit, form=place.form).order_by("repeat")
    )
    items = columns_of(form)
    asked = sort.removeprefix(BACKWARDS)
    by = next((item for item in items if item.id == asked), None)
    if by is not None:
        found = _sorted(found, by, backwards=sort.startswith(BACKWARDS))
    waiting = Counter((query.entry_id, query.state) for query in open_queries_beside(place))
    verified = _verified(found)
    shown = [entry for entry in found if not entry.not_done]
    return RowsPage(
        form=form,
        columns=tuple(_column(item, sort) for item in items),
        rows=tuple(_row(entry, items, waiting, verified) for entry in shown),
        said=next((entry.not_done for entry in found if entry.not_done and not entry.struck_out), ""),
    )


def _column(item: Item, sort: str) -> RowColumn:
    up, down = sort == item.id, sort == f"{BACKWARDS}{item.id}"
    return RowColumn(
        item=item,
        sort=f"{BACKWARDS}{item.id}" if up else item.id,
        sorted="ascending" if up else "descending" if down else "",
    )


def _row(entry: Entry, items: Sequence[Item], waiting: Counter[Any], verified: dict[int, str]) -> TableRow:
    texts = tuple(_text(entry, item) for item in items)
    return TableRow(
        entry=entry,
        name=next(filter(None, texts), "") or f"Row {entry.repeat}",
        texts=texts,
        marks=_marks(entry, waiting, verified),
    )


def _text(entry: Entry, item: Item) -> str:
    """What the row says, in the words of the version under which it was entered."""
    own = entry.protocol.form(entry.form).items_by_id.get(item.id, item)
    return cell_text(own, codelist_of(entry.protocol, own), entry.values.get(item.id))


def _marks(entry: Entry, waiting: Counter[Any], verified: dict[int, str]) -> Cell:
    digest = verified.get(entry.pk)
    same = digest is not None and digest == content_digest(entry)
    data = entered_status(entry, entry)
    return Cell(
        status=data,
        words=WORDS[data],
        url=form_url(entry.subject, entry.visit, entry.form, entry.repeat),
        data=data,
        open_queries=waiting[entry.pk, QueryState.OPEN],
        answered_queries=waiting[entry.pk, QueryState.ANSWERED],
        verified=same,
        changed_since_verified=digest is not None and not same,
        signed=signed_mark([entry]),
        rows=1,
    )


def _verified(found: Iterable[Entry]) -> dict[int, str]:
    rows = Verification.objects.filter(entry__in=[entry.pk for entry in found], item="").order_by("at", "pk")
    return dict(rows.values_list("entry_id", "digest"))


def _sorted(found: list[Entry], item: Item, *, backwards: bool) -> list[Entry]:
    held = [entry for entry in found if holds_value(entry.values.get(item.id))]
    rest = [entry for entry in found if not holds_value(entry.values.get(item.id))]
    return sorted(held, key=lambda entry: _key(entry, item), reverse=backwards) + rest


def _key(entry: Entry, item: Item) -> tuple[Decimal, str]:
    value = entry.values[item.id]["value"]
    if item.type in NUMERIC - WITH_UNIT:
        try:
            return Decimal(str(value)), ""
        except InvalidOperation:
            return Decimal(0), str(value)
    if item.type in {"date", "partial_date", "time"}:
        return Decimal(0), str(value)
    return Decimal(0), _text(entry, item).casefold()
