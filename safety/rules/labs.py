"""Grades that the laboratory values of a subject suggest, each against its baseline. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from logic.errors import UnitError
from logic.units import convert, normalise_unit
from safety.rules.ctcae_5_0 import TABLE, Suggestion, suggest_ejection_fraction_grade, suggest_grade

LVEF = "LVEF"
EDITION = "NCI CTCAE version 5.0 (27 November 2017)"


@dataclass(frozen=True)
class Measured:
    """One value as it was reported.

    Attributes
    ----------
    unit, low, high
        Empty and None where not reported; the limits are in the unit of the value.
    entry_id
        The form that it stands on.
    """

    test: str
    value: Decimal
    unit: str
    low: Decimal | None
    high: Decimal | None
    dated: str
    visit: str
    entry_id: int


@dataclass(frozen=True)
class Graded:
    """The latest value of a test, its baseline and the grade that it suggests; the investigator decides."""

    latest: Measured
    baseline: Measured | None
    suggestion: Suggestion

    @property
    def grade(self) -> int | None:
        """0 to 4, or None where it cannot be said."""
        return self.suggestion.grade


def measured(test: str, cell: Mapping[str, Any], dated: str, visit: str, entry_id: int) -> Measured | None:
    """A value from the cell of a form; None where there is no number."""
    value = cell.get("value")
    if value in (None, "") or cell.get("missing"):
        return None
    return Measured(
        test=test,
        value=Decimal(str(value)),
        unit=str(cell.get("unit") or ""),
        low=_number(cell.get("low")),
        high=_number(cell.get("high")),
        dated=dated,
        visit=visit,
        entry_id=entry_id,
    )


def latest_grades(values: Iterable[Measured], treated_from: date | None) -> tuple[Graded, ...]:
    """The grade that the latest value of each test suggests.

    Parameters
    ----------
    treated_from
        First day of treatment; the last value up to that day is the baseline. None before treatment, and then
        nothing has a baseline.
    """
    by_test: dict[str, list[Measured]] = {}
    for value in sorted(values, key=lambda each: each.dated):
        by_test.setdefault(value.test, []).append(value)
    return tuple(_graded(series, treated_from) for _, series in sorted(by_test.items(), key=_place))


def _place(item: tuple[str, Sequence[Measured]]) -> int:
    order = [*TABLE, LVEF]
    return order.index(item[0])


def _graded(series: Sequence[Measured], treated_from: date | None) -> Graded:
    latest = series[-1]
    before = [value for value in series[:-1] if treated_from and value.dated[:10] <= treated_from.isoformat()]
    baseline = before[-1] if before else None
    return Graded(latest, baseline, _suggested(latest, baseline))


def _suggested(latest: Measured, baseline: Measured | None) -> Suggestion:
    if latest.test == LVEF:
        return suggest_ejection_fraction_grade(latest.value, baseline.value if baseline else None)
    unit = TABLE[latest.test].unit or latest.unit
    try:
        value = _in_unit(latest, latest.value, unit)
        low = _in_unit(latest, latest.low, unit)
        high = _in_unit(latest, latest.high, unit)
        then = _in_unit(baseline, baseline.value, unit) if baseline else None
    except UnitError as error:
        return Suggestion(None, f"not to be graded: {error}", ("unit",))
    assert value is not None
    return suggest_grade(latest.test, value, low, high, then)


def _in_unit(of: Measured, number: Decimal | None, unit: str) -> Decimal | None:
    """A number of a value in another unit; as it is where the unit is the same."""
    if number is None or normalise_unit(of.unit) == normalise_unit(unit):
        return number
    return convert(number, of.test, of.unit, unit)


def _number(text: object) -> Decimal | None:
    return Decimal(str(text)) if text not in (None, "") else None
