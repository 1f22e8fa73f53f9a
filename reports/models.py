"""Tables of the reports room: exports that somebody asked for."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from casebook.models import PlaceLock
from patients.models import Subject
from trials.models import ProtocolVersion, Trial


class ExportState(models.TextChoices):
    """Where an export stands."""

    WAITING = "WAITING", "Waiting"
    RUNNING = "RUNNING", "Running"
    DONE = "DONE", "Done"
    FAILED = "FAILED", "Failed"


class ExportFormat(models.TextChoices):
    """What an export holds."""

    CSV = "csv", "Data"
    ODM = "odm", "Data, ODM-XML"
    DICOM = "dicom", "Images and reads"


class Export(models.Model):
    """An export: who asked for what, when, and what came of it. The file itself lies in the storage."""

    trial = models.ForeignKey(Trial, on_delete=models.PROTECT, related_name="+")
    sites = models.JSONField(default=list)
    subject = models.ForeignKey(
        Subject,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text="The only one, where one was asked for.",
    )
    format = models.CharField(max_length=10, choices=ExportFormat, default=ExportFormat.CSV)
    lock = models.OneToOneField(
        PlaceLock,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text="The lock of which this is the snapshot; once it is made, the database refuses to change it.",
    )
    as_of = models.DateTimeField(null=True)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(db_default=Now(), editable=False)
    state = models.CharField(max_length=8, choices=ExportState, default=ExportState.WAITING)
    started_at = models.DateTimeField(null=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    file = models.CharField(max_length=200, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    manifest = models.JSONField(null=True)
    problem = models.CharField(
        max_length=300, blank=True, help_text="Why it failed, or what is missing in one that is done."
    )

    class Meta:
        ordering = ["-requested_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=ExportState.values), name="export_state_is_known"
            ),
        ]
        indexes = [models.Index(fields=["state", "requested_at"], name="export_by_state")]

    def __str__(self) -> str:
        return f"export {self.pk} of {self.trial_id}"


class ExportTaken(models.Model):
    """An export that somebody took away, or its list of readers. Rows are only ever added; the trail says who."""

    export = models.ForeignKey(Export, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField("taken", db_default=Now(), editable=False)
    what = models.CharField(
        max_length=10, choices=[("file", "The archive"), ("readers", "Who the readers are")]
    )
    sha256 = models.CharField("SHA-256 of the archive", max_length=64)

    class Meta:
        verbose_name = "export that was taken"
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.what} of export {self.export_id}"


class Simulation(models.Model):
    """An amendment tried on the subjects of its trial: who asked, and what was found. Nobody was moved by it."""

    version = models.ForeignKey(ProtocolVersion, on_delete=models.PROTECT, related_name="+")
    sites = models.JSONField(default=list)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(db_default=Now(), editable=False)
    state = models.CharField(max_length=8, choices=ExportState, default=ExportState.WAITING)
    started_at = models.DateTimeField(null=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    result = models.JSONField(null=True)
    problem = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-requested_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=ExportState.values), name="simulation_state_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"simulation {self.pk} of {self.version}"


class CasebookCopy(models.Model):
    """A casebook that somebody took away as a PDF. Rows are added and never changed."""

    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField("taken", db_default=Now(), editable=False)
    as_of = models.DateTimeField(
        "as of", null=True, help_text="The moment that it shows; empty for the present."
    )
    content_sha256 = models.CharField("SHA-256 of the content", max_length=64)
    file_sha256 = models.CharField("SHA-256 of the file", max_length=64)

    class Meta:
        verbose_name = "copy of the casebook"
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"casebook of {self.subject_id}"


class CopyRequest(models.Model):
    """A copy of a long casebook that somebody asked for: a worker makes it, the file lies in the storage."""

    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="+")
    as_of = models.DateTimeField(
        "as of", null=True, help_text="The moment that it shows; empty for the present."
    )
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(db_default=Now(), editable=False)
    state = models.CharField(max_length=8, choices=ExportState, default=ExportState.WAITING)
    started_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=300, blank=True)
    file = models.CharField(max_length=200, blank=True)
    copy = models.OneToOneField(CasebookCopy, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = "request for a copy of the casebook"
        ordering = ["-requested_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=ExportState.values), name="copy_request_state_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"copy {self.pk} of {self.subject_id}"
