"""Tables of the patients room.

A `Patient` is a person at a site, known here by a pseudonymous code only. A `Subject` is that patient in
one trial: its number, protocol version, sub-study and status. Consent is a form of the casebook: the date, the version
of the document and what it covers are facts like all others.
"""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from trials.models import ProtocolVersion, Site, Trial


class Patient(models.Model):
    """A person at a site. Never holds a name, a birth date or a record number."""

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+")
    code = models.CharField(max_length=32)
    registered_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["site", "code"], name="patient_code_once_per_site"),
        ]

    def __str__(self) -> str:
        return self.code


class SubjectStatus(models.TextChoices):
    """Where a subject stands in its trial."""

    SCREENING = "SCREENING", "In screening"
    ELIGIBLE = "ELIGIBLE", "Eligible"
    ENROLLED = "ENROLLED", "Enrolled"
    ON_TREATMENT = "ON_TREATMENT", "On treatment"
    FOLLOW_UP = "FOLLOW_UP", "In follow-up"
    COMPLETED = "COMPLETED", "Completed"
    DISCONTINUED = "DISCONTINUED", "Discontinued"
    SCREEN_FAILURE = "SCREEN_FAILURE", "Screen failure"


class Subject(models.Model):
    """A patient in one trial."""

    audit_subject = "pk"

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    trial = models.ForeignKey(Trial, on_delete=models.PROTECT, related_name="+")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+")
    version = models.ForeignKey(ProtocolVersion, on_delete=models.PROTECT, related_name="+")
    number = models.CharField(max_length=32)
    sub_study = models.CharField(max_length=32, blank=True)
    status = models.CharField(max_length=16, choices=SubjectStatus, default=SubjectStatus.SCREENING)
    status_since = models.DateField(null=True)
    screened_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["number"], name="subject_number_is_unique"),
            models.UniqueConstraint(fields=["patient", "trial"], name="patient_once_per_trial"),
            models.CheckConstraint(
                condition=models.Q(status__in=SubjectStatus.values), name="subject_status_is_known"
            ),
        ]
        indexes = [models.Index(fields=["trial", "site", "number"], name="subject_by_trial_and_site")]

    def __str__(self) -> str:
        return self.number


class VersionMove(models.Model):
    """A subject's step from one protocol version to a later one, after it consented again."""

    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="moves")
    previous = models.ForeignKey(ProtocolVersion, on_delete=models.PROTECT, related_name="+")
    version = models.ForeignKey(ProtocolVersion, on_delete=models.PROTECT, related_name="+")
    reconsented_on = models.DateField()
    reason = models.CharField(max_length=300)
    moved_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(condition=~models.Q(reason=""), name="a_move_has_a_reason"),
            models.UniqueConstraint(fields=["subject", "version"], name="a_subject_moves_to_a_version_once"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} to {self.version}"
