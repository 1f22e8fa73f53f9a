"""Survival curves compared with an independent implementation."""

from __future__ import annotations

import warnings
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from endpoints.rules.kaplan_meier import kaplan_meier

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # lifelines' own imports warn
    from lifelines import KaplanMeierFitter

# Freireich 1963 (6-MP arm), as in Kaplan-Meier textbooks; weeks of remission, + is censored.
WEEKS = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
RELAPSE = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]


def test_the_textbook_curve():
    curve = kaplan_meier(WEEKS, [bool(seen) for seen in RELAPSE])
    published = {6: "0.857", 7: "0.807", 10: "0.753", 13: "0.690", 16: "0.627", 22: "0.538", 23: "0.448"}
    for week, survival in published.items():
        assert curve.survival_at(Decimal(week)).quantize(Decimal("0.001")) == Decimal(survival)
    assert curve.median() == 23
    assert (curve.at_risk_at(Decimal(0)), curve.at_risk_at(Decimal(10)), curve.at_risk_at(Decimal(36))) == (
        21,
        15,
        0,
    )


cases = st.lists(st.tuples(st.integers(1, 60), st.booleans()), min_size=1, max_size=40)


@settings(max_examples=40, deadline=None)
@given(case=cases)
def test_it_agrees_with_lifelines(case):
    durations, observed = [item[0] for item in case], [item[1] for item in case]
    curve = kaplan_meier(durations, observed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = KaplanMeierFitter().fit(durations, observed)
    for step in curve.steps:
        assert float(step.survival) == pytest.approx(fitted.predict(float(step.time)), abs=1e-9)
        bounds = curve.interval_at(step.time)
        if bounds is not None:
            theirs = fitted.confidence_interval_.loc[float(step.time)].tolist()
            assert [float(bound) for bound in bounds] == pytest.approx(theirs, abs=1e-6)
    if any(step.exact == Fraction(1, 2) for step in curve.steps):
        return  # lifelines' float logarithms may put a half at 0.5000000000000001 and miss the median
    median = curve.median()
    if median is None:
        assert fitted.median_survival_time_ == float("inf")
    else:
        assert float(median) == fitted.median_survival_time_


def test_nobody_gives_an_empty_curve():
    curve = kaplan_meier([], [])
    assert curve.steps == ()
    assert curve.survival_at(Decimal(5)) == 1


@pytest.mark.parametrize(("durations", "observed"), [([1], []), ([-1], [True])])
def test_what_is_no_duration_is_refused(durations, observed):
    with pytest.raises(ValueError, match="duration"):
        kaplan_meier(durations, observed)


@given(case=cases)
def test_the_curve_only_falls(case):
    steps = kaplan_meier([item[0] for item in case], [item[1] for item in case]).steps
    survivals = [Decimal(1), *(step.survival for step in steps)]
    assert survivals == sorted(survivals, reverse=True)
    assert survivals[-1] >= 0


def test_a_curve_that_passes_exactly_one_half_has_its_median_there():
    # Found by search: a product of rounded decimals ends just above one half and gives 5.
    times = [4, 2, 6, 5, 4, 4, 3, 4, 6, 4, 6, 1]
    seen = [True, True, False, True, True, True, True, False, True, False, True, True]
    assert kaplan_meier(times, seen).median() == 4
    assert kaplan_meier([1] * 6, [False] * 3 + [True] * 3).median() == 1


@given(case=cases)
def test_the_median_is_the_first_time_at_which_half_are_gone(case):
    curve = kaplan_meier([item[0] for item in case], [item[1] for item in case])
    survival, expected = Fraction(1), None
    for step in curve.steps:
        survival *= Fraction(step.at_risk - step.events, step.at_risk)
        if expected is None and 2 * survival <= 1:
            expected = step.time
    assert curve.median() == expected
