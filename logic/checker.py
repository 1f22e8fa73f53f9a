"""Static checks: every name, code, unit and type of a rule, before it meets a patient."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import NoReturn

from logic import syntax
from logic.errors import RuleError, UnitError
from logic.exact import Number
from logic.facttypes import FactType, did_you_mean
from logic.schema import Schema
from logic.signatures import FUNCTIONS, QUANTIFIED, Signature
from logic.statictypes import (
    ANY,
    DATE,
    DATETIME,
    NUMBER,
    TEXT,
    TIMES,
    TRUTH,
    Type,
    is_plain,
    joined,
    joined_quantities,
    number_in,
    type_of_fact,
    units_agree,
)
from logic.units import canonical_unit, normalise_unit, units_of

ORDERED = frozenset({"number", "quantity", "date", "datetime"})


@dataclass(slots=True)
class Checked:
    """A tree that was found in order, and what was found out about it.

    Attributes
    ----------
    types : dict
        The type of each node.
    numbers : dict
        For numbers written with a unit: their value in the unit of the fact they meet.
    names : set of str
        The facts that the rule uses.
    variables : dict
        For each name: the quantifier that binds it, None for a fact.
    """

    tree: syntax.Node
    types: dict[syntax.Node, Type] = field(default_factory=dict)
    numbers: dict[syntax.Node, Number] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    variables: dict[syntax.Node, syntax.Quantifier | None] = field(default_factory=dict)


def check(tree: syntax.Node, schema: Schema) -> Checked:
    """Checks a tree against the facts that there are.

    Raises
    ------
    RuleError
        The first thing that is wrong, with its offset.
    """
    checked = Checked(tree)
    _Checker(schema, checked).type_of(tree)
    return checked


def fail(node: syntax.Node, message: str) -> NoReturn:
    """Refuses a node of the rule."""
    raise RuleError(message, node.start, node.end - node.start)


class _Checker:
    def __init__(self, schema: Schema, checked: Checked) -> None:
        self.schema = schema
        self.checked = checked
        self.bound: dict[str, tuple[syntax.Quantifier, FactType]] = {}

    def type_of(self, node: syntax.Node) -> Type:
        found = self.checked.types[node] = self.find(node)
        return found

    def find(self, node: syntax.Node) -> Type:
        match node:
            case syntax.NumberLiteral() | syntax.TextLiteral() | syntax.DateLiteral() | syntax.TruthLiteral():
                return self.literal(node)
            case syntax.Name():
                return self.name(node)
            case syntax.Not() | syntax.Logical():
                return self.logical(node)
            case syntax.Compare():
                return self.compare(node)
            case syntax.Member():
                return self.member(node)
            case syntax.Call():
                return self.call(node)
            case syntax.Quantifier():
                return self.quantifier(node)
        return self.arithmetic(node)

    def demand(self, node: syntax.Node, *kinds: str) -> Type:
        found = self.type_of(node)
        if found.kind not in kinds and found.kind != "any":
            wanted = " or ".join(str(Type(kind)) for kind in kinds)
            hint = self.hint(node, found, kinds)
            fail(node, f"expected {wanted}, but this is {found}{hint}")
        return found

    def hint(self, node: syntax.Node, found: Type, kinds: tuple[str, ...]) -> str:
        if "truth" in kinds and found.kind == "text" and isinstance(node, syntax.Name):
            return f": compare it, as in {node.path} = 'Y'"
        if "number" in kinds and found.kind == "quantity" and found.analyte:
            unit = canonical_unit(found.analyte)
            return f": divide it by 1 [{unit}] for its number in {unit}"
        return ""

    # --- leaves ---------------------------------------------------------------------------

    def literal(self, node: syntax.Node) -> Type:
        match node:
            case syntax.NumberLiteral(unit=None):
                return NUMBER
            case syntax.NumberLiteral():
                return Type("quantity", None, self.unit(node))
            case syntax.DateLiteral():
                return DATETIME if "T" in node.written else DATE
            case syntax.TruthLiteral():
                return ANY if node.value.value == "unknown" else TRUTH
        return TEXT

    def unit(self, node: syntax.NumberLiteral) -> str:
        try:
            return normalise_unit(str(node.unit))
        except UnitError as error:
            fail(node, str(error))

    def name(self, node: syntax.Name) -> Type:
        first, _, rest = node.path.partition(".")
        if first in self.bound:
            return self.field(node, first, rest)
        if node.path not in self.schema:
            fail(node, self.unknown_name(node.path))
        self.checked.names.add(node.path)
        self.checked.variables[node] = None
        return type_of_fact(self.schema[node.path])

    def unknown_name(self, name: str) -> str:
        below = [known for known in self.schema.facts if known.startswith(f"{name}.")]
        if below:
            return f"{name} holds several facts: name one of them, as {below[0]}"
        for known, fact in self.schema.facts.items():
            if fact.kind == "list" and name.startswith(f"{known}."):
                return f"{known} is a list: ask about its members, as in some(e in {known}: …)"
        suggestion = self.schema.suggestion(name) or did_you_mean(name, self.bound)
        return f"there is no fact {name}{suggestion}"

    def field(self, node: syntax.Name, variable: str, path: str) -> Type:
        quantifier, source = self.bound[variable]
        self.checked.variables[node] = quantifier
        if source.element is not None:
            if path:
                fail(node, f"{variable} is a plain value without fields: write {variable}")
            return type_of_fact(source.element)
        fields = source.fields or {}
        if not path:
            return Type("member", fact=source)
        if path not in fields:
            fail(node, f"a member of {quantifier.source.path} has no {path}{did_you_mean(path, fields)}")
        return type_of_fact(fields[path])

    # --- logic ----------------------------------------------------------------------------

    def logical(self, node: syntax.Not | syntax.Logical) -> Type:
        for operand in syntax.children(node):
            self.demand(operand, "truth")
        return TRUTH

    def compare(self, node: syntax.Compare) -> Type:
        self.comparable(node, node.operator, node.left, node.right)
        return TRUTH

    def comparable(self, node: syntax.Node, operator: str, left: syntax.Node, right: syntax.Node) -> None:
        first, second = self.type_of(left), self.type_of(right)
        self.refuse_unknown(left, first)
        self.refuse_unknown(right, second)
        if not self.meet(left, first, right, second):
            fail(node, f"cannot compare {self.described(first)} with {self.described(second)}")
        self.codes(first, right)
        self.codes(second, left)
        if operator not in {"=", "!="} and first.kind not in ORDERED:
            fail(node, f"{first} has no order: only = and != can be asked")

    def refuse_unknown(self, node: syntax.Node, found: Type) -> None:
        if found.kind == "any":
            fail(node, "nothing compares with unknown: ask known(…)")
        if found.kind in {"list", "member"}:
            fail(node, f"{found} cannot be compared: ask about its members or fields")

    def described(self, found: Type) -> str:
        if found.kind != "quantity":
            return f"{found} in {found.unit}" if found.unit else str(found)
        if found.analyte:
            return f"{found.analyte} (a measured value in {', '.join(units_of(found.analyte))})"
        return f"a value in {found.unit}"

    def meet(self, left: syntax.Node, first: Type, right: syntax.Node, second: Type) -> bool:
        """Whether two values go together; fits written numbers to the unit of a number fact."""
        for node, mine, other in ((left, first, second), (right, second, first)):
            if mine.kind == "quantity" and other.kind == "number":
                return self.fits(node, mine, other)
        if first.kind == "quantity" and second.kind == "quantity":
            if first.analyte is None and second.analyte is None:
                return False
            return joined_quantities(first, second) is not None
        return units_agree(first, second) and joined(first, second) is not None

    def fits(self, node: syntax.Node, quantity: Type, number: Type) -> bool:
        if is_plain(quantity):
            return True
        if not isinstance(node, syntax.NumberLiteral) or number.unit is None:
            return False
        try:
            self.checked.numbers[node] = number_in(node.value, str(node.unit), number.unit)
        except UnitError as error:
            fail(node, str(error))
        return True

    def codes(self, found: Type, literal: syntax.Node) -> None:
        """Refuses a text that a code can never be."""
        if found.kind != "text" or found.fact is None or not isinstance(literal, syntax.TextLiteral):
            return
        fact = found.fact
        if literal.value in fact.unknown_codes:
            fail(literal, f"'{literal.value}' counts as unknown, so this could never be true: ask known(…)")
        if fact.codes and literal.value not in fact.codes:
            known = ", ".join(f"'{code}'" for code in list(fact.codes)[:12])
            hint = did_you_mean(literal.value, fact.codes)
            fail(literal, f"'{literal.value}' is not one of the codes {known}{hint}")

    def member(self, node: syntax.Member) -> Type:
        if isinstance(node.container, syntax.SetLiteral):
            self.checked.types[node.container] = Type("list")
            for item in node.container.items:
                self.comparable(item, "=", node.operand, item)
            return TRUTH
        container = self.type_of(node.container)
        if container.kind != "list" or container.fact is None or container.fact.element is None:
            fail(node.container, "expected a set, as {'A', 'B'}, or a list of plain values after 'in'")
        element = type_of_fact(container.fact.element)
        operand = self.type_of(node.operand)
        self.refuse_unknown(node.operand, operand)
        if not self.meet(node.operand, operand, node.container, element):
            fail(node, f"cannot look for {self.described(operand)} in a list of {self.described(element)}")
        self.codes(element, node.operand)
        return TRUTH

    # --- arithmetic -----------------------------------------------------------------------

    def arithmetic(self, node: syntax.Node) -> Type:
        match node:
            case syntax.Negate():
                return self.stripped(self.demand(node.operand, "number", "quantity"))
            case syntax.Power():
                self.demand(node.base, "number")
                return NUMBER
            case syntax.Arithmetic():
                return self.operation(node)
        fail(node, "a set may only follow 'in'")

    def operation(self, node: syntax.Arithmetic) -> Type:
        left, right = self.operand(node.left), self.operand(node.right)
        if "any" in {left.kind, right.kind}:
            return NUMBER
        if node.operator in "+-":
            return self.summed(node, left, right)
        kinds = (left.kind, right.kind)
        if kinds == ("number", "number"):
            return NUMBER
        if kinds == ("quantity", "quantity") and node.operator == "/":
            if joined_quantities(left, right) is None:
                fail(node, f"cannot divide {self.described(left)} by {self.described(right)}")
            return NUMBER
        if kinds == ("quantity", "number") or (kinds == ("number", "quantity") and node.operator == "*"):
            return self.stripped(left if kinds[0] == "quantity" else right)
        fail(node, f"cannot calculate {left} {node.operator} {right}")

    def operand(self, node: syntax.Node) -> Type:
        found = self.type_of(node)
        if found.kind in TIMES:
            fail(node, "dates are not calculated with + and -: use add_days, add_months, add_years or days")
        if found.kind not in {"number", "quantity", "any"}:
            fail(node, f"expected a number, but this is {found}")
        return found

    def summed(self, node: syntax.Arithmetic, left: Type, right: Type) -> Type:
        if left.kind == right.kind == "number" and units_agree(left, right):
            return Type("number", unit=left.unit or right.unit)
        if left.kind == right.kind == "quantity":
            both = joined_quantities(left, right)
            if both is not None:
                return both
        fail(node, f"cannot calculate {self.described(left)} {node.operator} {self.described(right)}")

    def stripped(self, found: Type) -> Type:
        return Type(found.kind, found.analyte, found.unit)

    # --- functions ------------------------------------------------------------------------

    def call(self, node: syntax.Call) -> Type:
        signature = FUNCTIONS.get(node.function)
        if signature is None:
            if node.function in QUANTIFIED:
                fail(node, f"write {node.function}(e in LIST: …)")
            fail(node, f"there is no function {node.function}{did_you_mean(node.function, FUNCTIONS)}")
        self.arity(node, signature)
        return getattr(self, f"call_{signature.rule}")(node, signature)  # type: ignore[no-any-return]

    def arity(self, node: syntax.Call, signature: Signature) -> None:
        count = len(node.arguments)
        if count < signature.least or (signature.most is not None and count > signature.most):
            fail(node, f"{node.function} is written {signature.usage}")

    def call_fixed(self, node: syntax.Call, signature: Signature) -> Type:
        for argument, kinds in zip(node.arguments, signature.parameters, strict=True):
            self.demand(argument, *kinds)
        return Type(signature.result)

    def call_known(self, node: syntax.Call, signature: Signature) -> Type:
        if self.type_of(node.arguments[0]).kind == "member":
            fail(node.arguments[0], "ask about a field of the member")
        return TRUTH

    def call_same(self, node: syntax.Call, signature: Signature) -> Type:
        return self.stripped(self.demand(node.arguments[0], "number", "quantity"))

    def call_round(self, node: syntax.Call, signature: Signature) -> Type:
        digits = node.arguments[1]
        literal = isinstance(digits, syntax.NumberLiteral) and digits.unit is None
        if not literal or digits.value not in {Decimal(count) for count in range(13)}:  # type: ignore[attr-defined]
            fail(digits, "the digits to round to must be written as a whole number from 0 to 12")
        self.type_of(digits)
        return self.stripped(self.demand(node.arguments[0], "number", "quantity"))

    def call_limit(self, node: syntax.Call, signature: Signature) -> Type:
        argument = node.arguments[0]
        found = self.demand(argument, "quantity")
        if not isinstance(argument, syntax.Name):
            fail(argument, f"{node.function} needs the name of a measured value")
        return self.stripped(found)

    def call_attested(self, node: syntax.Call, signature: Signature) -> Type:
        argument = node.arguments[0]
        if not isinstance(argument, syntax.Name):
            fail(argument, "attested needs the name of a judgement item")
        found = self.demand(argument, "text", "truth")
        if found.kind == "text":
            for code in ("Y", "N"):
                if found.fact is not None and found.fact.codes and code not in found.fact.codes:
                    fail(argument, f"{argument.path} cannot be attested: '{code}' is not one of its codes")
        return TRUTH

    def call_alike(self, node: syntax.Call, signature: Signature) -> Type:
        """if and coalesce: several values of one type."""
        values = node.arguments
        if node.function == "if":
            self.demand(values[0], "truth")
            values = values[1:]
        return self.one_type(node, values)

    def one_type(self, node: syntax.Node, values: tuple[syntax.Node, ...]) -> Type:
        result = self.type_of(values[0])
        for value in values[1:]:
            found = self.type_of(value)
            both = joined(result, found)
            if both is None:
                fail(
                    value, f"expected {self.described(result)} here too, but this is {self.described(found)}"
                )
            result = both
        if result.kind in {"list", "member"}:
            fail(node, f"{result} cannot be chosen: choose among its members' fields")
        return result

    def call_extreme(self, node: syntax.Call, signature: Signature) -> Type:
        """max, min, sum, latest, earliest: of a list of plain values, or of several values."""
        several = len(node.arguments) > 1
        result = self.one_type(node, node.arguments) if several else self.elements(node.arguments[0])
        self.summable(node, node.function, result)
        return result

    def elements(self, node: syntax.Node) -> Type:
        found = self.type_of(node)
        if found.kind != "list" or found.fact is None:
            fail(node, "expected a list or several values")
        if found.fact.element is None:
            fail(node, "its members have fields: name one, as in max(e in LIST: e.FIELD)")
        return self.stripped(type_of_fact(found.fact.element))

    def summable(self, node: syntax.Node, function: str, found: Type) -> None:
        wanted = {"sum": ("number", "quantity"), "latest": tuple(TIMES), "earliest": tuple(TIMES)}
        kinds = wanted.get(function, tuple(sorted(ORDERED)))
        if found.kind not in kinds and found.kind != "any":
            fail(node, f"{function} is not defined for {found}")
        if found.kind == "quantity" and found.analyte is None:
            fail(node, f"{function} needs a measured value among them")

    def call_size(self, node: syntax.Call, signature: Signature) -> Type:
        self.demand(node.arguments[0], "list")
        return NUMBER

    def call_finding(self, node: syntax.Call, signature: Signature) -> Type:
        for argument in node.arguments:
            self.demand(argument, "truth")
        return TRUTH

    # --- quantifiers ----------------------------------------------------------------------

    def quantifier(self, node: syntax.Quantifier) -> Type:
        source = self.type_of(node.source)
        if source.kind != "list" or source.fact is None:
            fail(node.source, f"{node.source.path} is not a list")
        if node.variable in self.bound or node.variable in self.schema:
            fail(node, f"the name {node.variable} is already taken")
        self.bound[node.variable] = (node, source.fact)
        if node.condition is not None:
            self.demand(node.condition, "truth")
        result = self.asked(node)
        del self.bound[node.variable]
        return result

    def asked(self, node: syntax.Quantifier) -> Type:
        if node.function in {"some", "every", "count"}:
            self.demand(node.body, "truth")
            return NUMBER if node.function == "count" else TRUTH
        found = self.type_of(node.body)
        if found.kind in {"list", "member"}:
            fail(node.body, "name a field of the member")
        if node.function != "the":
            self.summable(node, node.function, found)
        return self.stripped(found) if node.function != "the" else found
