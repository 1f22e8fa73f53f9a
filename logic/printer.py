"""Writes a syntax tree as text: one spelling for each rule."""

from __future__ import annotations

from logic import syntax

OR, AND, NOT, COMPARE, SUM, PRODUCT, SIGN, POWER, ATOM = range(9)


def format_rule(node: syntax.Node) -> str:
    """The text of a tree, with the fewest brackets, so that it parses to the same tree."""
    return _print(node, OR)


def _print(node: syntax.Node, outer: int) -> str:
    text, level = _written(node)
    return f"({text})" if level < outer else text


def _written(node: syntax.Node) -> tuple[str, int]:
    match node:
        case syntax.NumberLiteral():
            return f"{node.value}" + (f" [{node.unit}]" if node.unit else ""), ATOM
        case syntax.TextLiteral():
            return "'" + node.value.replace("'", "''") + "'", ATOM
        case syntax.DateLiteral():
            return f"@{node.written}", ATOM
        case syntax.TruthLiteral():
            return str(node.value), ATOM
        case syntax.SetLiteral():
            return "{" + ", ".join(_print(item, SIGN) for item in node.items) + "}", ATOM
        case syntax.Name():
            return node.path, ATOM
    return _call(node) or _operation(node)


def _call(node: syntax.Node) -> tuple[str, int] | None:
    if isinstance(node, syntax.Call):
        return f"{node.function}({', '.join(_print(item, OR) for item in node.arguments)})", ATOM
    return (_quantifier(node), ATOM) if isinstance(node, syntax.Quantifier) else None


def _quantifier(node: syntax.Quantifier) -> str:
    where = "" if node.condition is None else f" where {_print(node.condition, OR)}"
    body = _print(node.body, OR)
    return f"{node.function}({node.variable} in {node.source.path}{where}: {body})"


def _operation(node: syntax.Node) -> tuple[str, int]:
    match node:
        case syntax.Negate():
            return f"-{_print(node.operand, SIGN)}", SIGN
        case syntax.Power():
            return f"{_print(node.base, ATOM)}^{node.exponent}", POWER
        case syntax.Arithmetic():
            level = SUM if node.operator in "+-" else PRODUCT
            return f"{_print(node.left, level)} {node.operator} {_print(node.right, level + 1)}", level
        case syntax.Compare():
            return f"{_print(node.left, SUM)} {node.operator} {_print(node.right, SUM)}", COMPARE
        case syntax.Member():
            word = "not in" if node.negated else "in"
            return f"{_print(node.operand, SUM)} {word} {_print(node.container, SUM)}", COMPARE
        case syntax.Not():
            return f"not {_print(node.operand, NOT)}", NOT
        case syntax.Logical():
            level = AND if node.operator == "and" else OR
            joined = f" {node.operator} ".join(_print(item, level + 1) for item in node.operands)
            return joined, level
    raise TypeError(f"no such node: {node!r}")
