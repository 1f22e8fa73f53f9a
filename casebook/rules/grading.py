"""The grade that a measured value suggests, from the cut points of the protocol; the investigator decides. Pure.

References
----------
The cut points and their source stand in the pack (`gradings`), those of the trials here from NCI CTCAE version 5.0.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from casebook.rules.cells import WITH_UNIT, Cell, confirmed_for
from casebook.rules.dates import date_in_words
from casebook.rules.limits import in_limit_unit, limit_mark, limit_of, shown_limit
from casebook.rules.picture import Finding
from casebook.rules.projection import Row
from logic.errors import UnitError
from logic.exact import to_decimal
from logic.units import conversion_factor, unit_in_words
from trials.schema import Form, GradeCut, Grading, Item, Protocol

EDITION = "CTCAE v5"
CHECK = "CTCAE-GRADE"
"""Identifier of the check that compares an event's grade with the laboratory values of its time."""
WHOLE_DATE = len("2026-01-31")


@dataclass(frozen=True)
class Suggestion:
    """A suggested grade: 0 none; None where it cannot be said, and `missing` names what would decide."""

    grade: int | None
    term: str = ""
    because: str = ""
    missing: tuple[str, ...] = ()


def gradings_of(protocol: Protocol, form: str, item: Item) -> tuple[Grading, ...]:
    """The gradings of an item: those of its analyte and those of the item itself."""
    measured = item.analyte if item.type in WITH_UNIT else ""
    return tuple(
        each
        for each in protocol.gradings
        if (each.analyte and each.analyte == measured) or each.item == f"{form}.{item.id}"
    )


def suggested_grade(
    gradings: Sequence[Grading],
    item: Item,
    cell: Mapping[str, Any] | None,
    baseline: Mapping[str, Any] | None = None,
) -> Suggestion | None:
    """The grade that a value suggests: the worst of all terms that grade it.

    Parameters
    ----------
    cell
        The value with its unit and limits.
    baseline
        The value before treatment. Where it was abnormal itself, some terms count in multiples of it; without
        one, only what does not need it is said.

    Returns
    -------
    Suggestion or None
        None without a value or a grading.
    """
    if not cell or cell.get("value") in (None, ""):
        return None
    state = "abnormal" if _was_abnormal(item, cell, baseline, gradings) else "normal"
    found = [
        _graded(each, item, cell, baseline)
        for each in gradings
        if each.baseline in {"any", state} and (baseline or not _needs_baseline(each))
    ]
    known = [each for each in found if each.grade is not None]
    worst = max(known, key=lambda each: each.grade or 0, default=None)
    if worst is not None and worst.grade:
        return worst
    return next((each for each in found if each.grade is None), worst)


def _needs_baseline(grading: Grading) -> bool:
    return grading.measure != "value" or any(cut.of == "baseline" for cut in grading.cuts)


def _was_abnormal(
    item: Item,
    cell: Mapping[str, Any],
    baseline: Mapping[str, Any] | None,
    gradings: Sequence[Grading],
) -> bool:
    """Whether the value before treatment lay beyond its own limit, or beyond that of today where it has none."""
    worse = {each.worse for each in gradings if each.baseline != "any"}
    if not baseline or not worse:
        return False
    own = any(baseline.get(name) for name in ("low", "high", "range"))
    judged = baseline if own else {**cell, "value": str(to_decimal(_in_unit_of(item, baseline, cell)))}
    return limit_mark(item, judged) in worse


def _graded(
    grading: Grading, item: Item, cell: Mapping[str, Any], baseline: Mapping[str, Any] | None
) -> Suggestion:
    missing: list[str] = []
    upward = grading.worse == "high" or grading.measure != "value"
    for cut in reversed(grading.cuts):
        sides = _sides(grading, cut, item, cell, baseline)
        if sides is None:
            missing.append(cut.of)
            continue
        value, edge = sides
        if (value == edge and cut.inclusive) or (value > edge if upward else value < edge):
            return Suggestion(cut.grade, grading.term, _because(grading, cut, item, cell))
    if missing:
        names = tuple(sorted(set(missing)))
        return Suggestion(None, grading.term, f"not to be graded without {', '.join(names)}", names)
    return Suggestion(0, grading.term, "below grade 1")


def _sides(
    grading: Grading,
    cut: GradeCut,
    item: Item,
    cell: Mapping[str, Any],
    baseline: Mapping[str, Any] | None,
) -> tuple[Fraction, Fraction] | None:
    """The value and the cut point in one unit, exactly; None where what the cut counts in is not known."""
    at = Fraction(cut.at)
    if cut.of in {"ULN", "LLN"}:
        limit = limit_of(cell, "high" if cut.of == "ULN" else "low")
        return None if limit is None else (in_limit_unit(item, cell), at * limit)
    value = Fraction(str(cell["value"]))
    if cut.of == "unit" and grading.measure == "value":
        return value * _factor(item, cell, grading.unit), at
    if baseline is None:
        return None
    before = _in_unit_of(item, baseline, cell)
    if cut.of == "baseline":
        return value, at * before
    fall = before - value
    if grading.measure == "fall_percent":
        return (fall * 100 / before, at) if before else None
    return fall, at


def _factor(item: Item, cell: Mapping[str, Any], unit: str) -> Fraction:
    return (
        conversion_factor(item.analyte, str(cell.get("unit")), unit)
        if item.type in WITH_UNIT
        else Fraction(1)
    )


def _in_unit_of(item: Item, one: Mapping[str, Any], other: Mapping[str, Any]) -> Fraction:
    """The value of a cell in the unit of another cell of the same item."""
    return Fraction(str(one["value"])) * _factor(item, one, str(other.get("unit")))


def _because(grading: Grading, cut: GradeCut, item: Item, cell: Mapping[str, Any]) -> str:
    """Why: `Anemia, below 10 g/dL`, `ALT increased, above 3 × ULN (45)`, `Weight loss, fallen by 5 % or more`."""
    if grading.measure != "value":
        unit = "%" if grading.measure == "fall_percent" else unit_in_words(grading.unit)
        fall = f"{cut.at} {unit} or more" if cut.inclusive else f"more than {cut.at} {unit}"
        return f"{grading.term}, fallen by {fall}"
    beyond = "above" if grading.worse == "high" else "below"
    if cut.inclusive:
        beyond = f"{beyond} or at"
    if cut.of == "unit":
        return f"{grading.term}, {beyond} {cut.at} {unit_in_words(grading.unit)}".rstrip()
    limit = ""
    if cut.of in {"ULN", "LLN"}:
        limit = f" ({shown_limit(cell.get('high' if cut.of == 'ULN' else 'low'))})"
    return f"{grading.term}, {beyond} {cut.at} × {cut.of}{limit}"


# Values before treatment ----------------------------------------------------------------------------------------------


BEGINNINGS = frozenset({"randomisation", "treatment"})
"""Kinds of visits with which treatment begins."""


def day_of(form: Form, row: Row) -> str:
    """The day of a row, as far as it is known: its own date item, else the visit's."""
    own = (row.values.get(form.date_item) or {}).get("value") if form.date_item else None
    return str(own or (row.visit_date.isoformat() if row.visit_date else ""))


def treated_from(protocol: Protocol, rows: Iterable[Row]) -> date | None:
    """First day of the trial's treatment: of the forms at randomisation and at visits of treatment, the earliest.

    In an arm that is treated as patients are outside of a trial, randomisation is all that says when it began.
    """
    kinds = {visit.code: visit.kind for visit in protocol.visits}
    days = [
        day
        for row in rows
        if kinds.get(row.visit.partition(".")[0]) in BEGINNINGS
        and len(day := day_of(protocol.form(row.form), row)) == WHOLE_DATE
    ]
    return date.fromisoformat(min(days)) if days else None


def baseline_of(
    protocol: Protocol, rows: Sequence[Row], form: str, item: str, on: str, entry_id: int | None
) -> Cell | None:
    """The last value of an item up to the first day of treatment, for a value after it; None without one.

    Parameters
    ----------
    on
        Day of the value that is graded.
    entry_id
        Its entry, which is not its own baseline.
    """
    began = treated_from(protocol, rows)
    if began is None or len(on) < WHOLE_DATE or on <= began.isoformat():
        return None
    dated = [(day_of(protocol.form(row.form), row), row) for row in rows if row.form == form]
    before = [
        (day, row.entry_id, row.values[item])
        for day, row in dated
        if row.entry_id != entry_id
        and len(day) == WHOLE_DATE
        and day <= began.isoformat()
        and (row.values.get(item) or {}).get("value")
    ]
    return max(before, key=lambda each: each[:2])[2] if before else None


# Adverse events ----------------------------------------------------------------------------------------------------


def event_finding(
    protocol: Protocol, form: Form, values: Mapping[str, Cell], rows: Sequence[Row]
) -> list[Finding]:
    """Tell when the grade of an event differs from the one that the values of its time suggest.

    Returns
    -------
    list of Finding
        Empty where nothing is known against the grade: another term, no value in the time, no limit.
    """
    event = form.graded
    entered = _text(values, event.grade) if event else ""
    if event is None or not entered.isdigit():
        return []
    worst = _worst(protocol, form, values, rows)
    if worst is None or not worst[0].grade or str(worst[0].grade) == entered:
        return []
    suggestion, words = worst
    message = (
        f"{words} is {EDITION} grade {suggestion.grade} ({suggestion.because}); grade {entered} was entered."
        " Confirm it, or correct it."
    )
    about = hashlib.sha256(message.encode()).hexdigest()
    reason = confirmed_for(values.get(event.grade), CHECK, about)
    return [Finding(CHECK, event.grade, "check", message, reason, about)]


def event_suggestion(
    protocol: Protocol, form: Form, values: Mapping[str, Cell], rows: Sequence[Row]
) -> tuple[Suggestion, str] | None:
    """The worst grade of an event's term by the values of its time, and that value in words."""
    return _worst(protocol, form, values, rows) if form.graded else None


def _worst(
    protocol: Protocol, form: Form, values: Mapping[str, Cell], rows: Sequence[Row]
) -> tuple[Suggestion, str] | None:
    found = [each for each in _of_event(protocol, form, values, rows) if each[0].grade]
    return max(found, key=lambda each: each[0].grade or 0, default=None)


def _of_event(
    protocol: Protocol, form: Form, values: Mapping[str, Cell], rows: Sequence[Row]
) -> Iterator[tuple[Suggestion, str]]:
    event = form.graded
    if event is None:
        return
    term = (_text(values, event.coded) or _text(values, event.term)).strip().casefold()
    start, end = _text(values, event.start), _text(values, event.end)
    meant = [each for each in protocol.gradings if term in map(str.casefold, (each.term, *each.also))]
    if not meant or not start:
        return
    for row in rows:
        measured = protocol.form(row.form)
        day = day_of(measured, row)
        if not _within(day, start, end):
            continue
        for item in measured.items:
            cell = row.values.get(item.id)
            gradings = [each for each in gradings_of(protocol, row.form, item) if each in meant]
            if not gradings or not cell:
                continue
            baseline = baseline_of(protocol, rows, row.form, item.id, day, row.entry_id)
            suggestion = _safely(gradings, item, cell, baseline)
            if suggestion is not None:
                unit = unit_in_words(str(cell.get("unit") or item.unit))
                yield (
                    suggestion,
                    f"{item.label} {cell.get('value')} {unit}".strip() + f" of {date_in_words(day)}",
                )


def _safely(gradings: Sequence[Grading], item: Item, cell: Cell, baseline: Cell | None) -> Suggestion | None:
    try:
        return suggested_grade(gradings, item, cell, baseline)
    except UnitError:
        return None


def _within(day: str, start: str, end: str) -> bool:
    """Whether a whole day lies in a time whose ends may be known in part only."""
    if len(day) != WHOLE_DATE or day[: len(start)] < start:
        return False
    return not end or day[: len(end)] <= end


def _text(values: Mapping[str, Cell], item: str) -> str:
    return str((values.get(item) or {}).get("value") or "") if item else ""
