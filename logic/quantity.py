"""A measured value with its unit, kept as it was reported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from logic import exact, interval
from logic.interval import is_blank
from logic.truth import UNKNOWN
from logic.units import canonical_unit, conversion_factor


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number (or an interval of numbers) in a unit.

    Attributes
    ----------
    value : int, Decimal, Fraction or Interval
        As reported, in ``unit``.
    unit : str
        In the spelling of :mod:`logic.units`.
    analyte : str or None
        What was measured; None for a quantity written in a rule, which takes the analyte
        of what it is compared with.
    """

    value: Any
    unit: str
    analyte: str | None

    def __str__(self) -> str:
        number = self.value
        shown = exact.to_decimal(number) if number.__class__ in exact.NUMBERS else number
        return f"{shown} {self.unit}"


def in_unit(quantity: Any, analyte: str | None, unit: str) -> Any:
    """The number of a quantity in another unit, exactly; blanks stay as they are."""
    if is_blank(quantity) or quantity.unit == unit:
        return quantity if is_blank(quantity) else quantity.value
    if analyte is None:
        return UNKNOWN
    return interval.multiply(quantity.value, conversion_factor(analyte, quantity.unit, unit))


def aligned(left: Any, right: Any) -> tuple[Any, Any]:
    """The numbers of two quantities in one unit, that of the left one."""
    if is_blank(left) or is_blank(right):
        return (left if is_blank(left) else left.value), (right if is_blank(right) else right.value)
    return left.value, in_unit(right, left.analyte or right.analyte, left.unit)


def scaled(quantity: Any, operation: Callable[[Any], Any]) -> Any:
    """A quantity with its number changed and its unit kept."""
    if is_blank(quantity):
        return UNKNOWN
    value = operation(quantity.value)
    return value if is_blank(value) else Quantity(value, quantity.unit, quantity.analyte)


def combined(operation: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
    """The sum or difference of two quantities of one analyte, in the unit of the left one."""
    if is_blank(left) or is_blank(right):
        return UNKNOWN
    value = operation(*aligned(left, right))
    return value if is_blank(value) else Quantity(value, left.unit, left.analyte or right.analyte)


def canonical(quantity: Any, analyte: str) -> Any:
    """The number of a quantity in the canonical unit of its analyte."""
    return in_unit(quantity, analyte, canonical_unit(analyte))
