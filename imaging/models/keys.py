"""Keys of a subject, and the patient numbers by which a site's files are known."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from patients.models import Subject


class ImagingKey(models.Model):
    """The secret of a subject: dates and identifiers of its images follow from it. Never leaves unsealed."""

    audit_masked: ClassVar = ("sealed",)

    subject = models.OneToOneField(Subject, on_delete=models.PROTECT, related_name="+")
    sealed = models.TextField(help_text="Encrypted; opened by imaging.sealing only.")
    case_code = models.CharField(
        max_length=12, unique=True, help_text="Name of the subject's case on pages of readers."
    )

    def __str__(self) -> str:
        return f"key {self.pk}"


class PatientNumber(models.Model):
    """A hospital's patient number, as a keyed digest, by which images are known to be this subject's.

    The first image that is accepted brings one. A person adds another (two hospitals, a new number), or takes one back
    where the images were somebody else's; a number that was taken back stays on record and counts no more.
    """

    audit_masked: ClassVar = ("digest",)

    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="+")
    digest = models.CharField(max_length=64)
    confirmed_by = models.CharField(max_length=150, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField(db_default=Now(), editable=False)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=150, blank=True)
    ended_because = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "digest"],
                condition=models.Q(ended_at=None),
                name="patient_number_once_per_subject",
            )
        ]

    def __str__(self) -> str:
        return f"patient number {self.pk}"
