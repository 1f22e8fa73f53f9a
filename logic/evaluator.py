"""Turns a checked tree into Python closures.

There is one implementation. Compiled plainly, each part is a closure that returns a value
and stops as soon as it may. Compiled with a trace, the same closures stop nowhere and are
wrapped, so that each leaves a :class:`logic.trace.Trace` of what it came to.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from logic import interval, quantity, syntax
from logic.checker import Checked
from logic.dates import moments_agree
from logic.exact import to_decimal
from logic.functions import OPERATIONS, REDUCERS, Asked, chosen, over_quantities, over_times
from logic.interval import POINTS, is_blank
from logic.quantity import Quantity, aligned, in_unit
from logic.reading import Found, Member, Values
from logic.statictypes import Type
from logic.trace import Trace
from logic.truth import FALSE, TRUE, UNKNOWN, Truth, any_of, same_truth
from logic.units import conversion_factor, normalise_unit
from logic.validity import Drift, Watch, difference_of, drift_of


class Env:
    """What the closures of one evaluation share.

    Attributes
    ----------
    values : Values
        The facts.
    bound : list of Member
        The members that quantifiers are asking about, by depth.
    trail : list of Trace
        Where a traced part leaves its trace.
    watched : list of Watch
        Comparisons that may come out differently on another evaluation date.
    """

    __slots__ = ("bound", "trail", "values", "watched")

    def __init__(self, values: Values, bound: list[Any]) -> None:
        self.values = values
        self.bound = bound
        self.trail: list[Trace] = []
        self.watched: list[Watch] = []


Closure = Callable[[Env], Any]
COMPARISONS: Mapping[str, Callable[[Any, Any], Truth]] = {
    "=": interval.equal,
    "!=": interval.not_equal,
    "<": interval.less,
    "<=": interval.less_or_equal,
    ">": interval.greater,
    ">=": interval.greater_or_equal,
}
ARITHMETIC: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": interval.add,
    "-": interval.subtract,
    "*": interval.multiply,
    "/": interval.divide,
}


def compiled(checked: Checked, text: str, traced: bool) -> Closure:
    """The closure of a rule; with ``traced`` it leaves its trace in ``env.trail``."""
    return _Compiler(checked, text, traced).closure(checked.tree)


def depth_of(node: syntax.Node) -> int:
    """How many members may be bound at a time."""
    below = max((depth_of(child) for child in syntax.children(node)), default=0)
    return below + 1 if isinstance(node, syntax.Quantifier) else below


class _Compiler:
    def __init__(self, checked: Checked, text: str, traced: bool) -> None:
        self.checked = checked
        self.text = text
        self.traced = traced
        self.slots: dict[syntax.Quantifier, int] = {}

    # --- dispatch -------------------------------------------------------------------------

    def closure(self, node: syntax.Node) -> Closure:
        match node:
            case syntax.Name():
                return self.leaf(node)
            case syntax.NumberLiteral() | syntax.TextLiteral() | syntax.DateLiteral() | syntax.TruthLiteral():
                return self.literal(node)
        kind, run = self.part(node)
        return self.leaving(node, kind, run) if self.traced else run

    def part(self, node: syntax.Node) -> tuple[str, Closure]:
        match node:
            case syntax.Logical():
                return node.operator, self.logical(node)
            case syntax.Not():
                return "not", self.negation(node)
            case syntax.Compare():
                return "compare", self.compare(node)
            case syntax.Member():
                return "in", self.member(node)
            case syntax.Call():
                return node.function, self.call(node)
            case syntax.Quantifier():
                return node.function, self.quantifier(node)
        return "arithmetic", self.arithmetic(node)

    def type_of(self, node: syntax.Node) -> Type:
        return self.checked.types[node]

    def written(self, node: syntax.Node) -> str:
        return self.text[node.start : node.end]

    def leaving(self, node: syntax.Node, kind: str, run: Closure) -> Closure:
        text = self.written(node)

        def traced(env: Env) -> Any:
            outer = env.trail
            parts: list[Trace] = []
            env.trail = parts
            result = run(env)
            env.trail = outer
            outer.append(Trace(text, kind, result, parts))
            return result

        return traced

    # --- leaves ---------------------------------------------------------------------------

    def literal(self, node: syntax.Node) -> Closure:
        value = self.constant(node)
        return lambda env: value

    def constant(self, node: syntax.Node) -> Any:
        match node:
            case syntax.NumberLiteral(unit=None):
                return node.value
            case syntax.NumberLiteral():
                if node in self.checked.numbers:
                    return self.checked.numbers[node]
                return Quantity(node.value, normalise_unit(str(node.unit)), None)
            case syntax.TextLiteral() | syntax.DateLiteral() | syntax.TruthLiteral():
                return node.value
            case syntax.Negate():
                inner = self.constant(node.operand)
                return opposite(inner)
        raise TypeError(f"not a constant: {node!r}")

    def leaf(self, node: syntax.Name, unit: str | None = None) -> Closure:
        """A fact or a field; with ``unit`` the number of a quantity in that unit."""
        fetch = self.fetch(node)
        read = fetch if unit is None else self.converting(fetch, self.type_of(node).analyte, unit)
        return self.leaving_fact(node, fetch, unit) if self.traced else read

    def fetch(self, node: syntax.Name) -> Closure:
        quantifier = self.checked.variables[node]
        if quantifier is None:
            path = node.path
            return lambda env: env.values[path]
        slot = self.slots[quantifier]
        field = node.path.partition(".")[2]
        return lambda env: env.bound[slot].value(field)

    def converting(self, fetch: Closure, analyte: str | None, unit: str) -> Closure:
        def read(env: Env) -> Any:
            found = fetch(env)
            if found.__class__ is Quantity and found.unit == unit:
                return found.value
            return in_unit(found, analyte, unit)

        return read

    def leaving_fact(self, node: syntax.Name, fetch: Closure, unit: str | None) -> Closure:
        text = self.written(node)
        describe = self.describer(node)

        def traced(env: Env) -> Any:
            found = fetch(env)
            fact, path, raw, note = describe(env)
            leaf = Trace(text, "fact", found, [], fact, path, raw, None, None, None, note)
            if found.__class__ is Quantity:
                measured(leaf, found, unit)
            elif found.__class__ is tuple:
                leaf.raw = to_decimal(len(found))
            env.trail.append(leaf)
            return leaf.result if unit is not None else found

        return traced

    def describer(self, node: syntax.Name) -> Callable[[Env], tuple[str, str, Any, str]]:
        """Where a leaf stands: declared fact, path, raw value, note."""
        quantifier = self.checked.variables[node]
        if quantifier is None:
            path = node.path
            return lambda env: (path, path, env.values.raw(path), env.values.notes.get(path, ""))
        slot, fact = self.slots[quantifier], self.origin(quantifier)
        field = node.path.partition(".")[2]

        def of_member(env: Env) -> tuple[str, str, Any, str]:
            member: Member = env.bound[slot]
            return fact, member.path_of(field), member.raw(field), member.note(field)

        return of_member

    def origin(self, quantifier: syntax.Quantifier) -> str:
        """The declared fact that a quantifier's members belong to, through nested lists."""
        outer = self.checked.variables[quantifier.source]
        return quantifier.source.path if outer is None else self.origin(outer)

    def limit(self, node: syntax.Name, limit: str) -> Closure:
        """The reference limit that was reported with a quantity."""
        quantifier = self.checked.variables[node]
        text, describe = f"{self.written(node)} {limit}", self.describer(node)
        if quantifier is None:
            path = node.path

            def fetch(env: Env) -> Found:
                return env.values.limit(path, limit)
        else:
            slot, field = self.slots[quantifier], node.path.partition(".")[2]

            def fetch(env: Env) -> Found:
                return env.bound[slot].limit(field, limit)  # type: ignore[no-any-return]  # bound holds members

        if not self.traced:
            return lambda env: fetch(env)[0]

        def traced(env: Env) -> Any:
            found, note = fetch(env)
            fact, path, raw, _ = describe(env)
            given = raw.get(limit) if isinstance(raw, Mapping) else None
            leaf = Trace(text, "limit", found, [], fact, f"{path}.{limit}", given, None, None, None, note)
            if found.__class__ is Quantity:
                leaf.unit = found.unit
            env.trail.append(leaf)
            return found

        return traced

    # --- logic ----------------------------------------------------------------------------

    def logical(self, node: syntax.Logical) -> Closure:
        operands = tuple(self.closure(operand) for operand in node.operands)
        strong, weak = (FALSE, TRUE) if node.operator == "and" else (TRUE, FALSE)
        stops = not self.traced

        def run(env: Env) -> Truth:
            result = weak
            for operand in operands:
                value = operand(env)
                if value is strong:
                    if stops:
                        return strong
                    result = strong
                elif value is UNKNOWN and result is weak:
                    result = UNKNOWN
            return result

        return run

    def negation(self, node: syntax.Not) -> Closure:
        operand = self.closure(node.operand)

        def run(env: Env) -> Truth:
            value = operand(env)
            if value is UNKNOWN:
                return UNKNOWN
            return FALSE if value is TRUE else TRUE

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
            return with_constant(sign, first, self.constant_number(right))
        return pointwise(sign, first, second)

    def constant_number(self, node: syntax.Node) -> Any:
        value = self.constant(node)
        return value.value if value.__class__ is Quantity else value

    def kind(self, node: syntax.Node) -> str:
        return "number" if node in self.checked.numbers else self.type_of(node).kind

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
        pair = moments_agree_or_blank if "datetime" in kinds else None
        return self.closure(left), self.closure(right), pair

    def number_side(self, node: syntax.Node, unit: str) -> Closure:
        """One side of a comparison of quantities as a number in the unit of the comparison."""
        if self.kind(node) == "number":
            return self.closure(node)
        if isinstance(node, syntax.Name):
            return self.leaf(node, unit)
        if isinstance(node, syntax.NumberLiteral):
            value = node.value
            return lambda env: value
        return self.converting(self.closure(node), self.type_of(node).analyte, unit)

    def member(self, node: syntax.Member) -> Closure:
        if not isinstance(node.container, syntax.SetLiteral):
            run = self.in_list(node)
        elif self.kind(node.operand) in {"quantity", "datetime"}:
            run = self.in_measured_set(node.operand, node.container.items)
        else:
            run = self.in_set(node.operand, node.container.items)
        if self.traced and isinstance(node.container, syntax.SetLiteral):
            run = self.watching([(node.operand, item) for item in node.container.items], run)
        return negated(run) if node.negated else run

    def in_set(self, operand: syntax.Node, items: tuple[syntax.Node, ...]) -> Closure:
        value_of = self.closure(operand)
        constants = [self.constant(item) for item in items]
        points = frozenset(value for value in constants if value.__class__ in POINTS)
        fast = len(points) == len(set(map(repr, constants))) or all(c.__class__ in POINTS for c in constants)

        def run(env: Env) -> Truth:
            value = value_of(env)
            if fast and value.__class__ in POINTS:
                return TRUE if value in points else FALSE
            return any_of(interval.equal(value, constant) for constant in constants)

        return run

    def in_measured_set(self, operand: syntax.Node, items: tuple[syntax.Node, ...]) -> Closure:
        value_of = self.closure(operand)
        asked = [self.plain_comparison("=", operand, item) for item in items]

        def run(env: Env) -> Truth:
            value_of(env)
            return any_of(ask(env) for ask in asked)

        return run

    def plain_comparison(self, sign: str, left: syntax.Node, right: syntax.Node) -> Closure:
        return self.untraced().comparison(sign, left, right)

    def untraced(self) -> _Compiler:
        """The same without traces, for what is asked a second time."""
        if not self.traced:
            return self
        other = _Compiler(self.checked, self.text, traced=False)
        other.slots = self.slots
        return other

    def in_list(self, node: syntax.Member) -> Closure:
        value_of, members_of = self.closure(node.operand), self.closure(node.container)
        element = self.type_of(node.container).fact
        measured = element is not None and element.element is not None and element.element.kind == "quantity"
        pair = aligned if measured else moments_agree_or_blank if self.kind(node.operand) == "datetime" else None

        def run(env: Env) -> Truth:
            value, members = value_of(env), members_of(env)
            if is_blank(members):
                return UNKNOWN
            found = [member.value("") for member in members]
            pairs = [(value, item) if pair is None else pair(value, item) for item in found]
            return any_of(interval.equal(one, other) for one, other in pairs)

        return run

    def watching(self, sides: list[tuple[syntax.Node, syntax.Node]], run: Closure) -> Closure:
        """Keeps a comparison that moves with REFDAT, to find the days on which it changes."""
        drifts = [difference_of(drift_of(left), drift_of(right)) for left, right in sides]
        moving = [pair for pair, drift in zip(sides, drifts, strict=True) if drift in MOVING]
        if not moving:
            return run
        untraced = self.untraced()
        asked = [untraced.comparison(sign, left, right) for left, right in moving for sign in "<>"]
        wild = Drift.WILD in drifts

        def probe(env: Env) -> tuple[Truth, ...]:
            return tuple([ask(env) for ask in asked])

        def watched(env: Env) -> Any:
            env.watched.append(Watch(probe, wild, tuple(env.bound)))
            return run(env)

        return watched

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
        kinds = (self.type_of(node.left).kind, self.type_of(node.right).kind)
        if kinds == ("quantity", "quantity"):
            if node.operator == "/":
                return pairwise(operation, left, right, aligned)
            return lambda env: quantity.combined(operation, left(env), right(env))
        if kinds == ("quantity", "number"):
            return lambda env: measured_by(operation, left(env), right(env))
        if kinds == ("number", "quantity"):
            return lambda env: measured_by(operation, right(env), left(env))
        return lambda env: operation(left(env), right(env))

    # --- functions ------------------------------------------------------------------------

    def call(self, node: syntax.Call) -> Closure:
        match node.function:
            case "if":
                return self.choice(node)
            case "uln" | "lln":
                argument = node.arguments[0]
                if isinstance(argument, syntax.Name):
                    return self.limit(argument, node.function.upper())
            case "max" | "min" | "sum" | "latest" | "earliest":
                return self.extreme(node)
        arguments = tuple(self.closure(argument) for argument in node.arguments)
        operation = OPERATIONS[node.function]
        if len(arguments) == 1:
            only = arguments[0]
            return lambda env: operation(only(env))
        return lambda env: operation(*[argument(env) for argument in arguments])

    def choice(self, node: syntax.Call) -> Closure:
        condition, then, otherwise = (self.closure(argument) for argument in node.arguments)
        if self.traced:
            return lambda env: chosen(condition(env), then(env), otherwise(env))

        def run(env: Env) -> Any:
            asked = condition(env)
            if asked is UNKNOWN:
                return chosen(asked, then(env), otherwise(env))
            return then(env) if asked is TRUE else otherwise(env)

        return run

    def extreme(self, node: syntax.Call) -> Closure:
        reduce = self.reducer(node)
        if len(node.arguments) > 1:
            values = tuple(self.closure(argument) for argument in node.arguments)
            return lambda env: reduce([(TRUE, value(env)) for value in values])
        members_of = self.closure(node.arguments[0])

        def run(env: Env) -> Any:
            members = members_of(env)
            if is_blank(members):
                return UNKNOWN
            return reduce([(TRUE, member.value("")) for member in members])

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
        self.slots[node] = slot = len(self.enclosing(node))
        source, reduce = self.closure(node.source), self.reducer(node)
        condition = None if node.condition is None else self.closure(node.condition)
        body = self.closure(node.body)
        ask = self.asking_with_trace(condition, body) if self.traced else asking(condition, body)

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

    def enclosing(self, node: syntax.Quantifier) -> list[syntax.Quantifier]:
        return [
            other
            for other in syntax.walk(self.checked.tree)
            if isinstance(other, syntax.Quantifier) and other is not node and node in set(syntax.walk(other))
        ]

    def asking_with_trace(self, condition: Closure | None, body: Closure) -> Ask:
        ask = asking(condition, body)

        def traced(env: Env, member: Member) -> Asked:
            outer = env.trail
            parts: list[Trace] = []
            env.trail = parts
            belongs, value = ask(env, member)
            env.trail = outer
            result = value if belongs is TRUE else UNKNOWN if belongs is UNKNOWN else None
            note = "" if belongs is TRUE else "may not belong" if belongs is UNKNOWN else "left out"
            outer.append(Trace(member.path, "member", result, parts, note=note))
            return belongs, value

        return traced


# --- closures without a compiler ----------------------------------------------------------

Pair = Callable[[Any, Any], tuple[Any, Any]]
Ask = Callable[[Env, Member], Asked]
LITERALS = (syntax.NumberLiteral, syntax.TextLiteral, syntax.DateLiteral)
MOVING = frozenset({Drift.RISES, Drift.FALLS, Drift.WILD})
POINT_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def asking(condition: Closure | None, body: Closure) -> Ask:
    """Whether the bound member belongs, and what the body says of it."""
    if condition is None:
        return lambda env, member: (TRUE, body(env))

    def ask(env: Env, member: Member) -> Asked:
        belongs = condition(env)
        return belongs, (UNKNOWN if belongs is FALSE else body(env))

    return ask


def pointwise(sign: str, left: Closure, right: Closure) -> Closure:
    """A comparison, quick where both values are fully known."""
    quick, slow = POINT_OPERATORS[sign], COMPARISONS[sign]

    def run(env: Env) -> Truth:
        one, other = left(env), right(env)
        if one.__class__ in POINTS and other.__class__ in POINTS:
            return TRUE if quick(one, other) else FALSE
        return slow(one, other)

    return run


def with_constant(sign: str, left: Closure, constant: Any) -> Closure:
    """A comparison with a value that is written in the rule."""
    quick, slow = POINT_OPERATORS[sign], COMPARISONS[sign]
    if constant.__class__ not in POINTS:
        return lambda env: slow(left(env), constant)

    def run(env: Env) -> Truth:
        value = left(env)
        if value.__class__ in POINTS:
            return TRUE if quick(value, constant) else FALSE
        return slow(value, constant)

    return run


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


def negated(run: Closure) -> Closure:
    """The opposite truth value."""
    return lambda env: ~run(env)


def moments_agree_or_blank(left: Any, right: Any) -> tuple[Any, Any]:
    """Two moments made comparable, unless there is nothing to compare."""
    return (left, right) if is_blank(left) or is_blank(right) else moments_agree(left, right)


def measured_by(operation: Callable[[Any, Any], Any], measured: Any, number: Any) -> Any:
    """A quantity times or divided by a number."""
    return quantity.scaled(measured, lambda value: operation(value, number))


def opposite(value: Any) -> Any:
    """-value, of a number or a quantity."""
    return quantity.scaled(value, interval.negative) if value.__class__ is Quantity else interval.negative(value)


def measured(leaf: Trace, found: Quantity, unit: str | None) -> None:
    """Notes on a leaf the unit as reported and, if it was converted, the factor."""
    leaf.unit = found.unit
    if unit is None:
        return
    leaf.result = in_unit(found, found.analyte, unit)
    if found.unit != unit and found.analyte is not None:
        leaf.converted_unit = unit
        leaf.factor = conversion_factor(found.analyte, found.unit, unit)
