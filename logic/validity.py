"""How long an answer stays the same if only the evaluation date moves on.

Only comparisons can make an answer change with time. Statically, :func:`drift_of` tells
whether a side of a comparison moves with REFDAT and which way. While a rule is traced, each
comparison that moves is kept as a :class:`Watch`; the days on which it comes out differently
are found by bisection, and the rule is evaluated again on each of them, earliest first,
until its answer changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from enum import Enum
from heapq import merge
from typing import Any, NamedTuple, Protocol

from logic import syntax
from logic.dates import add_years
from logic.facttypes import REFDAT

HORIZON_YEARS = 150
WILD_HORIZON_YEARS = 10
ONE_DAY = timedelta(days=1)


class Drift(Enum):
    """How the value of an expression moves as REFDAT moves on."""

    STILL = "does not depend on it"
    RISES = "never falls"
    FALLS = "never rises"
    STEPS = "changes only when a comparison within it does"
    ROUGH = "the same, but a comparison within it bends"
    BENDS = "goes one way between the changes of the comparisons within it"
    WILD = "may move either way"


STILL, RISES, FALLS, STEPS, ROUGH, BENDS, WILD = Drift
REVERSED = {RISES: FALLS, FALLS: RISES}
STEPWISE = frozenset({STILL, STEPS, ROUGH})
SPANS = frozenset({"age", "days", "hours", "minutes"})
SHIFTS = frozenset({"add_years", "add_months", "add_days"})
SAME_WAY = frozenset({"sqrt", "round", "max", "min", "sum", "latest", "earliest", "coalesce"})


def reverse(drift: Drift) -> Drift:
    """The drift of -x."""
    return REVERSED.get(drift, drift)


def together(left: Drift, right: Drift) -> Drift:
    """The drift of something that rises with both."""
    if left is STILL or right is STILL:
        return right if left is STILL else left
    if {left, right} <= STEPWISE:
        return ROUGH if ROUGH in {left, right} else STEPS
    if STEPS in {left, right}:
        return WILD if WILD in {left, right} else BENDS
    return left if left is right and left is not BENDS else WILD


def difference_of(left: Drift, right: Drift) -> Drift:
    """The drift of left - right, and so of every comparison of the two."""
    return together(left, reverse(right))


def drift_of(node: syntax.Node) -> Drift:
    """How the value of a node moves with REFDAT, judged from the text alone."""
    match node:
        case syntax.Name():
            return RISES if node.path == REFDAT else STILL
        case syntax.Negate():
            return reverse(drift_of(node.operand))
        case syntax.Power():
            return STILL if drift_of(node.base) is STILL else WILD
        case syntax.Arithmetic():
            return _of_arithmetic(node)
        case syntax.Call():
            return _of_call(node)
        case syntax.Quantifier():
            return _of_quantifier(node)
    return _of_logic(node)


def _of_logic(node: syntax.Node) -> Drift:
    """Truth values change only with the comparisons in them."""
    if isinstance(node, (syntax.Compare, syntax.Member)):
        return _steps_of(node)
    return _all_together([drift_of(child) for child in syntax.children(node)])


def _steps_of(node: syntax.Compare | syntax.Member) -> Drift:
    left, right = syntax.children(node)
    moves = difference_of(drift_of(left), drift_of(right))
    return {RISES: STEPS, FALLS: STEPS, BENDS: ROUGH, WILD: ROUGH}.get(moves, moves)


def _of_arithmetic(node: syntax.Arithmetic) -> Drift:
    left, right = drift_of(node.left), drift_of(node.right)
    if node.operator == "+":
        return together(left, right)
    if node.operator == "-":
        return difference_of(left, right)
    if right is STILL:
        return _scaled(left, node.right)
    return _scaled(right, node.left) if left is STILL and node.operator == "*" else WILD


def _scaled(drift: Drift, by: syntax.Node) -> Drift:
    """Times or divided by a number that stays: it may turn the direction if it is negative."""
    return BENDS if drift in REVERSED and not isinstance(by, syntax.NumberLiteral) else drift


def _of_call(node: syntax.Call) -> Drift:
    moves = [drift_of(argument) for argument in node.arguments]
    if all(move in STEPWISE for move in moves):
        return _all_together(moves)
    match node.function:
        case "known":
            return STEPS
        case "if":
            return _under_condition(moves[0], moves[1:])
        case "abs":
            return BENDS if moves[0] in REVERSED else WILD
    if node.function in SPANS:
        return difference_of(moves[1], moves[0])
    if node.function in SHIFTS:
        return moves[0] if moves[1] is STILL else WILD
    return _all_together(moves) if node.function in SAME_WAY else WILD


def _all_together(moves: list[Drift]) -> Drift:
    result = STILL
    for move in moves:
        result = together(result, move)
    return result


def _under_condition(condition: Drift, values: list[Drift]) -> Drift:
    """Something that is one of several values, which one the condition says."""
    if condition is STILL or all(value in STEPWISE for value in values):
        alike = _all_together([condition, *values])
        return BENDS if alike is WILD and WILD not in values and condition is STILL else alike
    return BENDS if condition is STEPS and not {WILD, ROUGH} & set(values) else WILD


def _of_quantifier(node: syntax.Quantifier) -> Drift:
    body = drift_of(node.body)
    condition = STILL if node.condition is None else drift_of(node.condition)
    if condition is STILL:
        return body
    return _under_condition(condition, [body])


# --- dates ------------------------------------------------------------------------------


class Watch(NamedTuple):
    """A comparison that moves with REFDAT.

    Attributes
    ----------
    probe : callable
        From an evaluation environment to a state that tells how the comparison comes out.
    drift : Drift
        How the state moves: RISES and FALLS never return to a state they left, BENDS does
        not between the changes of those, WILD may on any day.
    bound : tuple
        The members that were bound when it was made.
    """

    probe: Callable[[Any], Any]
    drift: Drift
    bound: tuple[Any, ...]


class Timeline(Protocol):
    """What a rule comes to on other dates, all of them within one span at a time."""

    def enter(self, day: date) -> list[Watch]:
        """Begins a span, within which no fact enters or leaves its look-back.

        Returns the comparisons that may come out differently within the span.
        """

    def outcome(self, day: date) -> Any:
        """What the rule comes to on a day of the span."""

    def state(self, watch: Watch, day: date) -> Any:
        """How a watched comparison comes out on a day of the span."""


def last_day_the_same(as_of: date, outcome: Any, timeline: Timeline, breaks: list[date]) -> date | None:
    """The last date on which the outcome is still the same, or None if it never changes.

    A comparison of which both sides move with REFDAT is tried day by day, for ten years
    only: if nothing changes until then, that day is the answer, which is on the safe side.

    Parameters
    ----------
    outcome : object
        What the rule came to on ``as_of``.
    breaks : list of date
        Dates on which facts enter or leave their look-back.
    """
    horizon = add_years(as_of, HORIZON_YEARS) or date.max
    near = add_years(as_of, WILD_HORIZON_YEARS) or date.max
    spans = [as_of, *sorted(day for day in set(breaks) if as_of < day <= horizon)]
    for start, last_of_span in _spans(spans, horizon):
        watched = timeline.enter(start)
        tried_by_day = any(watch.drift is WILD for watch in watched)
        end = min(last_of_span, max(near, start)) if tried_by_day else last_of_span
        for day in _candidates(timeline, watched, start, end):
            if day > as_of and timeline.outcome(day) != outcome:
                return day - ONE_DAY
        if end < last_of_span:
            return end
    return None


def _candidates(timeline: Timeline, watched: list[Watch], start: date, end: date) -> Iterator[date]:
    """The days of a span on which any comparison comes out differently, and its first day."""
    steady = [watch for watch in watched if watch.drift in REVERSED]
    others = [watch for watch in watched if watch.drift not in REVERSED]
    edges = merge([start], *(_changes(timeline, watch, start, end) for watch in steady))
    for first, last in _spans(edges, end):
        yield from merge([first], *(_changes(timeline, watch, first, last) for watch in others))


def _spans(starts: Iterable[date], end: date) -> Iterator[tuple[date, date]]:
    """First and last day of the spans that begin on given days, which may repeat."""
    previous = None
    for start in starts:
        if previous is not None and start > previous:
            yield previous, start - ONE_DAY
        previous = start
    if previous is not None:
        yield previous, end


def _changes(timeline: Timeline, watch: Watch, start: date, end: date) -> Iterator[date]:
    """The days after ``start`` on which the state differs from that of the day before."""
    following = _next_by_day if watch.drift is WILD else _next_by_halves
    state = timeline.state(watch, start)
    while start < end:
        changed = following(timeline, watch, state, start, end)
        if changed is None:
            return
        yield changed
        start, state = changed, timeline.state(watch, changed)


def _next_by_day(timeline: Timeline, watch: Watch, state: Any, start: date, end: date) -> date | None:
    for ordinal in range(start.toordinal() + 1, end.toordinal() + 1):
        day = date.fromordinal(ordinal)
        if timeline.state(watch, day) != state:
            return day
    return None


def _next_by_halves(timeline: Timeline, watch: Watch, state: Any, start: date, end: date) -> date | None:
    """The first day of another state, which once left never comes back."""
    if timeline.state(watch, end) == state:
        return None
    same, other = start.toordinal(), end.toordinal()
    while other - same > 1:
        middle = (same + other) // 2
        if timeline.state(watch, date.fromordinal(middle)) == state:
            same = middle
        else:
            other = middle
    return date.fromordinal(other)
