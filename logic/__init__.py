"""The language of rules."""

from __future__ import annotations

from logic.errors import FactError, RuleError, UnitError
from logic.facttypes import FactType, Fault
from logic.interval import Interval
from logic.parser import parse
from logic.printer import format_rule
from logic.reading import Values
from logic.rule import Outcome, Rule, compile_rule, prepare
from logic.schema import Schema
from logic.trace import Answer, Trace
from logic.truth import Truth

__all__ = [
    "Answer",
    "FactError",
    "FactType",
    "Fault",
    "Interval",
    "Outcome",
    "Rule",
    "RuleError",
    "Schema",
    "Trace",
    "Truth",
    "UnitError",
    "Values",
    "compile_rule",
    "format_rule",
    "parse",
    "prepare",
]
