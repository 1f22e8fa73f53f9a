"""Units of measurement: their spellings and exact conversion, analyte by analyte.

A unit that is not in the table is refused, never guessed. Spellings differ by laboratory:
``µmol/L``, ``umol/l`` and ``mcmol/L`` are one unit, written ``umol/L`` here.
"""

from __future__ import annotations

import re
from decimal import Decimal
from difflib import get_close_matches
from fractions import Fraction
from functools import lru_cache

from logic import exact
from logic.errors import UnitError
from logic.unit_table import ALIASES, ROWS, UnitRow

RAISED = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
LOWERED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")


def _tidy(text: str) -> str:
    """One way to write micro, litre and multiplication; no spaces."""
    tidy = "".join(text.split()).replace("µ", "u").replace("μ", "u").replace("×", "x").replace("·", "*")
    tidy = RAISED.sub(lambda digits: "^" + digits.group().translate(LOWERED), tidy)
    return tidy.replace("/l", "/L").replace("ml", "mL").replace("dl", "dL").replace("ul", "uL")


def _spellings() -> dict[str, str]:
    known = {row.unit: row.unit for row in ROWS}
    for unit, others in ALIASES.items():
        for other in others:
            known[_tidy(other)] = unit
    return known


_TABLE: dict[str, dict[str, UnitRow]] = {}
for _row in ROWS:
    _TABLE.setdefault(_row.analyte, {})[_row.unit] = _row
_SPELLINGS = _spellings()
_FOLDED = {spelling.lower(): unit for spelling, unit in _SPELLINGS.items() if unit != "10^6/L"}


@lru_cache(maxsize=2048)
def normalise_unit(text: str) -> str:
    """The one spelling of a unit that the project stores.

    Parameters
    ----------
    text : str
        A unit as a laboratory writes it: ``µmol/l``, ``x10^9/L``, ``K/uL``, ``IE/L``.

    Raises
    ------
    UnitError
        The unit is not in the table.
    """
    tidy = _tidy(text)
    unit = _SPELLINGS.get(tidy) or _FOLDED.get(tidy.lower())
    if unit is None:
        close = get_close_matches(tidy, _SPELLINGS, n=1)
        hint = f"; did you mean '{_SPELLINGS[close[0]]}'?" if close else ""
        raise UnitError(f"unit '{text}' is not known{hint}")
    return unit


def analytes() -> tuple[str, ...]:
    """All analytes of the table."""
    return tuple(_TABLE)


def units_of(analyte: str) -> tuple[str, ...]:
    """The units in which an analyte may be reported, the canonical one first.

    Raises
    ------
    UnitError
        The analyte is not in the table.
    """
    return tuple(_rows_of(analyte))


def canonical_unit(analyte: str) -> str:
    """The unit in which values of an analyte are compared with each other."""
    return units_of(analyte)[0]


def factor_row(analyte: str, unit: str) -> UnitRow:
    """The row of the table for an analyte and a unit in any spelling.

    Raises
    ------
    UnitError
        Unknown analyte, unknown unit, or a unit that is not one of this analyte.
    """
    rows = _rows_of(analyte)
    name = normalise_unit(unit)
    if name not in rows:
        raise UnitError(f"{analyte} has no unit '{unit}': it is reported in {', '.join(rows)}")
    return rows[name]


@lru_cache(maxsize=2048)
def unit_name(analyte: str, unit: str) -> str:
    """The one spelling of a unit of an analyte; UnitError as for :func:`factor_row`."""
    return factor_row(analyte, unit).unit


@lru_cache(maxsize=2048)
def conversion_factor(analyte: str, from_unit: str, to_unit: str) -> Fraction:
    """What a value in one unit must be multiplied by to be in another, exactly."""
    return factor_row(analyte, from_unit).factor / factor_row(analyte, to_unit).factor


def convert(value: Decimal | int | str, analyte: str, from_unit: str, to_unit: str) -> Decimal:
    """A value in another unit: exact if it has an end, else to 28 digits.

    Parameters
    ----------
    value : Decimal, int or str
        The value in ``from_unit``. A float is refused, as it is not what was reported.
    analyte : str
        The analyte, as ``HGB``.
    from_unit, to_unit : str
        Units of the analyte, in any spelling.

    Raises
    ------
    UnitError
        Unknown analyte or unit, a unit of another analyte, or a value that is no number.
    """
    if isinstance(value, bool) or not isinstance(value, (Decimal, int, str)):
        raise UnitError("a value to convert must be a decimal, a whole number or a text")
    number = exact.parse_number(value) if isinstance(value, str) else value
    if number is None:
        raise UnitError(f"'{value}' is not a number")
    return exact.to_decimal(exact.multiply(number, conversion_factor(analyte, from_unit, to_unit)))


def _rows_of(analyte: str) -> dict[str, UnitRow]:
    try:
        return _TABLE[analyte]
    except KeyError:
        close = get_close_matches(analyte, _TABLE, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise UnitError(f"analyte {analyte} has no conversion table{hint}") from None


_SIGNS = str.maketrans({"0": "⁰", "1": "¹", "2": "²", "3": "³", "6": "⁶", "9": "⁹"})


def unit_in_words(unit: str) -> str:
    """A unit with its proper signs, for people: `×10⁹/L`, `µmol/L`, `kg/m²`; nothing for a plain ratio.

    Parameters
    ----------
    unit
        As packs and values write it; an unknown one comes back as it is.
    """
    if unit == "1":
        return ""
    if unit == "degC":
        return "°C"
    words = re.sub(r"^10\^(\d)", lambda power: f"×10{power[1].translate(_SIGNS)}", unit)
    words = re.sub(r"(?<=[a-z])(\d)$", lambda power: power[1].translate(_SIGNS), words)
    return re.sub(r"(?:^|(?<=/))u(?=mol|kat|g|L|m)", "µ", words)
