"""The types of facts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal, get_args

from logic.units import normalise_unit, units_of

Kind = Literal[
    "number", "integer", "quantity", "date", "datetime", "code", "text", "boolean", "list", "record"
]
KINDS = frozenset(get_args(Kind))
REFDAT = "REFDAT"
DATES = "DATES"
ABSENT_UNKNOWN = "unknown"
ABSENT_NONE = "none"


@dataclass(frozen=True, slots=True)
class FactType:
    """The type of one fact, of one field of a list's records, or of a list's members.

    Attributes
    ----------
    kind : str
        number, integer, quantity, date, datetime, code, text, boolean, list or record.
    analyte : str, optional
        For a quantity: its table of units, see :func:`logic.units.units_of`.
    unit : str, optional
        For a number: the unit it is stored in. For a quantity: the unit of a value that is
        given as a bare number.
    codes : collection of str
        For a code: what it may be. Empty: any text.
    unknown_codes : collection of str
        Codes that say "not known", such as NOT TESTED: they are recorded, and unknown.
    fields : mapping, optional
        For a record and for a list of records: the types of the fields.
    element : FactType, optional
        For a list of scalars: the type of each.
    absent : str
        What it means if the key is absent: "unknown", "none" (a list is empty, anything
        else has no value), or the value that it then has, such as "N".
    label : str
        For people.
    """

    kind: Kind
    analyte: str | None = None
    unit: str | None = None
    codes: Collection[str] = ()
    unknown_codes: Collection[str] = ()
    fields: Mapping[str, FactType] | None = None
    element: FactType | None = None
    absent: str = ABSENT_UNKNOWN
    label: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"'{self.kind}' is not a kind of fact: {', '.join(sorted(KINDS))}")
        if self.kind == "quantity":
            self._check_quantity()
        elif self.unit:
            normalise_unit(self.unit)
        if self.kind == "record" and not self.fields:
            raise ValueError("a record needs fields")
        if self.kind == "list" and bool(self.fields) == bool(self.element):
            raise ValueError("a list needs either fields (of its records) or the type of its elements")
        if self.kind == "list" and self.absent not in {ABSENT_UNKNOWN, ABSENT_NONE}:
            raise ValueError("an absent list is unknown or none")
        stated = self.absent not in {ABSENT_UNKNOWN, ABSENT_NONE}
        if stated and self.kind == "code" and self.codes and self.absent not in self.all_codes:
            raise ValueError(f"absent means '{self.absent}', which is not one of the codes")

    def _check_quantity(self) -> None:
        if not self.analyte:
            raise ValueError("a quantity needs an analyte")
        units = units_of(self.analyte)
        if self.unit and normalise_unit(self.unit) not in units:
            raise ValueError(f"{self.analyte} has no unit '{self.unit}'")

    @property
    def all_codes(self) -> frozenset[str]:
        """Every code that may be recorded, those that mean unknown included."""
        return frozenset(self.codes) | frozenset(self.unknown_codes)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a document: where (``LB.HGB.value``) and what."""

    path: str
    message: str


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``; did you mean X?`` with the closest of the known names, or nothing."""
    names = list(known)
    folded = {item.lower(): item for item in names}
    close = get_close_matches(name, names, n=1) or get_close_matches(name.lower(), folded, n=1)
    return f"; did you mean {folded.get(close[0], close[0])}?" if close else ""
