"""Cuts a rule text into tokens, each with its offset."""

from __future__ import annotations

import re
from typing import NamedTuple

from logic.errors import RuleError

KEYWORDS = frozenset({"and", "or", "not", "in", "where", "true", "false", "unknown"})
SAME_AS = {"≤": "<=", "≥": ">=", "≠": "!=", "−": "-"}
MISTAKEN = {"==": "=", "<>": "!=", "&&": "and", "||": "or", "!": "not", "**": "^", "%": "[%] as a unit"}

PATTERN = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<date>@[0-9](?:[0-9\-]*[0-9])?(?:T[0-9](?:[0-9:.]*[0-9])?(?:Z|[+\-][0-9](?:[0-9:]*[0-9])?)?)?)
    | (?P<number>[0-9]+(?:\.[0-9]+)?)
    | (?P<text>'(?:[^'\n]|'')*'|"[^"\n]*")
    | (?P<unit>\[[^\]\n]*\])
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)
    | (?P<mistaken>==|<>|&&|\|\||\*\*|!(?!=)|%)
    | (?P<operator><=|>=|!=|[=<>+\-*/^(){},:≤≥≠−])
    """,
    re.VERBOSE,
)


class Token(NamedTuple):
    """A piece of the text; ``kind`` is date, number, text, unit, name, keyword, operator or end."""

    kind: str
    text: str
    start: int
    end: int


def tokens_of(text: str) -> list[Token]:
    """All tokens of a rule, an end token last.

    Raises
    ------
    RuleError
        A character that no rule contains, or a text or unit that is not closed.
    """
    tokens: list[Token] = []
    position = 0
    while position < len(text):
        match = PATTERN.match(text, position)
        if match is None:
            raise RuleError(_complaint(text, position), position)
        kind, piece = str(match.lastgroup), match.group()
        if kind == "mistaken":
            raise RuleError(
                f"'{piece}' is not part of the language: write {MISTAKEN[piece]}", position, len(piece)
            )
        if kind == "name" and piece in KEYWORDS:
            kind = "keyword"
        if kind != "space":
            tokens.append(Token(kind, SAME_AS.get(piece, piece), position, match.end()))
        position = match.end()
    tokens.append(Token("end", "", len(text), len(text)))
    return tokens


def _complaint(text: str, position: int) -> str:
    character = text[position]
    if character in "'\"":
        return "the text that begins here is not closed"
    if character == "[":
        return "the unit that begins here is not closed with ]"
    if character == "@":
        return "a date must follow @, as in @2025-11-20"
    return f"'{character}' is not part of the language"
