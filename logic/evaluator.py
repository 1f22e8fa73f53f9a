"""Turns a checked tree into Python closures.

There is one implementation. Compiled plainly, each part is a closure that returns a value
and stops as soon as it may. Compiled with a trace, the same closures stop nowhere and are
wrapped, so that each leaves a :class:`logic.trace.Trace` of what it came to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from logic import interval, quantity, syntax
from logic.checker import Checked
from logic.comparisons import (
    COMPARISONS,
    Pair,
    among_constants,
    moments_or_blank,
    negated,
    pairwise,
    pointwise,
    quotient_with_constant,
    standing,
    truthwise,
    with_constant,
)
from logic.functions import OPERATIONS, REDUCERS, Asked, chosen, over_quantities, over_times
from logic.interval import is_blank
from logic.leaves import (
    Closure,
    Env,
    FactPlace,
    FieldPlace,
    Place,
    converting,
    leaf_of_member,
    limit_leaf,
    traced_leaf,
)
from logic.quantity import Quantity, aligned
from logic.reading import Member
from logic.statictypes import Type
from logic.trace import Trace
from logic.truth import FALSE, TRUE, UNKNOWN, Truth, any_of
from logic.units import normalise_unit
from logic.validity import Drift, Watch, difference_of, drift_of

Ask = Callable[[Env, Member], Asked]
ARITHMETIC: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": interval.add,
    "-": interval.subtract,
    "*": interval.multiply,
    "/": interval.divide,
}
LITERALS = (syntax.NumberLiteral, syntax.TextLiteral, syntax.DateLiteral, syntax.TruthLiteral)
MOVING = frozenset({Drift.RISES, Drift.FALLS, Drift.BENDS, Drift.WILD})
ZERO = syntax.NumberLiteral(0, 0, Decimal(0))


def compiled(checked: Checked, text: str, traced: bool) -> Closure:
    """The closure of a rule; with ``traced`` it leaves its trace in ``env.trail``."""
    slots = _slots(checked.tree, 0)
    return _Compiler(checked, text, dict(slots), traced).closure(checked.tree)


def depth_of(node: syntax.Node) -> int:
    """How many members may be bound at a time."""
    return max((slot + 1 for _, slot in _slots(node, 0)), default=0)


def _slots(node: syntax.Node, depth: int) -> Iterable[tuple[syntax.Quantifier, int]]:
    """For each quantifier, how many others it stands in."""
    if isinstance(node, syntax.Quantifier):
        yield node, depth
        depth += 1
    for child in syntax.children(node):
        yield from _slots(child, depth)


class _Compiler:
    def __init__(
        self, checked: Checked, text: str, slots: dict[syntax.Quantifier, int], traced: bool
    ) -> None:
        self.checked = checked
        self.text = text
        self.slots = slots
        self.traced = traced

    def closure(self, node: syntax.Node) -> Closure:
        if isinstance(node, syntax.Name):
            return self.leaf(node)
        if isinstance(node, LITERALS):
            value = self.constant(node)
            return lambda _: value
        kind, run = self.part(node)
        return leaving_trace(self.written(node), kind, run) if self.traced else run

    def part(self, node: syntax.Node) -> tuple[str, Closure]:
        match node:
            case syntax.Logical():
                return node.operator, self.logical(node)
            case syntax.Not():
                return "not", negated(self.closure(node.operand))
            case syntax.Compare():
                return "compare", self.compare(node)
            case syntax.Member():
                return "in", self.member(node)
            case syntax.Call():
                return node.function, self.call(node)
            case syntax.Quantifier():
                return node.function, self.quantifier(node)
        return "arithmetic", self.arithmetic(node)

    def untraced(self) -> _Compiler:
        """The same without traces, for what is asked a second time."""
        return _Compiler(self.checked, self.text, self.slots, traced=False)

    def type_of(self, node: syntax.Node) -> Type:
        return self.checked.types[node]

    def kind(self, node: syntax.Node) -> str:
        if node is ZERO:
            return "number"
        return "number" if node in self.checked.numbers else self.type_of(node).kind

    def written(self, node: syntax.Node) -> str:
        return self.text[node.start : node.end]

    # --- leaves ---------------------------------------------------------------------------

    def constant(self, node: syntax.Node) -> Any:
        match node:
            case syntax.NumberLiteral(unit=str()):
                if node in self.checked.numbers:
                    return self.checked.numbers[node]
                return Quantity(node.value, normalise_unit(str(node.unit)), None)
            case syntax.NumberLiteral() | syntax.TextLiteral() | syntax.DateLiteral() | syntax.TruthLiteral():
                return node.value
            case syntax.Negate():
                return opposite(self.constant(node.operand))
        raise TypeError(f"not a constant: {node!r}")

    def place(self, node: syntax.Name) -> Place:
        quantifier = self.checked.variables[node]
        if quantifier is None:
            return FactPlace(node.path)
        field = node.path.partition(".")[2]
        return FieldPlace(self.slots[quantifier], field, self.origin(quantifier.source))

    def origin(self, source: syntax.Name) -> str:
        """The declared fact that a list belongs to, through nested lists."""
        outer = self.checked.variables[source]
        return source.path if outer is None else self.origin(outer.source)

    def leaf(self, node: syntax.Name, unit: str | None = None) -> Closure:
        """A fact or a field; with ``unit`` the number of a quantity in that unit."""
        place = self.place(node)
        if self.traced:
            return traced_leaf(place, self.written(node), unit)
        return place.fetch() if unit is None else converting(place.fetch(), self.type_of(node).analyte, unit)

    # --- logic ----------------------------------------------------------------------------

    def logical(self, node: syntax.Logical) -> Closure:
        operands = tuple(self.closure(operand) for operand in node.operands)
        strong, weak = (FALSE, TRUE) if node.operator == "and" else (TRUE, FALSE)
        stops = not self.traced

        def run(env: Env) -> Truth:
            result: Truth = weak
            for operand in operands:
                value = operand(env)
                if value is strong:
                    result = strong
                    if stops:
                        break
                elif value is UNKNOWN and result is weak:
                    result = UNKNOWN
            return result

        return run

    def compare(self, node: syntax.Compare) -> Closure:
        run = self.comparison(node.operator, node.left, node.right)
        return self.watching([(node.left, node.right)], run) if self.traced else run

    def comparison(self, sign: str, left: syntax.Node, right: syntax.Node) -> Closure:
        first, second, pair = self.sides(left, right)
        if self.kind(left) == "truth":
            return truthwise(sign, first, second)
        if pair is not None:
            return pairwise(COMPARISONS[sign], first, second, pair)
        if isinstance(right, LITERALS):
            constant = self.constant(right)
            if isinstance(left, syntax.Arithmetic) and left.operator == "/" and not self.traced:
                return self.quotient(sign, left, constant)
            return with_constant(sign, first, constant.value if isinstance(constant, Quantity) else constant)
        return pointwise(sign, first, second)

    def quotient(self, sign: str, left: syntax.Arithmetic, constant: Any) -> Closure:
        pair = aligned if self.kind(left.right) == "quantity" else None
        return quotient_with_constant(sign, self.closure(left.left), self.closure(left.right), pair, constant)

    def sides(self, left: syntax.Node, right: syntax.Node) -> tuple[Closure, Closure, Pair | None]:
        """Both sides of a comparison, and what makes their values comparable if they are not yet."""
        kinds = {self.kind(left), self.kind(right)}
        if kinds == {"quantity"}:
            for one, other in ((left, right), (right, left)):
                if isinstance(one, syntax.Name) and isinstance(other, syntax.NumberLiteral):
                    unit = normalise_unit(str(other.unit))
                    return self.number_side(left, unit), self.number_side(right, unit), None
            return self.closure(left), self.closure(right), aligned
        if kinds == {"quantity", "number"}:
            return self.number_side(left, "1"), self.number_side(right, "1"), None
        pair = moments_or_blank if "datetime" in kinds else None
        return self.closure(left), self.closure(right), pair

    def number_side(self, node: syntax.Node, unit: str) -> Closure:
        """One side of a comparison of quantities as a number in the unit of the comparison."""
        if self.kind(node) == "number":
            return self.closure(node)
        if isinstance(node, syntax.Name):
            return self.leaf(node, unit)
        if isinstance(node, syntax.NumberLiteral):
            value = node.value
            return lambda _: value
        return converting(self.closure(node), self.type_of(node).analyte, unit)

    def member(self, node: syntax.Member) -> Closure:
        if isinstance(node.container, syntax.SetLiteral):
            run = self.in_set(node.operand, node.container.items)
        else:
            run = self.in_list(node.operand, node.container)
        return negated(run) if node.negated else run

    def in_set(self, operand: syntax.Node, items: tuple[syntax.Node, ...]) -> Closure:
        if self.kind(operand) in {"quantity", "datetime"}:
            run = self.in_measured_set(operand, items)
        else:
            run = among_constants(self.closure(operand), [self.constant(item) for item in items])
        return self.watching([(operand, item) for item in items], run) if self.traced else run

    def in_measured_set(self, operand: syntax.Node, items: tuple[syntax.Node, ...]) -> Closure:
        value_of, untraced = self.closure(operand), self.untraced()
        asked = [untraced.comparison("=", operand, item) for item in items]

        def run(env: Env) -> Truth:
            value_of(env)
            return any_of([ask(env) for ask in asked])

        return run

    def in_list(self, operand: syntax.Node, container: syntax.Node) -> Closure:
        value_of, scalars_of = self.closure(operand), self.scalars(container)
        pair = {"quantity": aligned, "datetime": moments_or_blank}.get(self.kind(operand))

        def run(env: Env) -> Truth:
            value, scalars = value_of(env), scalars_of(env)
            if scalars is None:
                return UNKNOWN
            pairs = [(value, scalar) if pair is None else pair(value, scalar) for scalar in scalars]
            return any_of([interval.equal(one, other) for one, other in pairs])

        return run

    def scalars(self, node: syntax.Node) -> Callable[[Env], list[Any] | None]:
        """The members of a list of plain values; None if the list is unknown."""
        members_of, traced = self.closure(node), self.traced
        fact = self.origin(node) if isinstance(node, syntax.Name) else ""

        def run(env: Env) -> list[Any] | None:
            members = members_of(env)
            if is_blank(members):
                return None
            values = [member.value("") for member in members]
            if traced:
                pairs = zip(members, values, strict=True)
                env.trail += [leaf_of_member(member, "", fact, member.path, value) for member, value in pairs]
            return values

        return run

    def watching(self, sides: list[tuple[syntax.Node, syntax.Node]], run: Closure) -> Closure:
        """Keeps a comparison that moves with REFDAT, to find the days on which it changes."""
        watches = [self.watch(left, right) for left, right in sides]
        moving = [(probe, drift) for probe, drift in watches if drift in MOVING]
        if not moving:
            return run

        def watched(env: Env) -> Any:
            bound = tuple(env.bound)
            env.watched += [Watch(probe, drift, bound) for probe, drift in moving]
            return run(env)

        return watched

    def watch(self, left: syntax.Node, right: syntax.Node) -> tuple[Closure, Drift]:
        """How two sides compare, as a state that can be asked for on another date."""
        drift = difference_of(drift_of(left), drift_of(right))
        if drift not in MOVING:
            return leaving_nothing, drift
        untraced = self.untraced()
        first, second, pair = untraced.sides(left, right)

        return standing(first, second, pair), drift

    # --- arithmetic -----------------------------------------------------------------------

    def arithmetic(self, node: syntax.Node) -> Closure:
        match node:
            case syntax.Negate():
                operand = self.closure(node.operand)
                return lambda env: opposite(operand(env))
            case syntax.Power():
                base, exponent = self.closure(node.base), node.exponent
                return lambda env: interval.power(base(env), exponent)
            case syntax.Arithmetic():
                return self.operation(node)
        raise TypeError(f"not arithmetic: {node!r}")

    def operation(self, node: syntax.Arithmetic) -> Closure:
        left, right = self.closure(node.left), self.closure(node.right)
        operation = ARITHMETIC[node.operator]
        kinds = (self.kind(node.left), self.kind(node.right))
        if kinds == ("quantity", "quantity"):
            if node.operator == "/":
                return pairwise(operation, left, right, aligned)
            return lambda env: quantity.combined(operation, left(env), right(env))
        if kinds[0] == "quantity":
            return lambda env: measured_by(operation, left(env), right(env))
        if kinds[1] == "quantity":
            return lambda env: measured_by(operation, right(env), left(env))
        return lambda env: operation(left(env), right(env))

    # --- functions ------------------------------------------------------------------------

    def call(self, node: syntax.Call) -> Closure:
        first = node.arguments[0]
        if node.function == "if":
            return self.choice(node)
        if node.function in {"uln", "lln"} and isinstance(first, syntax.Name):
            limit = node.function.upper()
            return limit_leaf(self.place(first), limit, f"{self.written(first)} {limit}", self.traced)
        if node.function in REDUCERS:
            return self.extreme(node)
        argument_of = self.branch if node.function == "finding" else self.closure
        arguments = tuple(argument_of(argument) for argument in node.arguments)
        operation = OPERATIONS[node.function]
        if len(arguments) == 1:
            only = arguments[0]
            if node.function == "abs" and self.traced and self.kind(first) == "number":
                only = self.watching([(first, ZERO)], only)
            return lambda env: operation(only(env))
        return lambda env: operation(*[argument(env) for argument in arguments])

    def choice(self, node: syntax.Call) -> Closure:
        condition, then, otherwise = (self.branch(argument) for argument in node.arguments)
        if self.traced:
            return lambda env: chosen(condition(env), then(env), otherwise(env))

        def run(env: Env) -> Any:
            asked = condition(env)
            if asked is UNKNOWN:
                return chosen(asked, then(env), otherwise(env))
            return then(env) if asked is TRUE else otherwise(env)

        return run

    def branch(self, node: syntax.Node) -> Closure:
        """A part of a choice. In the trace each has its place, a literal too, or one branch would stand for another."""
        run = self.closure(node)
        is_literal = isinstance(node, LITERALS)
        return leaving_trace(self.written(node), "literal", run) if self.traced and is_literal else run

    def extreme(self, node: syntax.Call) -> Closure:
        reduce = self.reducer(node)
        if len(node.arguments) > 1:
            values = tuple(self.closure(argument) for argument in node.arguments)
            return lambda env: reduce([(TRUE, value(env)) for value in values])
        scalars_of = self.scalars(node.arguments[0])

        def run(env: Env) -> Any:
            scalars = scalars_of(env)
            return UNKNOWN if scalars is None else reduce([(TRUE, scalar) for scalar in scalars])

        return run

    def reducer(self, node: syntax.Call | syntax.Quantifier) -> Callable[[list[Asked]], Any]:
        reduce, result = REDUCERS[node.function], self.type_of(node)
        if node.function == "the":
            return reduce
        if result.kind == "quantity":
            return over_quantities(reduce, str(result.analyte))
        return over_times(reduce) if result.kind == "datetime" else reduce

    # --- quantifiers ----------------------------------------------------------------------

    def quantifier(self, node: syntax.Quantifier) -> Closure:
        slot, source, reduce = self.slots[node], self.closure(node.source), self.reducer(node)
        condition = None if node.condition is None else self.closure(node.condition)
        ask = asking(condition, self.closure(node.body))
        if self.traced:
            ask = asking_with_trace(ask)

        def run(env: Env) -> Any:
            members = source(env)
            if is_blank(members):
                return UNKNOWN
            asked = []
            for member in members:
                env.bound[slot] = member
                asked.append(ask(env, member))
            return reduce(asked)

        return run


def leaving_nothing(_: Env) -> None:
    """The state of what does not move."""


def leaving_trace(text: str, kind: str, run: Closure) -> Closure:
    """The same closure, which leaves a trace of what it came to and of its parts."""

    def traced(env: Env) -> Any:
        outer = env.trail
        parts: list[Trace] = []
        env.trail = parts
        result = run(env)
        env.trail = outer
        outer.append(Trace(text, kind, result, parts))
        return result

    return traced


def asking(condition: Closure | None, body: Closure) -> Ask:
    """Whether the bound member belongs, and what the body says of it."""
    if condition is None:
        return lambda env, _: (TRUE, body(env))

    def ask(env: Env, _: Member) -> Asked:
        belongs = condition(env)
        return belongs, (UNKNOWN if belongs is FALSE else body(env))

    return ask


def asking_with_trace(ask: Ask) -> Ask:
    """The same, which leaves a trace for the member."""

    def traced(env: Env, member: Member) -> Asked:
        outer = env.trail
        parts: list[Trace] = []
        env.trail = parts
        belongs, value = ask(env, member)
        env.trail = outer
        result, note = value, ""
        if belongs is not TRUE:
            result, note = (None, "left out") if belongs is FALSE else (UNKNOWN, "may not belong")
        outer.append(Trace(member.path, "member", result, parts, note=note))
        return belongs, value

    return traced


def measured_by(operation: Callable[[Any, Any], Any], measured: Any, number: Any) -> Any:
    """A quantity times or divided by a number."""
    return quantity.scaled(measured, lambda value: operation(value, number))


def opposite(value: Any) -> Any:
    """-value, of a number or a quantity."""
    return (
        quantity.scaled(value, interval.negative) if value.__class__ is Quantity else interval.negative(value)
    )
