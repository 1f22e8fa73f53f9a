"""What was sent: batches, each file with its fate, and what waits for a person in the inbox."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from imaging.models.opaque import opaque_identifier
from imaging.models.studies import Instance
from patients.models import Subject
from trials.models import Site
from visits.models import Visit


class BatchState(models.TextChoices):
    """How far a batch has come."""

    RECEIVING = "RECEIVING", "Receiving"
    RECEIVED = "RECEIVED", "Received"
    PROCESSING = "PROCESSING", "Processing"
    DONE = "DONE", "Done"
    FAILED = "FAILED", "Failed"


class Origin(models.TextChoices):
    """By which door files came."""

    WEB = "WEB", "Browser"
    COMMAND = "COMMAND", "Command"
    DICOMWEB = "DICOMWEB", "DICOMweb"
    DICOM = "DICOM", "DICOM receiver"


class Batch(models.Model):
    """What was sent for a visit at one go."""

    opaque = opaque_identifier()
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="+")
    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, related_name="+")
    origin = models.CharField(max_length=10, choices=Origin, default=Origin.WEB)
    manifest_digest = models.CharField(max_length=64)
    sent_by = models.CharField(max_length=150)
    sent_by_id = models.BigIntegerField(null=True)
    state = models.CharField(max_length=10, choices=BatchState, default=BatchState.RECEIVING)
    problem = models.CharField(max_length=300, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    started_at = models.DateTimeField(db_default=Now(), editable=False)
    received_at = models.DateTimeField(null=True)
    claimed_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-started_at"]
        indexes = [models.Index(fields=["state", "claimed_at"], name="imaging_batch_by_state")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=BatchState.values), name="batch_state_is_known"
            ),
            models.UniqueConstraint(
                fields=["visit", "manifest_digest"],
                condition=models.Q(state="RECEIVING"),
                name="one_open_batch_per_visit_and_manifest",
            ),
        ]

    def __str__(self) -> str:
        return f"batch {self.pk}"


class FileState(models.TextChoices):
    """The fate of a file that was sent."""

    EXPECTED = "EXPECTED", "Not here yet"
    RECEIVED = "RECEIVED", "Received"
    UNPACKED = "UNPACKED", "Archive, unpacked"
    ACCEPTED = "ACCEPTED", "Accepted"
    DUPLICATE = "DUPLICATE", "Already here"
    QUARANTINED = "QUARANTINED", "Quarantined"
    REJECTED = "REJECTED", "Rejected"
    SKIPPED = "SKIPPED", "Skipped"


class BatchFile(models.Model):
    """One file of a batch (or of an archive in it). Its path is forgotten once it is judged: it may hold a name."""

    audit_masked: ClassVar = ("path",)

    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="files")
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="+")
    archive = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="members")
    index = models.PositiveIntegerField()
    path = models.CharField(max_length=400)
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64, blank=True)
    stored_key = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=12, choices=FileState, default=FileState.EXPECTED)
    code = models.CharField(max_length=32, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    instance = models.ForeignKey(Instance, on_delete=models.PROTECT, null=True, related_name="+")
    decided_by = models.CharField(max_length=150, blank=True)
    overruled = models.JSONField(default=list, help_text="Reasons to hold it back that a person passed over.")
    marks = models.TextField(
        blank=True, help_text="Where something may be written in the picture: left,top,right,bottom each."
    )
    covers = models.TextField(blank=True, help_text="Areas that a person had covered, in the same form.")
    held_since = models.DateTimeField(null=True, help_text="Since when it waits for a person.")

    class Meta:
        ordering = ["batch", "archive__index", "index"]
        constraints = [
            models.UniqueConstraint(
                fields=["batch", "archive", "index"], name="file_once_per_batch", nulls_distinct=False
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=FileState.values), name="file_state_is_known"
            ),
        ]
        indexes = [models.Index(fields=["batch", "state"], name="imaging_file_by_state")]

    def __str__(self) -> str:
        return f"file {self.index} of {self.batch_id}"


class Destruction(models.Model):
    """That originals were destroyed, by whom and why; which ones, their rows say. Never changed."""

    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, null=True, related_name="+")
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, null=True, related_name="+")
    files = models.PositiveIntegerField()
    reason = models.CharField(max_length=300)
    by = models.CharField(max_length=150)
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.files} originals destroyed"


class InboxState(models.TextChoices):
    """What became of an object that matched no subject."""

    WAITING = "WAITING", "Waiting"
    MATCHED = "MATCHED", "Matched"
    REJECTED = "REJECTED", "Rejected"


class InboxItem(models.Model):
    """An object that came over the network. It waits here until it belongs to a visit, and is never dropped.

    `examination` and `claimed` come from its header: the first is a keyed digest, so that objects of one examination
    stand together; the second is kept only where it is the number of a subject of ours.
    """

    opaque = opaque_identifier()
    examination = models.CharField(max_length=64, blank=True)
    claimed = models.CharField(max_length=64, blank=True, help_text="Number of the subject that it names.")
    claimed_visit = models.CharField(max_length=16, blank=True)
    taken_on = models.DateField(null=True)
    modality = models.CharField(max_length=16, blank=True)
    sent_by = models.CharField(max_length=150, blank=True)
    sent_by_id = models.BigIntegerField(null=True)
    site = models.ForeignKey(Site, on_delete=models.PROTECT, null=True, related_name="+")
    origin = models.CharField(max_length=10, choices=Origin)
    stored_key = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64, unique=True)
    size = models.BigIntegerField()
    reason = models.CharField(max_length=300, blank=True)
    state = models.CharField(max_length=10, choices=InboxState, default=InboxState.WAITING)
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, null=True, related_name="+")
    received_at = models.DateTimeField(db_default=Now(), editable=False)
    decided_by = models.CharField(max_length=150, blank=True)
    decided_at = models.DateTimeField(null=True)
    decision_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["received_at", "pk"]
        indexes = [models.Index(fields=["state", "examination"], name="imaging_inbox_by_examination")]

    def __str__(self) -> str:
        return f"inbox item {self.pk}"
