"""Whether what was signed still stands: worked out from the facts as they are now, never stored."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from django.db.models import QuerySet

from accounts.selectors import is_genuine
from eligibility.models import Assessment
from eligibility.policies import IN_SCREENING
from eligibility.rules.facts import Change, changes_between
from eligibility.selectors.evaluation import Evaluation, evaluation_of
from patients.models import Subject
from trials.schema import digest_of

State = Literal["signed", "stale", "none"]


@dataclass(frozen=True)
class Standing:
    """A subject's newest signed assessment, and whether it still stands.

    Attributes
    ----------
    state
        `none` where nothing was signed, `stale` where it has to be signed again.
    changes
        What is no longer as it was signed, with the values before and after.
    expired
        The last day on which the signed facts were certain to give the same answer, where that has passed.
    """

    assessment: Assessment | None
    state: State
    changes: tuple[Change, ...] = ()
    expired: date | None = None


NOTHING_SIGNED = Standing(None, "none")


def assessments_of(subject: Subject) -> QuerySet[Assessment]:
    """All that was kept of a subject, newest first, with who signed; the facts and outcomes included."""
    return (
        Assessment.objects.filter(subject=subject)
        .select_related("signature", "version")
        .defer("version__definition")
        .order_by("-pk")
    )


def signed_of(subjects: Collection[Subject]) -> dict[int, Assessment]:
    """The newest signed assessment of each subject, by the subject's primary key; one statement."""
    found = (
        Assessment.objects.filter(subject__in=[each.pk for each in subjects], signature__isnull=False)
        .select_related("signature", "version")
        .defer("version__definition")
        .order_by("subject_id", "-pk")
        .distinct("subject_id")
    )
    return {each.subject_id: each for each in found}


def newest_signed(subject: Subject) -> Assessment | None:
    """The newest signed assessment of a subject."""
    return signed_of([subject]).get(subject.pk)


def standing_of(subject: Subject, today: date) -> Standing:
    """Whether a subject's signed eligibility still stands.

    It is out of date when a fact that it used has changed or, while the subject is in screening, when the protocol
    version has, or when the day has passed until which the facts were certain to hold. Before enrolment the facts of
    today count, after it those of the day that was judged: a correction of them is noticed, a later value is none.

    Parameters
    ----------
    today
        The calendar day at the site.
    """
    assessment = newest_signed(subject)
    if assessment is None:
        return NOTHING_SIGNED
    return standing(
        subject, assessment, evaluation_of(subject, compared_on(subject, assessment, today)), today
    )


def compared_on(subject: Subject, assessment: Assessment, today: date) -> date:
    """The day whose facts a signed assessment is compared with."""
    return max(today, assessment.as_of) if subject.status in IN_SCREENING else assessment.as_of


def judged_on(subject: Subject, assessment: Assessment | None, today: date) -> date:
    """The day for which eligibility is judged and signed: today in screening, afterwards the day that was judged."""
    if assessment is None or subject.status in IN_SCREENING or subject.status == "SCREEN_FAILURE":
        return today
    return assessment.as_of


def standing(subject: Subject, assessment: Assessment, now: Evaluation, today: date) -> Standing:
    """Compare a signed assessment with an evaluation of the day that `compared_on` names."""
    changes = tuple(_changes(subject, assessment, now))
    expired = None
    if (
        subject.status in IN_SCREENING
        and assessment.valid_until is not None
        and today > assessment.valid_until
    ):
        expired = assessment.valid_until
    return Standing(assessment, "stale" if changes or expired else "signed", changes, expired)


def _changes(subject: Subject, assessment: Assessment, now: Evaluation) -> Iterator[Change]:
    if assessment.version_id != subject.version_id and subject.status in IN_SCREENING:
        yield Change("Protocol version", assessment.version.label, subject.version.label)
    yield from changes_between(now.protocol, assessment.facts, now.facts)
    if assessment.digest != content_digest(subject, assessment) or not _fits(assessment):
        yield Change("Record", "as signed", "does not fit its signature")


def _fits(assessment: Assessment) -> bool:
    signature = assessment.signature
    return (
        signature is not None
        and signature.digest == assessment.digest
        and signature.target_id == str(assessment.reference)
        and is_genuine(signature)
    )


def content_of(subject: Subject, assessment: Assessment) -> dict[str, Any]:
    """What a signature covers: everything that the assessment says, as plain JSON values."""
    until = assessment.valid_until
    return {
        "reference": str(assessment.reference),
        "subject": subject.number,
        "protocol": assessment.version.sha256,
        "as_of": assessment.as_of.isoformat(),
        "facts": assessment.facts,
        "outcomes": assessment.outcomes,
        "verdict": assessment.verdict,
        "route": assessment.route,
        "route_because": assessment.route_because,
        "offered": assessment.offered,
        "valid_until": None if until is None else until.isoformat(),
        "decision": assessment.decision,
        "comment": assessment.comment,
    }


def content_digest(subject: Subject, assessment: Assessment) -> str:
    """Hexadecimal SHA-256 of the canonical JSON of what a signature covers."""
    return digest_of(content_of(subject, assessment))


def unfitting_assessments() -> Iterator[str]:
    """Every kept assessment that is not as it was written, as a sentence. A check of `verify_trail`."""
    rows = Assessment.objects.select_related("subject", "version", "signature").defer("version__definition")
    for each in rows.order_by("pk").iterator():
        if each.digest != content_digest(each.subject, each) or (each.decision and not _fits(each)):
            yield f"assessment {each.reference}: the row is not as it was signed"
