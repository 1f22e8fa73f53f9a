"""The types that the parts of a rule have before any fact is seen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from logic import exact
from logic.errors import UnitError
from logic.facttypes import FactType
from logic.units import analytes, conversion_factor, normalise_unit, units_of

CLASHES = {
    "truth": "true or false",
    "number": "a number",
    "quantity": "a measured value",
    "date": "a date",
    "datetime": "a date and time",
    "text": "a text",
    "list": "a list",
    "member": "a member of a list",
    "any": "unknown",
}
TIMES = frozenset({"date", "datetime"})
FROM_KIND = {
    "number": "number",
    "integer": "number",
    "quantity": "quantity",
    "date": "date",
    "datetime": "datetime",
    "code": "text",
    "text": "text",
    "boolean": "truth",
    "list": "list",
}


@dataclass(frozen=True, slots=True)
class Type:
    """The static type of an expression.

    Attributes
    ----------
    kind : str
        truth, number, quantity, date, datetime, text, list, member, or any (``unknown``).
    analyte : str or None
        Of a quantity; None for one that is written in the rule.
    unit : str or None
        Of a quantity written in the rule, and of a number whose fact declares a unit.
    fact : FactType or None
        The declaration, where the expression is a fact, a field or a list.
    """

    kind: str
    analyte: str | None = None
    unit: str | None = None
    fact: FactType | None = None

    def __str__(self) -> str:
        return CLASHES[self.kind]


TRUTH = Type("truth")
NUMBER = Type("number")
DATE = Type("date")
DATETIME = Type("datetime")
TEXT = Type("text")
ANY = Type("any")


def type_of_fact(fact: FactType) -> Type:
    """The static type of a declared fact or field."""
    unit = normalise_unit(fact.unit) if fact.kind in {"number", "integer"} and fact.unit else None
    return Type(FROM_KIND[fact.kind], fact.analyte or None, unit, fact)


def joined(left: Type, right: Type) -> Type | None:
    """The type of a value that is either; None if they do not go together."""
    if left.kind == "any":
        return right
    if right.kind == "any" or left == right:
        return left
    if left.kind in TIMES and right.kind in TIMES:
        return DATE if left.kind == right.kind == "date" else DATETIME
    if left.kind != right.kind or left.kind in {"list", "member"}:
        return None
    if left.kind == "quantity":
        return joined_quantities(left, right)
    return Type(left.kind, unit=left.unit if left.unit == right.unit else None)


def joined_quantities(left: Type, right: Type) -> Type | None:
    """One type for two quantities; None if they are of two analytes or their units do not fit."""
    if left.analyte and right.analyte:
        return Type("quantity", left.analyte) if left.analyte == right.analyte else None
    analyte = left.analyte or right.analyte
    written = right if left.analyte else left
    if analyte is None:
        return replace(left) if left.unit == right.unit else None
    return Type("quantity", analyte) if written.unit in units_of(analyte) else None


def units_agree(left: Type, right: Type) -> bool:
    """Whether two plain numbers may meet: not when their facts are stored in different units."""
    return left.kind != "number" or None in {left.unit, right.unit} or left.unit == right.unit


def is_plain(quantity: Type) -> bool:
    """Whether a quantity may be compared with a bare number, as an INR may."""
    return quantity.analyte is not None and units_of(quantity.analyte) == ("1",)


def number_in(value: Decimal, unit: str, wanted: str) -> exact.Number:
    """A number written with a unit, for a fact that is stored in another unit.

    Raises
    ------
    UnitError
        The units are not of one kind, or what they measure must be known (mg/dL to mmol/L).
    """
    unit = normalise_unit(unit)
    if unit == wanted:
        return value
    factors = {
        conversion_factor(analyte, unit, wanted)
        for analyte in analytes()
        if {unit, wanted} <= set(units_of(analyte))
    }
    if len(factors) != 1:
        raise UnitError(f"'{unit}' cannot be converted to '{wanted}'")
    return exact.multiply(value, factors.pop())
