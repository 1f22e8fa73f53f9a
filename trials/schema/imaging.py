"""The imaging charter: who reads, what is assessed, and what is due when."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from trials.schema.base import Count, Flag, Number, Sourced, Text, Whole
from trials.schema.forms import CodeLabel


def code_with_label(value: object) -> object:
    """Read a bare code as a code that is its own label."""
    if isinstance(value, str):
        return {"code": value, "label": value.replace("_", " ").capitalize()}
    return value


class Charter(Sourced):
    """How images are read.

    Attributes
    ----------
    readers : int
        Independent readers of each case; with two, an adjudicator decides between them.
    slice_mm_max : Decimal
        Thickest slice that passes quality control, in mm.
    stop_on : {'CENTRAL', 'SITE', 'EITHER'}
        Whose reading of local recurrence ends the imaging visits.
    due : dict
        Service targets, in days, by step (`upload`, `qc`, `standard_read` …).
    sources : dict
        Source key by charter key, where it differs from `source`.
    """

    readers: Whole = 1
    order: Literal["sequential", "global"] = "sequential"
    assessments: tuple[Literal["ablation", "recist"], ...]
    modalities: tuple[Text, ...]
    contrast: Flag = True
    slice_mm_max: Number | None = None
    stop_on: Literal["CENTRAL", "SITE", "EITHER"] = "CENTRAL"
    lesion_outcomes: tuple[Annotated[CodeLabel, BeforeValidator(code_with_label)], ...] = ()
    ltp_max_distance_mm: Number | None = None
    baseline_days: Count | None = None
    reread_pct: Number | None = None
    adjudicate_on: tuple[Text, ...] = ()
    due: dict[str, Count] = Field(default_factory=dict)
    sources: dict[str, str] = Field(default_factory=dict)
