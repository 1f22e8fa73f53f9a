"""Dose by body surface area: from height and weight to milligrams, millilitres and vials."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal, localcontext
from enum import StrEnum
from fractions import Fraction

from logic.body import surface

WORKING_DIGITS = 34  # of every intermediate result; as many as IEEE 754 decimal128 carries
BSA_DIGITS = Decimal("0.0001")


class BsaFormula(StrEnum):
    """Published formulas for body surface area, by their authors."""

    MOSTELLER = "mosteller"
    DUBOIS = "dubois"
    HAYCOCK = "haycock"
    GEHAN_GEORGE = "gehan-george"


@dataclass(frozen=True)
class DoseParameters:
    """What a protocol says about a dose by body surface area.

    Attributes
    ----------
    per_m2
        mg per m2 of body surface.
    round_mg
        The dose is rounded to a multiple of this, mg.
    concentration
        mg per mL of the product.
    vial_mg
        mg in one vial.
    bsa_cap
        Largest surface that is dosed, m2; None for no cap.
    warn_pct, block_pct
        Deviation of the administered dose from the planned one, in per cent of the planned: above the first
        it is remarked on, above the second it needs a reason.
    """

    per_m2: Decimal
    formula: BsaFormula
    round_mg: Decimal
    concentration: Decimal
    vial_mg: Decimal
    bsa_cap: Decimal | None = None
    warn_pct: Decimal | None = None
    block_pct: Decimal | None = None


@dataclass(frozen=True)
class Dose:
    """A planned dose. `bsa_m2` and `dose_exact_mg` are unrounded; only `dose_mg` is rounded, once."""

    bsa_m2: Decimal
    dose_exact_mg: Decimal
    dose_mg: Decimal
    volume_ml: Decimal
    vials: int
    because: str


class DoseVerdict(StrEnum):
    """How an administered dose stands to the planned one."""

    AS_PLANNED = "AS PLANNED"
    WARN = "WARN"
    NEEDS_REASON = "NEEDS REASON"


def body_surface_area(height_cm: Decimal, weight_kg: Decimal, formula: BsaFormula) -> Decimal:
    """Body surface area in m2, unrounded (34 significant digits); forms work it out by the same function.

    Parameters
    ----------
    height_cm, weight_kg
        Greater than 0.
    formula
        Which published formula.

    Raises
    ------
    ValueError
        Height or weight not greater than 0.

    References
    ----------
    Mosteller 1987 (N Engl J Med 317:1098); Du Bois and Du Bois 1916 (Arch Intern Med 17:863); Haycock 1978
    (J Pediatr 93:62); Gehan and George 1970 (Cancer Chemother Rep 54:225).
    """
    found = Fraction(surface(height_cm, weight_kg, formula.value))
    with localcontext() as context:
        context.prec = WORKING_DIGITS
        return Decimal(found.numerator) / Decimal(found.denominator)


def round_to(value: Decimal, step: Decimal) -> Decimal:
    """`value` as a multiple of `step`, halves away from zero."""
    return (value / step).quantize(Decimal(1), ROUND_HALF_UP) * step


def plan_dose(
    height_cm: Decimal, weight_kg: Decimal, parameters: DoseParameters, formula: BsaFormula | None = None
) -> Dose:
    """The dose for this body, in mg, mL and vials.

    Parameters
    ----------
    height_cm, weight_kg
        Greater than 0; the weight measured for this procedure.
    parameters
        From the protocol.
    formula
        Another formula than the protocol's.

    Returns
    -------
    Dose
        The dose is computed from the unrounded surface (capped first, where a cap is set), rounded once to
        `round_mg`; volume and vials follow from the rounded dose, vials are opened whole.

    References
    ----------
    ThermoDox protocol, treatment: "50 mg/m2 ThermoDox infusion".
    """
    used = formula or parameters.formula
    surface = body_surface_area(height_cm, weight_kg, used)
    capped = parameters.bsa_cap is not None and surface > parameters.bsa_cap
    dosed = parameters.bsa_cap if capped and parameters.bsa_cap is not None else surface
    with localcontext() as context:
        context.prec = WORKING_DIGITS
        exact = parameters.per_m2 * dosed
        dose = round_to(exact, parameters.round_mg)
        volume = dose / parameters.concentration
        vials = int((dose / parameters.vial_mg).to_integral_value(ROUND_CEILING))
    cap_text = f", capped at {parameters.bsa_cap} m2" if capped else ""
    because = (
        f"{parameters.per_m2} mg/m2 x {surface.quantize(BSA_DIGITS, ROUND_HALF_UP)} m2 ({used}{cap_text}) "
        f"= {exact.quantize(Decimal('0.01'), ROUND_HALF_UP)} mg, rounded to {dose:f} mg; "
        f"{volume:f} mL at {parameters.concentration} mg/mL; {vials} vials of {parameters.vial_mg} mg"
    )
    return Dose(surface, exact, dose, volume, vials, because)


def change_pct(before: Decimal, after: Decimal) -> Decimal:
    """The change from `before` to `after` in per cent of `before`; negative for a fall."""
    if before == 0:
        raise ValueError("no change in per cent of 0")
    return (after - before) * 100 / before


def judge_administered(
    planned_mg: Decimal, administered_mg: Decimal, parameters: DoseParameters
) -> DoseVerdict:
    """Whether the dose given needs a remark or a reason.

    References
    ----------
    ThermoDox pack, dose (proposed): warn above 5 %, a reason above 10 %; both strict, so that exactly 5 %
    passes.
    """
    deviation = abs(change_pct(planned_mg, administered_mg))
    if parameters.block_pct is not None and deviation > parameters.block_pct:
        return DoseVerdict.NEEDS_REASON
    if parameters.warn_pct is not None and deviation > parameters.warn_pct:
        return DoseVerdict.WARN
    return DoseVerdict.AS_PLANNED


def must_recompute(weight_then: Decimal, weight_now: Decimal, limit_pct: Decimal) -> bool:
    """Whether the weight has changed by more than the limit since the dose was computed (strict)."""
    return abs(change_pct(weight_then, weight_now)) > limit_pct


def cumulative_per_m2(prior_mg_m2: Decimal | None, administered_mg_m2: Iterable[Decimal]) -> Decimal | None:
    """Anthracycline so far in mg/m2 of doxorubicin equivalents; None while the prior amount is not known."""
    if prior_mg_m2 is None:
        return None
    return prior_mg_m2 + sum(administered_mg_m2, Decimal(0))
