"""Grades that the values of a subject suggest, each against its value before treatment. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from casebook.rules.grading import Suggestion, suggested_grade
from casebook.rules.limits import shown_limit
from logic.errors import UnitError
from trials.schema import Grading, Item

EDITION = "NCI CTCAE version 5.0 (27 November 2017)"


@dataclass(frozen=True)
class Measured:
    """One value as it was reported.

    Attributes
    ----------
    gradings
        Terms that grade it.
    cell
        The value with its unit and limits.
    """

    item: Item
    gradings: tuple[Grading, ...]
    cell: Mapping[str, Any]
    dated: str
    visit: str
    entry_id: int

    @property
    def test(self) -> str:
        """What was measured."""
        return self.item.analyte or self.item.id

    @property
    def value(self) -> Decimal:
        """The number, in `unit`."""
        return Decimal(str(self.cell["value"]))

    @property
    def unit(self) -> str:
        """Its unit; empty where not reported."""
        return str(self.cell.get("unit") or self.item.unit)

    @property
    def low(self) -> str | None:
        """Lower limit of normal in the unit of the value."""
        return shown_limit(self.cell.get("low")) or None

    @property
    def high(self) -> str | None:
        """Upper limit of normal in the unit of the value."""
        return shown_limit(self.cell.get("high")) or None


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


def latest_grades(values: Iterable[Measured], treated_from: date | None) -> tuple[Graded, ...]:
    """The grade that the latest value of each test suggests, in the order in which the tests were first met.

    Parameters
    ----------
    treated_from
        First day of treatment; the last value up to that day is the baseline. None before treatment, and then
        nothing has a baseline.
    """
    by_test: dict[str, list[Measured]] = {}
    for value in values:
        by_test.setdefault(value.test, []).append(value)
    return tuple(
        _graded(sorted(series, key=lambda each: each.dated), treated_from) for series in by_test.values()
    )


def _graded(series: Sequence[Measured], treated_from: date | None) -> Graded:
    latest = series[-1]
    before = [value for value in series[:-1] if treated_from and value.dated[:10] <= treated_from.isoformat()]
    baseline = before[-1] if before else None
    return Graded(latest, baseline, _suggested(latest, baseline))


def _suggested(latest: Measured, baseline: Measured | None) -> Suggestion:
    try:
        found = suggested_grade(
            latest.gradings, latest.item, latest.cell, baseline.cell if baseline else None
        )
    except UnitError as error:
        return Suggestion(None, because=f"not to be graded: {error}", missing=("unit",))
    return found or Suggestion(None, because="no value")
