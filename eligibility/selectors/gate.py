"""The gate before treatment: every criterion asked again, and the signature still standing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from eligibility.models import Decision
from eligibility.rules.assessment import Verdict
from eligibility.rules.outlook import sub_study_for
from eligibility.selectors.evaluation import evaluation_of
from eligibility.selectors.standing import Standing, newest_signed, standing
from patients.models import Subject
from visits.rules.schedule import day_in_words


@dataclass(frozen=True)
class GateOpening:
    """Whether a subject may go on to randomisation or treatment on a day.

    Attributes
    ----------
    because
        One sentence; why not, where it is closed.
    reference
        The signed assessment that it rests on.
    """

    open: bool
    because: str
    reference: str = ""


def gate_before_treatment(subject: Subject, on: date) -> GateOpening:
    """Evaluate every criterion again on a day; open where the signed decision stands and the facts still say so.

    References
    ----------
    Protocol, eligibility: criteria are evaluated again at randomisation, or at the first prophylaxis dose.
    """
    assessment = newest_signed(subject)
    if assessment is None or assessment.signature is None:
        return GateOpening(False, "eligibility has not been signed.")
    if assessment.decision != Decision.ELIGIBLE:
        return GateOpening(False, "the investigator signed that the subject is not eligible.")
    now = evaluation_of(subject, on)
    found = standing(subject, assessment, now, on)
    if found.state != "signed":
        return GateOpening(False, f"the signed eligibility is out of date: {_why(found)}. Sign it again.")
    outlook = now.outlook
    if outlook is None or outlook.verdict is not Verdict.ELIGIBLE:
        because = outlook.route.because if outlook is not None else "the protocol has no criteria"
        return GateOpening(False, f"the criteria do not hold on {day_in_words(on)}: {because}.")
    sub_study = sub_study_for(now.protocol, outlook.deciding.name)
    if sub_study != subject.sub_study:
        return GateOpening(
            False, f"the criteria offer {outlook.deciding.title}, but the subject is in another sub-study."
        )
    return GateOpening(
        True,
        f"every criterion of {outlook.deciding.title} holds on {day_in_words(on)}.",
        f"assessment {assessment.reference} of {assessment.as_of.isoformat()}, digest {assessment.digest[:16]},"
        f" signed by {assessment.signature.signer_name}; facts {now.digest[:16]}",
    )


def _why(found: Standing) -> str:
    if found.changes:
        return ", ".join(f"{each.label} changed" for each in found.changes[:3])
    return (
        f"its facts were certain until {day_in_words(found.expired)}" if found.expired else "it does not fit"
    )
