"""The dose parameters that a protocol makes."""

from __future__ import annotations

from decimal import Decimal

from treatment.rules.dose import BsaFormula, DoseParameters
from trials.schema import Dose, DoseNumber


def dose_parameters(dose: Dose) -> DoseParameters:
    """A protocol's dose section as numbers.

    Raises
    ------
    ValueError
        A number that cannot be left out is null.
    """
    return DoseParameters(
        per_m2=_needed(dose.per_m2, "per_m2"),
        formula=BsaFormula(dose.formula.value),
        round_mg=_needed(dose.round_mg, "round_mg"),
        concentration=_needed(dose.concentration, "concentration"),
        vial_mg=_needed(dose.vial_mg, "vial_mg"),
        bsa_cap=dose.bsa_cap.value,
        warn_pct=dose.warn_pct.value,
        block_pct=dose.block_pct.value,
    )


def _needed(number: DoseNumber, name: str) -> Decimal:
    if number.value is None:
        raise ValueError(f"the dose section gives no {name}")
    return number.value
