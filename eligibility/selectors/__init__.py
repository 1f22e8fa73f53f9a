"""Reading the eligibility room."""

from eligibility.selectors.evaluation import (
    VIEW,
    Evaluation,
    Screened,
    TrialEvaluation,
    evaluation_of,
    evaluations_of,
    judging_versions,
    outcomes_document,
    pre_screening,
)
from eligibility.selectors.gate import GateOpening, gate_before_treatment
from eligibility.selectors.lists import (
    CriterionCount,
    EligibilityTask,
    ScreeningOutcomes,
    screening_outcomes,
    unsigned_or_stale,
)
from eligibility.selectors.standing import (
    Standing,
    assessments_of,
    compared_on,
    content_digest,
    judged_on,
    newest_signed,
    signed_of,
    standing,
    standing_of,
    unfitting_assessments,
)

__all__ = [
    "VIEW",
    "CriterionCount",
    "EligibilityTask",
    "Evaluation",
    "GateOpening",
    "Screened",
    "ScreeningOutcomes",
    "Standing",
    "TrialEvaluation",
    "assessments_of",
    "compared_on",
    "content_digest",
    "evaluation_of",
    "evaluations_of",
    "gate_before_treatment",
    "judged_on",
    "judging_versions",
    "newest_signed",
    "outcomes_document",
    "pre_screening",
    "screening_outcomes",
    "signed_of",
    "standing",
    "standing_of",
    "unfitting_assessments",
    "unsigned_or_stale",
]
