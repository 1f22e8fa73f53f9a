"""Reading what was typed into one item, and giving it back as a fact. Pure.

A *cell* is what an entry keeps of one item: `{"value", "unit", "low", "high", "missing", "confirmed"}` with
only the keys that say something. The value stays as it was typed, in one spelling per type: numbers as
decimal text, dates as ISO 8601 cut off after what is known, times as `HH:MM` (with an offset where the clock
was changed that night), codes as codes. `confirmed` holds by check `{"reason", "about"}`: why the value stands, and
the digest of what the check looked at when somebody said so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from casebook.rules.dates import DateFault, date_in_words, read_date
from logic.errors import UnitError
from logic.units import normalise_unit, unit_in_words
from trials.schema import Codelist, Item

Cell = dict[str, Any]

MISSING_REASONS = {
    "ND": "Not done",
    "NA": "Not applicable",
    "UNK": "Unknown",
    "ASKU": "Asked but unknown",
}
NUMERIC = {"integer", "number", "quantity", "lab"}
WITH_UNIT = {"quantity", "lab"}
MEASURED_OR_DATED = NUMERIC | {"date", "partial_date", "time"}
"""Where a missing reason can be typed in place of the value (`nd`): it cannot be mistaken for one there."""
CHOICES = {"choice", "yesno", "instrument"}
TIME = re.compile(r"([01]?\d|2[0-3])[:.]?([0-5]\d)(?:[:.]([0-5]\d))?\s*(Z|[+-](?:0\d|1[0-4]):?[0-5]\d)?")
THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
"""A comma before three digits: of decimals in some countries, of thousands in others. Nobody guesses."""
ISO_DATE = re.compile(r"\d{4}(-(0[1-9]|1[0-2])(-\d\d)?)?")
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
TEXT_LIMIT = {"text": 500, "longtext": 10_000}


class CellFault(ValueError):
    """What was typed cannot be this item's value; the message says why and what to do.

    Attributes
    ----------
    readings
        What a date can mean (ISO), where it can be read in more than one way.
    """

    def __init__(self, message: str, readings: tuple[str, ...] = ()) -> None:
        self.readings = readings
        super().__init__(message)


@dataclass(frozen=True)
class Typed:
    """What the browser or an integrator sent for one item, as text."""

    value: str = ""
    unit: str = ""
    low: str = ""
    high: str = ""
    missing: str = ""


def read_cell(item: Item, codelist: Codelist | None, typed: Typed, today: date) -> Cell:
    """Read what was typed into an item.

    Parameters
    ----------
    codelist
        The item's codelist, for items that have one.
    today
        Local date of the site; a later date is refused unless the item plans ahead.

    Returns
    -------
    Cell
        An empty dict when the item was emptied.

    Raises
    ------
    CellFault
        Not a number, not a date, unknown unit or code, a unit left out, a date in the future.
    """
    if item.type == "derived":
        raise CellFault("This value is calculated and cannot be typed.")
    if typed.missing:
        return _missing(typed.missing)
    text = typed.value.strip()
    if not text:
        return {}
    if item.type in MEASURED_OR_DATED and text.upper() in MISSING_REASONS:
        return _missing(text.upper())
    cell: Cell = {"value": _read_value(item, codelist, text, today)}
    if item.type in WITH_UNIT:
        cell["unit"] = _read_unit(item, typed.unit)
    if item.type == "lab":
        cell.update(_read_limits(typed))
    return cell


def _missing(code: str) -> Cell:
    if code not in MISSING_REASONS:
        known = ", ".join(f"{code} ({label.lower()})" for code, label in MISSING_REASONS.items())
        raise CellFault(f"“{code}” is no reason for a missing value. Choose one of {known}.")
    return {"value": None, "missing": code}


def _read_value(item: Item, codelist: Codelist | None, text: str, today: date) -> str | list[str]:
    if item.type in NUMERIC:
        return _read_number(item, text)
    if item.type in {"date", "partial_date"}:
        return _read_past_date(item, text, today)
    if item.type == "time":
        return _read_time(text)
    if item.type in CHOICES:
        return _read_code(codelist, text)
    if item.type == "multichoice":
        return [_read_code(codelist, part.strip()) for part in text.split(",") if part.strip()]
    return _as_asked(item, _read_text(text, item.max_length or TEXT_LIMIT.get(item.type, 500)))


def _read_number(item: Item, text: str) -> str:
    plain = _with_point(text.replace(" ", "").replace("\u2212", "-"))
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)", plain):
        raise CellFault(f"“{text}” is not a number. Use digits and a decimal point, for example 4.1.")
    try:
        number = Decimal(plain)
    except InvalidOperation:
        raise CellFault(f"“{text}” is not a number.") from None
    if item.type == "integer" and number != number.to_integral_value():
        raise CellFault(f"{text} is not a whole number.")
    if len(plain) > 20:
        raise CellFault("This number has too many digits.")
    return format(number, "f")


def _with_point(text: str) -> str:
    """A number whose decimal comma is a point.

    Raises
    ------
    CellFault
        The comma can stand before decimals or before thousands.
    """
    if THOUSANDS.fullmatch(text):
        one, other = text.replace(",", "."), text.replace(",", "")
        raise CellFault(f"“{text}” can be {one} or {other}. Write it without the comma, or with a point.")
    return text.replace(",", ".") if re.fullmatch(r"[+-]?\d+,\d+", text) else text


def _read_unit(item: Item, unit: str) -> str:
    allowed = list(item.units)
    if not unit.strip():
        if len(allowed) == 1:
            return allowed[0]
        raise CellFault(f"Which unit? Choose {_either(allowed)}.")
    try:
        known = normalise_unit(unit)
    except UnitError:
        known = ""
    for candidate in allowed:
        if candidate == unit.strip() or (known and normalise_unit(candidate) == known):
            return candidate
    raise CellFault(f"“{unit.strip()}” is not a unit of {item.label}. Choose {_either(allowed)}.")


def _either(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def _read_limits(typed: Typed) -> Cell:
    limits: Cell = {}
    for key, text, name in (("low", typed.low, "lower"), ("high", typed.high, "upper")):
        plain = _with_point(text.strip())
        if not plain:
            continue
        if not re.fullmatch(r"\d+\.?\d*|\.\d+", plain):
            raise CellFault(f"“{text}” is not a number. The {name} limit of normal is one, in the same unit.")
        limits[key] = plain
    if "low" in limits and "high" in limits and Decimal(limits["low"]) > Decimal(limits["high"]):
        raise CellFault(f"The lower limit {limits['low']} is above the upper limit {limits['high']}.")
    return limits


def _read_past_date(item: Item, text: str, today: date) -> str:
    try:
        found = read_date(text, today, partial=item.type == "partial_date")
    except DateFault as fault:
        raise CellFault(str(fault), fault.readings) from None
    if found > today.isoformat()[: len(found)] and not item.future:
        raise CellFault(
            f"{date_in_words(found)} is in the future. Today is {date_in_words(today.isoformat())}."
        )
    return found


def _read_time(text: str) -> str:
    match = TIME.fullmatch(text.strip())
    if not match:
        raise CellFault(f"“{text}” is not a time. Write it on the 24-hour clock, for example 08:40.")
    hour, minute, second, offset = match.groups()
    found = f"{int(hour):02}:{minute}" + (f":{second}" if second else "")
    if offset and offset != "Z" and ":" not in offset:
        offset = f"{offset[:3]}:{offset[3:]}"
    return found + (offset or "")


def _read_code(codelist: Codelist | None, text: str) -> str:
    codes = codelist.codes if codelist else ()
    for code in codes:
        if code.code == text:
            return code.code
    raise CellFault(f"“{text}” is not one of the choices.")


def _read_text(text: str, limit: int) -> str:
    if CONTROL.search(text):
        raise CellFault("The text holds characters that cannot be kept. Type it instead of pasting it.")
    if len(text) > limit:
        raise CellFault(f"The text has {len(text):,} characters; {limit:,} fit here.")
    return text


def _as_asked(item: Item, text: str) -> str:
    """A text in the way in which it is asked for; capitals are put where only they were missing."""
    if not item.pattern or re.fullmatch(item.pattern, text):
        return text
    if re.fullmatch(item.pattern, text.upper()):
        return text.upper()
    raise CellFault(f"“{text}” is not written as it is asked for. {item.help}".strip())


def holds_value(cell: Mapping[str, Any] | None) -> bool:
    """Whether a cell holds a value, not only a reason why there is none."""
    return bool(cell) and cell.get("value") not in (None, "", [])  # type: ignore[union-attr]


def confirmations(cell: Mapping[str, Any] | None) -> dict[str, str]:
    """Why a cell was confirmed in spite of checks: the reason by check."""
    kept = (cell or {}).get("confirmed") or {}
    return {check: each["reason"] if isinstance(each, dict) else str(each) for check, each in kept.items()}


def confirmed_for(cell: Mapping[str, Any] | None, check_id: str, about: str) -> str:
    """Why a cell was confirmed in spite of a check that looked at this; empty where it looked at something else.

    Parameters
    ----------
    about
        Digest of what the check looks at now. What was confirmed before digests were kept holds for all.
    """
    kept = ((cell or {}).get("confirmed") or {}).get(check_id) or ""
    if not isinstance(kept, dict):
        return str(kept)
    return str(kept["reason"]) if kept["about"] == about else ""


def fact_value(item: Item, cell: Mapping[str, Any] | None) -> Any:
    """Give a cell as rules see it.

    Returns
    -------
    None when nothing is known; text for numbers, dates, times and codes; a record
    `{"value", "unit", "ULN", "LLN"}` for quantities, limits in the reported unit, or in `LIMIT_UNIT` where the
    laboratory wrote them in another one.
    """
    if not cell or cell.get("value") in (None, "", []):
        return None
    value = cell["value"]
    if item.type not in WITH_UNIT:
        return value
    record = {"value": value, "unit": cell.get("unit")}
    limits = cell.get("range") or cell
    if limits.get("high"):
        record["ULN"] = limits["high"]
    if limits.get("low"):
        record["LLN"] = limits["low"]
    if limits.get("unit") != record["unit"]:
        record["LIMIT_UNIT"] = limits.get("unit")
    return record


def same_content(one: Mapping[str, Any] | None, other: Mapping[str, Any] | None) -> bool:
    """Tell whether two cells say the same (confirmations of checks, and limits that nobody typed, aside)."""
    return _content(one) == _content(other)


def _content(cell: Mapping[str, Any] | None) -> dict[str, Any]:
    kept = cell or {}
    aside = {"confirmed", "range", "low", "high"} if kept.get("range") else {"confirmed"}
    return {key: value for key, value in kept.items() if key not in aside and value not in (None, "")}


def cell_text(item: Item, codelist: Codelist | None, cell: Mapping[str, Any] | None) -> str:
    """A cell in words, for lists, histories and messages."""
    if not cell:
        return ""
    if cell.get("missing"):
        return MISSING_REASONS.get(cell["missing"], str(cell["missing"]))
    value = cell.get("value")
    if value is None:
        return ""
    if codelist is not None:
        parts = [str(part) for part in (value if isinstance(value, list) else [value])]
        return ", ".join(codelist.labels.get(part, part) for part in parts)
    if item.type in {"date", "partial_date"} and ISO_DATE.fullmatch(str(value)):
        return date_in_words(str(value))
    unit = cell.get("unit") or ""
    return f"{value} {unit_in_words(unit)}".strip()
