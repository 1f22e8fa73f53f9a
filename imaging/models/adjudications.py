"""Where two readers disagree, and what a third decided."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from accounts.models import Signature, User
from imaging.models.opaque import opaque_identifier
from imaging.models.reads import Read
from patients.models import Subject
from visits.models import Visit


class AdjudicationState(models.TextChoices):
    """How far an adjudication has come."""

    WAITING = "WAITING", "Waiting"
    SIGNED = "SIGNED", "Signed"


class Choice(models.TextChoices):
    """What an adjudicator decides."""

    A = "A", "Reader A"
    B = "B", "Reader B"
    NEW = "NEW", "Neither; I read the images myself"


class Adjudication(models.Model):
    """Two signed reads of the same images that differ where the charter asks for agreement.

    The adjudicator sees them as A and B, drawn at random. Whoever opens it holds it for a short while, so that two
    adjudicators do not work on the same. A signed adjudication never changes; when one of the reads is corrected later,
    the new pair is compared anew.
    """

    opaque = opaque_identifier()
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="+")
    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, related_name="+")
    first = models.ForeignKey(Read, on_delete=models.PROTECT, related_name="+")
    second = models.ForeignKey(Read, on_delete=models.PROTECT, related_name="+")
    first_is_a = models.BooleanField(help_text="Whether the first reader is shown as A; drawn at random.")
    differences = models.JSONField(help_text="Variables of the charter in which they differ.")
    state = models.CharField(max_length=10, choices=AdjudicationState, default=AdjudicationState.WAITING)
    held_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    held_until = models.DateTimeField(null=True)
    choice = models.CharField(max_length=3, choices=Choice, blank=True)
    accepted = models.ForeignKey(Read, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.CharField(max_length=1000, blank=True)
    due_on = models.DateField()
    assigned_at = models.DateTimeField(db_default=Now(), editable=False)
    signed_at = models.DateTimeField(null=True)
    signature = models.OneToOneField(Signature, on_delete=models.PROTECT, null=True, related_name="+")
    digest = models.CharField(max_length=64, blank=True, help_text="SHA-256 of what was signed.")

    class Meta:
        ordering = ["due_on", "pk"]
        indexes = [models.Index(fields=["state", "due_on"], name="imaging_adjudication_queue")]
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="a_pair_of_reads_is_adjudicated_once"),
            models.CheckConstraint(
                condition=~models.Q(state="SIGNED")
                | models.Q(signature__isnull=False, accepted__isnull=False),
                name="a_signed_adjudication_has_signature_and_result",
            ),
        ]

    def __str__(self) -> str:
        return f"adjudication {self.pk}"
