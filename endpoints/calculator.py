"""Endpoints for a table of cases: `calculate endpoints`."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from endpoints.rules.derivation import Derived, derive_endpoints
from endpoints.rules.timeline import FollowUp, FormScore, Scan
from foundation.documents import (
    DayOrMoment,
    Document,
    DocumentError,
    Flag,
    IsoDate,
    Moment,
    NotNegative,
    PartialDate,
    Text,
    parse_document,
)
from imaging.rules.ablation import LesionOutcome
from qol.rules.fhsi_8_version_4 import BEST_SCORE
from visits.calculator import check_procedures, protocol_named


def _outcome(value: object) -> LesionOutcome:
    if value in set(LesionOutcome):
        return LesionOutcome(str(value))
    raise ValueError(f"must be one of {', '.join(LesionOutcome)}")


class ReadInput(Document):
    """One scan and its final central read."""

    acquired: IsoDate
    signed: IsoDate | None
    adequate: Flag
    lesions: dict[str, Annotated[LesionOutcome, BeforeValidator(_outcome)]] = {}


class ScoreInput(Document):
    """One FHSI-8; `date` may be a time with offset, `score` null where it is not evaluable."""

    date: DayOrMoment
    score: Annotated[NotNegative, Field(le=BEST_SCORE)] | None


class EndpointsInput(Document):
    """Recorded facts of one treated subject."""

    trial: Text
    procedures: Annotated[list[IsoDate], Field(min_length=1)]
    reads: list[ReadInput] = []
    fhsi8: list[ScoreInput] = []
    death: PartialDate | None = None
    last_alive: IsoDate | None = None
    discontinued: IsoDate | None = None
    cut_off: IsoDate
    survival_follow_up: Flag = True
    ablations: dict[str, list[IsoDate]] = {}
    first_infusion: Moment | None = None


def calculate_endpoints(document: object) -> dict[str, object]:
    """One ADTTE-like row for each endpoint of the trial."""
    given = parse_document(EndpointsInput, document)
    protocol = protocol_named(given.trial)
    check_procedures(protocol, given.procedures)
    _check(given)
    try:
        derived = derive_endpoints(protocol, _follow_up(given))
    except ValueError as refused:
        raise DocumentError("death", str(refused)) from None
    return {"endpoints": [_row(each) for each in derived]}


def _check(given: EndpointsInput) -> None:
    first = min(given.procedures)
    if given.cut_off < first:
        raise DocumentError("cut_off", f"{given.cut_off} lies before the first procedure ({first})")
    if given.last_alive is None and given.death is None:
        raise DocumentError("last_alive", "is required while no death is recorded")
    if given.last_alive is not None and given.last_alive < first:
        raise DocumentError("last_alive", f"{given.last_alive} lies before the first procedure ({first})")
    if given.discontinued is not None and given.discontinued < first:
        raise DocumentError("discontinued", f"{given.discontinued} lies before the first procedure ({first})")
    for place, read in enumerate(given.reads):
        if read.signed is not None and read.signed < read.acquired:
            raise DocumentError(
                f"reads[{place}].signed", "a read cannot be signed before the scan was acquired"
            )
    for lesion, days in given.ablations.items():
        for place, day in enumerate(days):
            if day not in given.procedures:
                raise DocumentError(f"ablations.{lesion}[{place}]", f"there is no procedure on {day}")


def _follow_up(given: EndpointsInput) -> FollowUp:
    return FollowUp(
        procedures=tuple(sorted(given.procedures)),
        scans=tuple(Scan(read.acquired, read.signed, read.adequate, read.lesions) for read in given.reads),
        forms=tuple(FormScore(form.date, form.score) for form in given.fhsi8),
        death=given.death,
        last_alive=given.last_alive,
        discontinued=given.discontinued,
        survival_follow_up=given.survival_follow_up,
        cut_off=given.cut_off,
        ablated=given.ablations,
        first_infusion=given.first_infusion,
    )


def _row(derived: Derived) -> dict[str, object]:
    row = derived.row
    return {
        "PARAMCD": row.paramcd,
        "PARAM": derived.endpoint.label,
        "STARTDT": row.start,
        "ADT": row.adt,
        "AVAL": row.aval,
        "CNSR": row.cnsr,
        "RESULT": row.result,
        "EVNTDESC": row.description,
        "COMPETING": row.competing,
        "because": row.because,
    }
