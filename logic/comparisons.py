"""Closures that compare, each made for what is known of its sides beforehand."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from logic import exact, interval
from logic.dates import moments_agree
from logic.interval import POINTS, is_blank
from logic.leaves import Closure, Env
from logic.truth import FALSE, TRUE, Truth, any_of, same_truth

Pair = Callable[[Any, Any], tuple[Any, Any]]
"""Makes two values comparable: brings them to one unit, or to one kind of time."""

COMPARISONS: Mapping[str, Callable[[Any, Any], Truth]] = {
    "=": interval.equal,
    "!=": interval.not_equal,
    "<": interval.less,
    "<=": interval.less_or_equal,
    ">": interval.greater,
    ">=": interval.greater_or_equal,
}
BELOW, LEVEL, ABOVE = (TRUE, FALSE), (FALSE, FALSE), (FALSE, TRUE)
POINT_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def pointwise(sign: str, left: Closure, right: Closure) -> Closure:
    """A comparison, quick where both values are fully known."""
    quick, slow = POINT_COMPARISONS[sign], COMPARISONS[sign]

    def run(env: Env) -> Truth:
        one, other = left(env), right(env)
        if one.__class__ in POINTS and other.__class__ in POINTS:
            return TRUE if quick(one, other) else FALSE
        return slow(one, other)

    return run


def with_constant(sign: str, left: Closure, constant: Any) -> Closure:
    """A comparison with a value that is written in the rule."""
    quick, slow = POINT_COMPARISONS[sign], COMPARISONS[sign]
    if constant.__class__ not in POINTS:
        return lambda env: slow(left(env), constant)

    def run(env: Env) -> Truth:
        value = left(env)
        if value.__class__ in POINTS:
            return TRUE if quick(value, constant) else FALSE
        return slow(value, constant)

    return run


def quotient_with_constant(
    sign: str, top: Closure, bottom: Closure, pair: Pair | None, constant: Any
) -> Closure:
    """A quotient compared with a number that is written in the rule.

    Where the divisor is positive, a / b < c is asked as a < c * b: the same answer, and no
    fraction has to be made.
    """
    quick, slow = POINT_COMPARISONS[sign], COMPARISONS[sign]

    def run(env: Env) -> Truth:
        one, other = top(env), bottom(env)
        if pair is not None:
            one, other = pair(one, other)
        if one.__class__ in POINTS and other.__class__ in POINTS and other > 0:
            return TRUE if quick(one, exact.multiply(constant, other)) else FALSE
        return slow(interval.divide(one, other), constant)

    return run


def standing(left: Closure, right: Closure, pair: Pair | None) -> Closure:
    """How two values stand to each other: whether left is below right, and whether it is above."""

    def probe(env: Env) -> Any:
        one, other = left(env), right(env)
        if pair is not None:
            one, other = pair(one, other)
        if one.__class__ in POINTS and other.__class__ in POINTS:
            if one < other:
                return BELOW
            return ABOVE if one > other else LEVEL
        return interval.less(one, other), interval.less(other, one)

    return probe


def truthwise(sign: str, left: Closure, right: Closure) -> Closure:
    """Whether two truth values are the same, or differ."""
    if sign == "=":
        return lambda env: same_truth(left(env), right(env))
    return lambda env: ~same_truth(left(env), right(env))


def pairwise(operation: Callable[[Any, Any], Any], left: Closure, right: Closure, pair: Pair) -> Closure:
    """An operation on two values that must first be made to go together."""

    def run(env: Env) -> Any:
        one, other = pair(left(env), right(env))
        return operation(one, other)

    return run


def among_constants(value_of: Closure, constants: list[Any]) -> Closure:
    """Whether a value is one of those written in the rule."""
    points = frozenset(value for value in constants if value.__class__ in POINTS)
    all_points = len(constants) == sum(value.__class__ in POINTS for value in constants)

    def run(env: Env) -> Truth:
        value = value_of(env)
        if all_points and value.__class__ in POINTS:
            return TRUE if value in points else FALSE
        return any_of(interval.equal(value, constant) for constant in constants)

    return run


def negated(run: Closure) -> Closure:
    """The opposite truth value."""
    return lambda env: ~run(env)


def moments_or_blank(left: Any, right: Any) -> tuple[Any, Any]:
    """Two moments made comparable, unless there is nothing to compare."""
    return (left, right) if is_blank(left) or is_blank(right) else moments_agree(left, right)
