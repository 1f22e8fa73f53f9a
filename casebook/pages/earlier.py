"""Earlier values of an item beside it: a small line with the reference range, and the same as a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from casebook.models import Entry
from casebook.rules.cells import NUMERIC, WITH_UNIT, cell_text
from casebook.rules.picture import shown_number
from casebook.selectors import earlier_entries
from foundation import charts
from logic.errors import UnitError
from logic.units import convert, unit_in_words
from trials.schema import Item

MOST = 8
"""Points that can be told apart beside a form."""


@dataclass(frozen=True)
class EarlierValue:
    """One value at one visit.

    Attributes
    ----------
    typed
        As it was entered, with its unit.
    elsewise
        Whether that is another unit than the one in which visits are compared.
    number
        In the unit that the item offers first, rounded for reading; None where it cannot be converted.
    low, high
        Reference limits in the same unit, where they are known.
    """

    where: str
    on: date | None
    typed: str
    elsewise: bool
    number: Decimal | None
    low: Decimal | None
    high: Decimal | None


@dataclass(frozen=True)
class EarlierValues:
    """Values up to this visit, oldest first, and their line."""

    unit: str
    values: tuple[EarlierValue, ...]
    line: str

    @property
    def converted(self) -> bool:
        """Whether any value was entered in another unit than the line's."""
        return any(each.elsewise for each in self.values)


def earlier_values(entry: Entry, item: Item) -> EarlierValues | None:
    """What a number was at the visits before and is now; None where there is nothing to compare."""
    if item.type not in NUMERIC:
        return None
    unit = item.units[0] if item.units else item.unit
    rows = [each for each in earlier_entries(entry) if _not_after(each, entry)]
    found = tuple(_value(each, item, each.values[item.id]) for each in (*rows, entry) if _holds(each, item))
    if len(found) < 2:
        return None
    found = found[-MOST:]
    return EarlierValues(unit_in_words(unit), found, _line(item, unit, found))


def _not_after(one: Entry, other: Entry) -> bool:
    if one.visit is None or other.visit is None:
        return one.repeat <= other.repeat
    mine, theirs = one.visit.happened_on, other.visit.happened_on
    if mine and theirs and mine != theirs:
        return mine < theirs
    return one.visit.ordinal <= other.visit.ordinal


def _holds(entry: Entry, item: Item) -> bool:
    return bool((entry.values.get(item.id) or {}).get("value"))


def _value(entry: Entry, item: Item, cell: Mapping[str, Any]) -> EarlierValue:
    return EarlierValue(
        where=str(entry.visit or f"Row {entry.repeat}"),
        on=entry.visit.happened_on if entry.visit else None,
        typed=cell_text(item, None, cell),
        elsewise=item.type in WITH_UNIT and cell.get("unit") not in {None, "", item.units[0]},
        number=_converted(item, cell, "value"),
        low=_converted(item, cell, "low"),
        high=_converted(item, cell, "high"),
    )


def _converted(item: Item, cell: Mapping[str, Any], part: str) -> Decimal | None:
    """A number of a cell in the unit that the item offers first, so that visits can be compared."""
    if not cell.get(part):
        return None
    number = Decimal(cell[part])
    if item.type not in WITH_UNIT or not cell.get("unit"):
        return number
    try:
        converted = convert(number, item.analyte, cell["unit"], item.units[0])
    except UnitError:
        return None
    same_unit = cell["unit"] == item.units[0]
    return number if same_unit else Decimal(shown_number(str(converted), item.digits))


def _line(item: Item, unit: str, found: tuple[EarlierValue, ...]) -> str:
    points = [(each.where, each.number) for each in found if each.number is not None]
    if len(points) < 2:
        return ""
    last = found[-1]
    outside = last.number is not None and (
        (last.low is not None and last.number < last.low)
        or (last.high is not None and last.number > last.high)
    )
    label = f"{item.label}, {unit_in_words(unit)}".rstrip(", ")
    return charts.trend(points, low=last.low, high=last.high, label=label, tone="stop" if outside else "")
