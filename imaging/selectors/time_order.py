"""In which order the time points of a case follow each other: by their day, wherever the plan has them.

An unscheduled visit has no place in the plan. Visits without any day are those before treatment, from which the plan
does not count; they come first, in the order of the plan.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from django.db.models import DateField, F, Func, IntegerField, OuterRef, Q, Value
from django.db.models.functions import Coalesce
from django.db.models.lookups import LessThan

from visits.models import Visit

UNDATED: Final = date.min


def place_of(visit: Visit) -> tuple[date, int, int]:
    """Where a visit stands among those of its subject; the least is the first."""
    return (visit.happened_on or visit.target or UNDATED, visit.ordinal, visit.sequence)


def place(visit: str = "visit", ref: type[F | OuterRef] = F) -> Func:
    """The same in SQL; `visit` is the way to it, from the row or (`OuterRef`) from the one outside."""
    day = Coalesce(
        ref(f"{visit}__happened_on"), ref(f"{visit}__target"), Value(UNDATED), output_field=DateField()
    )
    parts = (day, ref(f"{visit}__ordinal"), ref(f"{visit}__sequence"))
    return Func(*parts, function="ROW", output_field=IntegerField())


def earlier_than(outer: str = "visit") -> Q:
    """Rows whose visit comes before the one of the row outside."""
    return Q(LessThan(place(), place(outer, OuterRef)))


def later_than(outer: str = "visit") -> Q:
    """Rows whose visit comes after the one of the row outside."""
    return Q(LessThan(place(outer, OuterRef), place()))
