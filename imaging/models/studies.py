"""What is kept: ledgers, studies, series, instances, and the decisions about their quality."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from imaging.models.keys import PatientNumber
from imaging.models.opaque import opaque_identifier
from patients.models import Subject
from visits.models import Visit


class Ledger(models.Model):
    """What de-identification did to the elements of a file. The files of a series usually share one."""

    digest = models.CharField(max_length=64, unique=True)
    content = models.JSONField()

    def __str__(self) -> str:
        return self.digest[:12]


class StudyState(models.TextChoices):
    """What the quality check says of a study."""

    RECEIVED = "RECEIVED", "Received"
    QC_PASS = "QC_PASS", "Quality accepted"
    QC_QUERY = "QC_QUERY", "Quality in question"
    QC_REJECTED = "QC_REJECTED", "Quality rejected"
    WITHDRAWN = "WITHDRAWN", "Taken out"


class Study(models.Model):
    """The images of one examination, at one visit."""

    opaque = opaque_identifier()
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="+")
    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, related_name="+")
    uid = models.CharField(max_length=64, help_text="Mapped Study Instance UID.")
    shifted_date = models.DateField(null=True, help_text="Study date as in the stored files: shifted.")
    state = models.CharField(max_length=12, choices=StudyState, default=StudyState.RECEIVED)
    findings = models.JSONField(default=list, help_text="What the quality check found, as code and sentence.")
    accepted_because = models.CharField(max_length=300, blank=True)
    patient_number = models.ForeignKey(PatientNumber, on_delete=models.PROTECT, null=True, related_name="+")
    check_due_on = models.DateField(null=True, help_text="By when the quality check has to be settled.")
    received_at = models.DateTimeField(db_default=Now(), editable=False)
    checked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["subject", "visit__ordinal", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["subject", "uid"], name="study_once_per_subject"),
            models.CheckConstraint(
                condition=models.Q(state__in=StudyState.values), name="study_state_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"study {self.pk}"


class QualityChoice(models.TextChoices):
    """What a person, or the check itself, decided about a study."""

    ACCEPT = "ACCEPT", "Accepted"
    QUERY = "QUERY", "Asked the site"
    REJECT = "REJECT", "Rejected"
    WITHDRAW = "WITHDRAW", "Taken out"
    RESTORE = "RESTORE", "Taken back in"


class QualityDecision(models.Model):
    """One decision about the quality of a study. Never changed: a later one follows it."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="decisions")
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="+")
    choice = models.CharField(max_length=10, choices=QualityChoice)
    reason = models.CharField(max_length=300)
    corrective_action = models.CharField(
        max_length=300, blank=True, help_text="What the site is asked to do."
    )
    due_on = models.DateField(null=True, help_text="By when the site has to do it.")
    by = models.CharField(max_length=150)
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["study", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(choice__in=QualityChoice.values), name="quality_choice_is_known"
            )
        ]

    def __str__(self) -> str:
        return f"{self.choice} of study {self.study_id}"


class Series(models.Model):
    """Slices that belong together."""

    opaque = opaque_identifier()
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="+")
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="series")
    uid = models.CharField(max_length=64, help_text="Mapped Series Instance UID.")
    frame_of_reference_uid = models.CharField(max_length=64, blank=True)
    modality = models.CharField(max_length=16)
    label = models.CharField(
        max_length=64, blank=True, help_text="Contrast phase or sequence, from a closed list."
    )
    number = models.IntegerField(null=True)
    kernel = models.CharField(max_length=64, blank=True)
    scanner = models.CharField(max_length=130, blank=True, help_text="Manufacturer and model.")
    contrast = models.BooleanField(default=False)
    thickness_mm = models.DecimalField(max_digits=8, decimal_places=3, null=True)

    class Meta:
        ordering = ["study", "number", "pk"]
        verbose_name_plural = "series"
        constraints = [models.UniqueConstraint(fields=["study", "uid"], name="series_once_per_study")]

    def __str__(self) -> str:
        return f"series {self.pk}"


class Instance(models.Model):
    """One slice: the de-identified file (the record) and its frame for the viewer (which can be made again)."""

    opaque = opaque_identifier()
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="+")
    series = models.ForeignKey(Series, on_delete=models.PROTECT, related_name="instances")
    uid = models.CharField(max_length=64, help_text="Mapped SOP Instance UID.")
    number = models.IntegerField(null=True)
    depth = models.DecimalField(
        max_digits=12, decimal_places=4, help_text="Position along the slice normal, mm."
    )
    file_key = models.CharField(max_length=200)
    file_sha256 = models.CharField(max_length=64)
    file_bytes = models.BigIntegerField()
    pixel_offset = models.BigIntegerField()
    pixel_length = models.BigIntegerField()
    pixel_sha256 = models.CharField(
        max_length=64, help_text="Of the pixel data value; the same before and after, but for covered areas."
    )
    uncovered_sha256 = models.CharField(
        max_length=64, blank=True, help_text="Of the pixel data as they came, where areas were covered."
    )
    frame_key = models.CharField(max_length=200)
    attributes = models.JSONField(help_text="DICOM JSON for the viewer, without identifiers and dates.")
    ledger = models.ForeignKey(Ledger, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["series", "depth", "pk"]
        constraints = [models.UniqueConstraint(fields=["subject", "uid"], name="instance_once_per_subject")]

    def __str__(self) -> str:
        return f"instance {self.pk}"
