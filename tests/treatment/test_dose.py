"""Dose by body surface area."""

from __future__ import annotations

from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vectors import vectors
from treatment.rules.dose import (
    BsaFormula,
    DoseParameters,
    DoseVerdict,
    body_surface_area,
    cumulative_per_m2,
    judge_administered,
    must_recompute,
    plan_dose,
    round_to,
)

PARAMETERS = DoseParameters(
    per_m2=Decimal(50),
    formula=BsaFormula.MOSTELLER,
    round_mg=Decimal(1),
    concentration=Decimal(2),
    vial_mg=Decimal(30),
    warn_pct=Decimal(5),
    block_pct=Decimal(10),
)
heights = st.decimals("100", "230", places=1)
weights = st.decimals("25", "300", places=1)


@pytest.mark.parametrize(
    "row", vectors("bsa")["rows"], ids=lambda r: f"{r['height_cm']}/{r['weight_kg']}/{r['formula']}"
)
def test_surface_and_dose_are_those_of_the_reference_table(row):
    dose = plan_dose(
        Decimal(row["height_cm"]), Decimal(row["weight_kg"]), PARAMETERS, BsaFormula(row["formula"])
    )
    assert dose.bsa_m2.quantize(Decimal("0.0001"), ROUND_HALF_UP) == Decimal(row["bsa_m2"])
    assert dose.dose_exact_mg.quantize(Decimal("0.01"), ROUND_HALF_UP) == Decimal(row["dose_mg"])


def test_the_whole_dose_of_the_contract_example():
    dose = plan_dose(Decimal(168), Decimal(71), PARAMETERS)
    assert (dose.dose_mg, dose.volume_ml, dose.vials) == (Decimal(91), Decimal("45.5"), 4)
    assert "50 mg/m2 x 1.8203 m2 (mosteller) = 91.01 mg, rounded to 91 mg" in dose.because


@pytest.mark.parametrize(("value", "rounded"), [("90.49", 90), ("90.5", 91), ("91.5", 92), ("-90.5", -91)])
def test_halves_round_away_from_zero(value, rounded):
    assert round_to(Decimal(value), Decimal(1)) == rounded


def test_rounding_to_five_milligrams():
    assert round_to(Decimal("92.5"), Decimal(5)) == 95


def test_vials_are_counted_from_the_rounded_dose():
    # Mosteller: 90 x 129.6 / 3600 = 3.24, root 1.8, dose exactly 90 mg: three vials, not four.
    assert plan_dose(Decimal("129.6"), Decimal(90), PARAMETERS).vials == 3
    # 90.4 mg is rounded to 90 mg first.
    close = plan_dose(Decimal("129.6"), Decimal("90.8"), PARAMETERS)
    assert close.dose_exact_mg > 90
    assert (close.dose_mg, close.vials) == (90, 3)


def test_the_dose_rests_on_the_unrounded_surface():
    # The surface shown to two decimals, 1.82, would give 91.00.
    assert plan_dose(Decimal(168), Decimal(71), PARAMETERS).dose_exact_mg > Decimal("91.01")


def test_a_cap_limits_the_dose_but_not_the_surface():
    dose = plan_dose(Decimal(185), Decimal(120), replace(PARAMETERS, bsa_cap=Decimal(2)))
    assert dose.dose_mg == 100
    assert dose.bsa_m2 > 2
    assert "capped at 2 m2" in dose.because


@pytest.mark.parametrize(("height", "weight"), [("0", "71"), ("168", "0"), ("-168", "-71")])
def test_a_body_without_size_is_refused(height, weight):
    with pytest.raises(ValueError, match="greater than 0"):
        body_surface_area(Decimal(height), Decimal(weight), BsaFormula.MOSTELLER)


@pytest.mark.parametrize(
    ("given_mg", "verdict"),
    [
        ("100", DoseVerdict.AS_PLANNED),
        ("105", DoseVerdict.AS_PLANNED),
        ("95", DoseVerdict.AS_PLANNED),
        ("105.1", DoseVerdict.WARN),
        ("110", DoseVerdict.WARN),
        ("90", DoseVerdict.WARN),
        ("110.1", DoseVerdict.NEEDS_REASON),
        ("89.9", DoseVerdict.NEEDS_REASON),
        ("0", DoseVerdict.NEEDS_REASON),
    ],
)
def test_the_administered_dose_is_judged_by_its_deviation(given_mg, verdict):
    assert judge_administered(Decimal(100), Decimal(given_mg), PARAMETERS) is verdict


@pytest.mark.parametrize(("now", "again"), [("77", False), ("77.1", True), ("63", False), ("62.9", True)])
def test_a_dose_is_recomputed_when_weight_changed_by_more_than_a_tenth(now, again):
    assert must_recompute(Decimal(70), Decimal(now), Decimal(10)) is again


def test_the_cumulative_dose_is_unknown_while_the_prior_one_is():
    assert cumulative_per_m2(None, [Decimal(50)]) is None
    assert cumulative_per_m2(Decimal(0), [Decimal(50), Decimal(50)]) == 100


@given(
    height=heights,
    weight=weights,
    more=st.decimals("0.1", "50", places=1),
    formula=st.sampled_from(list(BsaFormula)),
)
def test_a_larger_body_never_gets_less(height, weight, more, formula):
    base = plan_dose(height, weight, PARAMETERS, formula)
    assert plan_dose(height, weight + more, PARAMETERS, formula).dose_mg >= base.dose_mg
    assert plan_dose(height + more, weight, PARAMETERS, formula).dose_mg >= base.dose_mg
    assert (base.vials - 1) * PARAMETERS.vial_mg < base.dose_mg <= base.vials * PARAMETERS.vial_mg
