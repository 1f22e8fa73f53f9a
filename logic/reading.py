"""Reads raw facts into values: each at most once per document, and only when asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from logic.dates import fixed_offset, parse_date, parse_moment
from logic.errors import FactError, UnitError
from logic.exact import parse_number
from logic.facttypes import ABSENT_NONE, ABSENT_UNKNOWN, REFDAT, FactType
from logic.interval import NOTHING, Interval
from logic.quantity import Quantity
from logic.truth import FALSE, TRUE, UNKNOWN
from logic.units import unit_name

if TYPE_CHECKING:
    from logic.schema import Schema

LIMITED = re.compile(r"(<=|>=|<|>)\s*(.+)")
Found = tuple[Any, str]
"""A value and a note for people on why it is unknown or known in part only."""


class Missing:
    """Marks a key that is absent, as distinct from one that holds null."""


ABSENT = Missing()


def read(fact: FactType, raw: Any, path: str) -> Found:
    """The value of a raw fact.

    What cannot be read, such as text where a number should be, is unknown, with a note.

    Raises
    ------
    FactError
        A float: it may differ from what was recorded.
    """
    if raw.__class__ is Missing:
        return _absent(fact, path)
    if raw is None:
        return UNKNOWN, "missing"
    return _READERS[fact.kind](fact, raw, path)


def _absent(fact: FactType, path: str) -> Found:
    if fact.absent == ABSENT_UNKNOWN:
        return UNKNOWN, "not recorded"
    if fact.absent == ABSENT_NONE:
        return ((), "none") if fact.kind == "list" else (NOTHING, "none")
    if fact.kind == "boolean":
        return (TRUE if fact.absent == "true" else FALSE), f"not recorded, which means {fact.absent}"
    value, note = read(fact, fact.absent, path)
    return value, note or f"not recorded, which means {fact.absent}"


def read_number(raw: Any, path: str) -> Found:
    """An exact number; ``<5`` and ``>=20`` are intervals."""
    if raw.__class__ is int:
        return raw, ""
    if isinstance(raw, Decimal):
        return (raw, "") if raw.is_finite() else (UNKNOWN, f"not a number: {raw}")
    if isinstance(raw, float):
        raise FactError(path, f"{raw!r} is a binary float: give the number as text, as it was recorded")
    if not isinstance(raw, str):
        return UNKNOWN, f"not a number: {raw!r}"
    number = parse_number(raw)
    if number is not None:
        return number, ""
    limited = LIMITED.fullmatch(raw.strip())
    number = parse_number(limited.group(2)) if limited else None
    if limited is None or number is None:
        return UNKNOWN, f"not a number: '{raw}'"
    ends = (None, number) if limited.group(1)[0] == "<" else (number, None)
    return Interval(*ends), "known as a limit only"


def _number(fact: FactType, raw: Any, path: str) -> Found:
    return read_number(raw, path)


def _integer(fact: FactType, raw: Any, path: str) -> Found:
    value, note = read_number(raw, path)
    if value.__class__ is Decimal and value != value.to_integral_value():
        return UNKNOWN, f"not a whole number: {raw}"
    return value, note


def _quantity(fact: FactType, raw: Any, path: str) -> Found:
    value, unit = quantity_parts(fact, raw)
    if value is None:
        return UNKNOWN, "missing"
    number, note = read_number(value, path)
    if number is UNKNOWN:
        return UNKNOWN, note
    if not unit:
        return UNKNOWN, "no unit recorded"
    try:
        spelling = unit_name(str(fact.analyte), str(unit))
    except UnitError as error:
        return UNKNOWN, str(error)
    return Quantity(number, spelling, fact.analyte), note


def quantity_parts(fact: FactType, raw: Any) -> tuple[Any, str | None]:
    """Raw value and raw unit of a quantity, given as a mapping or as a bare number."""
    if raw.__class__ is dict or isinstance(raw, Mapping):
        return raw.get("value"), raw.get("unit") or fact.unit
    return raw, fact.unit


def read_limit(fact: FactType, raw: Any, limit: str, path: str) -> Found:
    """The reference limit (``ULN`` or ``LLN``) that goes with a quantity, in its unit or in ``LIMIT_UNIT``."""
    given = raw.get(limit) if isinstance(raw, Mapping) else None
    if given is None:
        return UNKNOWN, f"no {limit} recorded"
    return _quantity(fact, {"value": given, "unit": raw.get("LIMIT_UNIT") or raw.get("unit")}, path)


def _code(fact: FactType, raw: Any, path: str) -> Found:
    if not isinstance(raw, str):
        return UNKNOWN, f"not a code: {raw!r}"
    if raw in fact.unknown_codes:
        return UNKNOWN, f"'{raw}' counts as unknown"
    if fact.codes and raw not in fact.codes:
        return UNKNOWN, f"'{raw}' is not one of the codes"
    return raw, ""


def _text(fact: FactType, raw: Any, path: str) -> Found:
    return (raw, "") if isinstance(raw, str) else (UNKNOWN, f"not a text: {raw!r}")


def _boolean(fact: FactType, raw: Any, path: str) -> Found:
    if isinstance(raw, bool):
        return (TRUE if raw else FALSE), ""
    return UNKNOWN, f"neither true nor false: {raw!r}"


def _date(fact: FactType, raw: Any, path: str) -> Found:
    if raw.__class__ is date:
        return raw, ""
    if isinstance(raw, datetime):
        return raw.date(), ""
    value = parse_date(raw) if isinstance(raw, str) else None
    if value is None:
        return UNKNOWN, f"not a date: {raw!r}"
    return value, "partial date" if value.__class__ is Interval else ""


def _datetime(fact: FactType, raw: Any, path: str) -> Found:
    if isinstance(raw, datetime):
        return fixed_offset(raw), ""
    text = raw.isoformat() if isinstance(raw, date) else raw
    value = parse_moment(text) if isinstance(text, str) else None
    if value is None:
        return UNKNOWN, f"not a date and time: {raw!r}"
    return value, "no time recorded" if value.__class__ is Interval else ""


def _list(fact: FactType, raw: Any, path: str) -> Found:
    if not isinstance(raw, (list, tuple)):
        return UNKNOWN, f"not a list: {raw!r}"
    return tuple(Member(fact, item, f"{path}[{index}]") for index, item in enumerate(raw)), ""


def _record(fact: FactType, raw: Any, path: str) -> Found:
    return UNKNOWN, "a record is read by its fields"


_READERS = {
    "number": _number,
    "integer": _integer,
    "quantity": _quantity,
    "date": _date,
    "datetime": _datetime,
    "code": _code,
    "text": _text,
    "boolean": _boolean,
    "list": _list,
    "record": _record,
}


class Member:
    """One member of a list: a record, whose fields are read when asked for, or a scalar.

    A scalar is the field with the empty name. A member that is null has unknown fields.
    """

    __slots__ = ("_notes", "_raw", "_types", "_values", "path")

    def __init__(self, fact: FactType, raw: Any, path: str) -> None:
        self.path = path
        if fact.element is not None:
            self._types: Mapping[str, FactType] = {"": fact.element}
            self._raw: Mapping[str, Any] | None = {"": raw}
        else:
            self._types = fact.fields or {}
            self._raw = raw if isinstance(raw, Mapping) else None
        self._values: dict[str, Any] = {}
        self._notes: dict[str, str] = {}

    def value(self, field: str) -> Any:
        """The value of a field."""
        try:
            return self._values[field]
        except KeyError:
            value, note = read(self._types[field], self.raw(field), self.path_of(field))
            self._values[field], self._notes[field] = value, note
            return value

    def note(self, field: str) -> str:
        """Why the value of a field is unknown, once it was read."""
        return self._notes.get(field, "")

    def raw(self, field: str) -> Any:
        """What was recorded for a field; null for every field of a member that is null."""
        return None if self._raw is None else self._raw.get(field, ABSENT)

    def limit(self, field: str, limit: str) -> Found:
        """A reference limit of a field that is a quantity."""
        return read_limit(self._types[field], self.raw(field), limit, self.path_of(field))

    def path_of(self, field: str) -> str:
        """``EH_EPISODES[0].EHENDDAT``."""
        return f"{self.path}.{field}" if field else self.path


class Values(dict[str, Any]):
    """The values of a document, by fact name, read when first asked for.

    Parameters
    ----------
    schema : Schema
        What the names mean.
    facts : mapping
        The document.
    as_of : date, optional
        The evaluation date, which is the value of REFDAT. Without it the document says.
    """

    __slots__ = ("facts", "limits", "notes", "schema")

    def __init__(self, schema: Schema, facts: Mapping[str, Any], as_of: date | None = None) -> None:
        super().__init__()
        self.schema = schema
        self.facts = facts
        self.notes: dict[str, str] = {}
        self.limits: dict[tuple[str, str], Found] = {}
        if as_of is not None:
            self[REFDAT] = as_of

    def __missing__(self, name: str) -> Any:
        value, note = read(self.schema.facts[name], self.raw(name), name)
        self[name] = value
        if note:
            self.notes[name] = note
        return value

    def raw(self, name: str) -> Any:
        """What the document holds under a dotted name; null if what holds it is null."""
        found: Any = self.facts
        path = self.schema.paths[name]
        if len(path) == 1:
            return found.get(name, ABSENT)
        for part in path:
            if found is None:
                return None
            if (found.__class__ is not dict and not isinstance(found, Mapping)) or part not in found:
                return ABSENT
            found = found[part]
        return found

    def limit(self, name: str, limit: str) -> Found:
        """A reference limit of a quantity; unknown if the quantity is held to be unknown."""
        key = (name, limit)
        if key not in self.limits:
            self.limits[key] = read_limit(self.schema.facts[name], self.raw(name), limit, name)
        return self.limits[key]

    def replaced(self, as_of: date | None, stale: Mapping[str, str]) -> Values:
        """The same document on another date, with some facts held to be unknown.

        Parameters
        ----------
        stale : mapping of str to str
            Names of facts, and why each is unknown.
        """
        other = Values(self.schema, self.facts)
        other.update(self)
        other.notes.update(self.notes)
        other.limits.update(self.limits)
        if as_of is not None:
            other[REFDAT] = as_of
        for name, note in stale.items():
            other[name] = UNKNOWN
            other.notes[name] = note
            for limit in ("ULN", "LLN"):
                other.limits[name, limit] = (UNKNOWN, note)
        return other


def evaluation_date(values: Values) -> date | None:
    """REFDAT of a document if it is one full date."""
    if REFDAT not in values.schema:
        return values.get(REFDAT)
    value = values[REFDAT]
    return value if value.__class__ is date else None
