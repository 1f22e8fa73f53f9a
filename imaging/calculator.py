"""RECIST 1.1 for a table of cases: `calculate recist`."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated

from pydantic import BeforeValidator

from foundation.documents import Document, DocumentError, Flag, IsoDate, NotNegative, Text, parse_document
from imaging.rules.recist_1_1 import (
    NON_TARGET_RESPONSES,
    Assessed,
    RecistRefused,
    Response,
    Target,
    Timepoint,
    assess_timepoints,
    baseline_remarks,
    progression_date,
)

PER_CENT_DIGITS = Decimal("0.0001")


def _non_target(value: object) -> Response | None:
    if value is None or value in NON_TARGET_RESPONSES:
        return None if value is None else Response(str(value))
    raise ValueError(f"must be null or one of {', '.join(sorted(NON_TARGET_RESPONSES))}")


class TargetInput(Document):
    """One target lesion; `mm` null is not evaluable."""

    organ: Text
    nodal: Flag
    mm: NotNegative | None


class TimepointInput(Document):
    """One assessment."""

    date: IsoDate
    targets: dict[str, TargetInput]
    non_target: Annotated[Response | None, BeforeValidator(_non_target)] = None
    new_lesion: Flag = False

    def timepoint(self) -> Timepoint:
        targets = {name: Target(each.organ, each.nodal, each.mm) for name, each in self.targets.items()}
        return Timepoint(self.date, targets, self.non_target, self.new_lesion)


class RecistInput(Document):
    """All assessments of one subject, the baseline first."""

    timepoints: list[TimepointInput]


def calculate_recist(document: object) -> dict[str, object]:
    """Responses per timepoint; `DocumentError` where a timepoint cannot be assessed as it stands."""
    timepoints = [each.timepoint() for each in parse_document(RecistInput, document).timepoints]
    try:
        assessed = assess_timepoints(timepoints)
    except RecistRefused as refused:
        raise DocumentError(refused.place, str(refused)) from None
    return {
        "timepoints": [_row(each) for each in assessed],
        "progression": progression_date(assessed),
        "remarks": baseline_remarks(timepoints[0]),
    }


def _row(assessed: Assessed) -> dict[str, object]:
    return {
        "date": assessed.on,
        "sum_mm": assessed.sum_mm,
        "measured_mm": assessed.measured_mm,
        "nadir_mm": assessed.nadir_mm,
        "change_from_baseline_pct": _shown(assessed.change_from_baseline_pct),
        "change_from_nadir_pct": _shown(assessed.change_from_nadir_pct),
        "target": assessed.target,
        "overall": assessed.overall,
        "because": assessed.because,
    }


def _shown(per_cent: Decimal | None) -> Decimal | None:
    return None if per_cent is None else per_cent.quantize(PER_CENT_DIGITS, ROUND_HALF_UP)
