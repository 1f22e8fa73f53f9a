"""Why an answer is what it is: the rule's tree with the value of every part."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeAlias

from logic import exact
from logic.interval import Absence, Interval
from logic.quantity import Quantity
from logic.truth import FALSE, TRUE, UNKNOWN, Truth

Answer: TypeAlias = Truth | Decimal | date | str | None
"""What a rule gives to its caller; None for "not known" where it is no truth value."""

UNDECIDED = frozenset({Absence, Interval})


@dataclass(slots=True)
class Trace:
    """One part of a rule and what it came to.

    Attributes
    ----------
    text : str
        The part of the rule, as written. For a member of a list, its path.
    kind : str
        fact, limit, member (of a list), and, or, not, compare, in, arithmetic, or the name
        of a function or quantifier.
    result : object
        The internal value; see ``value``.
    parts : list of Trace
        What it was computed from.
    fact : str
        Leaves: the declared fact that was read.
    path : str
        Leaves: the place in the document, ``EH_EPISODES[0].EHENDDAT``.
    raw : object
        Leaves: what the document holds there.
    unit : str or None
        Leaves: the unit as reported.
    converted_unit : str or None
        Leaves: the unit of ``value``, if it was converted.
    factor : Fraction or None
        Leaves: what the reported value was multiplied by for that.
    note : str
        Why the value is unknown, known in part, or what it stands for.
    """

    text: str
    kind: str
    result: Any
    parts: list[Trace] = field(default_factory=list)
    fact: str = ""
    path: str = ""
    raw: Any = None
    unit: str | None = None
    converted_unit: str | None = None
    factor: Fraction | None = None
    note: str = ""

    @property
    def value(self) -> Answer | Interval:
        """The value for people: an Interval if it is known in part only."""
        return shown(self.result)

    def walk(self) -> Iterator[Trace]:
        """This part and all below it, in the order of the text."""
        yield self
        for part in self.parts:
            yield from part.walk()

    def leaves(self) -> Iterator[Trace]:
        """The facts that were read."""
        return (part for part in self.walk() if part.fact)

    def as_dict(self) -> dict[str, Any]:
        """The trace as plain JSON values: numbers and dates as text."""
        plain: dict[str, Any] = {"text": self.text, "kind": self.kind, "value": as_text(self.result)}
        if self.fact:
            plain |= {"fact": self.fact, "path": self.path, "raw": plain_raw(self.raw)}
        optional = {
            "unit": self.unit,
            "converted_unit": self.converted_unit,
            "factor": None if self.factor is None else str(exact.to_decimal(self.factor)),
            "note": self.note,
        }
        plain |= {key: value for key, value in optional.items() if value}
        if self.parts:
            plain["parts"] = [part.as_dict() for part in self.parts]
        return plain


def shown(result: Any) -> Answer | Interval:
    """An internal value as its caller sees it."""
    if result.__class__ is Quantity:
        result = result.value
    if result.__class__ in exact.NUMBERS:
        return exact.to_decimal(result)
    if result.__class__ is Interval:
        return Interval(shown(result.low), shown(result.high))
    if result.__class__ is Absence or result.__class__ is tuple:
        return None
    return result  # type: ignore[no-any-return]  # a truth value, date or text, or None


def answer_of(result: Any, is_truth: bool) -> Answer:
    """The outcome of a rule: a truth value, or a value that is None unless it is fully known."""
    if is_truth:
        return result  # type: ignore[no-any-return]  # a truth value by its static type
    value = shown(result)
    return None if value is UNKNOWN or isinstance(value, Interval) else value


def as_text(result: Any) -> str | None:
    """An internal value as text for JSON; null for none."""
    if result.__class__ is Quantity:
        return str(result)
    value = shown(result)
    if value is None:
        return None
    return value.isoformat() if isinstance(value, date) else str(value)


def plain_raw(raw: Any) -> Any:
    """What a document held, fit for JSON."""
    if isinstance(raw, (Decimal, datetime, date)):
        return str(raw)
    return raw


def is_settled(result: Any) -> bool:
    """Whether a value is fully known, so that no further fact can change it."""
    if result is UNKNOWN or result.__class__ in UNDECIDED:
        return False
    return not (result.__class__ is Quantity and result.value.__class__ is Interval)


def open_questions(trace: Trace) -> Iterator[Trace]:
    """The leaves whose being known could still change the value of a trace.

    Nothing below a part that is settled counts: an unknown under a decided *or* is no
    question any more.
    """
    if is_settled(trace.result):
        return
    if trace.fact and not trace.parts:
        yield trace
        return
    for part in _that_matter(trace):
        yield from open_questions(part)


def _that_matter(trace: Trace) -> list[Trace]:
    first = trace.parts[0] if trace.parts else None
    if trace.kind not in {"if", "finding"} or first is None or not is_settled(first.result):
        return trace.parts
    chosen = {TRUE: trace.parts[1:2], FALSE: trace.parts[2:3]}
    return chosen[first.result]
