"""The imaging charter: who reads, what is assessed, and what is due when."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from trials.schema.base import Count, Flag, Number, Sourced, Text, Whole
from trials.schema.forms import CodeLabel

Variable = Literal[
    "ltp", "ltp_date", "residual", "overall_response", "progression_date", "new_lesion", "evaluability"
]
"""What two readers can differ in so that an adjudicator decides."""


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
    coverage_mm_min : Decimal
        How far it is from the first to the last slice at least, in mm; an examination of less waits for a person.
    stop_on : {'CENTRAL', 'SITE', 'EITHER'}
        Whose reading of local recurrence ends the imaging visits.
    order : {'sequential', 'global', 'random'}
        Time points one after the other, each locked before the next; all at once; or at random, unlinked.
    adjudicator : {'pick', 'anew', 'either'}
        Whether the adjudicator takes one of the two reads, reads anew, or may do either.
    reread_after_days : int
        Days after which a share of the reads (`reread_pct`) is shown to its reader again under another name.
    due : dict
        Service targets, in days, by step (`upload`, `qc`, `standard_read` …).
    lesions : {'site', 'reader'}
        Who lists the lesions that are followed: the site in its casebook, or the reader at the first time point,
        independently of the site.
    sources : dict
        Source key by charter key, where it differs from `source`.
    """

    readers: Whole = 1
    order: Literal["sequential", "global", "random"] = "sequential"
    assessments: tuple[Literal["ablation", "recist"], ...]
    modalities: tuple[Text, ...]
    contrast: Flag = True
    slice_mm_max: Number | None = None
    coverage_mm_min: Number | None = None
    stop_on: Literal["CENTRAL", "SITE", "EITHER"] = "CENTRAL"
    lesion_outcomes: tuple[Annotated[CodeLabel, BeforeValidator(code_with_label)], ...] = ()
    ltp_max_distance_mm: Number | None = None
    baseline_days: Count | None = None
    reread_pct: Number | None = None
    reread_after_days: Count | None = None
    adjudicate_on: tuple[Variable, ...] = ()
    adjudicator: Literal["pick", "anew", "either"] = "either"
    lesions: Literal["site", "reader"] = "site"
    due: dict[str, Count] = Field(default_factory=dict)
    sources: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _a_reader_lists_before_following(self) -> Self:
        """A reader's own list is locked by the signature of the first time point, so the others wait for it."""
        if self.lesions == "reader" and (self.order != "sequential" or "ablation" in self.assessments):
            raise ValueError("lesions: reader needs order: sequential, and no assessment of ablations")
        return self
