"""Eligibility for programs: the criteria as they come out now, and what was signed.

Signing is not offered: a signature needs a person who reads the page and types a password (21 CFR 11.200).
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import Endpoint
from eligibility.forms import read_day
from eligibility.models import Assessment, Decision
from eligibility.rules.assessment import CriterionOutcome, Verdict
from eligibility.selectors import (
    VIEW,
    Evaluation,
    Standing,
    assessments_of,
    compared_on,
    evaluation_of,
    judged_on,
    newest_signed,
    outcomes_document,
    standing,
)
from eligibility.selectors.standing import NOTHING_SIGNED
from foundation import clock
from foundation.api import Input, NumberPageQuery, Text, asked, keyset_page, page_of, problems, rows_as
from foundation.errors import Invalid, NotFound
from patients.models import Subject
from patients.selectors import get_subject

TAGS = ["eligibility"]
VERDICTS = [each.value for each in Verdict]


class EvidenceShown(serializers.Serializer[Any]):
    """A fact that a criterion read."""

    fact = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    value = serializers.CharField(allow_null=True)
    unit = serializers.CharField()
    note = serializers.CharField(help_text="Why it is unknown, where it is.")


class CriterionShown(serializers.Serializer[Any]):
    """What a criterion came to."""

    outcome = serializers.ChoiceField(choices=[each.value for each in CriterionOutcome])
    because = serializers.CharField()
    evidence = EvidenceShown(many=True)
    missing = serializers.ListField(child=serializers.CharField())
    valid_until = serializers.DateField(allow_null=True)


class SetShown(serializers.Serializer[Any]):
    """What a set of criteria came to."""

    title = serializers.CharField()
    verdict = serializers.ChoiceField(choices=VERDICTS)
    valid_until = serializers.DateField(allow_null=True)
    criteria = serializers.ListField(child=serializers.CharField())


class OutcomesShown(serializers.Serializer[Any]):
    """Every set, and every criterion once."""

    sets = serializers.DictField(child=SetShown())
    criteria = serializers.DictField(child=CriterionShown(), help_text="By the protocol's own number.")


class RouteShown(serializers.Serializer[Any]):
    """Where the criteria lead."""

    verdict = serializers.ChoiceField(choices=VERDICTS)
    decision = serializers.CharField()
    because = serializers.CharField()
    offered = serializers.CharField(allow_null=True, help_text="The set that is offered.")
    valid_until = serializers.DateField(allow_null=True)


class ChangeShown(serializers.Serializer[Any]):
    """Something that is no longer as it was signed."""

    label = serializers.CharField()  # type: ignore[assignment]
    before = serializers.CharField()
    after = serializers.CharField()
    fact = serializers.CharField()


class StandingShown(serializers.Serializer[Any]):
    """Whether what was signed still stands."""

    state = serializers.ChoiceField(choices=["signed", "stale", "none"])
    assessment = serializers.UUIDField(
        allow_null=True, help_text="Reference of the newest signed assessment."
    )
    changes = ChangeShown(many=True)
    expired = serializers.DateField(allow_null=True)


class EvaluationShown(OutcomesShown):
    """The criteria asked of a subject's facts; nothing of it is stored."""

    subject = serializers.CharField()
    as_of = serializers.DateField()
    protocol_version = serializers.CharField()
    facts_digest = serializers.CharField(help_text="SHA-256 of the facts that the criteria read.")
    route = RouteShown(allow_null=True)
    standing = StandingShown()


class AssessmentShown(serializers.Serializer[Any]):
    """A kept assessment; with a decision it was signed."""

    reference = serializers.UUIDField()
    as_of = serializers.DateField()
    protocol_version = serializers.CharField(source="version.label")
    verdict = serializers.ChoiceField(choices=VERDICTS)
    route = serializers.CharField()
    route_because = serializers.CharField()
    offered = serializers.CharField()
    valid_until = serializers.DateField(allow_null=True)
    decision = serializers.ChoiceField(choices=[("", "Not signed"), *Decision.choices])
    comment = serializers.CharField()
    signed_by = serializers.CharField(source="signature.signer_name", default=None, allow_null=True)
    signed_at = serializers.DateTimeField(source="signature.at", default=None, allow_null=True)
    digest = serializers.CharField(help_text="SHA-256 of the content: what was signed.")
    created_at = serializers.DateTimeField()


class AssessmentDetail(AssessmentShown):
    """A kept assessment with the facts and outcomes that it rests on."""

    subject = serializers.CharField(source="subject.number")
    statement = serializers.CharField(source="signature.statement", default=None, allow_null=True)
    facts = serializers.JSONField()
    outcomes = OutcomesShown()


class DayQuery(Input):
    """Which day is judged."""

    as_of = Text(required=False, default="", help_text="YYYY-MM-DD; without one, the day that counts now.")


class EligibilityOfSubject(Endpoint):
    """A subject's eligibility."""

    sees = VIEW
    also = ("subject.view",)

    @extend_schema(
        operation_id="eligibility",
        tags=TAGS,
        summary="Show a subject's eligibility",
        parameters=[DayQuery],
        responses={200: EvaluationShown, **problems(403, 404, 422)},
    )
    def get(self, request: Request, number: str) -> Response:
        """Every criterion with its evidence, where it leads, and whether what was signed still stands."""
        subject = get_subject(self.access, number, VIEW)
        today = clock.today(subject.site.time_zone)
        day, fault = read_day(asked(request, DayQuery)["as_of"], today)
        if fault:
            raise Invalid({"as_of": fault})
        signed = newest_signed(subject)
        evaluation = evaluation_of(subject, day or judged_on(subject, signed, today))
        return Response(EvaluationShown(_document(subject, evaluation, signed)).data)


def _document(subject: Subject, evaluation: Evaluation, signed: Assessment | None) -> dict[str, Any]:
    outlook = evaluation.outlook
    route = outlook and {
        "verdict": outlook.verdict,
        "decision": outlook.route.decision,
        "because": outlook.route.because,
        "offered": outlook.route.offer,
        "valid_until": outlook.valid_until,
    }
    held = _standing(subject, evaluation, signed)
    return {
        **outcomes_document(evaluation),
        "subject": subject.number,
        "as_of": evaluation.as_of,
        "protocol_version": evaluation.protocol.version.label,
        "facts_digest": evaluation.digest,
        "route": route,
        "standing": {
            "state": held.state,
            "assessment": signed.reference if signed else None,
            "changes": held.changes,
            "expired": held.expired,
        },
    }


def _standing(subject: Subject, shown: Evaluation, signed: Assessment | None) -> Standing:
    if signed is None:
        return NOTHING_SIGNED
    today = clock.today(subject.site.time_zone)
    on = compared_on(subject, signed, today)
    return standing(subject, signed, shown if shown.as_of == on else evaluation_of(subject, on), today)


class AssessmentsOfSubject(Endpoint):
    """What was kept of a subject's eligibility."""

    sees = VIEW
    also = ("subject.view",)

    @extend_schema(
        operation_id="assessments",
        tags=TAGS,
        summary="List the assessments of a subject",
        parameters=[NumberPageQuery],
        responses={200: page_of(AssessmentShown), **problems(403, 404, 422)},
    )
    def get(self, request: Request, number: str) -> Response:
        """Assessments that were kept, the newest first. They are never changed; a later one is another row."""
        subject = get_subject(self.access, number, VIEW)
        found = assessments_of(subject).defer("version__definition", "facts", "outcomes")
        return keyset_page(
            request,
            found,
            asked(request, NumberPageQuery),
            lambda rows: rows_as(AssessmentShown, rows),
            key="-pk",
        )


class OneAssessment(Endpoint):
    """An assessment."""

    sees = VIEW
    also = ("subject.view",)

    @extend_schema(
        operation_id="assessment",
        tags=TAGS,
        summary="Show an assessment",
        responses={200: AssessmentDetail, **problems(403, 404)},
    )
    def get(self, request: Request, number: str, reference: UUID) -> Response:
        """An assessment with the facts, the outcome of every criterion, and the signature."""
        subject = get_subject(self.access, number, VIEW)
        found = assessments_of(subject).filter(reference=reference).first()
        if found is None:
            raise NotFound
        found.subject = subject
        return Response(AssessmentDetail(found).data)
