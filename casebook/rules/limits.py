"""Reference limits of a laboratory value: those of a laboratory's range, kept with the value, or typed by hand. Pure.

A cell keeps the limits in its own unit (`low`, `high`), for people and exports. Where they come from a laboratory's
range, it also keeps that range as the laboratory wrote it (`range`): rules compare with those numbers, converted
exactly, since a limit such as 50 U/L has no end as a decimal in µkat/L.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any, Literal

from casebook.rules.cells import Cell
from logic.units import conversion_factor, convert
from trials.rules.ranges import Range
from trials.schema import Item

Mark = Literal["high", "low", "normal", ""]
LIMITS = ("low", "high")
LONGEST_SHOWN = 8
"""Characters of a converted limit before it is shown rounded to four figures."""
FIGURES = 4


@dataclass(frozen=True)
class Lookup:
    """What the laboratories of a site say about a value: the range, or why there is none."""

    found: Range | None
    why_not: str = ""


def with_limits(item: Item, cell: Cell, found: Range | None) -> Cell:
    """A cell with the limits of the range that applies; without any where none does.

    Confirmations of checks stay.
    """
    bare = {key: value for key, value in cell.items() if key not in {*LIMITS, "range"}}
    if found is None or bare.get("value") is None:
        return bare
    limits = {
        name: format(convert(text, item.analyte, found.unit, bare["unit"]), "f")
        for name, text in (("low", found.low), ("high", found.high))
        if text
    }
    kept = {
        "id": found.key,
        "version": found.version,
        "laboratory": found.laboratory,
        "unit": found.unit,
        "low": found.low,
        "high": found.high,
    }
    return {**bare, **limits, "range": kept}


def typed_by_hand(cell: Mapping[str, Any] | None) -> bool:
    """Whether the limits of a cell are those that somebody typed from the report."""
    return bool(cell) and not cell.get("range") and any(cell.get(name) for name in LIMITS)  # type: ignore[union-attr]


def as_typed(new: Cell, old: Mapping[str, Any] | None) -> Cell:
    """What was typed, without limits that only came back as the page had shown them from a laboratory's range."""
    if not old or not old.get("range"):
        return new
    if all(new.get(name, "") == shown_limit(old.get(name)) for name in LIMITS):
        return {key: value for key, value in new.items() if key not in LIMITS}
    return new


def shown_limit(text: object) -> str:
    """A limit for the screen: as it is, or rounded to four figures where its conversion has no end."""
    plain = str(text or "")
    if len(plain) <= LONGEST_SHOWN:
        return plain
    number = Decimal(plain)
    places = FIGURES - 1 - number.adjusted()
    rounded = number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return format(rounded.normalize(), "f")


def as_shown(cell: Mapping[str, Any]) -> dict[str, Any]:
    """A cell with its limits as the screen shows them."""
    return {**cell, **{name: shown_limit(cell[name]) for name in LIMITS if cell.get(name)}}


def limit_mark(item: Item, cell: Mapping[str, Any] | None) -> Mark:
    """Whether a value lies above, below or within its limits, compared exactly; both limits are normal.

    Returns
    -------
    str
        Empty where it is not known: no value, no limits, or a value inside of the only limit there is. A value
        is never called normal without both limits.
    """
    if not cell or cell.get("value") in (None, "") or not cell.get("unit"):
        return ""
    value = in_limit_unit(item, cell)
    low, high = (limit_of(cell, name) for name in LIMITS)
    if high is not None and value > high:
        return "high"
    if low is not None and value < low:
        return "low"
    return "normal" if low is not None and high is not None else ""


def in_limit_unit(item: Item, cell: Mapping[str, Any]) -> Fraction:
    """The value of a cell in the unit of its limits, exactly."""
    value, unit = Fraction(str(cell["value"])), str(cell["unit"])
    return value * conversion_factor(item.analyte, unit, limit_unit(cell))


def limit_unit(cell: Mapping[str, Any]) -> str:
    """The unit in which the limits of a cell were written."""
    return str((cell.get("range") or {}).get("unit") or cell.get("unit") or "")


def limit_of(cell: Mapping[str, Any], name: str) -> Fraction | None:
    """The limit `low` or `high` of a cell, as it was written."""
    text = (cell.get("range") or cell).get(name)
    return Fraction(str(text)) if text not in (None, "") else None


def provenance(cell: Mapping[str, Any] | None) -> str:
    """Where the limits of a value come from, in words; empty without a value."""
    if not cell or cell.get("value") in (None, ""):
        return ""
    kept = cell.get("range")
    if kept:
        return f"{kept['laboratory']}, version {kept['version']}"
    return "typed by hand" if typed_by_hand(cell) else "no range known"
