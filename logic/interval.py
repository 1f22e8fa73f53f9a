"""What is known in part: a value that lies somewhere between two ends.

A partial date (``2023-11``), a count with undecided members or the larger of a known and
an unknown number are intervals with both ends included; an end of None is open. Every
function here returns a range that holds all results that are still possible, so a
comparison is decided only when it is decided for each of them.

Values are: exact numbers, dates, datetimes, texts, :class:`Interval`, ``UNKNOWN`` (no
bounds at all) and ``NOTHING`` (known to have no value).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from typing import Any

from logic import exact
from logic.truth import FALSE, TRUE, UNKNOWN, Truth, truth_of


class Absence(Enum):
    """The one value of a fact that is known not to apply."""

    NOTHING = "none"


NOTHING = Absence.NOTHING
POINTS: frozenset[Any] = frozenset({int, Decimal, Fraction, date, datetime, str})
"""Classes of values that are fully known."""


@dataclass(frozen=True, slots=True)
class Interval:
    """All values from ``low`` to ``high``, ends included; None is an open end."""

    low: Any
    high: Any

    def __str__(self) -> str:
        if self.low is None:
            return f"at most {self.high}"
        if self.high is None:
            return f"at least {self.low}"
        return f"{self.low} to {self.high}"


ORDERED = POINTS - {str} | {Interval}
"""Classes of values that may lie in an interval."""


def between(low: Any, high: Any) -> Any:
    """The interval, or the one value in it, or UNKNOWN if it has no ends."""
    if low is None and high is None:
        return UNKNOWN
    if low is not None and low == high:
        return low
    return Interval(low, high)


def low_of(value: Any) -> Any:
    """The smallest value possible, None if there is no such bound."""
    if value.__class__ is Interval:
        return value.low
    return None if value is UNKNOWN or value is NOTHING else value


def high_of(value: Any) -> Any:
    """The largest value possible, None if there is no such bound."""
    if value.__class__ is Interval:
        return value.high
    return None if value is UNKNOWN or value is NOTHING else value


def is_blank(value: Any) -> bool:
    """Whether nothing can be computed from the value: unknown or known to be none."""
    return value is UNKNOWN or value is NOTHING


def hull(left: Any, right: Any) -> Any:
    """What is known of a value that is one of two: the range over both."""
    if left == right:
        return left
    if left.__class__ not in ORDERED or right.__class__ not in ORDERED:
        return UNKNOWN
    if (left.__class__ is datetime) != (right.__class__ is datetime):
        return UNKNOWN
    return between(smallest_low(left, right), largest_high(left, right))


def smallest_low(left: Any, right: Any) -> Any:
    """The lower of two lower ends, None if either is open."""
    first, second = low_of(left), low_of(right)
    return None if first is None or second is None else min(first, second)


def largest_high(left: Any, right: Any) -> Any:
    """The higher of two upper ends, None if either is open."""
    first, second = high_of(left), high_of(right)
    return None if first is None or second is None else max(first, second)


# --- comparison -------------------------------------------------------------------------


def less(left: Any, right: Any) -> Truth:
    """Whether left < right for every, no or some of the values that are possible."""
    if is_blank(left) or is_blank(right):
        return UNKNOWN
    top, bottom = high_of(left), low_of(right)
    if top is not None and bottom is not None and top < bottom:
        return TRUE
    bottom, top = low_of(left), high_of(right)
    if bottom is not None and top is not None and bottom >= top:
        return FALSE
    return UNKNOWN


def less_or_equal(left: Any, right: Any) -> Truth:
    """Whether left <= right for every, no or some of the values that are possible."""
    return ~less(right, left)


def greater(left: Any, right: Any) -> Truth:
    """Whether left > right for every, no or some of the values that are possible."""
    return less(right, left)


def greater_or_equal(left: Any, right: Any) -> Truth:
    """Whether left >= right for every, no or some of the values that are possible."""
    return ~less(left, right)


def equal(left: Any, right: Any) -> Truth:
    """Whether two values are the same; none differs from every value."""
    if left.__class__ in POINTS and right.__class__ in POINTS:
        return truth_of(left == right)
    if left is UNKNOWN or right is UNKNOWN:
        return Truth.UNKNOWN
    if left is NOTHING or right is NOTHING:
        return TRUE if left is right else FALSE
    apart = less(left, right) is TRUE or less(right, left) is TRUE
    return FALSE if apart else UNKNOWN


def not_equal(left: Any, right: Any) -> Truth:
    """Whether two values differ."""
    return ~equal(left, right)


# --- arithmetic -------------------------------------------------------------------------

Binary = Callable[[Any, Any], Any]


def _known(operation: Binary, left: Any, right: Any) -> Any:
    return None if left is None or right is None else operation(left, right)


def add(left: Any, right: Any) -> Any:
    """left + right."""
    if left.__class__ in POINTS and right.__class__ in POINTS:
        return exact.add(left, right)
    if is_blank(left) or is_blank(right):
        return UNKNOWN
    return between(
        _known(exact.add, low_of(left), low_of(right)),
        _known(exact.add, high_of(left), high_of(right)),
    )


def negative(value: Any) -> Any:
    """-value."""
    if value.__class__ in POINTS:
        return exact.subtract(0, value)
    return falling(lambda number: exact.subtract(0, number), value)


def subtract(left: Any, right: Any) -> Any:
    """left - right."""
    if left.__class__ in POINTS and right.__class__ in POINTS:
        return exact.subtract(left, right)
    return add(left, negative(right))


def multiply(left: Any, right: Any) -> Any:
    """left * right."""
    if left.__class__ in POINTS and right.__class__ in POINTS:
        return exact.multiply(left, right)
    if is_blank(left) or is_blank(right):
        return UNKNOWN
    ends = (low_of(left), high_of(left), low_of(right), high_of(right))
    if None not in ends:
        products = [exact.multiply(a, b) for a in ends[:2] for b in ends[2:]]
        return between(min(products), max(products))
    if ends[0] is None or ends[2] is None or ends[0] < 0 or ends[2] < 0:
        return UNKNOWN
    return between(exact.multiply(ends[0], ends[2]), _known(exact.multiply, ends[1], ends[3]))


def divide(left: Any, right: Any) -> Any:
    """left / right; unknown if right may be zero."""
    if left.__class__ in POINTS and right.__class__ in POINTS:
        return exact.divide(left, right) if right else UNKNOWN
    if is_blank(left) or is_blank(right):
        return UNKNOWN
    bottom, top = low_of(right), high_of(right)
    if not ((bottom is not None and bottom > 0) or (top is not None and top < 0)):
        return UNKNOWN
    if bottom is None or top is None:
        return UNKNOWN
    return multiply(left, between(exact.divide(1, top), exact.divide(1, bottom)))


def power(base: Any, exponent: int) -> Any:
    """base to a whole power of 0 or more."""
    if base.__class__ in POINTS:
        return exact.power(base, exponent)
    if is_blank(base):
        return UNKNOWN
    if exponent % 2 == 0:
        base = absolute(base)
    return rising(lambda number: exact.power(number, exponent), base)


def absolute(value: Any) -> Any:
    """The value without its sign."""
    if value.__class__ in POINTS:
        return abs(value)
    if is_blank(value):
        return UNKNOWN
    bottom, top = value.low, value.high
    if bottom is not None and bottom >= 0:
        return value
    if top is not None and top <= 0:
        return negative(value)
    if bottom is None or top is None:
        return Interval(0, None)
    return between(0, max(-bottom, top))


def square_root(value: Any) -> Any:
    """The square root; unknown if the value may be negative."""
    if is_blank(value):
        return UNKNOWN
    bottom = low_of(value)
    if bottom is None or bottom < 0:
        return UNKNOWN
    return rising(exact.square_root, value)


def rising(function: Callable[[Any], Any], value: Any) -> Any:
    """A function that never falls, over a value that may be known in part only.

    The function may return None for "out of range", which leaves that end open.
    """
    if is_blank(value):
        return UNKNOWN
    if value.__class__ is not Interval:
        result = function(value)
        return UNKNOWN if result is None else result
    return between(_end(function, value.low), _end(function, value.high))


def falling(function: Callable[[Any], Any], value: Any) -> Any:
    """A function that never rises, over a value that may be known in part only."""
    if is_blank(value):
        return UNKNOWN
    if value.__class__ is not Interval:
        result = function(value)
        return UNKNOWN if result is None else result
    return between(_end(function, value.high), _end(function, value.low))


def _end(function: Callable[[Any], Any], end: Any) -> Any:
    return None if end is None else function(end)


def difference(function: Binary, start: Any, end: Any) -> Any:
    """A function that falls with ``start`` and rises with ``end`` (a span of time)."""
    if is_blank(start) or is_blank(end):
        return UNKNOWN
    if start.__class__ is not Interval and end.__class__ is not Interval:
        result = function(start, end)
        return UNKNOWN if result is None else result
    return between(
        _known(function, high_of(start), low_of(end)),
        _known(function, low_of(start), high_of(end)),
    )


# --- the largest and smallest of several --------------------------------------------------


def largest(sure: Iterable[Any], possible: Iterable[Any] = ()) -> Any:
    """The largest of the values that are surely there and those that may be there.

    Members that are none are left out; none at all gives NOTHING.
    """
    certain = [value for value in sure if value is not NOTHING]
    maybe = [value for value in possible if value is not NOTHING]
    if not certain:
        return UNKNOWN if maybe else NOTHING
    lows = [low for low in map(low_of, certain) if low is not None]
    highs = [high_of(value) for value in certain + maybe]
    return between(
        max(lows) if lows else None,
        None if any(high is None for high in highs) else max(highs),
    )


def smallest(sure: Iterable[Any], possible: Iterable[Any] = ()) -> Any:
    """The smallest of the values that are surely there and those that may be there."""
    certain = [value for value in sure if value is not NOTHING]
    maybe = [value for value in possible if value is not NOTHING]
    if not certain:
        return UNKNOWN if maybe else NOTHING
    lows = [low_of(value) for value in certain + maybe]
    highs = [high for high in map(high_of, certain) if high is not None]
    return between(
        None if any(low is None for low in lows) else min(lows),
        min(highs) if highs else None,
    )


def total(sure: Iterable[Any], possible: Iterable[Any] = ()) -> Any:
    """The sum of the values that are surely there and those that may be there; 0 for none."""
    result: Any = 0
    for value in sure:
        if value is not NOTHING:
            result = add(result, value)
    for value in possible:
        if value is not NOTHING:
            result = add(result, UNKNOWN if value is UNKNOWN else hull(0, value))
    return result
