"""Recursive descent from text to tree. The grammar stands in ``logic/__init__.py``."""

from __future__ import annotations

from decimal import Decimal

from logic import syntax
from logic.dates import parse_date, parse_moment
from logic.errors import RuleError
from logic.lexer import KEYWORDS, Token, tokens_of
from logic.truth import Truth

COMPARISONS = frozenset({"=", "!=", "<", "<=", ">", ">="})
QUANTIFIERS = frozenset({"some", "every", "count", "the", "max", "min", "sum", "latest", "earliest"})
DEEPEST = 60
LARGEST_EXPONENT = 20
LONGEST = 20_000


def parse(text: str) -> syntax.Node:
    """The syntax tree of a rule.

    Raises
    ------
    RuleError
        The text is not a rule; with the offset of the first thing that does not fit.
    """
    if len(text) > LONGEST:
        raise RuleError(f"a rule may have {LONGEST} characters at most", LONGEST)
    return _Parser(tokens_of(text)).rule()


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.position = 0
        self.depth = 0

    # --- tokens ---------------------------------------------------------------------------

    @property
    def token(self) -> Token:
        return self.tokens[self.position]

    def ahead(self, count: int) -> Token:
        return self.tokens[min(self.position + count, len(self.tokens) - 1)]

    def take(self) -> Token:
        token = self.token
        self.position += 1
        return token

    def at(self, *texts: str) -> bool:
        return self.token.kind in {"operator", "keyword"} and self.token.text in texts

    def expect(self, text: str, purpose: str) -> Token:
        if not self.at(text):
            raise self.error(f"expected '{text}' {purpose}")
        return self.take()

    def error(self, message: str) -> RuleError:
        token = self.token
        found = "the rule ends here" if token.kind == "end" else f"found '{token.text}'"
        return RuleError(f"{message}, but {found}", token.start, token.end - token.start)

    # --- grammar --------------------------------------------------------------------------

    def rule(self) -> syntax.Node:
        if self.token.kind == "end":
            raise RuleError("the rule is empty", 0, 0)
        node = self.expression()
        if self.token.kind != "end":
            raise self.error(self.misplaced())
        return node

    def misplaced(self) -> str:
        token = self.token
        if token.kind == "name" and token.text.lower() in KEYWORDS:
            return f"keywords are in small letters: write '{token.text.lower()}'"
        if token.kind == "unit":
            return "a unit may only follow a number"
        return "expected an operator or the end of the rule"

    def expression(self) -> syntax.Node:
        self.depth += 1
        if self.depth > DEEPEST:
            raise RuleError("the rule is nested too deeply", self.token.start)
        node = self.logical("or")
        self.depth -= 1
        return node

    def logical(self, operator: str) -> syntax.Node:
        operands = [self.operand_of(operator)]
        while self.at(operator):
            self.take()
            operands.append(self.operand_of(operator))
        if len(operands) == 1:
            return operands[0]
        return syntax.Logical(operands[0].start, operands[-1].end, operator, tuple(operands))

    def operand_of(self, operator: str) -> syntax.Node:
        return self.logical("and") if operator == "or" else self.negation()

    def negation(self) -> syntax.Node:
        starts = []
        while self.at("not"):
            starts.append(self.take().start)
        node = self.comparison()
        for start in reversed(starts):
            node = syntax.Not(start, node.end, node)
        return node

    def comparison(self) -> syntax.Node:
        left = self.sum()
        node = left
        if self.token.kind == "operator" and self.token.text in COMPARISONS:
            operator = self.take().text
            right = self.sum()
            node = syntax.Compare(left.start, right.end, operator, left, right)
        elif self.at("in") or (self.at("not") and self.ahead(1).text == "in"):
            negated = self.take().text == "not"
            if negated:
                self.take()
            container = self.sum()
            node = syntax.Member(left.start, container.end, left, container, negated)
        if self.token.kind == "operator" and self.token.text in COMPARISONS:
            raise self.error("comparisons cannot be chained: write 'a < b and b < c'")
        return node

    def sum(self) -> syntax.Node:
        node = self.product()
        while self.at("+", "-"):
            operator = self.take().text
            right = self.product()
            node = syntax.Arithmetic(node.start, right.end, operator, node, right)
        return node

    def product(self) -> syntax.Node:
        node = self.signed()
        while self.at("*", "/"):
            operator = self.take().text
            right = self.signed()
            node = syntax.Arithmetic(node.start, right.end, operator, node, right)
        return node

    def signed(self) -> syntax.Node:
        starts = []
        while self.at("-"):
            starts.append(self.take().start)
        node = self.raised()
        for start in reversed(starts):
            node = syntax.Negate(start, node.end, node)
        return node

    def raised(self) -> syntax.Node:
        base = self.primary()
        if not self.at("^"):
            return base
        self.take()
        token = self.token
        if token.kind != "number" or "." in token.text or int(token.text) > LARGEST_EXPONENT:
            raise self.error(f"expected a whole exponent from 0 to {LARGEST_EXPONENT} after '^'")
        self.take()
        if self.at("^"):
            raise self.error("powers cannot be chained: use brackets")
        return syntax.Power(base.start, token.end, base, int(token.text))

    def primary(self) -> syntax.Node:
        token = self.token
        match token.kind:
            case "number":
                return self.number()
            case "text":
                return self.text()
            case "date":
                return self.date()
            case "name":
                return self.called() if self.ahead(1).text == "(" else self.name()
        if self.at("true", "false", "unknown"):
            self.take()
            return syntax.TruthLiteral(token.start, token.end, Truth(token.text))
        if self.at("("):
            return self.bracketed()
        if self.at("{"):
            return self.set()
        raise self.error("expected a value")

    def bracketed(self) -> syntax.Node:
        opening = self.take()
        node = self.expression()
        closing = self.expect(")", "to close the bracket")
        node.start, node.end = opening.start, closing.end
        return node

    def number(self) -> syntax.Node:
        token = self.take()
        value = Decimal(token.text)
        if self.token.kind != "unit":
            return syntax.NumberLiteral(token.start, token.end, value)
        unit = self.take()
        name = unit.text[1:-1].strip()
        if not name:
            raise RuleError("the unit is empty", unit.start, unit.end - unit.start)
        return syntax.NumberLiteral(token.start, unit.end, value, name)

    def text(self) -> syntax.Node:
        token = self.take()
        inner = token.text[1:-1]
        if token.text[0] == "'":
            inner = inner.replace("''", "'")
        return syntax.TextLiteral(token.start, token.end, inner)

    def date(self) -> syntax.Node:
        token = self.take()
        written = token.text[1:]
        value = parse_moment(written) if "T" in written else parse_date(written)
        if value is None:
            raise RuleError(f"'{written}' is not a date of the calendar", token.start, len(token.text))
        return syntax.DateLiteral(token.start, token.end, value, written)

    def name(self) -> syntax.Name:
        token = self.take()
        return syntax.Name(token.start, token.end, token.text)

    def set(self) -> syntax.Node:
        opening = self.take()
        items = [self.member()]
        while self.at(","):
            self.take()
            items.append(self.member())
        closing = self.expect("}", "to close the set")
        return syntax.SetLiteral(opening.start, closing.end, tuple(items))

    def member(self) -> syntax.Node:
        node = self.signed()
        literal = node.operand if isinstance(node, syntax.Negate) else node
        if not isinstance(literal, (syntax.NumberLiteral, syntax.TextLiteral, syntax.DateLiteral)):
            message = "a set may only hold numbers, texts and dates"
            raise RuleError(message, node.start, node.end - node.start)
        return node

    def called(self) -> syntax.Node:
        function = self.take()
        self.take()
        if function.text in QUANTIFIERS and self.ahead(1).text == "in" and self.token.kind == "name":
            return self.quantifier(function)
        arguments: list[syntax.Node] = []
        if not self.at(")"):
            arguments.append(self.expression())
            while self.at(","):
                self.take()
                arguments.append(self.expression())
        closing = self.expect(")", f"to close {function.text}(")
        return syntax.Call(function.start, closing.end, function.text, tuple(arguments))

    def quantifier(self, function: Token) -> syntax.Node:
        variable = self.take()
        if "." in variable.text:
            raise RuleError("a variable has no dot", variable.start, len(variable.text))
        self.take()
        if self.token.kind != "name":
            raise self.error("expected the name of a list after 'in'")
        source = self.name()
        condition = None
        if self.at("where"):
            self.take()
            condition = self.expression()
        self.expect(":", f"between the list and what is asked of its members in {function.text}(")
        body = self.expression()
        closing = self.expect(")", f"to close {function.text}(")
        return syntax.Quantifier(
            function.start, closing.end, function.text, variable.text, source, condition, body
        )
