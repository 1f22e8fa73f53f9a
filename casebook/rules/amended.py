"""What a value entered under one version of a form means in another. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from casebook.rules.cells import Cell
from logic.errors import UnitError
from logic.units import convert
from trials.schema import Form, Item

PLAIN_NUMBERS = frozenset({"integer", "number"})
WORDS = frozenset({"text", "longtext"})
DATES = frozenset({"date", "partial_date"})
ONE_CODE = frozenset({"choice", "yesno"})
LENGTHS_AND_MASSES = ("LDIAM", "HEIGHT", "WEIGHT")
"""Of these the units stand for lengths and masses, whatever was measured."""
ALIKE = (PLAIN_NUMBERS, WORDS, DATES, ONE_CODE, frozenset({"quantity", "lab"}))


def same_kind(old: Item, new: Item) -> bool:
    """Whether a value of the older item can be read as one of the newer item at all."""
    if old.type == new.type or any({old.type, new.type} <= kinds for kinds in ALIKE):
        return old.analyte == new.analyte and (old.type != "derived" or old.result == new.result)
    return False


def same_meaning(old: Item, new: Item) -> bool:
    """Whether a value means the same in both: of one kind, and for plain numbers in one unit.

    Quantities and laboratory results carry their unit with them, so a change of the units offered changes nothing.
    """
    return same_kind(old, new) and (old.type not in PLAIN_NUMBERS or old.unit == new.unit)


def values_as_read(form: Form, values: Mapping[str, Cell], entered: Form | None) -> Mapping[str, Cell]:
    """The cells of a row as another version of its form reads them; what cannot be read is left out.

    A plain number is converted where its unit changed and the two can be converted, so that 2.4 cm is never taken for
    2.4 mm; otherwise it is unknown to the rules, and stays readable on its form.

    Parameters
    ----------
    entered
        The form under which the row was entered; None where it is the same form.
    """
    if entered is None or entered is form:
        return values
    before = entered.items_by_id
    read = {
        key: _read(before[key], item, cell) if item is not None and key in before else cell
        for key, cell in values.items()
        for item in [form.items_by_id.get(key)]
    }
    return {key: cell for key, cell in read.items() if cell}


def _read(old: Item, new: Item, cell: Cell) -> Cell:
    if same_meaning(old, new) or cell.get("value") is None:
        return cell
    if not same_kind(old, new):
        return {}
    number = _converted(Decimal(cell["value"]), new.analyte, old.unit, new.unit)
    return {} if number is None else {**cell, "value": format(number, "f")}


def _converted(value: Decimal, analyte: str, old: str, new: str) -> Decimal | None:
    for of in (analyte,) if analyte else LENGTHS_AND_MASSES:
        try:
            return Decimal(convert(value, of, old, new))
        except UnitError:
            continue
    return None
