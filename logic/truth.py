"""Three truth values: true, false, unknown.

References
----------
S. C. Kleene, Introduction to Metamathematics (1952), section 64: the strong tables. With
false < unknown < true, *and* is the minimum, *or* the maximum, and *not* swaps the ends.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import NoReturn


class Truth(Enum):
    """True, false or unknown. Has no truth value in Python: ask ``answer is Truth.TRUE``."""

    FALSE = "false"
    UNKNOWN = "unknown"
    TRUE = "true"

    def __and__(self, other: Truth) -> Truth:
        if self is FALSE or other is FALSE:
            return FALSE
        return TRUE if self is TRUE and other is TRUE else UNKNOWN

    def __or__(self, other: Truth) -> Truth:
        if self is TRUE or other is TRUE:
            return TRUE
        return FALSE if self is FALSE and other is FALSE else UNKNOWN

    def __invert__(self) -> Truth:
        return NEGATED[self]

    def __bool__(self) -> NoReturn:
        raise TypeError("a Truth may be unknown: compare it with Truth.TRUE, FALSE or UNKNOWN")

    def __str__(self) -> str:
        return str(self.value)

    __hash__ = object.__hash__


TRUE = Truth.TRUE
FALSE = Truth.FALSE
UNKNOWN = Truth.UNKNOWN
NEGATED = {TRUE: FALSE, FALSE: TRUE, UNKNOWN: UNKNOWN}


def truth_of(answer: bool) -> Truth:
    """The truth value of a Python boolean."""
    return TRUE if answer else FALSE


def all_of(values: Iterable[Truth]) -> Truth:
    """Kleene conjunction; true for no values at all. Stops at the first false."""
    result = TRUE
    for value in values:
        if value is FALSE:
            return FALSE
        if value is UNKNOWN:
            result = UNKNOWN
    return result


def any_of(values: Iterable[Truth]) -> Truth:
    """Kleene disjunction; false for no values at all. Stops at the first true."""
    result = FALSE
    for value in values:
        if value is TRUE:
            return TRUE
        if value is UNKNOWN:
            result = UNKNOWN
    return result


def same_truth(left: Truth, right: Truth) -> Truth:
    """Whether two truth values are equal; unknown if either is unknown."""
    if left is UNKNOWN or right is UNKNOWN:
        return UNKNOWN
    return TRUE if left is right else FALSE
