"""Do the parts of a protocol make sense: windows, ratios, limits, what an item's type needs?"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from trials.rules.findings import Finding, Loc
from trials.schema import Form, Item, Protocol, SubStudy, Visit

NUMERIC = {"integer", "number", "quantity", "lab"}
MEASURED = {"quantity", "lab"}
CODED = {"choice", "multichoice", "instrument"}
DATED = {"date", "partial_date", "datetime"}
ANEW = {"quantity", "lab", "derived", "instrument", "time"} | DATED
"""Types whose value is measured, judged or worked out at each visit."""
SHORTEST_MONTH_DAYS = 28


def allocation(protocol: Protocol) -> Iterator[Finding]:
    """Yield ratios and block sizes that cannot be allocated."""
    for i, study in enumerate(protocol.sub_studies):
        yield from _blocks(study, ("sub_studies", i))


def _blocks(study: SubStudy, at: Loc) -> Iterator[Finding]:
    if not study.arms:
        yield Finding((*at, "arms"), "a sub-study needs at least one arm")
    for j, share in enumerate(study.arms):
        if share.ratio < 1:
            yield Finding((*at, "arms", j, "ratio"), "a ratio is at least 1")
    total = sum(share.ratio for share in study.arms)
    if study.randomised and not study.blocks:
        yield Finding((*at, "arms"), "several arms need block sizes: add 'blocks'")
    if not study.randomised and study.blocks:
        yield Finding((*at, "blocks"), "blocks, but only one arm")
    for j, size in enumerate(study.blocks):
        if total and (size < 1 or size % total):
            yield Finding(
                (*at, "blocks", j), f"a block of {size} does not hold the ratio, which sums to {total}"
            )


def settings(protocol: Protocol) -> Iterator[Finding]:
    """Yield settings whose value is not one of the choices given."""
    for i, setting in enumerate(protocol.settings):
        if setting.choices and str(setting.value) not in setting.choices:
            choices = ", ".join(setting.choices)
            yield Finding(("settings", i, "value"), f"'{setting.value}' is not one of: {choices}")


def windows(protocol: Protocol) -> Iterator[Finding]:
    """Yield visits without a computable target, and windows that overlap."""
    for i, visit in enumerate(protocol.visits):
        yield from _target(visit, ("visits", i))
    numbered = [(i, each) for i, each in enumerate(protocol.visits) if each.scheduled]
    for (_, one), (j, other) in combinations(numbered, 2):
        if _same_course(one, other) and _overlap(one, other):
            yield Finding(("visits", j), f"the window of '{other.code}' overlaps that of '{one.code}'")
    treatments = [
        each.number for each in protocol.visits if each.kind == "treatment" and each.number is not None
    ]
    for number in sorted({each for each in treatments if treatments.count(each) > 1}):
        yield Finding(("visits",), f"two treatment visits have the number {number}")


def _target(visit: Visit, at: Loc) -> Iterator[Finding]:
    given = [name for name in ("days", "weeks", "months") if getattr(visit, name) is not None]
    if visit.scheduled and len(given) != 1:
        yield Finding(at, f"'{visit.code}' counts from an anchor: give one of 'days', 'weeks', 'months'")
    if not visit.scheduled and (given or visit.before or visit.after):
        yield Finding(at, f"'{visit.code}' has a target or window, but no 'anchor' to count from")


def _same_course(one: Visit, other: Visit) -> bool:
    arms = not one.arms or not other.arms or bool(set(one.arms) & set(other.arms))
    studies = set(one.sub_studies) & set(other.sub_studies)
    together = not one.sub_studies or not other.sub_studies or bool(studies)
    return arms and together and (one.anchor, one.from_) == (other.anchor, other.from_)


def _overlap(one: Visit, other: Visit) -> bool:
    if one.months is not None and other.months is not None:
        gap = (other.months - one.months) * SHORTEST_MONTH_DAYS
    elif one.months is None and other.months is None:
        gap = _days(other) - _days(one)
    else:
        return False
    early, late = (one, other) if gap >= 0 else (other, one)
    return abs(gap) <= early.after + late.before


def _days(visit: Visit) -> int:
    return (visit.days or 0) + 7 * (visit.weeks or 0)


def items(protocol: Protocol) -> Iterator[Finding]:
    """Yield items that lack what their type needs, or have what it cannot use."""
    for i, form in enumerate(protocol.forms):
        for g, group in enumerate(form.groups):
            for j, item in enumerate(group.items):
                at: Loc = ("forms", i, "groups", g, "items", j)
                yield from _kind_of(item, at)
                yield from _limits(item, at)
                yield from _carried(item, at)
        yield from _rows_and_dates(form, ("forms", i))


def _kind_of(item: Item, at: Loc) -> Iterator[Finding]:
    if item.type in MEASURED and not item.units:
        yield Finding(at, f"'{item.id}' is a {item.type}: give its 'units'")
    if item.type in MEASURED and not item.analyte:
        yield Finding(at, f"'{item.id}' is a {item.type}: give its 'analyte'")
    if item.type in CODED and not item.codelist:
        yield Finding(at, f"'{item.id}' is a {item.type}: give its 'codelist'")
    if item.type == "derived" and not item.derive:
        yield Finding(at, f"'{item.id}' is derived: give the rule in 'derive'")
    if item.type != "derived" and item.derive:
        yield Finding((*at, "derive"), f"'{item.id}' has a rule to derive it, but its type is {item.type}")
    if item.codelist and item.type not in CODED | {"derived", "yesno"}:
        yield Finding((*at, "codelist"), f"a {item.type} has no codelist")
    if (item.units or item.analyte) and item.type not in MEASURED:
        yield Finding(at, f"'{item.id}' has units to choose from, but its type is {item.type}; use 'unit'")


def _carried(item: Item, at: Loc) -> Iterator[Finding]:
    if item.carry and item.type in ANEW:
        yield Finding((*at, "carry"), f"'{item.id}' is found anew at each visit, so nothing is carried over")


def _limits(item: Item, at: Loc) -> Iterator[Finding]:
    possible = item.possible
    if possible is None:
        return
    where = (*at, "possible")
    if item.type not in NUMERIC:
        yield Finding(where, f"limits need a number, and '{item.id}' is a {item.type}")
    if possible.min is None and possible.max is None:
        yield Finding(where, "give 'min', 'max' or both")
    if possible.min is not None and possible.max is not None and possible.min >= possible.max:
        yield Finding(
            (*where, "min"), f"the lower limit {possible.min} is not below the upper, {possible.max}"
        )
    if item.type in MEASURED and possible.unit not in item.units:
        yield Finding(where, f"the unit of the limits must be one of the item's: {', '.join(item.units)}")


def _rows_and_dates(form: Form, at: Loc) -> Iterator[Finding]:
    if form.row_label and not form.repeating:
        yield Finding((*at, "row_label"), "rows are named only in a repeating form")
    if form.columns and not form.repeating:
        yield Finding((*at, "columns"), "rows stand in a table only in a repeating form")
    for j, name in enumerate(form.columns):
        item = form.items_by_id.get(name)
        if item is not None and item.type == "derived":
            yield Finding((*at, "columns", j), f"'{name}' is calculated; a column shows what was entered")
    dating = form.items_by_id.get(form.date_item)
    if dating is not None and dating.type not in DATED:
        yield Finding((*at, "date_item"), f"'{form.date_item}' is no date but a {dating.type}")


def treatment(protocol: Protocol) -> Iterator[Finding]:
    """Yield dose numbers that cannot be."""
    dose = protocol.dose
    if dose is None:
        return
    for name in ("per_m2", "round_mg", "concentration", "vial_mg", "bsa_cap"):
        value = getattr(dose, name).value
        if value is None and name != "bsa_cap":
            yield Finding(("dose", name, "value"), "a number is needed here")
        if value is not None and value <= 0:
            yield Finding(("dose", name, "value"), "must be greater than zero")
    warn, block = dose.warn_pct.value, dose.block_pct.value
    if warn is not None and block is not None and warn > block:
        yield Finding(("dose", "warn_pct", "value"), f"warns at {warn} %, later than it blocks, at {block} %")


def charter(protocol: Protocol) -> Iterator[Finding]:
    """Yield a charter that nobody could read by."""
    if protocol.charter is not None and protocol.charter.readers not in (1, 2):
        yield Finding(("charter", "readers"), "one reader, or two and an adjudicator")
