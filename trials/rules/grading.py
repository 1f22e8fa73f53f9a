"""Do the grades of a protocol ascend, and can what they grade be measured so?"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from logic.errors import UnitError
from logic.units import units_of
from trials.rules.findings import Finding, Loc, repeated, unknown_reference
from trials.schema import Form, GradeCut, Grading, Protocol


def gradings(protocol: Protocol) -> Iterator[Finding]:
    """Yield gradings that grade nothing, in no unit, or out of order, and events that name no item."""
    yield from repeated(
        ((("gradings", i, "name"), each.name) for i, each in enumerate(protocol.gradings)), "grading"
    )
    items = {f"{form.code}.{item.id}" for form in protocol.forms for item in form.items}
    for i, grading in enumerate(protocol.gradings):
        at: Loc = ("gradings", i)
        if bool(grading.analyte) == bool(grading.item):
            yield Finding(at, "a grading is of an analyte or of an item, one of them")
        if grading.item:
            yield from unknown_reference((*at, "item"), "item", grading.item, items)
        if grading.analyte:
            yield from _unit(grading, at)
        yield from _order(grading, at)
    for i, form in enumerate(protocol.forms):
        yield from _event(form, ("forms", i, "graded"))


def _unit(grading: Grading, at: Loc) -> Iterator[Finding]:
    try:
        allowed = units_of(grading.analyte)
    except UnitError as error:
        yield Finding((*at, "analyte"), str(error))
        return
    absolute = grading.measure == "value" and any(cut.of == "unit" for cut in grading.cuts)
    if absolute and grading.unit not in allowed:
        yield Finding(
            (*at, "unit"), f"'{grading.unit}' is not a unit of {grading.analyte}: {', '.join(allowed)}"
        )


def _order(grading: Grading, at: Loc) -> Iterator[Finding]:
    if not grading.cuts:
        yield Finding((*at, "cuts"), "no grade at all")
    for j, (mild, bad) in enumerate(pairwise(grading.cuts), start=1):
        if bad.grade <= mild.grade:
            yield Finding((*at, "cuts", j, "grade"), f"grade {bad.grade} does not follow grade {mild.grade}")
        if mild.of == bad.of and not _is_worse(grading, bad, mild):
            yield Finding(
                (*at, "cuts", j, "at"), f"grade {bad.grade} does not begin beyond grade {mild.grade}"
            )


def _is_worse(grading: Grading, bad: GradeCut, mild: GradeCut) -> bool:
    upward = grading.worse == "high" or grading.measure != "value"
    return bad.at > mild.at if upward else bad.at < mild.at


def _event(form: Form, at: Loc) -> Iterator[Finding]:
    if form.graded is None:
        return
    ids = set(form.items_by_id)
    for key in ("term", "coded", "start", "end", "grade"):
        name = getattr(form.graded, key)
        if name:
            yield from unknown_reference((*at, key), "item", name, ids)
