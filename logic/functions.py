"""What the functions of the language compute, over values that may be known in part."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

from logic import dates, exact, interval
from logic.body import body_surface
from logic.dates import local_date, moments_agree, zone_of
from logic.interval import NOTHING, Interval, between, high_of, is_blank, low_of
from logic.quantity import Quantity, canonical
from logic.truth import FALSE, TRUE, UNKNOWN, Truth, all_of, any_of
from logic.units import canonical_unit

Asked = tuple[Truth, Any]
"""Whether a member of a list belongs (``where``), and what its body came to."""


# --- dates ----------------------------------------------------------------------------


def age(birth: Any, on: Any) -> Any:
    """Completed years."""
    if birth.__class__ is date and on.__class__ is date:
        return dates.completed_years(birth, on)
    return interval.difference(dates.completed_years, local_date(birth), local_date(on))


def days(start: Any, end: Any) -> Any:
    """Calendar days from one date to another; of moments, by the dates they were recorded with."""
    if start.__class__ is date and end.__class__ is date:
        return dates.days_between(start, end)
    return interval.difference(dates.days_between, local_date(start), local_date(end))


def _elapsed(seconds: int) -> Callable[[Any, Any], Any]:
    def run(start: Any, end: Any) -> Any:
        if is_blank(start) or is_blank(end):
            return UNKNOWN
        first, last = moments_agree(start, end)
        return interval.difference(lambda a, b: dates.elapsed(a, b, seconds), first, last)

    return run


def _shift(function: Callable[[Any, int], Any]) -> Callable[[Any, Any], Any]:
    """A date moved by a whole number; unknown if the number is not whole."""

    def run(day: Any, count: Any) -> Any:
        if is_blank(day) or is_blank(count):
            return UNKNOWN
        low, high = _whole(low_of(count)), _whole(high_of(count))
        first, last = low_of(local_date(day)), high_of(local_date(day))
        if day.__class__ is not Interval and count.__class__ is not Interval:
            moved = None if low is None else function(first, low)
            return UNKNOWN if moved is None else moved
        return between(
            None if low is None or first is None else function(first, low),
            None if high is None or last is None else function(last, high),
        )

    return run


def _whole(number: Any) -> int | None:
    return None if number is None or number != int(number) else int(number)


# --- numbers --------------------------------------------------------------------------


def _kept(operation: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A function of a number that also takes a quantity, and keeps its unit."""

    def run(value: Any) -> Any:
        if value.__class__ is Quantity:
            return Quantity(operation(value.value), value.unit, value.analyte)
        return operation(value)

    return run


def _round(value: Any, digits: Any) -> Any:
    places = int(digits)
    return _kept(lambda number: interval.rising(lambda end: exact.round_half_away(end, places), number))(
        value
    )


# --- logic ----------------------------------------------------------------------------


def known(value: Any) -> Truth:
    """Whether something is recorded: a value, a partial date or a limit."""
    return FALSE if is_blank(value) else TRUE


def attested(value: Any) -> Truth:
    """The truth of a judgement item: Y, N, or waiting for an attestation."""
    if value.__class__ is Truth:
        return value
    return {"Y": TRUE, "N": FALSE}.get(value, UNKNOWN) if value.__class__ is str else UNKNOWN


def finding(seen: Truth, confirm_when: Truth, rule_out_when: Truth) -> Truth:
    """Something looked for: present only if confirmed, absent only if ruled out."""
    if seen is TRUE and confirm_when is TRUE:
        return TRUE
    return FALSE if seen is FALSE and rule_out_when is TRUE else UNKNOWN


def coalesce(*values: Any) -> Any:
    """The first value that is recorded; unknown if none is."""
    for value in values:
        if not is_blank(value):
            return value
    return NOTHING if all(value is NOTHING for value in values) else UNKNOWN


def size(members: Any) -> Any:
    """How many members a list has."""
    return UNKNOWN if is_blank(members) else len(members)


OPERATIONS: Mapping[str, Callable[..., Any]] = {
    "age": age,
    "days": days,
    "hours": _elapsed(3600),
    "minutes": _elapsed(60),
    "add_years": _shift(dates.add_years),
    "add_months": _shift(dates.add_months),
    "add_days": _shift(dates.add_days),
    "abs": _kept(interval.absolute),
    "sqrt": interval.square_root,
    "body_surface": body_surface,
    "round": _round,
    "known": known,
    "attested": attested,
    "finding": finding,
    "coalesce": coalesce,
    "size": size,
}


# --- several values ---------------------------------------------------------------------


def _bodies(asked: Iterable[Asked], belongs: Truth) -> list[Any]:
    return [value for truth, value in asked if truth is belongs]


def some(asked: list[Asked]) -> Truth:
    """Whether it is true of a member that belongs."""
    return any_of(value if belongs is TRUE else belongs & value for belongs, value in asked)


def every(asked: list[Asked]) -> Truth:
    """Whether it is true of all members that belong."""
    return all_of(value if belongs is TRUE else ~belongs | value for belongs, value in asked)


def count(asked: list[Asked]) -> Any:
    """Of how many members it is true: an interval while some are undecided."""
    answers = [belongs & value for belongs, value in asked]
    sure = sum(answer is TRUE for answer in answers)
    return between(sure, sure + sum(answer is UNKNOWN for answer in answers))


def the(asked: list[Asked]) -> Any:
    """The value of the one member that belongs: none if there is none, unknown if there are more."""
    sure, maybe = _bodies(asked, TRUE), _bodies(asked, UNKNOWN)
    if not sure and not maybe:
        return NOTHING
    return sure[0] if len(sure) == 1 and not maybe else UNKNOWN


def _reducing(reduce: Callable[[list[Any], list[Any]], Any]) -> Callable[[list[Asked]], Any]:
    return lambda asked: reduce(_bodies(asked, TRUE), _bodies(asked, UNKNOWN))


REDUCERS: Mapping[str, Callable[[list[Asked]], Any]] = {
    "some": some,
    "every": every,
    "count": count,
    "the": the,
    "max": _reducing(interval.largest),
    "latest": _reducing(interval.largest),
    "min": _reducing(interval.smallest),
    "earliest": _reducing(interval.smallest),
    "sum": _reducing(interval.total),
}


def over_quantities(reduce: Callable[[list[Asked]], Any], analyte: str) -> Callable[[list[Asked]], Any]:
    """A reducer of numbers for quantities: in the canonical unit of the analyte."""

    def run(asked: list[Asked]) -> Any:
        result = reduce([(belongs, canonical(value, analyte)) for belongs, value in asked])
        return result if is_blank(result) else Quantity(result, canonical_unit(analyte), analyte)

    return run


def over_times(reduce: Callable[[list[Asked]], Any]) -> Callable[[list[Asked]], Any]:
    """A reducer of moments: unknown if some state an offset and others do not."""

    def run(asked: list[Asked]) -> Any:
        spans = [(belongs, dates.as_moments(value)) for belongs, value in asked]
        zones = {zone_of(value) is None for _, value in spans if not is_blank(value)}
        return UNKNOWN if len(zones) > 1 else reduce(spans)

    return run


def chosen(condition: Truth, then: Any, otherwise: Any) -> Any:
    """``if``: what is common to both values while the condition is unknown."""
    if condition is UNKNOWN:
        return interval.hull(then, otherwise)
    return then if condition is TRUE else otherwise
