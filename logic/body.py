"""Body surface area by the published formulas: the one place where they stand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any

from logic import exact, interval
from logic.exact import Number
from logic.interval import high_of, is_blank, low_of
from logic.truth import UNKNOWN

POWER = Context(prec=40)


def _mosteller(height: Number, weight: Number) -> Number:
    return exact.square_root(exact.divide(exact.multiply(height, weight), 3600))


def _of_powers(factor: str, of_height: str, of_weight: str) -> Callable[[Number, Number], Number]:
    def run(height: Number, weight: Number) -> Number:
        parts = (
            POWER.power(_decimal(height), Decimal(of_height)),
            POWER.power(_decimal(weight), Decimal(of_weight)),
        )
        return POWER.multiply(Decimal(factor), POWER.multiply(*parts))

    return run


def _decimal(value: Number) -> Decimal:
    ratio = Fraction(value)
    return POWER.divide(Decimal(ratio.numerator), Decimal(ratio.denominator))


FORMULAS: Mapping[str, Callable[[Number, Number], Number]] = {
    "mosteller": _mosteller,
    "dubois": _of_powers("0.007184", "0.725", "0.425"),
    "haycock": _of_powers("0.024265", "0.3964", "0.5378"),
    "gehan-george": _of_powers("0.0235", "0.42246", "0.51456"),
}


def surface(height_cm: Number, weight_kg: Number, formula: str) -> Number:
    """Body surface area in m2: exact where it is rational, else to 40 significant digits.

    Parameters
    ----------
    height_cm, weight_kg
        Greater than 0.

    Raises
    ------
    ValueError
        Height or weight not greater than 0.
    KeyError
        No such formula.

    References
    ----------
    Mosteller 1987 (N Engl J Med 317:1098); Du Bois and Du Bois 1916 (Arch Intern Med 17:863); Haycock 1978
    (J Pediatr 93:62); Gehan and George 1970 (Cancer Chemother Rep 54:225).
    """
    if height_cm <= 0 or weight_kg <= 0:
        raise ValueError("height and weight must be greater than 0")
    return FORMULAS[formula](height_cm, weight_kg)


def body_surface(height_cm: Any, weight_kg: Any, formula: Any) -> Any:
    """The same for rules: unknown where a part is, or cannot be; a range where height or weight is one."""
    if is_blank(height_cm) or is_blank(weight_kg) or formula not in FORMULAS:
        return UNKNOWN
    bottom, top = ((end(height_cm), end(weight_kg)) for end in (low_of, high_of))
    if None in bottom or min(bottom) <= 0:
        return UNKNOWN
    return interval.between(surface(*bottom, formula), None if None in top else surface(*top, formula))
