"""How far two readers agree: kappa for categories, intraclass correlation and limits of agreement for sizes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class Weights(StrEnum):
    """How much a disagreement by several categories counts."""

    NONE = "none"
    LINEAR = "linear"
    QUADRATIC = "quadratic"


@dataclass(frozen=True)
class LimitsOfAgreement:
    """Bland-Altman: mean difference (first reader minus second) and its 95 % limits, in the unit of the readings."""

    bias: Decimal
    lower: Decimal
    upper: Decimal


def agreement_share(first: Sequence[str], second: Sequence[str]) -> Decimal:
    """Share of cases that both readers put into the same category, 0 to 1."""
    _same_length(first, second)
    same = sum(a == b for a, b in zip(first, second, strict=True))
    return Decimal(same) / len(first)


def cohen_kappa(
    first: Sequence[str], second: Sequence[str], categories: Sequence[str], weights: Weights = Weights.NONE
) -> Decimal | None:
    """Cohen's kappa of two readers over the same cases.

    Parameters
    ----------
    first, second
        One category per case.
    categories
        All categories, in their order (which matters for weights only).
    weights
        Disagreement weights.

    Returns
    -------
    Decimal or None
        1 is perfect, 0 is chance. None where chance alone explains everything (both used one category only).

    References
    ----------
    Cohen 1960 (Educ Psychol Meas 20:37) and 1968 (Psychol Bull 70:213).
    """
    _same_length(first, second)
    unknown = (set(first) | set(second)) - set(categories)
    if unknown:
        raise ValueError(f"not among the categories: {', '.join(sorted(unknown))}")
    place = {category: index for index, category in enumerate(categories)}
    pairs = Counter(zip(first, second, strict=True))
    left, right, cases = Counter(first), Counter(second), len(first)
    observed = expected = Decimal(0)
    for a in categories:
        for b in categories:
            weight = _disagreement(place[a], place[b], len(categories), weights)
            observed += weight * pairs[a, b] / cases
            expected += weight * left[a] * right[b] / (cases * cases)
    return None if expected == 0 else 1 - observed / expected


def _disagreement(a: int, b: int, count: int, weights: Weights) -> Decimal:
    if weights is Weights.NONE:
        return Decimal(a != b)
    apart = Decimal(abs(a - b)) / max(1, count - 1)
    return apart if weights is Weights.LINEAR else apart * apart


def icc_2_1(readings: Sequence[Sequence[Decimal]]) -> Decimal | None:
    """Intraclass correlation ICC(2,1): two-way random effects, absolute agreement, single reader.

    Parameters
    ----------
    readings
        One row per case, one column per reader.

    Returns
    -------
    Decimal or None
        None where nothing varies.

    References
    ----------
    Shrout and Fleiss 1979 (Psychol Bull 86:420), the table of which is the test vector.
    """
    cases, readers = len(readings), len(readings[0]) if readings else 0
    if cases < 2 or readers < 2 or any(len(row) != readers for row in readings):
        raise ValueError("at least two cases and two readers, and every reader for every case")
    grand = sum((sum(row, Decimal(0)) for row in readings), Decimal(0)) / (cases * readers)
    rows = [sum(row, Decimal(0)) / readers for row in readings]
    columns = [sum((row[j] for row in readings), Decimal(0)) / cases for j in range(readers)]
    between_cases = readers * _squares(rows, grand) / (cases - 1)
    between_readers = cases * _squares(columns, grand) / (readers - 1)
    total = sum((_squares(row, grand) for row in readings), Decimal(0))
    rest = total - between_cases * (cases - 1) - between_readers * (readers - 1)
    error = rest / ((cases - 1) * (readers - 1))
    denominator = between_cases + (readers - 1) * error + readers * (between_readers - error) / cases
    return None if denominator == 0 else (between_cases - error) / denominator


def _squares(values: Sequence[Decimal], centre: Decimal) -> Decimal:
    return sum(((value - centre) ** 2 for value in values), Decimal(0))


def limits_of_agreement(first: Sequence[Decimal], second: Sequence[Decimal]) -> LimitsOfAgreement:
    """Bland-Altman bias and 95 % limits (bias -/+ 1.96 standard deviations of the differences).

    References
    ----------
    Bland and Altman 1986 (Lancet 327:307).
    """
    _same_length(first, second)
    if len(first) < 2:
        raise ValueError("at least two cases")
    differences = [a - b for a, b in zip(first, second, strict=True)]
    bias = sum(differences, Decimal(0)) / len(differences)
    spread = (_squares(differences, bias) / (len(differences) - 1)).sqrt() * Decimal("1.96")
    return LimitsOfAgreement(bias, bias - spread, bias + spread)


def _same_length(first: Sequence[object], second: Sequence[object]) -> None:
    if not first or len(first) != len(second):
        raise ValueError("both readers need the same cases, at least one")
