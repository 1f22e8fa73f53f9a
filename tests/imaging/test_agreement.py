"""How far readers agree."""

from __future__ import annotations

from decimal import Decimal

import pytest

from imaging.rules.agreement import Weights, agreement_share, cohen_kappa, icc_2_1, limits_of_agreement

YES, NO = "Y", "N"
# Cohen's own kind of table: 20 yes/yes, 5 yes/no, 10 no/yes, 15 no/no gives kappa 0.4.
FIRST = [YES] * 25 + [NO] * 25
SECOND = [YES] * 20 + [NO] * 5 + [YES] * 10 + [NO] * 15


def test_kappa_of_the_textbook_table():
    assert agreement_share(FIRST, SECOND) == Decimal("0.7")
    assert cohen_kappa(FIRST, SECOND, [YES, NO]) == Decimal("0.4")


def test_kappa_is_one_for_perfect_agreement_and_unknown_without_variation():
    assert cohen_kappa([YES, NO], [YES, NO], [YES, NO]) == 1
    assert cohen_kappa([YES], [YES], [YES, NO]) is None


def test_weights_forgive_neighbouring_categories():
    order = ["CR", "PR", "SD", "PD"]
    first, second = ["CR", "PR", "SD", "PD"], ["PR", "PR", "SD", "PD"]
    plain = cohen_kappa(first, second, order)
    linear = cohen_kappa(first, second, order, Weights.LINEAR)
    quadratic = cohen_kappa(first, second, order, Weights.QUADRATIC)
    assert plain < linear < quadratic < 1


def test_a_category_that_is_not_listed_is_refused():
    with pytest.raises(ValueError, match="NE"):
        cohen_kappa(["NE"], [YES], [YES, NO])


def test_intraclass_correlation_of_shrout_and_fleiss():
    # Shrout and Fleiss 1979, table 2: four judges, six targets; ICC(2,1) = 0.29 (table 4).
    rows = [(9, 2, 5, 8), (6, 1, 3, 2), (8, 4, 6, 8), (7, 1, 2, 6), (10, 5, 6, 9), (6, 2, 4, 7)]
    icc = icc_2_1([[Decimal(value) for value in row] for row in rows])
    assert icc.quantize(Decimal("0.01")) == Decimal("0.29")


def test_bland_altman():
    limits = limits_of_agreement([Decimal(v) for v in (10, 12, 14)], [Decimal(v) for v in (9, 12, 12)])
    assert limits.bias == 1
    assert (limits.lower, limits.upper) == (Decimal("-0.96"), Decimal("2.96"))


def test_readers_need_the_same_cases():
    with pytest.raises(ValueError, match="same cases"):
        agreement_share([YES], [])
