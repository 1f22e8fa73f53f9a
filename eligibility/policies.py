"""What may be signed. Pure: the decision, what the criteria say, and what the person wrote."""

from __future__ import annotations

from eligibility.rules.assessment import Verdict

ELIGIBLE, NOT_ELIGIBLE = "ELIGIBLE", "NOT_ELIGIBLE"
DECISIONS = (ELIGIBLE, NOT_ELIGIBLE)
BEFORE_ENROLMENT = frozenset({"SCREENING", "ELIGIBLE", "SCREEN_FAILURE"})
"""Statuses in which a signed decision moves the subject."""
IN_SCREENING = frozenset({"SCREENING", "ELIGIBLE"})
"""Statuses in which eligibility is judged on facts up to today, and may run out."""


def may_be_signed(decision: str, verdict: Verdict) -> bool:
    """Whether a decision may be signed at all.

    Nobody signs "eligible" while a criterion fails or is not decided: there are no waivers. An investigator may
    always decide against a subject.

    References
    ----------
    ICH E6(R3), principles: compliance with the approved protocol.
    """
    return decision == NOT_ELIGIBLE or (decision == ELIGIBLE and verdict is Verdict.ELIGIBLE)


def differs(decision: str, verdict: Verdict) -> bool:
    """Whether a decision says something else than the criteria; it needs a comment then."""
    return verdict is not {ELIGIBLE: Verdict.ELIGIBLE, NOT_ELIGIBLE: Verdict.INELIGIBLE}[decision]
