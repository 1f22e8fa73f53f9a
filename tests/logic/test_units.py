"""The conversion table: spellings, factors, and what is refused."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logic import UnitError
from logic.unit_table import ALIASES, ROWS
from logic.units import analytes, canonical_unit, conversion_factor, convert, normalise_unit, units_of


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("µmol/L", "umol/L"),
        ("μmol/l", "umol/L"),
        ("umol/L", "umol/L"),
        ("mcmol/L", "umol/L"),
        ("x10^9/L", "10^9/L"),
        ("×10⁹/L", "10^9/L"),
        ("10*9/L", "10^9/L"),
        ("10 ^9 / L", "10^9/L"),
        ("G/L", "10^9/L"),
        ("g/L", "g/L"),
        ("g/l", "g/L"),
        ("K/uL", "10^9/L"),
        ("10^3/µL", "10^9/L"),
        ("/mm3", "/uL"),
        ("g/dl", "g/dL"),
        ("MMOL/L", "mmol/L"),
        ("IE/L", "U/L"),
        ("µkat/L", "ukat/L"),
        ("ng/ml", "ng/mL"),
        ("mg/m²", "mg/m2"),
        ("lbs", "lb"),
        ("1", "1"),
        ("%", "%"),
    ],
)
def test_a_spelling_means_one_unit(written: str, stored: str) -> None:
    assert normalise_unit(written) == stored


@pytest.mark.parametrize("unit", ["", "barrels", "mol", "g/dL/dL", "10^7/L"])
def test_an_unknown_unit_is_refused(unit: str) -> None:
    with pytest.raises(UnitError, match="is not known"):
        normalise_unit(unit)


@pytest.mark.parametrize(
    ("analyte", "value", "from_unit", "to_unit", "expected"),
    [
        ("HGB", "101", "g/L", "g/dL", "10.1"),
        ("HGB", "6.2", "mmol/L", "g/dL", "9.99068"),
        ("HGB", "6.3", "mmol/L", "g/dL", "10.15182"),
        ("BILI", "1", "mg/dL", "umol/L", "17.1"),
        ("BILI", "51.3", "umol/L", "mg/dL", "3"),
        ("CREAT", "2.5", "mg/dL", "umol/L", "221"),
        ("ALB", "2.8", "g/dL", "g/L", "28"),
        ("AST", "0.75", "ukat/L", "U/L", "45"),
        ("PLAT", "75000", "/mm3", "10^9/L", "75"),
        ("NEUT", "1.5", "K/uL", "10^9/L", "1.5"),
        ("CEA", "3.4", "ng/mL", "ug/L", "3.4"),
        ("INR", "1.2", "1", "1", "1.2"),
        ("WEIGHT", "150", "lb", "kg", "68.0388555"),
        ("HEIGHT", "70", "in", "cm", "177.8"),
        ("LENGTH", "1.5", "cm", "mm", "15"),
        ("DURATION", "3", "h", "min", "180"),
        ("GLUC", "180.16", "mg/dL", "mmol/L", "10"),
    ],
)
def test_a_conversion_of_the_table(
    analyte: str, value: str, from_unit: str, to_unit: str, expected: str
) -> None:
    assert convert(value, analyte, from_unit, to_unit) == Decimal(expected)


def test_a_unit_of_another_analyte_is_refused() -> None:
    with pytest.raises(UnitError, match="HGB has no unit 'umol/L'"):
        convert("1", "HGB", "umol/L", "g/dL")
    with pytest.raises(UnitError, match="did you mean HGB"):
        units_of("HBG")


@pytest.mark.parametrize("value", [1.5, True, "twelve"])
def test_a_value_that_is_no_exact_number_is_refused(value: object) -> None:
    with pytest.raises(UnitError):
        convert(value, "HGB", "g/dL", "g/L")  # type: ignore[arg-type]


def test_every_row_has_a_source_and_a_unit_that_is_its_own_spelling() -> None:
    for row in ROWS:
        assert row.source
        assert row.factor > 0
        assert normalise_unit(row.unit) == row.unit


def test_the_first_unit_of_an_analyte_is_canonical() -> None:
    for analyte in analytes():
        assert conversion_factor(analyte, canonical_unit(analyte), canonical_unit(analyte)) == 1
        assert next(row for row in ROWS if row.analyte == analyte).unit == canonical_unit(analyte)


def test_no_spelling_stands_for_two_units() -> None:
    spellings = [other for others in ALIASES.values() for other in others]
    assert len(spellings) == len(set(spellings))
    assert set(ALIASES) <= {row.unit for row in ROWS}
    for unit, others in ALIASES.items():
        assert {normalise_unit(other) for other in others} <= {unit}


@given(st.sampled_from(analytes()), st.data())
def test_there_and_back_is_the_same(analyte: str, data: st.DataObject) -> None:
    one, other = data.draw(st.sampled_from(units_of(analyte))), data.draw(st.sampled_from(units_of(analyte)))
    assert conversion_factor(analyte, one, other) * conversion_factor(analyte, other, one) == Fraction(1)
