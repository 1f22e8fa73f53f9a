"""Facts, dates and limits of criteria as people read them. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from logic import parser, syntax
from logic.printer import format_rule
from logic.units import unit_in_words
from trials.schema import Criterion, Fact, Protocol
from trials.schema.facts import FactField
from visits.rules.schedule import day_in_words

NOT_KNOWN = "not known"
DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
SIGNS = {"<": "<", "<=": "≤", ">": ">", ">=": "≥", "=": "=", "!=": "≠"}
FUNCTION_UNITS = {"age": "years", "days": "days", "hours": "h", "minutes": "min"}
OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "=": "!=", "!=": "="}


def date_in_words(text: str) -> str:
    """An ISO date, whole or in part, as `8 Sep 2025`, `Sep 2025` or `2025`; anything else as it is."""
    match = DATE.fullmatch(text[:10])
    if match is None:
        return text
    year, month, day = match.groups()
    if day:
        return day_in_words(date.fromisoformat(text[:10]))
    return f"{MONTHS[int(month) - 1]} {year}" if month else year


def fact_in_words(protocol: Protocol, fact: Fact | FactField, value: Any, day: str = "") -> str:
    """A fact's value in words.

    Parameters
    ----------
    value
        As a document of facts holds it: text, a quantity with unit and limits, a list, or None (not known).
    day
        The date of the value where that counts, ISO 8601.
    """
    words = _value(protocol, fact, value)
    return f"{words}, {date_in_words(day)}" if day and value is not None else words


def _value(protocol: Protocol, fact: Fact | FactField, value: Any) -> str:
    if value is None:
        return NOT_KNOWN
    if isinstance(value, list):
        return _list(protocol, fact, value)
    if isinstance(value, Mapping):
        return _quantity(value)
    return scalar_in_words(protocol, fact, str(value))


def _list(protocol: Protocol, fact: Fact | FactField, members: list[Any]) -> str:
    if not members:
        return "none"
    return "; ".join(_member(protocol, fact, member) for member in members)


def _member(protocol: Protocol, fact: Fact | FactField, member: Any) -> str:
    fields: Mapping[str, FactField] = fact.fields if isinstance(fact, Fact) else {}
    if not fields or not isinstance(member, Mapping):
        return _value(protocol, fact, member)
    parts = [
        f"{(field.label or name).lower()} {_value(protocol, field, member[name])}"
        for name, field in fields.items()
        if name in member
    ]
    return ", ".join(parts)


def _quantity(value: Mapping[str, Any]) -> str:
    if value.get("value") is None:
        return NOT_KNOWN
    unit = f" {unit_in_words(str(value['LIMIT_UNIT']))}" if value.get("LIMIT_UNIT") else ""
    limits = [f"{name} {value[name]}{unit}" for name in ("LLN", "ULN") if value.get(name)]
    words = f"{value['value']} {unit_in_words(str(value.get('unit') or ''))}".strip()
    return f"{words} ({', '.join(limits)})" if limits else words


def scalar_in_words(protocol: Protocol, fact: Fact | FactField, value: str, unit: str = "") -> str:
    """One value of a fact: the label of a code, a date in words, a number with its unit."""
    if fact.codelist:
        return protocol.codelist(fact.codelist).labels.get(value, value)
    kind = fact.of if isinstance(fact, Fact) and fact.of else fact.type
    if kind in {"date", "datetime"}:
        return date_in_words(value)
    return f"{value} {unit_in_words(unit or fact.unit)}".strip()


def limit_in_words(protocol: Protocol, criterion: Criterion) -> str:
    """What a criterion asks of its one value, such as `> 10 g/dL`; empty where it asks more than one thing.

    For an exclusion it is the limit that keeps a subject in: a lesion above 100 mm excludes, so `≤ 100 mm`.
    """
    node = parser.parse(criterion.rule)
    if not isinstance(node, syntax.Compare):
        return ""
    right = format_rule(node.right)
    bare = re.sub(r"\b(uln|lln)\([A-Z0-9_.]+\)", lambda match: match[1].upper(), right)
    if "'" in bare or re.search(r"\b(?!ULN|LLN)[A-Z][A-Z0-9_.]+\b(?![^\[]*\])", bare):
        return ""
    operator = OPPOSITE[node.operator] if criterion.kind == "exclusion" else node.operator
    number = re.sub(r"\[(.+?)\]", lambda match: unit_in_words(match[1]), bare).replace("*", "×")
    unit = _unit_of(protocol, node.left) if "[" not in right else ""
    return f"{SIGNS[operator]} {number} {unit}".strip()


def computed_part(criterion: Criterion) -> str:
    """The part of a criterion that is worked out before it is compared, such as `age(BRTHDAT, REFDAT)`.

    Empty where a fact is compared as it is, or where there is more than one comparison.
    """
    node = parser.parse(criterion.rule)
    if not isinstance(node, syntax.Compare) or isinstance(node.left, syntax.Name):
        return ""
    return format_rule(node.left)


def computed_unit(criterion: Criterion) -> str:
    """The unit of the computed part, where the function says it."""
    node = parser.parse(criterion.rule)
    left = node.left if isinstance(node, syntax.Compare) else node
    return FUNCTION_UNITS.get(left.function, "") if isinstance(left, syntax.Call) else ""


def _unit_of(protocol: Protocol, node: syntax.Node) -> str:
    if isinstance(node, syntax.Call):
        return FUNCTION_UNITS.get(node.function, "")
    if not isinstance(node, syntax.Name):
        return ""
    fact = next((each for each in protocol.facts if each.name == node.path), None)
    return unit_in_words(fact.unit) if fact is not None and fact.type == "number" else ""
