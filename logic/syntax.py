"""The tree that a rule text is parsed into. Nodes know where in the text they stand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TypeAlias

from logic.interval import Interval
from logic.truth import Truth


@dataclass(slots=True, eq=False)
class Node:
    """Any part of a rule; ``start`` and ``end`` are offsets into its text."""

    start: int
    end: int


@dataclass(slots=True, eq=False)
class NumberLiteral(Node):
    """``10``, ``1.25``, or with a unit ``10 [g/dL]``."""

    value: Decimal
    unit: str | None = None


@dataclass(slots=True, eq=False)
class TextLiteral(Node):
    """``'ADENOCARCINOMA'``."""

    value: str


@dataclass(slots=True, eq=False)
class DateLiteral(Node):
    """``@2025-11-20``, ``@2025-11`` or ``@2025-03-04T08:30+01:00``."""

    value: date | datetime | Interval
    written: str


@dataclass(slots=True, eq=False)
class TruthLiteral(Node):
    """``true``, ``false`` or ``unknown``."""

    value: Truth


@dataclass(slots=True, eq=False)
class SetLiteral(Node):
    """``{'Y', 'N'}``."""

    items: tuple[Node, ...]


@dataclass(slots=True, eq=False)
class Name(Node):
    """A fact (``LB.HGB``) or a bound variable, perhaps with a field (``e.MM``)."""

    path: str


@dataclass(slots=True, eq=False)
class Negate(Node):
    """``-x``."""

    operand: Node


@dataclass(slots=True, eq=False)
class Not(Node):
    """``not P``."""

    operand: Node


@dataclass(slots=True, eq=False)
class Logical(Node):
    """``P and Q and R``; ``operator`` is "and" or "or", never mixed in one node."""

    operator: str
    operands: tuple[Node, ...]


@dataclass(slots=True, eq=False)
class Compare(Node):
    """``x < y``; ``operator`` is one of = != < <= > >=."""

    operator: str
    left: Node
    right: Node


@dataclass(slots=True, eq=False)
class Member(Node):
    """``x in {…}`` or ``x not in LIST``."""

    operand: Node
    container: Node
    negated: bool


@dataclass(slots=True, eq=False)
class Arithmetic(Node):
    """``x + y``; ``operator`` is one of + - * /."""

    operator: str
    left: Node
    right: Node


@dataclass(slots=True, eq=False)
class Power(Node):
    """``x ^ 2``."""

    base: Node
    exponent: int


@dataclass(slots=True, eq=False)
class Call(Node):
    """``age(BRTHDAT, REFDAT)``."""

    function: str
    arguments: tuple[Node, ...]


@dataclass(slots=True, eq=False)
class Quantifier(Node):
    """``some(e in LIST where C: P)`` and its like."""

    function: str
    variable: str
    source: Name
    condition: Node | None
    body: Node


Expression: TypeAlias = (
    NumberLiteral
    | TextLiteral
    | DateLiteral
    | TruthLiteral
    | SetLiteral
    | Name
    | Negate
    | Not
    | Logical
    | Compare
    | Member
    | Arithmetic
    | Power
    | Call
    | Quantifier
)


def children(node: Node) -> tuple[Node, ...]:
    """The direct parts of a node, in the order of the text."""
    match node:
        case SetLiteral():
            return node.items
        case Negate() | Not():
            return (node.operand,)
        case Logical():
            return node.operands
        case Member():
            return (node.operand, node.container)
        case Power():
            return (node.base,)
        case Call():
            return node.arguments
        case Quantifier():
            condition = () if node.condition is None else (node.condition,)
            return (node.source, *condition, node.body)
    return (node.left, node.right) if isinstance(node, (Compare, Arithmetic)) else ()


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it."""
    yield node
    for child in children(node):
        yield from walk(child)
