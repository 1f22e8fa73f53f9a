"""Exact numbers: decimals while they are exact, fractions where they would not be.

A rule never rounds on the way. A sum, product or quotient of decimals that fits into
60 digits stays a ``Decimal``; anything else, such as 1/3, becomes a ``Fraction``. Only a
square root that is not rational is rounded, to 40 significant digits.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import (
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    Context,
    Decimal,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
)
from fractions import Fraction
from math import isqrt
from typing import Any, TypeAlias

Number: TypeAlias = int | Decimal | Fraction

NUMBERS: frozenset[Any] = frozenset({int, Decimal, Fraction})
EXACT = Context(prec=60, traps=[Inexact, InvalidOperation, DivisionByZero, Overflow])
ROOT = Context(prec=40, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, Overflow])
SHOWN = Context(prec=28, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, Overflow])

NUMBER_TEXT = re.compile(r"[+-]?[0-9]{1,40}(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,2})?")


def parse_number(text: str) -> Decimal | None:
    """The decimal that a text states exactly, or None if it is no plain number."""
    stripped = text.strip()
    return Decimal(stripped) if NUMBER_TEXT.fullmatch(stripped) else None


def _exactly(
    operation: Callable[[Decimal | int, Decimal | int], Decimal],
    fallback: Callable[[Fraction, Fraction], Fraction],
) -> Callable[[Number, Number], Number]:
    def run(left: Number, right: Number) -> Number:
        if left.__class__ is Fraction or right.__class__ is Fraction:
            return fallback(Fraction(left), Fraction(right))
        try:
            return operation(left, right)  # type: ignore[arg-type]  # no Fraction left here
        except Inexact:
            return fallback(Fraction(left), Fraction(right))

    return run


add = _exactly(EXACT.add, Fraction.__add__)
subtract = _exactly(EXACT.subtract, Fraction.__sub__)
multiply = _exactly(EXACT.multiply, Fraction.__mul__)
divide = _exactly(EXACT.divide, Fraction.__truediv__)
"""``divide(a, b)``: a / b; b must not be zero."""


def power(base: Number, exponent: int) -> Number:
    """``base`` to a whole power of 0 or more; anything to the power 0 is 1."""
    result: Number = 1
    for _ in range(exponent):
        result = multiply(result, base)
    return result


def square_root(value: Number) -> Number:
    """The square root of a number of 0 or more: exact if rational, else to 40 digits."""
    ratio = Fraction(value)
    top, bottom = isqrt(ratio.numerator), isqrt(ratio.denominator)
    if top * top == ratio.numerator and bottom * bottom == ratio.denominator:
        return Fraction(top, bottom)
    wide = Context(prec=60)
    return ROOT.sqrt(wide.divide(Decimal(ratio.numerator), Decimal(ratio.denominator)))


def round_half_away(value: Number, digits: int) -> Decimal:
    """``value`` to ``digits`` decimal places, halves away from zero (2.5 → 3, -2.5 → -3)."""
    ratio = Fraction(value) * Fraction(10) ** digits
    whole, rest = divmod(abs(ratio.numerator), ratio.denominator)
    if 2 * rest >= ratio.denominator:
        whole += 1
    signed = whole if ratio >= 0 else -whole
    return Decimal(signed).scaleb(-digits, Context(prec=200))


def to_decimal(value: Number) -> Decimal:
    """The number as a decimal for people: exact if it has an end, else 28 digits."""
    if value.__class__ is Decimal:
        return _plain(value)
    if value.__class__ is int:
        return Decimal(value)
    ratio = Fraction(value)
    try:
        quotient = EXACT.divide(Decimal(ratio.numerator), Decimal(ratio.denominator))
    except Inexact:
        quotient = SHOWN.divide(Decimal(ratio.numerator), Decimal(ratio.denominator))
    return _plain(quotient)


def _plain(value: Decimal) -> Decimal:
    """Without a positive exponent: 30, not 3E+1."""
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and exponent > 0:
        return value.quantize(Decimal(1), ROUND_HALF_UP, Context(prec=200))
    return value
