"""How long an answer stays the same if only the evaluation date moves on.

Only comparisons can make an answer change with time. Statically, :func:`drift_of` tells
whether a side of a comparison moves with REFDAT and which way. While a rule is traced, each
comparison that moves is kept as a :class:`Watch`; the days on which it comes out differently
are found by bisection, and the rule is evaluated again on each of them, earliest first,
until its answer changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from enum import Enum
from heapq import merge
from typing import Any, NamedTuple

from logic import syntax
from logic.dates import add_years
from logic.facttypes import REFDAT

HORIZON_YEARS = 150


class Drift(Enum):
    """How the value of an expression moves as REFDAT moves on."""

    STILL = "does not depend on it"
    RISES = "never falls"
    FALLS = "never rises"
    STEPS = "changes only when a comparison within it does"
    WILD = "may move either way"


STILL, RISES, FALLS, STEPS, WILD = Drift
REVERSED = {STILL: STILL, RISES: FALLS, FALLS: RISES, STEPS: STEPS, WILD: WILD}
SPANS = frozenset({"age", "days", "hours", "minutes"})
SHIFTS = frozenset({"add_years", "add_months", "add_days"})
SAME_WAY = frozenset({"sqrt", "round", "max", "min", "sum", "latest", "earliest", "coalesce"})


def together(left: Drift, right: Drift) -> Drift:
    """The drift of something that rises with both."""
    if left is STILL or left is right:
        return right
    return left if right is STILL else WILD


def difference_of(left: Drift, right: Drift) -> Drift:
    """The drift of left - right, and so of every comparison of the two."""
    return together(left, REVERSED[right])


def drift_of(node: syntax.Node) -> Drift:
    """How the value of a node moves with REFDAT, judged from the text alone."""
    match node:
        case syntax.Name():
            return RISES if node.path == REFDAT else STILL
        case syntax.Negate():
            return REVERSED[drift_of(node.operand)]
        case syntax.Arithmetic():
            return _of_arithmetic(node)
        case syntax.Call():
            return _of_call(node)
        case syntax.Quantifier():
            return _of_quantifier(node)
    return _steps_or_wild(node)


def _steps_or_wild(node: syntax.Node) -> Drift:
    """Truth values change with the comparisons in them; what else moves may move anyhow."""
    if not _mentions(node):
        return STILL
    logic = (syntax.Logical, syntax.Not, syntax.Compare, syntax.Member)
    return STEPS if isinstance(node, logic) else WILD


def _mentions(node: syntax.Node) -> bool:
    return any(isinstance(part, syntax.Name) and part.path == REFDAT for part in syntax.walk(node))


def _of_arithmetic(node: syntax.Arithmetic) -> Drift:
    left, right = drift_of(node.left), drift_of(node.right)
    if node.operator == "+":
        return together(left, right)
    if node.operator == "-":
        return difference_of(left, right)
    if right is STILL and isinstance(node.right, syntax.NumberLiteral):
        return left
    if left is STILL and isinstance(node.left, syntax.NumberLiteral) and node.operator == "*":
        return right
    return _steps_or_wild(node)


def _of_call(node: syntax.Call) -> Drift:
    moves = [drift_of(argument) for argument in node.arguments]
    if all(move is STILL for move in moves):
        return STILL
    if node.function in SPANS:
        return difference_of(moves[1], moves[0])
    if node.function in SHIFTS:
        return moves[0] if moves[1] is STILL else WILD
    if node.function in SAME_WAY:
        return _all_together(moves)
    if node.function == "if":
        return _of_choice(moves)
    return STEPS if all(move in {STILL, STEPS} for move in moves) or node.function == "known" else WILD


def _all_together(moves: list[Drift]) -> Drift:
    result = STILL
    for move in moves:
        result = together(result, move)
    return result


def _of_choice(moves: list[Drift]) -> Drift:
    values = _all_together(moves[1:])
    if moves[0] is STILL:
        return values
    return STEPS if values in {STILL, STEPS} else WILD


def _of_quantifier(node: syntax.Quantifier) -> Drift:
    body = drift_of(node.body)
    condition = STILL if node.condition is None else drift_of(node.condition)
    if condition is STILL:
        return body if node.function != "the" or body is not WILD else WILD
    return STEPS if body in {STILL, STEPS} else WILD


# --- dates ------------------------------------------------------------------------------


class Watch(NamedTuple):
    """A comparison that moves with REFDAT.

    Attributes
    ----------
    probe : callable
        From an evaluation environment to a state that tells how the comparison comes out.
    wild : bool
        Whether the state may come and go, so that every day must be tried.
    bound : tuple
        The members that were bound when it was made.
    """

    probe: Callable[[Any], Any]
    wild: bool
    bound: tuple[Any, ...]


def last_day_the_same(
    as_of: date,
    outcome: Any,
    evaluate_on: Callable[[date], Any],
    states: Callable[[Watch, date], Any],
    watched: list[Watch],
    breaks: list[date],
) -> date | None:
    """The last date on which the outcome is still the same, or None if it never changes.

    Parameters
    ----------
    outcome : object
        What the rule came to on ``as_of``.
    evaluate_on : callable
        What the rule comes to on a date.
    states : callable
        The state of a watched comparison on a date.
    breaks : list of date
        Dates after ``as_of`` on which facts enter or leave their look-back, in order.
    """
    horizon = add_years(as_of, HORIZON_YEARS) or date.max
    starts = [as_of, *(day for day in breaks if as_of < day <= horizon)]
    for index, start in enumerate(starts):
        end = starts[index + 1] - timedelta(days=1) if index + 1 < len(starts) else horizon
        changes = merge([start], *(_changes(states, watch, start, end) for watch in watched))
        for day in changes:
            if day > as_of and evaluate_on(day) != outcome:
                return day - timedelta(days=1)
    return None


def _changes(states: Callable[[Watch, date], Any], watch: Watch, start: date, end: date) -> Iterator[date]:
    """The days after ``start`` on which the state differs from that of the day before."""
    state = states(watch, start)
    while start < end:
        if watch.wild:
            changed = _next_by_day(states, watch, state, start, end)
        else:
            changed = _next_by_halves(states, watch, state, start, end)
        if changed is None:
            return
        yield changed
        start, state = changed, states(watch, changed)


def _next_by_day(
    states: Callable[[Watch, date], Any], watch: Watch, state: Any, start: date, end: date
) -> date | None:
    for ordinal in range(start.toordinal() + 1, end.toordinal() + 1):
        day = date.fromordinal(ordinal)
        if states(watch, day) != state:
            return day
    return None


def _next_by_halves(
    states: Callable[[Watch, date], Any], watch: Watch, state: Any, start: date, end: date
) -> date | None:
    """The first day of another state, which once left never comes back."""
    if states(watch, end) == state:
        return None
    same, other = start.toordinal(), end.toordinal()
    while other - same > 1:
        middle = (same + other) // 2
        if states(watch, date.fromordinal(middle)) == state:
            same = middle
        else:
            other = middle
    return date.fromordinal(other)


