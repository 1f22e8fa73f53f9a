"""Tables of the eligibility room: every evaluation that was kept, and never changed.

An `Assessment` holds the facts that the criteria read, what each criterion came to, and where that leads. With a
decision and a signature it is the investigator's word. The database refuses to change or delete a row: a later
evaluation is another row, and whether an older one still stands is worked out, never stored.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from accounts.models import Signature
from eligibility.policies import ELIGIBLE, NOT_ELIGIBLE
from patients.models import Subject
from trials.models import ProtocolVersion

SIGNED_KIND = "eligibility.assessment"


class Decision(models.TextChoices):
    """What the investigator decided."""

    ELIGIBLE = ELIGIBLE, "Eligible"
    NOT_ELIGIBLE = NOT_ELIGIBLE, "Not eligible"


class Assessment(models.Model):
    """The criteria of a protocol version asked of one subject's facts on one day.

    `facts` is the part of the document that the criteria read, `outcomes` every set with its criteria. `verdict`,
    `route` and `offered` are those of the sets that decide; `digest` covers all of it and is what was signed.
    """

    reference = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="+")
    version = models.ForeignKey(ProtocolVersion, on_delete=models.PROTECT, related_name="+")
    as_of = models.DateField()
    facts = models.JSONField()
    facts_digest = models.CharField(max_length=64, help_text="SHA-256 of the canonical JSON of the facts.")
    outcomes = models.JSONField()
    verdict = models.CharField(max_length=12)
    route = models.CharField(max_length=60)
    route_because = models.TextField()
    offered = models.CharField(max_length=40, blank=True, help_text="The criteria set that is offered.")
    valid_until = models.DateField(null=True)
    decision = models.CharField(max_length=12, choices=Decision, blank=True)
    comment = models.TextField(blank=True)
    digest = models.CharField(max_length=64, help_text="SHA-256 of the canonical content: what is signed.")
    signature = models.OneToOneField(Signature, on_delete=models.PROTECT, null=True, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    by_name = models.CharField(max_length=150)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["subject", "pk"]
        indexes = [models.Index(fields=["subject", "-id"], name="assessment_of_subject")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(verdict__in=["ELIGIBLE", "INELIGIBLE", "UNDETERMINED"]),
                name="assessment_verdict_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(decision="", signature__isnull=True)
                | models.Q(decision__in=[ELIGIBLE, NOT_ELIGIBLE], signature__isnull=False),
                name="a_decision_is_signed",
            ),
            models.CheckConstraint(
                condition=~models.Q(decision=ELIGIBLE) | models.Q(verdict="ELIGIBLE"),
                name="eligible_only_where_the_criteria_say_so",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.decision or self.verdict} on {self.as_of}"
