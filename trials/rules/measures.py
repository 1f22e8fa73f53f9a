"""Are the analytes and units of a protocol ones that can be converted exactly?"""

from __future__ import annotations

from collections.abc import Iterator

from logic import UnitError
from logic.units import analytes, factor_row
from trials.rules.findings import Finding, Loc, unknown_reference
from trials.schema import Item, Protocol


def units(protocol: Protocol) -> Iterator[Finding]:
    """Yield unknown analytes, and units in which an analyte is not reported."""
    for i, form in enumerate(protocol.forms):
        for g, group in enumerate(form.groups):
            for j, item in enumerate(group.items):
                yield from _item_units(item, ("forms", i, "groups", g, "items", j))
    for i, fact in enumerate(protocol.facts):
        if fact.analyte:
            yield from unknown_reference(("facts", i, "analyte"), "analyte", fact.analyte, analytes())
        elif fact.type == "quantity":
            yield Finding(("facts", i), f"'{fact.name}' is a quantity: give its 'analyte'")


def _item_units(item: Item, at: Loc) -> Iterator[Finding]:
    if not item.analyte:
        return
    if item.analyte not in analytes():
        yield from unknown_reference((*at, "analyte"), "analyte", item.analyte, analytes())
        return
    for k, unit in enumerate(item.units):
        problem = unit_problem(item.analyte, unit)
        if problem:
            yield Finding((*at, "units", k), problem)


def unit_problem(analyte: str, unit: str) -> str:
    """Return why an analyte cannot be reported in a unit; nothing where it can."""
    try:
        factor_row(analyte, unit)
    except UnitError as error:
        return str(error)
    return ""
