"""The dose of each procedure: planned from the body weighed for it, and given. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from treatment.rules.dose import (
    Dose,
    DoseParameters,
    DoseVerdict,
    change_pct,
    cumulative_per_m2,
    judge_administered,
    must_recompute,
    plan_dose,
)


@dataclass(frozen=True)
class Body:
    """Height and weight as they were known for a procedure.

    Attributes
    ----------
    height_cm, weight_kg
        None where not recorded.
    weighed_on
        Day of the weight; None where not known.
    weighed_for_it
        Whether the weight was taken at the procedure's own visit.
    """

    height_cm: Decimal | None
    weight_kg: Decimal | None
    weighed_on: date | None = None
    weighed_for_it: bool = False


@dataclass(frozen=True)
class ProcedureDose:
    """Planned and given dose of one procedure.

    Attributes
    ----------
    difference_pct
        Given against planned, in per cent of the planned.
    given_per_m2
        mg per m2 that were given.
    warnings
        Sentences about the weight.
    """

    number: int
    body: Body
    planned: Dose | None
    given_mg: Decimal | None
    verdict: DoseVerdict | None
    difference_pct: Decimal | None
    given_per_m2: Decimal | None
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Cumulative:
    """Anthracycline so far, in mg/m2 of doxorubicin; `total` None while a part is unknown."""

    prior: Decimal | None
    given: Decimal
    total: Decimal | None
    ceiling: Decimal | None

    @property
    def above(self) -> bool:
        """Whether it is above the usual lifetime ceiling."""
        return self.total is not None and self.ceiling is not None and self.total > self.ceiling


def procedure_doses(
    bodies: Mapping[int, Body],
    given_mg: Mapping[int, Decimal],
    parameters: DoseParameters,
    reweigh_pct: Decimal | None,
) -> tuple[ProcedureDose, ...]:
    """Doses of the procedures in order of their number.

    Parameters
    ----------
    bodies
        By procedure: as far as it was known on the day of the infusion.
    given_mg
        By procedure, mg.
    reweigh_pct
        Change of weight, in per cent, above which the dose is calculated again.
    """
    found: list[ProcedureDose] = []
    for number in sorted(bodies):
        before = found[-1] if found else None
        found.append(
            _procedure_dose(number, bodies[number], given_mg.get(number), parameters, before, reweigh_pct)
        )
    return tuple(found)


def _procedure_dose(
    number: int,
    body: Body,
    given: Decimal | None,
    parameters: DoseParameters,
    before: ProcedureDose | None,
    reweigh_pct: Decimal | None,
) -> ProcedureDose:
    planned = None
    if body.height_cm and body.weight_kg:
        planned = plan_dose(body.height_cm, body.weight_kg, parameters)
    compared = planned is not None and given is not None and planned.dose_mg > 0
    return ProcedureDose(
        number=number,
        body=body,
        planned=planned,
        given_mg=given,
        verdict=judge_administered(planned.dose_mg, given, parameters)
        if compared and planned and given is not None
        else None,
        difference_pct=change_pct(planned.dose_mg, given)
        if compared and planned and given is not None
        else None,
        given_per_m2=given / planned.bsa_m2 if planned and given is not None else None,
        warnings=tuple(_weight_warnings(number, body, before, reweigh_pct)),
    )


def _weight_warnings(
    number: int, body: Body, before: ProcedureDose | None, reweigh_pct: Decimal | None
) -> list[str]:
    if before is None or body.weight_kg is None:
        return []
    warnings = []
    if not body.weighed_for_it:
        warnings.append(f"No weight is recorded at procedure {number}. Weigh again; the dose depends on it.")
    then = before.body.weight_kg
    if then and reweigh_pct is not None and must_recompute(then, body.weight_kg, reweigh_pct):
        change = shown(abs(change_pct(then, body.weight_kg)), "0.1")
        verb = "rose" if body.weight_kg > then else "fell"
        warnings.append(
            f"The weight {verb} by {change} % since procedure {before.number} ({then:f} to {body.weight_kg:f} kg), "
            f"more than {reweigh_pct:f} %: prepare the dose calculated from the new weight."
        )
    return warnings


def cumulative(
    doses: Sequence[ProcedureDose], prior_mg_m2: Decimal | None, ceiling: Decimal | None
) -> Cumulative:
    """Anthracycline so far: what was given elsewhere before, and in the procedures of the trial.

    Parameters
    ----------
    prior_mg_m2
        As doxorubicin, mg/m2; None while not known.
    ceiling
        Usual lifetime ceiling, mg/m2.

    Notes
    -----
    The total is unknown while the surface of a dose that was given is unknown: an amount left out would look
    like a smaller exposure.
    """
    parts = [dose.given_per_m2 for dose in doses if dose.given_per_m2 is not None]
    complete = len(parts) == sum(dose.given_mg is not None for dose in doses)
    total = cumulative_per_m2(prior_mg_m2, parts) if complete else None
    return Cumulative(prior_mg_m2, sum(parts, Decimal(0)), total, ceiling)


def shown(number: Decimal, step: str) -> str:
    """A number rounded for display, halves away from zero."""
    return format(number.quantize(Decimal(step), ROUND_HALF_UP), "f")
