"""Dose and timing for a table of cases: `calculate dose`, `calculate timing`."""

from __future__ import annotations

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field

from foundation.documents import (
    DayOrMoment,
    Document,
    DocumentError,
    Flag,
    Moment,
    Positive,
    Text,
    Whole,
    parse_document,
)
from treatment.rules.dose import BSA_DIGITS, BsaFormula, plan_dose
from treatment.rules.parameters import dose_parameters
from treatment.rules.timing import (
    Finding,
    PlannedLesion,
    PremedicationDose,
    ProcedureTimes,
    TreatmentRecord,
    timing_findings,
)
from trials.packs import bundled_protocol

TRIAL = "THERMODOX"
TALLEST_CM, HEAVIEST_KG = Decimal(300), Decimal(700)


def _formula(value: object) -> BsaFormula:
    if value in set(BsaFormula):
        return BsaFormula(str(value))
    raise ValueError(f"must be one of {', '.join(BsaFormula)}")


class DoseInput(Document):
    """A body. Sizes that no human has are refused: they are a slip of unit."""

    height_cm: Annotated[Positive, Field(ge=40, le=TALLEST_CM)]
    weight_kg: Annotated[Positive, Field(ge=1, le=HEAVIEST_KG)]
    formula: Annotated[BsaFormula | None, BeforeValidator(_formula)] = None


def calculate_dose(document: object) -> dict[str, object]:
    """Surface, dose, volume and vials by the ThermoDox protocol."""
    given = parse_document(DoseInput, document)
    section = bundled_protocol(TRIAL).dose
    if section is None:
        raise DocumentError("", f"the protocol of {TRIAL} has no dose section")
    dose = plan_dose(given.height_cm, given.weight_kg, dose_parameters(section), given.formula)
    return {
        "bsa_m2": str(dose.bsa_m2.quantize(BSA_DIGITS, ROUND_HALF_UP)),
        "dose_mg": dose.dose_mg,
        "dose_exact_mg": dose.dose_exact_mg,
        "volume_ml": dose.volume_ml,
        "vials": dose.vials,
        "because": dose.because,
    }


Number = Annotated[Whole, Field(ge=1, le=99)]


class ProcedureInput(Document):
    """Times of one procedure; null or left out is not recorded."""

    number: Number
    prophylaxis_start: Moment | None = None
    infusion_start: Moment | None = None
    infusion_end: Moment | None = None
    ablation_start: Moment | None = None
    ablation_end: Moment | None = None
    interrupted: Flag | None = None


class DoseGivenInput(Document):
    """One dose of the premedication."""

    procedure: Number
    drug: Text
    at: Moment | None
    route: Text | None = None


class LesionInput(Document):
    """One lesion of the plan."""

    id: Text
    unresectable: Flag | None
    planned_procedure: Annotated[Whole, Field(ge=0, le=99)] | None = None
    ablated_in: list[Number] = []


class TimingInput(Document):
    """All recorded times of one subject."""

    procedures: list[ProcedureInput]
    consent: DayOrMoment | None = None
    premedication: list[DoseGivenInput] = []
    lesions: list[LesionInput] | None = None


def calculate_timing(document: object) -> dict[str, object]:
    """Findings of all timing rules of the ThermoDox protocol."""
    given = parse_document(TimingInput, document)
    _check_numbers(given)
    findings = timing_findings(bundled_protocol(TRIAL), _record(given))
    return {"findings": [_row(finding) for finding in findings]}


def _check_numbers(given: TimingInput) -> None:
    numbers = [procedure.number for procedure in given.procedures]
    for place, number in enumerate(numbers):
        if number in numbers[:place]:
            raise DocumentError(f"procedures[{place}].number", f"procedure {number} stands twice")
    for place, dose in enumerate(given.premedication):
        if dose.procedure not in numbers:
            raise DocumentError(
                f"premedication[{place}].procedure", f"there is no procedure {dose.procedure}"
            )
    names = [lesion.id for lesion in given.lesions or []]
    for place, lesion in enumerate(given.lesions or []):
        if lesion.id in names[:place]:
            raise DocumentError(f"lesions[{place}].id", f"lesion {lesion.id} stands twice")
        for where, number in enumerate(lesion.ablated_in):
            if number not in numbers:
                raise DocumentError(
                    f"lesions[{place}].ablated_in[{where}]", f"there is no procedure {number}"
                )


def _record(given: TimingInput) -> TreatmentRecord:
    consent: datetime | date | None = given.consent
    return TreatmentRecord(
        procedures=tuple(_procedure(procedure, given) for procedure in given.procedures),
        consent=consent,
        premedication=tuple(
            PremedicationDose(dose.procedure, dose.drug, dose.at, dose.route) for dose in given.premedication
        ),
        lesions=None if given.lesions is None else tuple(_lesion(lesion) for lesion in given.lesions),
    )


def _procedure(procedure: ProcedureInput, given: TimingInput) -> ProcedureTimes:
    listed = sum(procedure.number in lesion.ablated_in for lesion in given.lesions or [])
    timed = procedure.ablation_start is not None or procedure.ablation_end is not None
    return ProcedureTimes(
        number=procedure.number,
        p0=procedure.prophylaxis_start,
        t0=procedure.infusion_start,
        t1=procedure.infusion_end,
        a0=procedure.ablation_start,
        a1=procedure.ablation_end,
        interrupted=procedure.interrupted,
        ablations=max(listed, int(timed)) or None,
    )


def _lesion(lesion: LesionInput) -> PlannedLesion:
    return PlannedLesion(lesion.id, lesion.unresectable, lesion.planned_procedure, tuple(lesion.ablated_in))


def _row(finding: Finding) -> dict[str, object]:
    return {
        "rule": finding.rule,
        "procedure": finding.procedure,
        "outcome": finding.outcome,
        "severity": finding.severity,
        "measured": finding.measured,
        "because": finding.because,
    }
