"""CTCAE grades compared with their source."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safety.rules.ctcae_5_0 import (
    TABLE,
    Cut,
    Direction,
    Grading,
    Scale,
    suggest_ejection_fraction_grade,
    suggest_grade,
)
from tests.vectors import vectors

VECTORS = vectors("ctcae_5_0")


def limit(kind: str, test: str) -> Decimal | None:
    text = VECTORS[kind].get(test)
    return None if text is None else Decimal(text)


@pytest.mark.parametrize("row", VECTORS["bands"], ids=lambda row: f"{row['test']} {row['text']}")
def test_grades_are_those_of_the_printed_bands(row):
    for value in row["inside"]:
        found = suggest_grade(
            row["test"], Decimal(value), limit("lln", row["test"]), limit("uln", row["test"])
        )
        assert found.grade == row["grade"], value


@pytest.mark.parametrize("row", VECTORS["abnormal_baseline"], ids=lambda row: f"{row['test']} {row['text']}")
def test_an_abnormal_baseline_is_what_counts(row):
    for value in row["inside"]:
        uln = limit("uln", row["test"])
        assert (
            suggest_grade(row["test"], Decimal(value), None, uln, Decimal(row["baseline"])).grade
            == row["grade"]
        )


@pytest.mark.parametrize(
    "row", VECTORS["ejection_fraction"], ids=lambda row: f"{row['value']} {row['baseline']}"
)
def test_ejection_fraction(row):
    baseline = row["baseline"] and Decimal(row["baseline"])
    assert suggest_ejection_fraction_grade(Decimal(row["value"]), baseline).grade == row["grade"]


def test_every_test_of_the_table_has_vectors():
    assert {row["test"] for row in VECTORS["bands"]} == set(TABLE)


def test_without_the_limit_that_decides_there_is_no_grade():
    assert suggest_grade("NEUT", Decimal("0.4")).grade == 4
    found = suggest_grade("NEUT", Decimal("1.8"))
    assert (found.grade, found.missing) == (None, ("LLN",))
    assert suggest_grade("ALT", Decimal(900)).grade is None


def test_a_band_that_would_be_empty_cannot_be_written():
    with pytest.raises(ValueError, match="does not begin beyond"):
        Grading(Direction.HIGH, "", (Cut(1, Decimal("2.5"), Scale.ULN), Cut(2, Decimal("2.5"), Scale.ULN)))
    with pytest.raises(ValueError, match="does not follow"):
        Grading(Direction.LOW, "", (Cut(2, Decimal(5), Scale.UNIT), Cut(2, Decimal(4), Scale.UNIT)))


@given(
    test=st.sampled_from(sorted(TABLE)),
    value=st.decimals("0", "2000", places=2),
    worse=st.decimals("0.01", "100", places=2),
)
def test_a_worse_value_never_has_a_lower_grade(test, value, worse):
    lln, uln = limit("lln", test), limit("uln", test)
    step = worse if TABLE[test].direction is Direction.HIGH else -worse
    assert suggest_grade(test, value + step, lln, uln).grade >= suggest_grade(test, value, lln, uln).grade
