"""Checks a document of facts against a schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from logic.errors import FactError, UnitError
from logic.facttypes import DATES, FactType, Fault, did_you_mean
from logic.reading import read, read_number
from logic.truth import UNKNOWN
from logic.units import factor_row

QUANTITY_KEYS = ("value", "unit", "ULN", "LLN", "LIMIT_UNIT")
UNITS = ("unit", "LIMIT_UNIT")
Tree = dict[str, "Tree | FactType"]


def check_document(types: Mapping[str, FactType], facts: Any) -> list[Fault]:
    """Every fault of a document, in its own order."""
    if not isinstance(facts, Mapping):
        return [Fault("", "the facts must be one object of names and values")]
    known = {name: value for name, value in facts.items() if name != DATES}
    return [*_level(_tree_of(types), known, ""), *_dates(types, facts.get(DATES))]


def _tree_of(types: Mapping[str, FactType]) -> Tree:
    tree: Tree = {}
    for name, fact in types.items():
        parts = name.split(".")
        level = tree
        for part in parts[:-1]:
            below = level.setdefault(part, {})
            assert isinstance(below, dict)  # the schema refuses a name below a fact
            level = below
        level[parts[-1]] = fact
    return tree


def _level(tree: Tree, facts: Mapping[str, Any], prefix: str) -> Iterator[Fault]:
    for key, value in facts.items():
        path = f"{prefix}{key}"
        expected = tree.get(key)
        if expected is None:
            yield Fault(path, f"there is no such fact{did_you_mean(str(key), tree)}")
        elif value is None:
            continue
        elif isinstance(expected, FactType):
            yield from _fact(expected, value, path)
        elif isinstance(value, Mapping):
            yield from _level(expected, value, f"{path}.")
        else:
            yield Fault(path, f"expected an object with {', '.join(sorted(expected))}")


def _fact(fact: FactType, raw: Any, path: str) -> Iterator[Fault]:
    if raw is None:
        return
    if fact.kind == "list":
        yield from _list(fact, raw, path)
    elif fact.kind == "quantity":
        yield from _quantity(fact, raw, path)
    elif fact.kind != "code" or not isinstance(raw, str) or raw not in fact.unknown_codes:
        yield from _scalar(fact, raw, path)


def _scalar(fact: FactType, raw: Any, path: str) -> Iterator[Fault]:
    try:
        value, note = read(fact, raw, path)
    except FactError as error:
        yield Fault(path, error.message)
        return
    if value is UNKNOWN:
        hint = did_you_mean(raw, fact.all_codes) if isinstance(raw, str) and fact.kind == "code" else ""
        yield Fault(path, f"{note}{hint}")


def _list(fact: FactType, raw: Any, path: str) -> Iterator[Fault]:
    if not isinstance(raw, (list, tuple)):
        yield Fault(path, f"not a list: {raw!r}")
        return
    for index, item in enumerate(raw):
        place = f"{path}[{index}]"
        if item is None:
            continue
        if fact.element is not None:
            yield from _fact(fact.element, item, place)
        elif isinstance(item, Mapping):
            yield from _level(dict(fact.fields or {}), item, f"{place}.")
        else:
            yield Fault(place, f"expected an object with {', '.join(fact.fields or {})}")


def _quantity(fact: FactType, raw: Any, path: str) -> Iterator[Fault]:
    if not isinstance(raw, Mapping):
        if fact.unit:
            yield from _number(raw, path)
        else:
            yield Fault(path, "a measured value needs its unit: give an object with value and unit")
        return
    for key, value in raw.items():
        place = f"{path}.{key}"
        if key not in QUANTITY_KEYS:
            yield Fault(place, f"there is no such part of a measured value{did_you_mean(key, QUANTITY_KEYS)}")
        elif value is not None:
            yield from _unit(fact, value, place) if key in UNITS else _number(value, place)


def _unit(fact: FactType, raw: Any, path: str) -> Iterator[Fault]:
    try:
        factor_row(str(fact.analyte), str(raw))
    except UnitError as error:
        yield Fault(path, str(error))


def _number(raw: Any, path: str) -> Iterator[Fault]:
    try:
        value, note = read_number(raw, path)
    except FactError as error:
        value, note = UNKNOWN, error.message
    if value is UNKNOWN:
        yield Fault(path, note)


def _dates(types: Mapping[str, FactType], dates: Any) -> Iterator[Fault]:
    if dates is None:
        return
    if not isinstance(dates, Mapping):
        yield Fault(DATES, "expected an object of fact names and dates")
        return
    for name, raw in dates.items():
        if name not in types:
            yield Fault(f"{DATES}.{name}", f"there is no such fact{did_you_mean(str(name), types)}")
        elif raw is not None:
            yield from _scalar(FactType("date"), raw, f"{DATES}.{name}")
